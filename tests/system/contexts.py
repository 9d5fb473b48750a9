#!/usr/bin/env python3
"""Many short connections, each with a flow context: every context ends once, and nothing is left of them.

CONTEXTS=10000000 for the long run, which tells how far it is; CONTEXTS_RATE: connections a second.
"""
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from instance import Checks, Instance, program

MAPS = ('flows', 'facts', 'told', 'spoken', 'heard', 'owners', 'releases')
REPORT = re.compile(r'contexts: classified=(\d+) associated=(\d+) refused=(\d+) deleted=(\d+) wrong=(\d+)')


def entries(service):
    """Elements of the kernel's maps that the service holds."""
    ids = set()
    for path in Path(f'/proc/{service}/fdinfo').iterdir():
        found = re.search(r'map_id:\s+(\d+)', path.read_text())
        if found:
            ids.add(int(found[1]))
    shown = json.loads(subprocess.run(['bpftool', '-j', 'map', 'show'], capture_output=True, text=True,
                                      check=True).stdout)
    counts = {}
    for each in shown:
        if each['id'] in ids and each.get('name') in MAPS:
            done = subprocess.run(['bpftool', '-j', 'map', 'dump', 'id', str(each['id'])], capture_output=True,
                                  text=True, check=True)
            counts[each['name']] = len(json.loads(done.stdout))
    return counts


def resident_kib(pid):
    """0: the process has ended."""
    try:
        return int(re.search(r'VmRSS:\s+(\d+)', Path(f'/proc/{pid}/status').read_text())[1])
    except FileNotFoundError:
        return 0


def host_pid(service):
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            name, rest = path.read_text().rsplit(')', 1)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(rest.split()[1]) == service and name.endswith('(contexts'):  # it is named for its driver
            return int(path.parent.name)
    raise RuntimeError('no driver host')


def last_report(path):
    found = REPORT.findall(Path(path).read_text(encoding='utf-8', errors='replace'))
    return [int(number) for number in found[-1]] if found else [0] * 5


def watch(load, pids):
    """Waits for the load generator; notes the memory of the processes."""
    sizes, begin = [], time.monotonic()
    told = begin
    while load.poll() is None:
        time.sleep(0.2)
        sizes.append([resident_kib(pid) for pid in pids])
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f'     {told - begin:.0f} s: service {sizes[-1][0]:,} KiB, driver host {sizes[-1][1]:,} KiB',
                  flush=True)
    return sizes or [[resident_kib(pid) for pid in pids]]


def main():
    check = Checks()
    count = int(os.environ.get('CONTEXTS', '20000'))
    with Instance() as lab:
        lab.ringwall('load', program('tests', 'system', 'contexts.so'))
        status = json.loads(lab.ringwall('status', '--json').stdout)
        pids = [status['processId'], host_pid(status['processId'])]
        before = entries(pids[0])
        begin = time.monotonic()
        load = lab.popen([program('bench', 'load'), 'connect', '--count', str(count), '--seconds', '36000', '--rate',
                          os.environ.get('CONTEXTS_RATE', '15000')],
                         stdout=-1)
        sizes = watch(load, pids)
        made = json.loads(load.communicate()[0])['operations'] + 20  # and those before its clock starts
        took = time.monotonic() - begin
        time.sleep(3)
        lost = json.loads(lab.ringwall('status', '--json').stdout)['eventsLost'] - status['eventsLost']
        left = entries(pids[0])
        log = lab.monitor()
        lab.ringwall('unload', 'contexts', check=False)
        time.sleep(1)
        classified, associated, refused, deleted, wrong = last_report(log)
        text = lab.log()[-2000:]
    print(f'     {made:,} connections in {took:.0f} s; {classified:,} told of, {associated:,} contexts, '
          f'{refused} refused, {deleted:,} ended, {wrong} wrongly, {lost:,} lost; service {sizes[0][0]:,} to '
          f'{sizes[-1][0]:,} KiB, driver host {sizes[0][1]:,} to {sizes[-1][1]:,} KiB', flush=True)
    check('the service and the driver live', all(sizes[-1]), text)
    # Of a connection within the scope both ends may be lost; the filter asks for one of them.
    check('each connection is told of, or counted as lost', classified <= made <= classified + lost,
          f'{classified} + {lost} of {made}')
    check('most are told of', classified > made // 2, f'{classified} of {made}')
    check('each that was told of has a context, or had ended', associated + refused == classified)
    check('each context ends once', deleted == associated and wrong == 0, f'{deleted} of {associated}, {wrong} wrong')
    check('nothing is left in the maps', all(left[name] <= before[name] + 2 for name in MAPS), f'{before} {left}')
    half = sizes[len(sizes) // 2]
    check('the service does not grow', sizes[-1][0] < half[0] + 4096, f'{half[0]} to {sizes[-1][0]} KiB')
    check('nor does the driver host', sizes[-1][1] < half[1] + 4096, f'{half[1]} to {sizes[-1][1]} KiB')
    check.finish()


if __name__ == '__main__':
    sys.exit(main())
