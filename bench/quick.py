#!/usr/bin/env python3
"""`make bench-quick`: TCP connect+close on one CPU: plain kernel, plain again, Ringwall empty, Ringwall with wall.so.

Variants run in random order inside each round and every ratio is taken inside its round; a variant's verdicts are
checked before it is timed. The run is void when plain against plain leaves 0.97-1.03 (this machine's noise).
"""
import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'system'))
from instance import Instance, program
from lab import cgroup_mount  # noqa: E402


class Bench:
    def __init__(self, lab, seconds):
        self.lab, self.seconds = lab, seconds
        self.load = program('bench', 'connect')
        self.plain_cgroup = os.path.join(cgroup_mount(), lab.scope + '-plain')
        os.makedirs(self.plain_cgroup, exist_ok=True)

    def close(self):
        os.rmdir(self.plain_cgroup)

    def run(self, scoped, *more):
        group = self.lab.cgroup if scoped else self.plain_cgroup

        def enter():
            with open(os.path.join(group, 'cgroup.procs'), 'w', encoding='ascii') as procs:
                procs.write('0')
        command = ['nsenter', f'--net=/run/netns/{self.lab.client_ns}', self.load, str(self.seconds), '0', *more]
        done = subprocess.run(command, preexec_fn=enter, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def wall(self):
        self.lab.ringwall('load', program('drivers', 'wall', 'wall.so'))
        try:
            return self.run(True)
        finally:
            self.lab.ringwall('unload', 'wall')

    def check(self):
        """One denied and one allowed connection, before any timing."""
        self.lab.ringwall('block', '--app', self.load)
        self.seconds, keep = 0.01, self.seconds
        self.run(True, 'deny')
        self.lab.ringwall('remove', '--all')
        self.run(True)
        self.seconds = keep


def interval(values):
    """Median with a bootstrap 95 % interval."""
    draws = sorted(statistics.median(random.choices(values, k=len(values))) for _ in range(2000))
    return statistics.median(values), draws[50], draws[1949]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--seconds', type=float, default=0.4)
    parser.add_argument('--json', help='also write the raw figures to this file')
    options = parser.parse_args()
    rounds = []
    with Instance() as lab:
        bench = Bench(lab, options.seconds)
        try:
            bench.check()
            variants = {'plain kernel': lambda: bench.run(False), 'plain again': lambda: bench.run(False),
                        'Ringwall, no filters': lambda: bench.run(True), 'Ringwall, wall.so decides': bench.wall}
            for number in range(options.rounds):
                order = list(variants)
                random.shuffle(order)
                rounds.append({name: variants[name]() for name in order})
                print(f'\rround {number + 1}/{options.rounds}', end='', file=sys.stderr, flush=True)
            print(file=sys.stderr)
        finally:
            bench.close()

    print(f'TCP connect+close on one CPU, kernel {platform.release()}, {options.rounds} rounds of {options.seconds} s')
    print('| variant | rate, 1/s | p50, us | p99, us | ratio to plain (95 % interval) |')
    print('|---|---|---|---|---|')
    noise = None
    for name in ('plain kernel', 'plain again', 'Ringwall, no filters', 'Ringwall, wall.so decides'):
        rate = [r[name]['operations'] / r[name]['seconds'] for r in rounds]
        ratio = [r[name]['operations'] / r[name]['seconds'] /
                 (r['plain kernel']['operations'] / r['plain kernel']['seconds']) for r in rounds]
        middle, low, high = interval(ratio)
        if name == 'plain again':
            noise = middle
        p50 = statistics.median(r[name]['p50_ns'] for r in rounds) / 1000
        p99 = statistics.median(r[name]['p99_ns'] for r in rounds) / 1000
        print(f'| {name} | {statistics.median(rate):.0f} | {p50:.1f} | {p99:.1f} '
              f'| {middle:.3f} ({low:.3f}-{high:.3f}) |')
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as out:
            json.dump({'kernel': platform.release(), 'rounds': rounds}, out, indent=1)
    if not 0.97 <= noise <= 1.03:
        print(f'void: plain against plain is {noise:.3f}; the machine is too busy to measure', file=sys.stderr)
        return 1
    return 0


sys.exit(main())
