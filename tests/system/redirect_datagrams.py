#!/usr/bin/env python3
"""Connect redirection of UDP: what one program sends goes to a proxy of this host, or to another machine, and is
answered from where it was to go; nothing else is."""
import os
import shutil
import subprocess
import sys

from instance import Checks, Instance, program
from lab import run, skip_before, wait_for

PORT = 9000

# Tells everybody how it sees the flow. Asks with a second socket, which it connects to the peer for a moment: from its
# own address, or, where there is no way from that, from any.
PROXY = r'''
import select, socket, struct, sys
port = int(sys.argv[1])
def told(own, peer, name):
    family = own.family
    level = socket.IPPROTO_IPV6 if family == socket.AF_INET6 else socket.IPPROTO_IP
    for address in own.getsockname()[0], '':
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        try:
            s.connect(peer)
            data = s.getsockopt(level, name, 1024)
        except OSError as error: wrong = f'none {error.errno} {s.getsockname()} {peer}'
        else: break
        finally: s.close()
    else: return wrong
    return (socket.inet_ntop(family, data[8:24] if family == socket.AF_INET6 else data[4:8]) +
            ' %d' % struct.unpack('!H', data[2:4]))
sockets = []
for family, address in ((socket.AF_INET, sys.argv[2]), (socket.AF_INET6, sys.argv[3])):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port)); sockets.append(s)
print('ready', flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        data, peer = s.recvfrom(65536)
        if data.startswith(b'ask'):
            data = f'proxy; original {told(s, peer, 80)}; context {told(s, peer, 0x5257)};'.encode()
        else:
            data = b'proxy ' + data
        s.sendto(data, peer)
'''

# Sends a datagram for each line it reads, `text address port`, all from one socket, and tells what comes back and where
# from; `connect` first: it is connected to the first place it sends to.
CLIENT = r'''
import socket, sys
family, how, port = sys.argv[1:4]
s = socket.socket(socket.AF_INET6 if family == '6' else socket.AF_INET, socket.SOCK_DGRAM)
if port != '0':
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(('', int(port)))
connected = False
for line in sys.stdin:
    text, address, port = line.split()
    try:
        while True:  # what has come too late
            s.settimeout(0.001)
            try: s.recv(65536)
            except TimeoutError: break
        s.settimeout(1.5)
        text = text * int(text[1:]) if text[0] == '*' else text
        if how == 'connect':
            if not connected: s.connect((address, int(port)))
            connected = True
            s.send(text.encode()); data, peer = s.recvfrom(65536)
        else:
            s.sendto(text.encode(), (address, int(port))); data, peer = s.recvfrom(65536)
        print(f'{data.decode()} from {peer[0]} {peer[1]}', flush=True)
    except OSError as error: print('error', type(error).__name__, flush=True)
'''


class Place:
    """The lab, with a proxy, a program that the driver knows by its name, and its peer."""

    def __init__(self, lab):
        self.lab = lab
        self.driver = program('tests', 'system', 'redirector.so')
        self.resolver = os.path.join(lab.runtime, 'resolver')
        shutil.copy(os.path.realpath(sys.executable), self.resolver)
        self.other4, self.other6 = lab.peer4[:-1] + '77', lab.peer6[:-1] + '77'
        for address in (self.other4, self.other6):
            run('ip', '-n', lab.near, 'neigh', 'add', address, 'lladdr', '02:00:00:00:00:77', 'dev', 'cable')
        self.server = None
        lab.serve(7)

    def proxy(self, address4, address6):
        if self.server:
            self.server.kill()
            self.server.wait()
        self.server = self.lab.popen([sys.executable, '-c', PROXY, str(PORT), address4, address6],
                                     stdout=subprocess.PIPE)
        assert self.server.stdout.readline() == 'ready\n'

    def load(self, *settings):
        self.lab.ringwall('load', self.driver, 'program=/resolver', 'protocol=17', f'port={PORT}', *settings)

    def unload(self):
        self.lab.ringwall('unload', 'redirector')

    def client(self, address, how='sendto', port=0, executable=None):
        family = '6' if ':' in address else '4'
        return self.lab.popen([executable or self.resolver, '-c', CLIENT, family, how, str(port)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def left(self):
        return self.lab.packets('udp') + self.lab.packets('unreachable')


def say(client, text, address, port):
    client.stdin.write(f'{text} {address} {port}\n')
    client.stdin.flush()
    return client.stdout.readline().strip()


def end(client):
    client.stdin.close()
    client.wait()


def one_program(place, check, places, context=True):
    for address, port in places:
        for how in ('sendto', 'connect'):
            name = f'{how} {address} {port}'
            before = place.left()
            client = place.client(address, how)
            answers = [say(client, text, address, port) for text in ('one', 'two', 'three')]
            check(f'{name}: goes to the proxy, which answers from there',
                  answers == [f'proxy {text} from {address} {port}' for text in ('one', 'two', 'three')], str(answers))
            told = say(client, 'ask', address, port)
            check(f'{name}: the proxy learns it', f'original {address} {port};' in told, told)
            check(f"{name}: the proxy has the callout's context", f'context {address} {port};' in told, told)
            check(f'{name}: nothing leaves', place.left() == before, str(place.left() - before))
            end(client)


def one_socket(place, check):
    client, before = place.client(place.lab.peer4), place.left()
    for address in (place.lab.peer4, place.other4, place.lab.peer4):
        answer = say(client, 'one', address, 7)
        check(f'one socket, {address}: answered from there', answer == f'proxy one from {address} 7', answer)
    check('one socket: nothing leaves', place.left() == before)
    end(client)


def large(place, check):
    for address in ('127.0.0.1', place.lab.peer4, place.lab.peer6):
        client, before = place.client(address), place.left()
        answer = say(client, '*300', address, 7)
        check(f'1,200 bytes to {address} and back', answer == f"proxy {'*300' * 300} from {address} 7", answer[:40])
        check(f'1,200 bytes to {address}: nothing leaves', place.left() == before)
        end(client)
    client, before = place.client(place.lab.peer4), place.left()
    check('small, before what needs fragments', say(client, 'one', place.lab.peer4, 7).startswith('proxy'))
    check('what needs fragments is refused', say(client, '*999', place.lab.peer4, 7).startswith('error'))
    check('what needs fragments does not leave', place.left() == before, str(place.left() - before))
    end(client)


def nobody(place, check):
    place.server.kill()
    place.server.wait()
    for address in (place.lab.peer4, place.lab.peer6, '127.0.0.1'):
        client, before = place.client(address), place.left()
        check(f'no proxy, {address}: no answer', say(client, 'one', address, 7).startswith('error'))
        check(f'no proxy, {address}: nothing leaves', place.left() == before, str(place.left() - before))
        end(client)


# The kernel chooses another source meanwhile: the translation does not fit any more.
def another_source(place, check):
    lab = place.lab
    source = lab.client4[:-1] + '21'
    client = place.client(lab.peer4)
    before = place.left()
    check('before its source changes', say(client, 'one', lab.peer4, 7).startswith('proxy one'))
    run('ip', '-n', lab.near, 'addr', 'add', source + '/24', 'dev', 'cable')
    run('ip', '-n', lab.near, 'route', 'replace', '10.99.1.0/24', 'dev', 'cable', 'src', source)
    check('its source has changed: refused', say(client, 'two', lab.peer4, 7).startswith('error'))
    check('its source has changed: asked about again', say(client, 'three', lab.peer4, 7).startswith('proxy three'))
    check('its source has changed: nothing leaves', place.left() == before, str(place.left() - before))
    run('ip', '-n', lab.near, 'addr', 'del', source + '/24', 'dev', 'cable')
    run('ip', '-n', lab.near, 'route', 'replace', '10.99.1.0/24', 'dev', 'cable', 'src', lab.client4)
    end(client)


# What another program sends from the same place, when the first one is gone.
def taken_over(place, check):
    address = place.lab.peer4
    client = place.client(address, port=5000)
    check('a socket with a port of its own', say(client, 'one', address, 7).startswith('proxy one'))
    end(client)
    other = place.client(address, port=5000, executable=sys.executable)
    check('another program there is not redirected', say(other, 'one', address, 7) == f'one from {address} 7')
    again = place.client(address, port=5001)
    check('one more, redirected', say(again, 'one', address, 7).startswith('proxy one'))
    end(other)
    end(again)
    again = place.client(address, port=5000)
    check('the first program is there again', say(again, 'one', address, 7).startswith('proxy one'))
    end(again)


# Two sockets at one place: which of them gets an answer is the kernel's choice.
def shared_place(place, check):
    address, before = place.lab.peer4, place.left()
    one, other = place.client(address, port=5003), place.client(address, port=5003)
    answers = [say(client, text, address, 7) for text in ('one', 'two', 'three') for client in (one, other)]
    check('two sockets at one place: the proxy answers', any(answer.startswith('proxy') for answer in answers))
    end(other)
    say(one, 'four', address, 7)
    check('two sockets at one place: nothing leaves', place.left() == before, str(place.left() - before))
    end(one)


def other_machine(place, check):
    lab = place.lab
    lab.ringwall('load', place.driver, 'program=/resolver', 'protocol=17', f'address4={lab.peer4}',
                 f'address6={lab.peer6}', 'port=7')
    for address in (place.other4, place.other6):
        client = place.client(address)
        for text in ('one', 'two'):
            answer = say(client, text, address, 5000)
            check(f'{address} becomes the peer: {text}', answer == f'{text} from {address} 5000', answer)
        end(client)
    place.unload()


# With another driver that says where the socket is bound: both cannot be.
def bound_elsewhere(place, check):
    lab = place.lab
    source4, source6 = lab.client4[:-1] + '21', lab.client6[:-1] + '21'
    run('ip', '-n', lab.near, 'addr', 'add', source4 + '/24', 'dev', 'cable')
    run('ip', '-n', lab.near, 'addr', 'add', source6 + '/64', 'dev', 'cable', 'nodad', 'preferred_lft', '0')
    lab.ringwall('load', program('tests', 'system', 'rebinder.so'), 'program=/resolver', f'address4={source4}',
                 f'address6={source6}')
    for port in (0, 5002):  # without bind(), and with it
        for address in (lab.peer4, lab.peer6):
            client, before = place.client(address, port=port), place.left()
            check(f'bound elsewhere, {address}: refused', say(client, 'one', address, 7).startswith('error'))
            check(f'bound elsewhere, {address}: nothing leaves', place.left() == before, str(place.left() - before))
            end(client)
    check('bound elsewhere: the log says why', 'its socket is bound elsewhere' in lab.log())
    lab.ringwall('unload', 'rebinder')


def life(place, check):
    lab, address = place.lab, place.lab.peer4
    client, before = place.client(address), place.left()
    check('a flow', say(client, 'one', address, 7).startswith('proxy one'))
    lab.ringwall('block', '--port', '4444')
    check('another policy: asked about again', say(client, 'two', address, 7).startswith('proxy two'))
    lab.kill_service()
    check('service killed: it goes on', say(client, 'three', address, 7).startswith('proxy three'))
    check('service killed: another one waits', say(client, 'one', place.other4, 7).startswith('error'))
    lab.start_service()
    lab.ringwall('unload', 'redirector', check=False)  # its filters have ended with the service
    place.load()
    answer = say(client, 'four', address, 7)
    check('service started, driver loaded: asked about again', answer.startswith('proxy four'), answer)
    check('nothing has left', place.left() == before, str(place.left() - before))
    lab.ringwall('unload', 'redirector', check=False)
    lab.ringwall('remove', '--all')
    answer = say(client, 'five', address, 7)
    check('unloaded: it goes where its program wants', answer == f'five from {address} 7', answer)
    lab.ringwall('stop')
    check('stopped: it goes there, too', say(client, 'six', address, 7) == f'six from {address} 7')
    end(client)


def main():
    skip_before(6, 6)  # programs at interfaces, by links
    check = Checks()
    with Instance() as lab:
        place = Place(lab)
        everywhere = [('127.0.0.1', 1234), ('::1', 1234), (lab.peer4, 7), (lab.peer6, 7)]
        place.proxy('127.0.0.1', '::1')
        client = place.client(lab.peer4)
        check('before: its peer answers', say(client, 'one', lab.peer4, 7) == f'one from {lab.peer4} 7')
        end(client)

        place.load()
        one_program(place, check, everywhere)
        one_socket(place, check)
        large(place, check)
        other = place.client(lab.peer4, executable=sys.executable)
        check('another program is not redirected', say(other, 'one', lab.peer4, 7) == f'one from {lab.peer4} 7')
        end(other)
        taken_over(place, check)
        shared_place(place, check)
        another_source(place, check)
        nobody(place, check)
        place.proxy('0.0.0.0', '::')
        one_program(place, check, everywhere)
        place.unload()

        place.load()
        bound_elsewhere(place, check)
        place.unload()

        place.proxy(lab.client4, lab.client6)
        place.load('mode=pend', f'address4={lab.client4}', f'address6={lab.client6}')
        one_program(place, check, everywhere)
        place.unload()

        other_machine(place, check)
        wait_for(lambda: lab.redirect_pins() == [], 150, 'when all are over, nothing is attached')
        kept = lab.redirect_contexts()
        check('when all are over, nothing is kept to be told', kept == 0, str(kept))
        place.proxy('127.0.0.1', '::1')
        place.load()
        life(place, check)
        links = subprocess.run(['ip', 'netns', 'exec', lab.near, 'bpftool', 'net'], capture_output=True, text=True,
                               check=False).stdout
        check('stopped: nothing is attached', 'redirect_' not in links, links)
    check.finish()


main()
