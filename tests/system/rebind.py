#!/usr/bin/env python3
"""Bind redirection: the sockets of one program are bound where a callout says; nothing is reached, and nothing leaves,
where the program bound them."""
import os
import subprocess
import sys

from instance import Checks, Instance, program
from lab import run, skip_before, wait_for

PYTHON = [sys.executable, '-ISc']  # begins faster without what it would import by itself

# Serves until killed: tells a TCP client both ends of the connection and sends the rest back; sends datagrams back.
SERVER = r'''
import socket, sys, threading
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.bind((address, port))
def talk(connection):
    ends = connection.getsockname()[:2], connection.getpeername()[:2]
    connection.sendall(f'{ends[0][0]} {ends[0][1]} {ends[1][0]}\n'.encode())
    while True:
        data = connection.recv(65536)
        if not data: break
        connection.sendall(data)
    connection.close()
if kind == 'tcp': s.listen(100)
print('ready', flush=True)
while kind == 'tcp':
    threading.Thread(target=talk, args=(s.accept()[0],), daemon=True).start()
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)
'''

# Says what a server at an address tells, and whether 1 MB comes back as it was.
VISIT = r'''
import os, socket, sys, threading
kind, address, port, patience = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(patience)
try:
    if kind == 'udp':
        s.sendto(b'hello', (address, port))
        data, peer = s.recvfrom(100)
        print('datagram from', peer[0], peer[1], data.decode())
    else:
        s.connect((address, port))
        data = s.recv(100)
        big = os.urandom(1 << 20)
        threading.Thread(target=s.sendall, args=(big,), daemon=True).start()
        got = b''
        while len(got) < len(big): got += s.recv(65536)
        print(data.decode().strip(), 'same' if got == big else 'other')
except OSError as error: print('error', type(error).__name__)
'''

# In the peer's namespace: tells everybody where it is seen from.
MIRROR = r'''
import select, socket
def open_one(family, address, kind, port=7700):
    s = socket.socket(family, kind)
    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM: s.listen(100)
    return s
streams = [open_one(f, a, socket.SOCK_STREAM) for f, a in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::'))]
datagrams = [open_one(f, a, socket.SOCK_DGRAM, port) for f, a in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::'))
             for port in range(7700, 7708)]
print('ready', flush=True)
while True:
    for s in select.select(streams + datagrams, [], [])[0]:
        if s in streams:
            c, peer = s.accept()
            c.sendall(f'{peer[0]} {peer[1]}'.encode()); c.close()
        else:
            data, peer = s.recvfrom(65536)
            s.sendto(f'{peer[0]} {peer[1]}'.encode(), peer)
'''

# Asks the mirror where it is seen from: how, address, local address or '-', size, seconds to wait.
LOOK = r'''
import socket, sys
how, address, local, size, patience = sys.argv[1:6]
family = socket.AF_INET6 if ':' in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if how == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(float(patience))
try:
    if local != '-': s.bind((local, 0))
    if how == 'udp':
        for i in range(3):
            s.sendto(b'x' * int(size), (address, 7700))
            data, peer = s.recvfrom(100)
            assert peer[:2] == (address, 7700), peer
    elif how == 'udp-large':
        s.sendto(b'x', (address, 7700))
        data = s.recvfrom(100)[0]
        s.sendto(b'x' * 20000, (address, 7700))
    elif how == 'udp-many':
        for port in range(7700, 7708): s.sendto(b'x', (address, port))
        answers = [s.recvfrom(100)[0] for port in range(7700, 7708)]
        assert len(set(answers)) == 1, answers
        data = answers[0]
    else:
        s.connect((address, 7700))
        if how == 'udp-connected': s.send(b'x')
        data = s.recv(100)
    own = s.getsockname()
    seen = data.decode().split()
    print(seen[0], 'same port' if int(seen[1]) == own[1] else 'other port')
except OSError as error: print('error', type(error).__name__, error)
'''


class Place:
    """The lab with a second address of each family, and what runs in it."""

    def __init__(self, lab):
        self.lab = lab
        self.other4, self.other6 = lab.client4[:-1] + '21', lab.client6[:-1] + '21'
        run('ip', '-n', lab.near, 'addr', 'add', self.other4 + '/24', 'dev', 'cable')
        run('ip', '-n', lab.near, 'addr', 'add', self.other6 + '/64', 'dev', 'cable', 'nodad', 'preferred_lft', '0')
        self.driver = program('tests', 'system', 'rebinder.so')
        self.program = '/' + os.path.basename(os.path.realpath(sys.executable))
        self.mirror = lab.start('nsenter', f'--net=/run/netns/{lab.far}', *PYTHON, MIRROR,
                                stdout=subprocess.PIPE)
        assert self.mirror.stdout.readline() == 'ready\n'

    def load(self, **settings):
        values = [f'{name}={value}' for name, value in settings.items()]
        self.lab.ringwall('load', self.driver, f'program={self.program}', *values)

    def unload(self):
        self.lab.ringwall('unload', 'rebinder')

    def serve(self, kind, address, port):
        server = self.lab.popen([*PYTHON, SERVER, kind, address, str(port)], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        assert server.stdout.readline() == 'ready\n'
        return server

    def visit(self, kind, address, port, near=False, patience=1.5):
        """From the peer, or from this host by a program that no rule concerns."""
        namespace = self.lab.near if near else self.lab.far
        return subprocess.run(['nsenter', f'--net=/run/netns/{namespace}', *PYTHON, VISIT, kind, address, str(port),
                               str(patience)], capture_output=True, text=True, check=False, timeout=30).stdout.strip()

    def is_shut(self, kind, address, port, near=False):
        return self.visit(kind, address, port, near, patience=0.5).startswith('error')

    def look(self, how, address, local='-', size=1, patience=5):
        return self.lab.run([*PYTHON, LOOK, how, address, local, str(size), str(patience)]).stdout.strip()


def end(process):
    process.kill()
    process.wait()


def listeners(place, check, mode):
    lab = place.lab
    place.load(address4=place.other4, address6=place.other6, port=9001, **mode)
    for any_address, own, other in (('0.0.0.0', lab.client4, place.other4), ('::', lab.client6, place.other6)):
        server = place.serve('tcp', any_address, 8001)
        wait_for(lambda: place.visit('tcp', other, 9001).endswith('same'), 10, f'{any_address} 8001 is at {other} 9001')
        told = place.visit('tcp', other, 9001)
        good = told.startswith(f'{other} 9001 ') and told.endswith('same')
        check(f'{any_address} 8001 is at {other} 9001', good, told)
        told = place.visit('tcp', other, 9001, near=True)
        check('… and from this host', told.startswith(f'{other} 9001 ') and told.endswith('same'), told)
        for address, port in ((own, 8001), (other, 8001), (own, 9001)):
            check(f'… and not at {address} {port}', place.is_shut('tcp', address, port))
        check('… nor from this host', place.is_shut('tcp', own, 8001, near=True))
        end(server)
        wait_for(lambda: place.visit('tcp', other, 9001) == 'error ConnectionRefusedError', 10, 'it is gone')
    place.unload()


def datagram_servers(place, check, mode):
    lab = place.lab
    place.load(address4=place.other4, address6=place.other6, port=9002, **mode)
    for any_address, own, other in (('0.0.0.0', lab.client4, place.other4), ('::', lab.client6, place.other6),
                                    (lab.client4, lab.client4, place.other4)):
        server = place.serve('udp', any_address, 8002)
        wait_for(lambda: place.visit('udp', other, 9002) == f'datagram from {other} 9002 hello', 10,
                 f'{any_address} 8002 is at {other} 9002')
        for near in (False, True):
            told = place.visit('udp', other, 9002, near)
            good = told == f'datagram from {other} 9002 hello'
            check(f'datagrams to {any_address} 8002 go to {other} 9002', good, told)
            check(f'… and not to {own} 8002', place.is_shut('udp', own, 8002, near))
        end(server)
    place.unload()


def shut_in(place, check):
    """What listens to the world is kept on this host, and the other way round."""
    lab = place.lab
    place.load(address4='127.0.0.1', address6='::1')
    server = place.serve('tcp', '0.0.0.0', 8003)
    wait_for(lambda: place.visit('tcp', '127.0.0.1', 8003, near=True).endswith('same'), 10, 'shut in')
    check('shut in: this host reaches it', place.visit('tcp', '127.0.0.1', 8003, near=True).endswith('same'))
    check('shut in: the peer does not', place.is_shut('tcp', lab.client4, 8003))
    end(server)
    place.unload()
    place.load(address4=lab.client4)
    server = place.serve('tcp', '127.0.0.1', 8004)
    wait_for(lambda: place.visit('tcp', lab.client4, 8004).endswith('same'), 10, 'let out')
    told = place.visit('tcp', lab.client4, 8004)
    check('let out: the peer reaches it', told.startswith(f'{lab.client4} 8004') and told.endswith('same'), told)
    end(server)
    place.unload()


def clients(place, check, mode):
    lab = place.lab
    check('before: seen from its own address', place.look('tcp', lab.peer4) == f'{lab.client4} same port')
    place.load(address4=place.other4, address6=place.other6, **mode)
    for peer, own, other in ((lab.peer4, lab.client4, place.other4), (lab.peer6, lab.client6, place.other6)):
        for how in ('tcp', 'udp', 'udp-many', 'udp-connected'):
            for local in ('-', own):
                told = place.look(how, peer, local)
                check(f'{how} to {peer}, bound to {local}: seen from {other}', told == f'{other} same port', told)
        told = place.look('udp', peer, '-', 20000, patience=1)
        check(f'a first datagram that needs fragments to {peer}: lost', told.startswith('error TimeoutError'), told)
        told = place.look('udp-large', peer)
        check('a later one: refused', told.startswith('error PermissionError'), told)
    curl = lab.run(['curl', '-sS', '--max-time', '5', f'http://{lab.peer4}:7700/', '--http0.9'])
    check('another program keeps its address', curl.stdout.startswith(f'{lab.client4} '), curl.stdout + curl.stderr)
    place.unload()
    check('unloaded: seen from its own address', place.look('udp', lab.peer4) == f'{lab.client4} same port')


def other_interface(place, check):
    """By the interface of the new address, as a program that is kept out of a tunnel."""
    lab = place.lab
    run('ip', '-n', lab.near, 'link', 'add', 'aside', 'type', 'veth', 'peer', 'name', 'aside', 'netns', lab.far)
    run('ip', '-n', lab.far, 'addr', 'add', '10.99.2.2/24', 'dev', 'aside')
    run('ip', '-n', lab.far, 'link', 'set', 'aside', 'up')
    run('ip', '-n', lab.near, 'addr', 'add', '10.99.2.1/24', 'dev', 'aside')
    run('ip', '-n', lab.near, 'link', 'set', 'aside', 'up')
    run('ip', '-n', lab.near, 'tuntap', 'add', 'dev', 'tunnel', 'mode', 'tun')
    run('ip', '-n', lab.near, 'addr', 'add', '198.51.100.1/24', 'dev', 'tunnel')
    run('ip', '-n', lab.near, 'link', 'set', 'tunnel', 'up')
    run('ip', '-n', lab.near, 'route', 'add', '10.77.0.1/32', 'dev', 'tunnel')
    run('ip', '-n', lab.far, 'addr', 'add', '10.77.0.1/32', 'dev', 'lo')
    run('ip', '-n', lab.far, 'route', 'replace', '10.99.2.0/24', 'dev', 'aside', 'src', '10.77.0.1')  # of datagrams
    run('ip', '-n', lab.near, 'route', 'add', 'default', 'via', '10.99.2.2', 'dev', 'aside', 'metric', '50')
    place.load(address4='10.99.2.1')
    check('another program is in the tunnel', 'error' in place.visit('udp', '10.77.0.1', 7700, near=True))
    for how in ('tcp', 'udp', 'udp-connected'):
        told = place.look(how, '10.77.0.1')
        check(f'{how} of a program kept out of the tunnel', told == '10.99.2.1 same port', told)
    place.unload()
    run('ip', '-n', lab.near, 'link', 'del', 'tunnel')
    run('ip', '-n', lab.near, 'link', 'del', 'aside')


def new_interface(place, check, how):
    """Its first packets are translated as well."""
    lab = place.lab
    place.load(address4=place.other4)
    told = place.look('udp', lab.peer4)
    check('by the old interface', told == f'{place.other4} same port', told)
    run('ip', '-n', lab.near, 'link', 'add', 'late', 'type', 'veth', 'peer', 'name', 'late', 'netns', lab.far)
    for namespace, number in ((lab.far, 2), (lab.near, 1)):
        run('ip', '-n', namespace, 'addr', 'add', f'10.99.3.{number}/24', 'dev', 'late')
        run('ip', '-n', namespace, 'link', 'set', 'late', 'up')
    run('ip', '-n', lab.far, 'route', 'replace', '10.99.1.0/24', 'dev', 'cable', 'src', '10.99.3.2')  # of datagrams
    told = place.look(how, '10.99.3.2')
    check(f'{how} by an interface that is new', told == f'{place.other4} same port', told)
    run('ip', '-n', lab.far, 'route', 'replace', '10.99.1.0/24', 'dev', 'cable', 'src', lab.peer4)
    place.unload()
    run('ip', '-n', lab.near, 'link', 'del', 'late')


def impossible(place, check):
    lab = place.lab
    place.load(address4='192.0.2.7', address6='2001:db8::7')
    server = place.serve('tcp', '0.0.0.0', 8005)
    told = place.visit('tcp', lab.client4, 8005)
    check('an address that is not of this host: nobody reaches it', told.startswith('error'), told)
    check('… nor does a client get out', place.look('tcp', lab.peer4).startswith('error'))
    check('… nor a datagram', place.look('udp', lab.peer6).startswith('error'))
    check('… and the log says why', 'the new address is not one of this host' in lab.log(), lab.log()[-500:])
    end(server)
    place.unload()
    place.load(port=9006)
    first, second = place.serve('tcp', '0.0.0.0', 8006), place.serve('tcp', '0.0.0.0', 8007)
    wait_for(lambda: 'Address already in use' in lab.log(), 10, 'two sockets in one place: the log says so')
    check('two sockets in one place: the first has it', place.visit('tcp', lab.client4, 9006).endswith('same'))
    check('… and nobody reaches the second', place.is_shut('tcp', lab.client4, 8007))
    end(first)
    end(second)
    place.unload()


def pins(lab):
    return [name for name in os.listdir(os.path.join(lab.runtime, 'bpf')) if name.startswith('redirect_')]


def lives(place, check):
    lab = place.lab
    place.load(address4=place.other4, port=9010)
    server = place.serve('udp', '0.0.0.0', 8010)
    good = f'datagram from {place.other4} 9010 hello'
    wait_for(lambda: place.visit('udp', place.other4, 9010) == good, 10, 'bound elsewhere')
    lab.kill_service()
    check('service killed: it goes on', place.visit('udp', place.other4, 9010) == good)
    check('service killed: nothing is open where it was', place.is_shut('udp', lab.client4, 8010))
    lab.start_service()
    check('service started: it goes on', place.visit('udp', place.other4, 9010) == good)
    run('ip', '-n', lab.near, 'link', 'add', 'late', 'type', 'veth', 'peer', 'name', 'late', 'netns', lab.far)
    run('ip', '-n', lab.near, 'link', 'set', 'late', 'up')
    index = run('ip', '-n', lab.near, '-o', 'link', 'show', 'late').split(':')[0]
    wait_for(lambda: any(f'_{index}_' in name for name in pins(lab)), 60, 'an interface that is new translates as well')
    lab.ringwall('unload', 'rebinder', check=False)
    check('unloaded: it goes on', place.visit('udp', place.other4, 9010) == good)
    check('unloaded: nothing is open where it was', place.is_shut('udp', lab.client4, 8010))
    end(server)
    wait_for(lambda: pins(lab) == [], 60, 'when it is closed, nothing is attached')


def main():
    skip_before(6, 6)  # programs at interfaces, by links
    check = Checks()
    with Instance() as lab:
        place = Place(lab)
        for mode in ({}, {'mode': 'pend'}):
            listeners(place, check, mode)
            datagram_servers(place, check, mode)
            clients(place, check, mode)
        shut_in(place, check)
        other_interface(place, check)
        for how in ('udp', 'tcp'):
            new_interface(place, check, how)
        impossible(place, check)
    with Instance() as lab:  # without connections that are still remembered
        place = Place(lab)
        lives(place, check)
        lab.ringwall('stop')
        check('stopped: its address is its own again', place.look('udp', lab.peer4) == f'{lab.client4} same port')
    check.finish()


main()
