#!/usr/bin/env python3
"""Multipath TCP: the first path is the program's; further ones the kernel opens by itself, and they are judged too.

A peer may offer a second address, to which the kernel then connects in its own name. A rule about the address stops
that. One about the program and the address does not yet (OPEN below), which `status --coverage` tells.
"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'scenarios'))
# pylint: disable=wrong-import-position
from instance import Checks
from lab import SKIPPED, run, skip_unless_possible
from stage import Stage

PORT = 7020
SERVER = f'''
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("0.0.0.0", {PORT})); s.listen(5)
print("ready", flush=True)
while True:
    c, _ = s.accept()
    while data := c.recv(65536): c.sendall(data)
    c.close()
'''
CLIENT = f'''
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.settimeout(5); s.connect((sys.argv[1], {PORT}))
for _ in range(10):
    s.sendall(b"x" * 1000); got = 0
    while got < 1000: got += len(s.recv(1000))
    time.sleep(0.03)
'''


def main():
    skip_unless_possible()
    if not os.path.exists('/proc/sys/net/mptcp/enabled'):
        print('skipped: this kernel has no Multipath TCP')
        sys.exit(SKIPPED)
    check = Checks()
    with Stage() as stage:
        first, second = stage.denied_peer, stage.control_peer
        python = os.path.join(stage.directory, 'python')
        shutil.copy(os.path.realpath(sys.executable), python)
        for namespace in (stage.near, stage.far):
            run('ip', '-n', namespace, 'mptcp', 'limits', 'set', 'subflows', '2', 'add_addr_accepted', '2')
        run('ip', '-n', stage.far, 'mptcp', 'endpoint', 'add', second.address4, 'dev', 'cable', 'signal')
        server = stage.start('nsenter', f'--net=/run/netns/{stage.far}', sys.executable, '-c', SERVER,
                             stdout=subprocess.PIPE)
        assert server.stdout.readline() == 'ready\n'

        def second_path(*rule):
            """(whether the data went through, bytes that went by the second path)"""
            stage.ringwall('remove', '--all')
            if rule:
                stage.ringwall('block', *rule)
            before = stage.settled_bytes_to(second)
            done = stage.run([python, '-IS', '-c', CLIENT, first.address4])
            return done.returncode == 0, stage.settled_bytes_to(second) - before

        through, count = second_path()
        check('without rules there is a second path', through and count > 0, f'{count} bytes')
        through, count = second_path('--remote', second.address4)
        check('a rule about its address: none', count == 0, f'{count} bytes')
        check('... and the data goes by the first', through)
        through, count = second_path('--app', python)
        check('a rule about the program: nothing at all', not through and count == 0, f'{count} bytes')
        through, count = second_path('--app', python, '--remote', second.address4)
        known = json.loads(stage.ringwall('status', '--coverage', '--json').stdout)['coverage']
        known = next(item for item in known if item['name'] == 'Multipath TCP')
        print(f'{"OPEN" if count else "ok  "} a rule about the program and the address: {count} bytes')
        check('... which the coverage tells', (known['state'] == 'partial') == (count > 0), str(known))
    check.finish()


main()
