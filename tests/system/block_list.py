#!/usr/bin/env python3
"""`ringwall block-list` on live traffic: a list is in force as a whole, is replaced, is removed, survives a restart.

    tests/system/block_list.py --addresses 1350000     the size that the project promises, with its times
"""
import argparse
import json
import os
import random
import sys
import time

from instance import Checks, Instance

CONNECT = '''
import socket, sys
try: socket.create_connection((sys.argv[1], 80), 3).close(); print('connected')
except PermissionError: print('refused')
'''


def write_list(path, count, *lines):
    generator = random.Random(7)
    with open(path, 'w', encoding='ascii') as file:
        file.write('# a list of addresses\n')
        for _ in range(count):
            # Not 10.0.0.0/8, where the peers are.
            value = generator.randrange(0x0b000000, 0xdf000000)
            file.write('.'.join(str(value >> shift & 255) for shift in (24, 16, 8, 0)) + '\n')
        file.write('\n'.join(lines) + '\n')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--addresses', type=int, default=20000)
    arguments = parser.parse_args()
    check = Checks()
    with Instance() as lab:
        lab.serve(80)
        path = os.path.join(lab.directory, 'list.txt')
        hosts = os.path.join(lab.directory, 'hosts')

        def result(address):
            return lab.run([sys.executable, '-c', CONNECT, address]).stdout.strip()

        write_list(path, arguments.addresses, lab.peer4, 'fd99:1::/64')
        begun = time.monotonic()
        done = lab.ringwall('block-list', path, '--name', 'bad')
        print(f'     {time.monotonic() - begun:.2f} s: {done.stdout.strip()}', flush=True)
        status = json.loads(lab.ringwall('status', '--json').stdout)
        print(f"     {status['tableBytes'] / 1048576:.1f} MiB of tables, compiled in {status['compileUs'] / 1000:.0f} "
              f"ms, loaded in {status['loadUs'] / 1000:.0f} ms", flush=True)
        check('an address of the list is refused', result(lab.peer4) == 'refused')
        check('… of IPv6 as well', result(lab.peer6) == 'refused')
        check('… and by a socket of IPv6', result('::ffff:' + lab.peer4) == 'refused')
        shown = json.loads(lab.ringwall('list', '--json').stdout)
        check('the list is one rule', len(shown) == 1 and shown[0]['name'] == 'bad' and
              shown[0]['conditions'] > 0.9 * arguments.addresses, str(shown)[:300])
        check('… also for people', 'ranges' in lab.ringwall('list').stdout)
        layers = json.loads(lab.ringwall('show', 'compile', '--json').stdout)
        check('the kernel decides all of it', all(layer['inKernel'] == layer['filters'] for layer in layers['layers'])
              and not layers['filters'], str(layers)[:300])

        lab.kill_service()
        check('without the service it holds', result(lab.peer4) == 'refused')
        lab.start_service()
        check('after a restart it holds', result(lab.peer4) == 'refused')

        write_list(path, 1000, lab.peer4)
        lab.ringwall('block-list', path, '--name', 'bad')
        check('a list of the same name replaces it', result(lab.peer6) == 'connected' and
              result(lab.peer4) == 'refused')

        with open(hosts, 'w', encoding='ascii') as file:
            file.write('127.0.0.1 localhost\n' + ''.join(f'0.0.0.0 host{i}.ads.example\n'
                                                         for i in range(arguments.addresses)) + 'what is this?\n')
        begun = time.monotonic()
        done = lab.ringwall('block-list', hosts, '--name', 'names')
        print(f'     {time.monotonic() - begun:.2f} s: {done.stdout.strip()}', flush=True)
        check('names are stored, and it is said that they are not matched',
              f'{arguments.addresses} names are stored; they are not matched yet' in done.stdout, done.stdout)
        check('a bad line is told', 'line' in done.stderr and "'what is this?'" in done.stderr, done.stderr)
        strict = lab.ringwall('block-list', hosts, '--name', 'names', '--strict', check=False)
        check('… and refused on demand', strict.returncode == 1 and 'nothing was loaded' in strict.stderr,
              strict.stderr)
        check('the names can be removed', lab.ringwall('remove', 'names').returncode == 0)
        check('… once', lab.ringwall('remove', 'names', check=False).returncode == 5)
        lab.ringwall('remove', 'bad')
        check('removed: it connects', result(lab.peer4) == 'connected')
        missing = lab.ringwall('block-list', os.path.join(lab.directory, 'nothing'), check=False)
        check('a file that is not there is told', missing.returncode == 5 or 'No such file' in missing.stderr,
              missing.stderr)
    check.finish()


main()
