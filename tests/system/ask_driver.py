#!/usr/bin/env python3
"""The ask driver: connections wait until they are answered, and the same connection goes on."""
import json
import sys
import time

from instance import Checks, Instance, program

CLIENT = '''
import socket, sys, time
kind, family, host, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET,
                  socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(60)
start = time.monotonic()
try:
    s.connect((host, port))
    s.sendall(b'first')
    print('got', s.recv(64).decode(), flush=True)
except OSError as error:
    print('failed', error.errno, round(time.monotonic() - start, 2), flush=True)
'''


class Asked(Instance):
    def questions(self):
        return json.loads(self.ringwall('ask', '--json').stdout)['questions']

    def wait_questions(self, count, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.questions()
            if len(found) >= count:
                return found
            time.sleep(0.05)
        return self.questions()

    def client(self, kind='tcp', family=4, port=80):
        host = self.peer4 if family == 4 else self.peer6
        return self.popen([sys.executable, '-c', CLIENT, kind, str(family), host, str(port)], stdout=-1)


def answers(check, lab):
    for kind in ('tcp', 'udp'):
        for family in (4, 6):
            name = f'{kind}{family}'
            before = lab.peer_packets()
            client = lab.client(kind, family)
            found = lab.wait_questions(1)
            check(f'{name}: one question', len(found) == 1, str(found))
            if not found:
                continue
            question = found[0]
            check(f'{name}: it tells the program', 'python3' in question['program'], str(question))
            check(f'{name}: … and the remote', question['remotePort'] == 80 and question['protocol'] == kind.upper(),
                  str(question))
            time.sleep(0.3)
            check(f'{name}: nothing got out before the answer', lab.peer_packets() == before)
            lab.ringwall('ask', 'answer', str(question['id']), 'allow')
            out, _ = client.communicate(timeout=20)
            check(f'{name}: allowed, the same connection goes on', out == 'got first\n', out)

            client = lab.client(kind, family)
            before = lab.peer_packets()
            question = lab.wait_questions(1)[0]
            begin = time.monotonic()
            lab.ringwall('ask', 'answer', str(question['id']), 'block')
            if kind == 'tcp':
                out, _ = client.communicate(timeout=20)
                check(f'{name}: blocked, it fails at once',
                      out.startswith('failed') and time.monotonic() - begin < 2, out)
            else:
                time.sleep(0.5)
                client.kill()
                client.wait()
            check(f'{name}: blocked, nothing got out', lab.peer_packets() == before)
            done = lab.ringwall('ask', 'answer', str(question['id']), 'allow', check=False)
            check(f'{name}: a second answer finds no question', done.returncode == 5, done.stderr)


def main():
    check = Checks()
    with Asked() as lab:
        lab.serve(80)
        log = lab.monitor()
        lab.ringwall('load', program('drivers', 'ask', 'ask.so'))
        answers(check, lab)
        text = open(log, encoding='utf-8').read()
        check('no rule was broken', 'violation' not in text, text[-3000:])
    check.finish()


main()
