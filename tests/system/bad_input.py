#!/usr/bin/env python3
"""Wrong input from people: each gets an error that says what, where and what to do, and the documented exit code."""
import os
import socket
import subprocess

from instance import Checks, Instance, sh


def main():
    check = Checks()
    with Instance() as lab:
        def refused(name, code, text, *arguments):
            done = lab.ringwall(*arguments, check=False)
            check(f'{name}: exit code {code}', done.returncode == code, f'{done.returncode} {done.stderr}')
            check(f'{name}: the error says it', text in done.stderr, done.stderr)

        refused('unknown command', 2, 'frobnicate', 'frobnicate')
        refused('no selector', 2, '--app', 'block')
        refused('bad address', 2, '10.9.0.300', 'block', '--remote', '10.9.0.300')
        refused('bad port', 2, '70000', 'block', '--port', '70000')
        refused('app does not exist', 5, '/no/such/program', 'block', '--app', '/no/such/program')
        refused('unknown filter', 5, '999999', 'remove', '999999')
        refused('unknown driver', 5, 'nosuch', 'unload', 'nosuch')

        other = sh(lab.cli, '--runtime-dir', os.path.join(lab.directory, 'other'), 'status')
        check('not running: exit code 3', other.returncode == 3, f'{other.returncode} {other.stderr}')
        done = sh(lab.cli, '--runtime-dir', os.path.join(lab.directory, 'other'), 'start', '--scope',
                  'rw-no/such/scope')
        check('scope does not exist', done.returncode != 0 and 'rw-no/such' in done.stderr, done.stderr)
        done = lab.ringwall('start', '--scope', lab.scope, check=False)
        check('already running', done.returncode != 0 and 'running' in done.stderr, done.stderr)
        done = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', lab.cli, '--runtime-dir',
                               lab.runtime, 'block', '--remote', '10.0.0.1'], capture_output=True, text=True)
        check('nobody may not change the policy', done.returncode == 4, f'{done.returncode} {done.stderr}')
        done = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', lab.cli, '--runtime-dir',
                               lab.runtime, 'status'], capture_output=True, text=True)
        check('nobody may look', done.returncode == 0, f'{done.returncode} {done.stderr}')

        def cannot_start(name, text, *before):
            """Run under `before`; what it says; nothing is left behind."""
            runtime = os.path.join(lab.directory, 'elsewhere')
            done = sh(*before, lab.cli, '--runtime-dir', runtime, 'start', '--scope', lab.scope + '-else')
            check(f'{name}: start fails', done.returncode == 1, str(done.returncode))
            check(f'{name}: the error says why', text in done.stderr, done.stderr)
            check(f'{name}: one line', len(done.stderr.splitlines()) == 1, done.stderr)
            left = os.path.exists(f'{lab.cgroup}-else')
            check(f'{name}: no cgroup is left', not left)
            if left:
                os.rmdir(f'{lab.cgroup}-else')
            check(f'{name}: no socket is left', not os.path.exists(os.path.join(runtime, 'api.sock')))

        cannot_start('no root', 'root', 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups')
        hidden = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"'
        cannot_start('no BTF', 'BTF', 'unshare', '--mount', 'sh', '-c', hidden, 'sh')
        unmounted = 'awk \'$3 == "cgroup2" { print $2 }\' /proc/self/mounts | tac | xargs umount -l && exec "$@"'
        cannot_start('no cgroup v2', 'cgroup v2', 'unshare', '--mount', 'sh', '-c', unmounted, 'sh')

        for name, junk in (('zeros', bytes(4096)), ('huge length', b'\xff' * 64), ('text', b'GET / HTTP/1.0\r\n\r\n')):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(os.path.join(lab.runtime, 'api.sock'))
                client.settimeout(5)
                try:
                    client.sendall(junk)
                    while client.recv(4096):
                        pass
                except OSError:
                    pass
            check(f'junk on the socket ({name}): the service lives', lab.ringwall('status').returncode == 0)
    check.finish()


main()
