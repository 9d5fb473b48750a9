#!/usr/bin/env python3
"""Connect redirection: the connections of one program go to a proxy of this host; nothing else does."""
import os
import subprocess
import sys

from instance import Checks, Instance, program
from lab import run, skip_before, wait_for

PORT = 9000

# Tells an HTTP client how it sees the connection; sends everything else back.
PROXY = r'''
import socket, struct, sys, threading
def told(connection, family, name):
    level = socket.IPPROTO_IPV6 if family == socket.AF_INET6 else socket.IPPROTO_IP
    try: data = connection.getsockopt(level, name, 1024)
    except OSError as error: return f'none {error.errno}', 0
    port = struct.unpack('!H', data[2:4])[0]
    text = socket.inet_ntop(family, data[8:24] if family == socket.AF_INET6 else data[4:8])
    return f'{text} {port}', len(data)
def talk(connection, family):
    first = connection.recv(1, socket.MSG_PEEK)
    if first == b'G':
        (original, _), (context, size) = told(connection, family, 80), told(connection, family, 0x5257)
        body = (f'proxy; original {original}; peer {connection.getpeername()[0]}; '
                f'context {context} in {size} bytes;\n')
        connection.sendall(f'HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}'.encode())
    else:
        while True:
            data = connection.recv(65536)
            if not data: break
            connection.sendall(data)
    connection.close()
def serve(family, address):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(sys.argv[1]))); s.listen(100)
    while True:
        threading.Thread(target=talk, args=(s.accept()[0], family), daemon=True).start()
threading.Thread(target=serve, args=(socket.AF_INET, sys.argv[2]), daemon=True).start()
threading.Thread(target=serve, args=(socket.AF_INET6, sys.argv[3]), daemon=True).start()
import time; time.sleep(0.3); print('ready', flush=True); threading.Event().wait()
'''

# Sends and receives many bytes at once, and compares.
BULK = r'''
import hashlib, os, socket, sys, threading
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(30)
s.connect((sys.argv[1], int(sys.argv[2])))
assert s.getpeername()[:2] == (sys.argv[1], int(sys.argv[2])), s.getpeername()
data = b'D' + os.urandom(int(sys.argv[3]))
def send():
    s.sendall(data); s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
got = hashlib.sha256()
while True:
    part = s.recv(65536)
    if not part: break
    got.update(part)
assert got.digest() == hashlib.sha256(data).digest(); print('same')
'''

# Connects once, then sends a line for each line it reads.
LINES = r'''
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10); s.settimeout(5)
print('connected', flush=True)
for line in sys.stdin:
    try:
        s.sendall(line.encode()); data = s.recv(100)
        print(data.decode().strip() or 'closed', flush=True)
    except OSError as error: print('error', type(error).__name__, flush=True)
'''


def one_program(lab, check, curl, places):
    for address, port in places:
        url = f'http://[{address}]:{port}/' if ':' in address else f'http://{address}:{port}/'
        before = lab.peer_packets()
        done = curl(url)
        check(f'{url} goes to the proxy', done.returncode == 0 and done.stdout.startswith('proxy'),
              done.stdout + done.stderr)
        check(f'{url}: the proxy learns it', f'original {address} {port};' in done.stdout, done.stdout)
        check(f"{url}: the proxy has the callout's context", f'context {address} {port} in 128 bytes;' in done.stdout,
              done.stdout)
        check(f'{url}: no packet leaves', lab.peer_packets() == before, str(lab.peer_packets() - before))
        check(f'{url}: getpeername is unchanged', done.stderr == address, done.stderr)


def bulk(lab, check, python):
    for address in (lab.peer4, lab.peer6, '127.0.0.1', '::1'):
        before = lab.peer_packets()
        done = lab.run([python, '-c', BULK, address, '7777', str(8 << 20)], timeout=60)
        check(f'8 MB to {address} and back', done.stdout == 'same\n', done.stderr)
        check(f'8 MB to {address}: no packet leaves', lab.peer_packets() == before)


def say(client, text):
    client.stdin.write(text + '\n')
    client.stdin.flush()
    return client.stdout.readline().strip()


def connect(lab, python, address, port):
    client = lab.popen([python, '-c', LINES, address, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL)
    assert client.stdout.readline() == 'connected\n'
    return client


def killed(lab, check, python):
    client = connect(lab, python, lab.peer4, 7777)
    check('a redirected connection', say(client, 'one') == 'one')
    before = lab.peer_packets()
    lab.kill_service()
    check('service killed: it goes on', say(client, 'two') == 'two')
    late = lab.run(['curl', '-sS', '--max-time', '1', f'http://{lab.peer4}/'])
    check('service killed: a new one waits', late.returncode != 0)
    lab.start_service()
    check('service started: it goes on', say(client, 'three') == 'three')
    check('no packet has left', lab.peer_packets() == before, str(lab.peer_packets() - before))
    return client


def other_way(lab, check, python):
    client = connect(lab, python, lab.peer4, 7777)
    before = lab.peer_packets()
    run('ip', '-n', lab.near, 'link', 'add', 'aside', 'type', 'veth', 'peer', 'name', 'aside', 'netns', lab.far)
    run('ip', '-n', lab.far, 'link', 'set', 'aside', 'address', '02:00:00:00:00:09', 'up')
    run('ip', '-n', lab.near, 'link', 'set', 'aside', 'up')
    run('ip', '-n', lab.near, 'neigh', 'add', lab.peer4, 'lladdr', '02:00:00:00:00:09', 'dev', 'aside')
    run('ip', '-n', lab.near, 'route', 'add', lab.peer4 + '/32', 'dev', 'aside')
    check('a route to another interface stops it', say(client, 'six') == 'error TimeoutError')
    check('no packet leaves by that', lab.peer_packets() == before, str(lab.peer_packets() - before))
    run('ip', '-n', lab.near, 'link', 'del', 'aside')
    check('without it, it goes on', say(client, 'seven').startswith('six'))
    client.kill()


# To another machine than the program wanted; the one it wanted is not even there.
def other_machine(lab, check, curl, driver):
    lab.ringwall('load', driver, 'program=/curl', f'address4={lab.peer4}', f'address6={lab.peer6}', 'port=80')
    for address in (lab.peer4[:-1] + '77', lab.peer6[:-1] + '77'):
        run('ip', '-n', lab.near, 'neigh', 'add', address, 'lladdr', '02:00:00:00:00:77', 'dev', 'cable')
        done = curl(f'http://[{address}]:5000/' if ':' in address else f'http://{address}:5000/')
        check(f'{address} becomes the peer', done.stdout == 'ok\n', done.stderr)
        check(f'{address}: getpeername is unchanged', done.stderr == address, done.stderr)
    check('what stays here cannot go there', curl('http://127.0.0.1:1234/').returncode != 0)
    check('… and the log says why', 'what stays on this host' in lab.log())
    lab.ringwall('unload', 'redirector')


# Through a tunnel: packets there begin with their IP header.
def no_ethernet(lab, check, curl, driver):
    run('ip', '-n', lab.near, 'tuntap', 'add', 'dev', 'tunnel', 'mode', 'tun')
    run('ip', '-n', lab.near, 'addr', 'add', '198.51.100.1/24', 'dev', 'tunnel')
    run('ip', '-n', lab.near, 'link', 'set', 'tunnel', 'up')
    lab.ringwall('load', driver, 'program=/curl', f'port={PORT}')
    done = curl('http://198.51.100.2/')
    check('through a tunnel: goes to the proxy', 'proxy; original 198.51.100.2 80;' in done.stdout, done.stderr)
    lab.ringwall('unload', 'redirector')
    run('ip', '-n', lab.near, 'link', 'del', 'tunnel')


def judged_again(lab, check, python):
    client = connect(lab, python, lab.peer4, 7777)
    lab.ringwall('block', '--remote', lab.peer4, '--port', '7777')
    check('a rule against where its program wanted to go leaves it alone', say(client, 'six') == 'six')
    lab.ringwall('block', '--port', str(PORT))
    check('a rule against where it goes ends it', say(client, 'seven') in ('closed', 'error ConnectionAbortedError'))
    refused = lab.run([python, '-c', LINES, lab.peer4, '7777'])
    check('and refuses the next one', 'connected' not in refused.stdout, refused.stdout)
    lab.ringwall('remove', '--all')


def main():
    skip_before(6, 6)  # programs at interfaces, by links
    check = Checks()
    with Instance() as lab:
        lab.serve(80)
        proxy = lab.popen([sys.executable, '-c', PROXY, str(PORT), '127.0.0.1', '::1'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
        assert proxy.stdout.readline() == 'ready\n'
        driver = program('tests', 'system', 'redirector.so')
        curl = lambda url: lab.run(['curl', '-sS', '-g', '--max-time', '10', '-w', '%{stderr}%{remote_ip}', url])
        check('before: curl reaches its peer', curl(f'http://{lab.peer4}/').stdout == 'ok\n')
        places = (('127.0.0.1', 1234), ('::1', 1234), (lab.peer4, 80), (lab.peer6, 80), (lab.client4, 77))

        lab.ringwall('load', driver, 'program=/curl', f'port={PORT}')
        check('nothing is attached before the first redirection', lab.redirect_pins() == [])
        one_program(lab, check, curl, places)
        other = lab.run([sys.executable, '-c', f'import urllib.request as r; '
                         f'print(r.urlopen("http://{lab.peer4}/", timeout=10).read())'])
        check('another program is not redirected', other.stdout == "b'ok\\n'\n", other.stderr)
        lab.ringwall('unload', 'redirector')
        check('unloaded: curl reaches its peer', curl(f'http://{lab.peer4}/').stdout == 'ok\n')

        lab.ringwall('load', driver, 'program=/curl', f'port={PORT}', 'mode=pend')
        one_program(lab, check, curl, places[:4])
        lab.ringwall('unload', 'redirector')

        lab.ringwall('load', driver, 'program=/curl', f'port={PORT}', 'address4=192.0.2.1')
        done = curl(f'http://{lab.peer4}/')
        check('a proxy that is not there: refused', done.returncode != 0)
        check('a proxy that is not there: the log says why', 'no route to its new destination' in lab.log())
        lab.ringwall('unload', 'redirector')

        lab.ringwall('load', driver, 'program=/curl', f'port={PORT}', 'context=1025')
        check('a context that is too large: refused', curl(f'http://{lab.peer4}/').returncode != 0)
        check('a context that is too large: the log says why', 'WALL_REDIRECT_CONTEXT_MAX' in lab.log())
        lab.ringwall('unload', 'redirector')

        other_machine(lab, check, curl, driver)
        no_ethernet(lab, check, curl, driver)
        name = os.path.basename(os.path.realpath(sys.executable))
        lab.ringwall('load', driver, f'program=/{name}', f'port={PORT}')
        bulk(lab, check, sys.executable)
        other_way(lab, check, sys.executable)
        judged_again(lab, check, sys.executable)
        check('what proxies are told is kept meanwhile', lab.redirect_contexts() > 0)
        wait_for(lambda: lab.redirect_pins() == [], 150, 'when all are over, nothing is attached')
        kept = lab.redirect_contexts()
        check('when all are over, nothing is kept to be told', kept == 0, str(kept))
        client = killed(lab, check, sys.executable)
        lab.ringwall('unload', 'redirector', check=False)
        before = lab.peer_packets()
        check('unloaded: an old connection still goes to the proxy', say(client, 'four') == 'four')
        lab.ringwall('stop')
        check('stopped: it is closed', say(client, 'five') in ('closed', 'error ConnectionAbortedError'))
        check('stopped: no packet has left', lab.peer_packets() == before, str(lab.peer_packets() - before))
        links = subprocess.run(['ip', 'netns', 'exec', lab.near, 'bpftool', 'net'], capture_output=True, text=True,
                               check=False).stdout
        check('stopped: nothing is attached', 'redirect_' not in links, links)
    check.finish()


main()
