#!/usr/bin/env python3
"""Drivers that crash, hang or answer garbage in classify: each fails closed and is reported; the rest goes on."""
import json
import time

from instance import Checks, Instance, program


def main():
    check = Checks()
    driver = program('tests', 'system', 'misbehave.so')
    wall = program('drivers', 'wall', 'wall.so')
    with Instance() as lab:
        lab.serve(80)
        curl = lambda: lab.run(['curl', '-sS', '--max-time', '15', f'http://{lab.peer4}/'], timeout=60)
        log = lab.monitor()

        lab.ringwall('load', driver, '--name', 'good', 'mode=permit')
        check('permit: works', curl().returncode == 0)
        lab.ringwall('unload', 'good')

        for mode in ('crash', 'hang', 'garbage'):
            lab.ringwall('load', driver, '--name', 'bad', f'mode={mode}')
            before = lab.peer_packets()
            done = curl()
            check(f'{mode}: the connection fails closed', done.returncode != 0, done.stdout)
            check(f'{mode}: 0 packets reach the peer', lab.peer_packets() == before)
            check(f'{mode}: the service lives', lab.ringwall('status', check=False).returncode == 0)
            if mode == 'crash':
                text = lab.wait_text(log, 'was ended by signal')
                check('crash: the signal is reported', 'SIGSEGV' in text or 'Segmentation fault' in text, text[-800:])
                check('crash: with a stack trace', 'classify' in text or 'misbehave.so' in text, text[-800:])
                check('crash: the driver is listed as failed', 'failed' in lab.ringwall('drivers').stdout)
            if mode == 'hang':
                text = lab.wait_text(log, 'did not return')
                check('hang: reported', 'did not return' in text, text[-800:])
            if mode == 'garbage':
                check('garbage: the driver goes on', 'running' in lab.ringwall('drivers').stdout)
            lab.ringwall('unload', 'bad')
            check(f'{mode}: after unload it works again', curl().returncode == 0)

        done = lab.ringwall('load', driver, '--name', 'bad', 'mode=abort-entry', check=False)
        check('DriverEntry fails: load says so', done.returncode != 0 and 'DriverEntry' in done.stderr, done.stderr)
        done = lab.ringwall('load', '/etc/hostname', check=False)
        check('not a driver: a clear error', done.returncode != 0 and '/etc/hostname' in done.stderr, done.stderr)
        done = lab.ringwall('load', '/nowhere/x.so', check=False)
        check('no such file: a clear error', done.returncode != 0 and 'No such file' in done.stderr, done.stderr)

        lab.ringwall('load', wall, 'block_app=nothing-of-that-name')
        lab.ringwall('load', driver, '--name', 'second', 'mode=permit')
        check('two drivers at once', curl().returncode == 0)
        lab.ringwall('unload', 'second')
        lab.ringwall('unload', 'wall')
    check.finish()


main()
