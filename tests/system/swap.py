#!/usr/bin/env python3
"""Policies exchanged under load: no connection is judged by one filter of the old policy and one of the new."""
import json
import os
import subprocess

from instance import Checks, Instance, program

SECONDS = float(os.environ.get('RINGWALL_SWAP_SECONDS', '3'))
FILTERS = 1000
PORT = 7900  # and the next two (bench/policy/rules.h)


def mixture(lab, seconds):
    done = lab.run([program('bench', 'load'), 'mixture', '--port', str(PORT), '--seconds', str(seconds)],
                   timeout=seconds + 30)
    return json.loads(done.stdout) if done.returncode == 0 else {'wrong': -1, 'error': done.stderr}


def main():
    check = Checks()
    with Instance() as lab:
        nothing = mixture(lab, 0.1)
        check('the checker finds verdicts that neither policy gives', nothing['wrong'] > 0, str(nothing))
        folder = os.path.join(lab.directory, 'programs')
        os.mkdir(folder)
        swap = lab.start(program('bench', 'policy'), '--load', program('bench', 'load'), '--folder', folder, '--apps',
                         '50', '--filters', str(FILTERS), '--seconds', str(SECONDS + 1), '--rate', '20', 'swap',
                         env={**os.environ, 'RINGWALL_RUNTIME_DIR': lab.runtime}, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        check('the policies are loaded', swap.stderr.readline() == 'ready\n')
        load = mixture(lab, SECONDS)
        out, err = swap.communicate(timeout=60)
        exchanged = swap.returncode == 0 and json.loads(out)['swaps'] >= SECONDS * 10
        check('the policies were exchanged', exchanged, err + out)
        check('0 connections were judged by a mixture', load['wrong'] == 0, str(load))
        print(f'     {load}\n     {out.strip()}')
    check.finish()


main()
