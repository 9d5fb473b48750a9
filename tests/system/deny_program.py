#!/usr/bin/env python3
"""A deny for one program: 0 bytes of it reach the peer, over every protocol; the program beside it loses nothing."""
import os
import shutil
import sys

from instance import Checks, Instance

TRAFFIC = r'''
import errno, os, socket, sys
results = {}
def attempt(name, action):
    try: action(); results[name] = 'ok'
    except OSError as error: results[name] = errno.errorcode.get(error.errno, str(error))
for six, address in ((False, '10.99.1.2'), (True, 'fd99:1::2')):
    tag = '6' if six else '4'
    family = socket.AF_INET6 if six else socket.AF_INET
    def make(kind, protocol=0):
        s = socket.socket(family, kind, protocol); s.settimeout(8); return s
    def tcp():
        s = make(socket.SOCK_STREAM); s.connect((address, 80)); s.sendall(b'x' * 1000)
        got = b''
        while len(got) < 1000: got += s.recv(1000)
    def udp_connected():
        s = make(socket.SOCK_DGRAM); s.connect((address, 53)); s.send(b'hello'); assert s.recv(9) == b'hello'
    def udp_unconnected():
        s = make(socket.SOCK_DGRAM); s.sendto(b'hello', (address, 53)); assert s.recv(9) == b'hello'
    def icmp():
        s = make(socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
        s.sendto(bytes([128 if six else 8, 0, 0, 0, 0, 0, 0, 1]) + b'ringwall', (address, 0)); s.recv(100)
    def fast_open():
        s = make(socket.SOCK_STREAM); s.settimeout(None)
        s.sendto(b'hello', 0x20000000, (address, 80)); s.settimeout(8); s.recv(10)
    for action in (tcp, udp_connected, udp_unconnected, icmp, fast_open):
        attempt(action.__name__ + tag, action)
mapped = socket.socket(socket.AF_INET6, socket.SOCK_STREAM); mapped.settimeout(8)
attempt('mapped', lambda: mapped.connect(('::ffff:10.99.1.2', 80)))
import json; print(json.dumps(results))
'''


def traffic(lab, python):
    import json
    done = lab.run([python, '-c', TRAFFIC], timeout=120)
    return json.loads(done.stdout) if done.returncode == 0 else {'failed': done.stderr}


def main():
    check = Checks()
    with Instance() as lab:
        lab.serve(80, 53)
        python = os.path.realpath('/usr/bin/python3')
        denied = os.path.join(lab.directory, 'denied-program')
        shutil.copy(python, denied)
        plain = traffic(lab, python)
        check('without filters all traffic works', set(plain.values()) == {'ok'}, str(plain))

        lab.ringwall('block', '--app', denied)
        before = lab.peer_packets()
        results = traffic(lab, denied)
        packets_out = lab.peer_packets() - before
        for name, result in sorted(results.items()):
            # No hook sees a ping socket's sendto(): its packet is dropped on the way out, which IPv4 tells as EPERM.
            errors = {'icmp4': 'EPERM', 'icmp6': 'timed out'}
            check(f'denied {name}: fails at once', result == errors.get(name, 'EACCES'), result)
        check('denied: 0 packets reach the peer', packets_out == 0, str(packets_out))
        control = traffic(lab, python)
        check('the control program beside it loses nothing', control == plain, str(control))

        lab.ringwall('remove', '--all')
        again = traffic(lab, denied)
        check('removed: everything works again', again == plain, str(again))
    check.finish()


main()
