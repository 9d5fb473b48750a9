#!/usr/bin/env python3
"""The ask driver: connections wait until they are answered, and the same connection goes on."""
import json
import os
import signal
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


def remembers(check, lab):
    clients = [lab.client(port=80), lab.client(port=81)]
    found = lab.wait_questions(2)
    check('remember: two questions of one program', len(found) == 2 and len({q['program'] for q in found}) == 1,
          str(found))
    done = lab.ringwall('ask', 'answer', str(found[1]['id']), 'allow', '--remember')
    check('remember: both are answered', '1 more' in done.stdout, done.stdout)
    check('remember: both go on', [c.communicate(timeout=20)[0] for c in clients] == ['got first\n'] * 2)
    out, _ = lab.client().communicate(timeout=20)
    check('remember: the next one is not asked about', out == 'got first\n', out)
    filters = json.loads(lab.ringwall('show', 'filters', '--json').stdout)
    mine = [f for f in filters if (f.get('displayData') or {}).get('name') == 'ask: allowed']
    check('remember: a filter for each IP version', len(mine) == 2, str(len(mine)))
    return mine


def forget(lab, filters):
    for entry in filters:
        lab.ringwall('remove', entry['filterKey'])


def restarts(check, lab, ask):
    """Unanswered ones stay held over a restart of ringwalld."""
    lab.ringwall('load', ask)
    before = lab.peer_packets()
    clients = [lab.client('tcp', 4), lab.client('tcp', 6)]
    lab.wait_questions(2)
    lab.kill_service()
    time.sleep(1)
    lab.start_service()
    time.sleep(1)
    check('restart: nothing got out', lab.peer_packets() == before)
    check('restart: they are still held', [c.poll() for c in clients] == [None, None])
    out, _ = lab.client().communicate(timeout=20)
    check('restart: without the driver a new connection is blocked', out.startswith('failed'), out)
    lab.ringwall('load', ask)
    found = lab.wait_questions(2)
    check('restart: the questions are there again', len(found) == 2, str(found))
    for question in found:
        lab.ringwall('ask', 'answer', str(question['id']), 'allow')
    check('restart: the same connections go on', [c.communicate(timeout=20)[0] for c in clients] == ['got first\n'] * 2)
    lab.ringwall('unload', 'ask')


def times_out(check, lab, ask):
    lab.ringwall('load', ask, 'timeout=1')
    begin = time.monotonic()
    out, _ = lab.client().communicate(timeout=20)
    check('time-out: it is blocked', out.startswith('failed'), out)
    check('time-out: … soon', 0.9 < time.monotonic() - begin < 5, str(time.monotonic() - begin))
    state = json.loads(lab.ringwall('ask', '--json').stdout)
    check('time-out: counted', state['timedOut'] == 1 and not state['questions'], str(state))
    client = lab.client()
    check('time-out: the next one is asked about again', len(lab.wait_questions(1)) == 1)
    check('time-out: no rule was written', 'ask: blocked' not in lab.ringwall('show', 'filters', '--json').stdout)
    client.communicate(timeout=20)
    lab.ringwall('unload', 'ask')


def goes_away(check, lab, ask):
    lab.ringwall('load', ask)
    before = lab.peer_packets()
    client = lab.client()
    lab.wait_questions(1)
    lab.ringwall('unload', 'ask')
    out, _ = client.communicate(timeout=20)
    check('unload: what waits is blocked', out.startswith('failed'), out)
    check('unload: nothing got out', lab.peer_packets() == before)
    out, _ = lab.client().communicate(timeout=20)
    check('unload: afterwards nobody is asked', out == 'got first\n', out)

    lab.ringwall('load', ask)
    before = lab.peer_packets()
    client = lab.client()
    lab.wait_questions(1)
    os.kill(json.loads(lab.ringwall('drivers', '--json').stdout)[0]['processId'], signal.SIGKILL)
    out, _ = client.communicate(timeout=20)
    check('killed: what waits is blocked', out.startswith('failed'), out)
    check('killed: nothing got out', lab.peer_packets() == before)
    done = lab.ringwall('ask', check=False)
    check('killed: ask says so', done.returncode == 5 and 'not loaded' in done.stderr, done.stderr)
    lab.ringwall('unload', 'ask')
    lab.ringwall('load', ask)


def follows(check, lab):
    followers = [lab.start(lab.cli, '--runtime-dir', lab.runtime, 'ask', '--follow', '--json', stdout=-1)
                 for _ in range(2)]
    time.sleep(0.5)
    client = lab.client('tcp', 4, 80)
    lines = [json.loads(follower.stdout.readline()) for follower in followers]
    check('follow: every follower is told', lines[0]['id'] == lines[1]['id'] and lines[0]['remotePort'] == 80,
          str(lines))
    lab.ringwall('ask', 'answer', str(lines[0]['id']), 'allow')
    out, _ = client.communicate(timeout=20)
    check('follow: … and anybody may answer', out == 'got first\n', out)
    for follower in followers:
        follower.kill()
        follower.wait()
    check('follow: the device is free again', lab.ringwall('unload', 'ask', check=False).returncode == 0)


def usage(check, lab):
    for words in (('answer',), ('answer', 'x', 'allow'), ('answer', '1'), ('answer', '1', 'maybe'), ('what',)):
        done = lab.ringwall('ask', *words, check=False)
        check(f'usage: {" ".join(words)}', done.returncode == 2 and 'ask --help' in done.stderr, done.stderr)


def main():
    check = Checks()
    ask = program('drivers', 'ask', 'ask.so')
    with Asked() as lab:
        lab.serve(80, 81)
        log = lab.monitor()
        lab.ringwall('load', ask)
        answers(check, lab)
        usage(check, lab)
        forget(lab, remembers(check, lab))
        lab.ringwall('unload', 'ask')
        text = open(log, encoding='utf-8').read()
        check('no rule was broken', 'violation' not in text, text[-3000:])
        restarts(check, lab, ask)
        times_out(check, lab, ask)
        goes_away(check, lab, ask)
        follows(check, lab)
        check('no connection to the service broke', 'no open' not in lab.log(), lab.log()[-2000:])
    check.finish()


if __name__ == '__main__':
    main()
