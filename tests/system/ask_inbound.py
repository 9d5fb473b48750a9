#!/usr/bin/env python3
"""Connections to a program wait for the ask driver's answer: the packet is injected when it is allowed."""
import subprocess
import sys
import time

from ask_driver import Asked
from instance import Checks, program

SERVER = '''
import socket, sys, select
places = []
for family, any_ in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(family, kind)
        if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((any_, 90))
        if kind == socket.SOCK_STREAM: s.listen(64)
        places.append(s)
print('ready', flush=True)
while True:
    for s in select.select(places, [], [])[0]:
        if s.type == socket.SOCK_STREAM:
            c, _ = s.accept(); data = c.recv(64); print('tcp', data.decode(), flush=True); c.sendall(data); c.close()
        else:
            data, peer = s.recvfrom(64); print('udp', data.decode(), flush=True); s.sendto(data, peer)
'''

CLIENT = '''
import socket, sys
kind, family, host = sys.argv[1], int(sys.argv[2]), sys.argv[3]
s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET,
                  socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[4]))
try:
    s.connect((host, 90)); s.sendall(b'knock'); print('got', s.recv(64).decode(), flush=True)
except OSError as error: print('failed', type(error).__name__, flush=True)
'''


def knock(lab, kind, family, seconds):
    host = lab.client4 if family == 4 else lab.client6
    return lab.start('nsenter', f'--net=/run/netns/{lab.far}', sys.executable, '-c', CLIENT, kind, str(family), host,
                     str(seconds), stdout=subprocess.PIPE)


def answer_replies(lab):
    """A datapath may judge the reply to an accepted datagram as a connection of its own."""
    for question in lab.wait_questions(1, 1):
        lab.ringwall('ask', 'answer', str(question['id']), 'allow')


def main():
    check = Checks()
    with Asked() as lab:
        log = lab.monitor()
        server = lab.popen([sys.executable, '-c', SERVER], stdout=subprocess.PIPE)
        check('the server is up', server.stdout.readline() == 'ready\n')
        lab.ringwall('load', program('drivers', 'ask', 'ask.so'))
        for kind in ('tcp', 'udp'):
            for family in (4, 6):
                name = f'{kind}{family}'
                client = knock(lab, kind, family, 20)
                found = lab.wait_questions(1, 5)
                if not found and (kind, family) == ('tcp', 4) and client.communicate(timeout=25)[0] == 'got knock\n':
                    print('skipped: ALE_AUTH_RECV_ACCEPT is not judged by this datapath')
                    sys.exit(77)
                check(f'{name}: one question, of the listening program',
                      len(found) == 1 and found[0]['direction'] == 'in' and 'python3' in found[0]['program'] and
                      found[0]['localPort'] == 90, str(found))
                if not found:
                    client.kill()
                    continue
                time.sleep(0.3)
                check(f'{name}: it waits', client.poll() is None)
                lab.ringwall('ask', 'answer', str(found[0]['id']), 'allow')
                check(f'{name}: allowed, it arrives with its data', server.stdout.readline() == f'{kind} knock\n')
                if kind == 'tcp':
                    out, _ = client.communicate(timeout=25)
                    check(f'{name}: … and is answered', out == 'got knock\n', out)
                else:
                    answer_replies(lab)
                    client.communicate(timeout=25)

                client = knock(lab, kind, family, 3)
                found = lab.wait_questions(1)
                if not found:
                    check(f'{name}: a second question', False)
                    continue
                lab.ringwall('ask', 'answer', str(found[0]['id']), 'block')
                out, _ = client.communicate(timeout=25)
                check(f'{name}: blocked, it is not', out.startswith('failed'), out)
                time.sleep(0.3)
                for question in lab.questions():  # the client tried again meanwhile
                    lab.ringwall('ask', 'answer', str(question['id']), 'block', check=False)
        text = open(log, encoding='utf-8').read()
        check('no rule was broken', 'violation' not in text, text[-3000:])
        lab.ringwall('unload', 'ask')
    check.finish()


main()
