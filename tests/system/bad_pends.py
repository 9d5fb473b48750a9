#!/usr/bin/env python3
"""Drivers that break a rule of pending: each has its documented symptom and a report; nothing hangs or gets out."""
import sys
import time

from instance import Checks, Instance, program

CONNECT = '''
import socket, sys, time
s = socket.socket(); s.settimeout(20); start = time.monotonic()
try: s.connect((sys.argv[1], 80)); print('connected', flush=True)
except OSError as error: print('failed', error.errno, flush=True)
'''

# mode: (what becomes of the connection, what is reported, packets may get out)
MODES = {
    'good': ('connected', None),
    'twice': ('connected', 'completed twice'),
    'inside': ('connected', 'from within the classification'),
    'no-absorb': ('failed', 'FWPS_CLASSIFY_OUT_FLAG_ABSORB'),
    'permit': ('connected', 'did not answer FWP_ACTION_BLOCK'),
    'no-verdict': ('failed', 'no completion handle'),
    'dispatch': ('failed', 'IRQL 2'),
    'never': ('failed', 'never completed'),
    'crash': ('failed', 'SIGSEGV'),
}


def connect(lab):
    return lab.popen([sys.executable, '-c', CONNECT, lab.peer4], stdout=-1)


def try_mode(check, lab, driver, log, mode, expected, reported):
    lab.ringwall('load', driver, '--name', mode, f'mode={mode}')
    seen = len(open(log, encoding='utf-8').read())
    before = lab.peer_packets()
    begin = time.monotonic()
    out, _ = connect(lab).communicate(timeout=40)
    took = time.monotonic() - begin
    check(f'{mode}: {expected}', out.startswith(expected), out)
    if expected == 'failed':
        check(f'{mode}: nothing got out', lab.peer_packets() == before)
    check(f'{mode}: no hang', took < 12, f'{took:.1f} s')
    time.sleep(1)
    text = open(log, encoding='utf-8').read()[seen:]
    if reported:
        check(f'{mode}: reported', reported in text, text[-2000:])
    else:
        check(f'{mode}: nothing to report', 'violation' not in text, text[-2000:])
    if mode in ('twice', 'inside', 'no-verdict', 'dispatch'):
        check(f'{mode}: with function and stack', 'violation in ' in text and 'pender' in text, text[-2000:])
    check(f'{mode}: the service lives', lab.ringwall('status', check=False).returncode == 0)
    lab.ringwall('unload', mode)
    out, _ = connect(lab).communicate(timeout=20)
    check(f'{mode}: after unload it connects', out == 'connected\n', out)


def unload_while_pending(check, lab, driver, log):
    lab.ringwall('load', driver, '--name', 'leaver', 'mode=never')
    before = lab.peer_packets()
    client = connect(lab)
    time.sleep(1)
    check('unload: the connection waits', client.poll() is None)
    lab.ringwall('unload', 'leaver')
    out, _ = client.communicate(timeout=20)
    text = open(log, encoding='utf-8').read()
    check('unload while pending: it is blocked', out.startswith('failed'), out)
    check('unload: reported', 'not complete' in text and 'busy' in text, text[-2000:])
    check('unload: nothing got out', lab.peer_packets() == before)


def main():
    check = Checks()
    driver = program('tests', 'system', 'pender.so')
    with Instance(start=False) as lab:
        lab.start_service('--pend-age', '3')
        lab.serve(80)
        log = lab.monitor()
        for mode, (expected, reported) in MODES.items():
            try_mode(check, lab, driver, log, mode, expected, reported)
        unload_while_pending(check, lab, driver, log)
    check.finish()


main()
