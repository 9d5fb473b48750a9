#!/usr/bin/env python3
"""1,000 short-lived programs connecting and exiting at once: 1,000 lines, each with the right pid, path and ports."""
import os
import re
import sys
import time

from instance import Checks, Instance, program

COUNT = int(os.environ.get('RINGWALL_STORM', '1000'))
LINE = re.compile(r'\[WFP\]IRQL=\d+;PID=(\d+);Path=([^;]*);Local=([^;]*);Remote=([^;]*);Protocol=TCP')


def main():
    check = Checks()
    storm = program('tests', 'system', 'storm')
    with Instance() as lab:
        lab.serve(80)
        lab.ringwall('load', program('drivers', 'wall', 'wall.so'))
        log = lab.monitor()
        for address, local in ((lab.peer4, lab.client4), (lab.peer6, f'[{lab.client6}]')):
            begin = time.monotonic()
            done = lab.run([storm, str(COUNT), address, '80'], timeout=120)
            seconds = time.monotonic() - begin
            check(f'{address}: every program connected', done.returncode == 0, done.stderr[-500:])
            expected = {tuple(line.split()) for line in done.stdout.splitlines()}
            check(f'{address}: {COUNT} programs reported', len(expected) == COUNT, str(len(expected)))
            remote = f'[{address}]:80' if ':' in address else f'{address}:80'
            deadline = time.monotonic() + 60
            seen = []
            while time.monotonic() < deadline:
                with open(log, encoding='utf-8') as text:
                    seen = [m.groups() for m in map(LINE.search, text) if m and m.group(4) == remote]
                if len(seen) >= COUNT:
                    break
                time.sleep(0.1)
            check(f'{address}: {COUNT} lines, none lost, none twice', len(seen) == COUNT, str(len(seen)))
            check(f'{address}: right pids and local ports',
                  {(pid, place.rsplit(':', 1)[1]) for pid, _, place, _ in seen} == expected,
                  str(sorted({(p, l.rsplit(":", 1)[1]) for p, _, l, _ in seen} ^ expected)[:6]))
            check(f'{address}: right path', all(path == os.path.realpath(storm) for _, path, _, _ in seen),
                  str({path for _, path, _, _ in seen}))
            check(f'{address}: right local address', all(place.rsplit(':', 1)[0] == local for _, _, place, _ in seen))
            print(f'     {COUNT} programs in {seconds:.2f} s')
    check.finish()


main()
