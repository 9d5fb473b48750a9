#!/usr/bin/env python3
"""Many programs wait at once for the ask driver's answers: nothing gets out before, everything is intact afterwards.

Small numbers by default; ASK_MANY=1000,10000 for large ones.
"""
import json
import os
import sys
import time

from instance import Checks, Instance, program

PORTS = {'tcp': '7011', 'udp': '7012'}  # of the server of the scenarios

ECHO_TIME = '''
import socket, sys, time
best = []
for i in range(int(sys.argv[2])):
    s = socket.create_connection((sys.argv[1], 81)); s.sendall(b'x'); s.recv(1); s.close()
'''


def storm(check, lab, folder, kind, family, count, verdict):
    name = f'{count} {kind}{family} {verdict}'
    host = lab.peer4 if family == 4 else lab.peer6
    os.environ['RINGWALL_RUNTIME_DIR'] = lab.runtime
    before = lab.peer_packets()
    process = lab.popen([program('tests', 'system', 'ask_storm'), folder, str(count), kind, str(family), host,
                         PORTS[kind], verdict], stdin=-1, stdout=-1)
    word = process.stdout.readline()
    check(f'{name}: all are held at once', word == 'held\n', word)
    time.sleep(0.3)
    check(f'{name}: 0 packets out before the answer', lab.peer_packets() == before, str(lab.peer_packets() - before))
    begin = time.monotonic()
    out, _ = process.communicate('\n', timeout=300)
    took = time.monotonic() - begin
    result = json.loads(out or '{"good": -1, "failed": -1}')
    if verdict == 'allow':
        check(f'{name}: each goes on with its data intact', result['good'] == count, out)
    elif kind == 'tcp':
        check(f'{name}: each fails with ECONNABORTED', result['failed'] == count and result['errno'] == 103, out)
        check(f'{name}: nothing got out', lab.peer_packets() == before)
    print(f'     {name}: p50 {result.get("p50_us")} us, p99 {result.get("p99_us")} us, {took:.2f} s in all', flush=True)
    return result


def others(check, lab, folder):
    """A program with a remembered answer is not slowed down by those that wait."""
    echo = [sys.executable, '-c', ECHO_TIME, lab.peer4, '200']
    first = lab.popen(echo)
    time.sleep(1)
    question = json.loads(lab.ringwall('ask', '--json').stdout)['questions'][0]
    lab.ringwall('ask', 'answer', str(question['id']), 'allow', '--remember')
    first.wait(20)
    begin = time.monotonic()
    lab.run(echo)
    alone = time.monotonic() - begin
    process = lab.popen([program('tests', 'system', 'ask_storm'), folder, '200', 'tcp', '4', lab.peer4, PORTS['tcp'],
                         'block'], stdin=-1, stdout=-1)
    process.stdout.readline()
    begin = time.monotonic()
    done = lab.run(echo)
    beside = time.monotonic() - begin
    check('others: they work while 200 wait', done.returncode == 0, done.stderr)
    print(f'     others: {alone:.3f} s alone, {beside:.3f} s beside 200 that wait', flush=True)
    process.communicate('\n', timeout=60)


def main():
    check = Checks()
    counts = [int(word) for word in os.environ.get('ASK_MANY', '1,2,32').split(',')]
    with Instance() as lab:
        folder = os.path.join(os.path.dirname(program('tests', 'system', 'ask_storm')), f'ask-many-{os.getpid()}')
        os.mkdir(folder)
        try:
            for address in (lab.peer4, lab.peer6):
                lab.serve_at(lab.far, address, program('tests', 'scenarios', 'traffic'))
            lab.serve(81)
            lab.ringwall('load', program('drivers', 'ask', 'ask.so'))
            for count in counts:
                for kind in ('tcp', 'udp'):
                    for family in (4, 6):
                        storm(check, lab, folder, kind, family, count, 'allow')
                storm(check, lab, folder, 'tcp', 4, count, 'block')
            others(check, lab, folder)
        finally:
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
    check.finish()


main()
