#!/usr/bin/env python3
"""ringwalld killed with SIGKILL while flows are held: nothing gets out; restarted, it adopts them."""
import os
import sys
import time

from instance import Checks, Instance, program

CONNECT = '''
import socket, sys
s = socket.socket(); s.settimeout(60)
try: s.connect(('10.99.1.2', int(sys.argv[1]))); s.sendall(b'hello'); assert s.recv(9) == b'hello'; print('connected')
except OSError as error: print('failed', error.errno)
'''


def hosts(lab):
    """Driver hosts of this instance."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as environment:
                mine = f'RINGWALL_RUNTIME_DIR={lab.runtime}'.encode() in environment.read().split(b'\0')
            with open(f'/proc/{pid}/comm', encoding='ascii') as name:
                if mine and name.read().startswith('ringwall-driver'):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def main():
    check = Checks()
    driver = program('tests', 'system', 'misbehave.so')
    with Instance() as lab:
        lab.serve(80)
        lab.ringwall('load', driver, '--name', 'hang', 'mode=hang')
        before = lab.peer_packets()
        held = lab.popen([sys.executable, '-c', CONNECT, '80'], stdout=-1)
        time.sleep(0.7)
        lab.kill_service()
        time.sleep(3)
        check('killed: nothing gets out', lab.peer_packets() == before, str(lab.peer_packets() - before))
        check('killed: the connection is still held', held.poll() is None)
        new = lab.popen([sys.executable, '-c', CONNECT, '80'], stdout=-1)
        time.sleep(1.5)
        check('killed: a new connection gets nothing out either', lab.peer_packets() == before)
        lab.start_service()
        out, _ = held.communicate(timeout=30)
        out2, _ = new.communicate(timeout=30)
        check('restarted without the driver: the held connection goes on', out == 'connected\n', out)
        check('restarted: the new one as well', out2 in ('connected\n', 'failed 13\n', 'failed 105\n'), out2)

        lab.ringwall('block', '--remote', lab.peer4, '--port', '81')
        lab.kill_service()
        before = lab.peer_packets()
        blocked = lab.popen([sys.executable, '-c', CONNECT, '81'], stdout=-1)
        time.sleep(2)
        check('killed: a blocked connection gets nothing out', lab.peer_packets() == before)
        lab.start_service()
        out, _ = blocked.communicate(timeout=30)
        check('restarted: it fails', out.startswith('failed'), out)
        check('… and got nothing out', lab.peer_packets() == before)
        until = time.monotonic() + 20
        while hosts(lab) and time.monotonic() < until:
            time.sleep(0.2)
        check('the hanging driver did not outlive its service', not hosts(lab))
        check('restarted: persistent filters are whole', '81' in lab.ringwall('list').stdout)
    check.finish()


main()
