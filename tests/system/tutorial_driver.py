#!/usr/bin/env python3
"""The tutorial's driver on live traffic: lines in its format, blocking by program and by address, everything back."""
import re
import sys
import time

from instance import Checks, Instance, program

LINE = re.compile(r'\[WFP\]IRQL=(\d+);PID=(\d+);Path=([^;]*);Local=([^;]*);Remote=([^;]*);Protocol=(\w+)')

UDP = '''
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(5)
if sys.argv[3] == 'connected':
    s.connect((sys.argv[1], int(sys.argv[2]))); s.send(b'hello')
else:
    s.sendto(b'hello', (sys.argv[1], int(sys.argv[2])))
assert s.recv(100) == b'hello'; print(s.getsockname()[1])
'''


def lines(path):
    with open(path, encoding='utf-8') as log:
        return [match.groups() for match in map(LINE.search, log) if match]


def wait_lines(path, count, seconds=20):
    deadline = time.monotonic() + seconds
    while len(lines(path)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return lines(path)


def main():
    check = Checks()
    with Instance() as lab:
        lab.serve(80, 81, 53)
        wall = program('drivers', 'wall', 'wall.so')
        lab.ringwall('load', wall)
        log = lab.monitor()
        curl = lambda url, *more: lab.run(['curl', '-sS', '-g', '--max-time', '15', *more, url])

        done = curl(f'http://{lab.peer4}/', '-w', '%{local_port}')
        check('tcp4 permitted', done.returncode == 0 and done.stdout.startswith('ok'), done.stderr)
        port = done.stdout.split('\n')[-1]
        seen = wait_lines(log, 1)
        check('tcp4 line', seen and seen[-1][0] == '0' and seen[-1][2].endswith('/curl') and
              seen[-1][3:] == (f'{lab.client4}:{port}', f'{lab.peer4}:80', 'TCP'), str(seen))
        done = curl(f'http://[{lab.peer6}]/', '-w', '%{local_port}')
        port = done.stdout.split('\n')[-1]
        seen = wait_lines(log, 2)
        check('tcp6 line', len(seen) == 2 and seen[-1][3:] ==
              (f'[{lab.client6}]:{port}', f'[{lab.peer6}]:80', 'TCP'), str(seen))
        for count, (address, kind) in enumerate(((lab.peer4, 'connected'), (lab.peer4, 'unconnected'),
                                                 (lab.peer6, 'connected'), (lab.peer6, 'unconnected')), 3):
            done = lab.run([sys.executable, '-c', UDP, address, '53', kind])
            check(f'udp {kind} {address} permitted', done.returncode == 0, done.stderr)
            seen = wait_lines(log, count)
            check(f'udp {kind} {address} line', len(seen) == count and seen[-1][5] == 'UDP' and
                  seen[-1][3].endswith(':' + done.stdout.strip()) and seen[-1][4].endswith(':53'), str(seen[-1:]))

        lab.ringwall('unload', 'wall')
        lab.ringwall('load', wall, 'block_app=curl')
        before = lab.peer_packets()
        done = curl(f'http://{lab.peer4}/')
        check('block_app: curl cannot connect', done.returncode != 0, done.stdout)
        check('block_app: 0 packets reach the peer', lab.peer_packets() == before, f'{lab.peer_packets() - before}')
        done = lab.run([sys.executable, '-c', UDP, lab.peer4, '53', 'connected'])
        check('block_app: another program is not disturbed', done.returncode == 0, done.stderr)

        lab.ringwall('unload', 'wall')
        lab.ringwall('load', wall, f'block_remote={lab.peer4}:81')
        check('block_remote: that port', curl(f'http://{lab.peer4}:81/').returncode != 0)
        check('block_remote: another port', curl(f'http://{lab.peer4}:80/').returncode == 0)

        lab.ringwall('unload', 'wall')
        count = len(lines(log))
        check('unloaded: works again', curl(f'http://{lab.peer4}:81/').returncode == 0)
        time.sleep(0.3)
        check('unloaded: no line', len(lines(log)) == count)
        check('unloaded: no filters left', 'wall' not in lab.ringwall('show', 'filters').stdout)
    check.finish()


main()
