#!/usr/bin/env python3
"""The benchmark runs, its variants work, and nothing is left behind: neither by a run that ends nor by a killed one."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from instance import Checks
from lab import cgroup_mount, skip_unless_possible

BENCH = Path(__file__).resolve().parents[2] / 'bench' / 'bench.py'


def left_behind(pid):
    places = (cgroup_mount(), Path('/run/netns'), Path(tempfile.gettempdir()))
    return [str(path) for place in places for path in place.glob(f'rw-*-{pid}-*')]


def start(folder, *options):
    return subprocess.Popen([sys.executable, str(BENCH), 'run', '--no-scenes', '--rounds', '1', '--quick', '--json',
                             str(folder / 'run.json'), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, start_new_session=True)


def refuses_what_is_no_run(check):
    published = BENCH.parents[1] / 'docs' / 'bench' / 'results.json'
    for path, said in ((published, 'summary'), (BENCH, 'not JSON'), ('/nowhere', 'No such file')):
        done = subprocess.run([sys.executable, str(BENCH), 'targets', str(path)], capture_output=True, text=True,
                              check=False)
        check(f'targets of {path}: refused, and why', done.returncode == 2 and said in done.stderr, done.stderr[-300:])


def main():
    skip_unless_possible()
    check = Checks()
    refuses_what_is_no_run(check)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = start(folder)
        out, _ = run.communicate(timeout=150)
        check('the run ends, valid (0) or void (1)', run.returncode in (0, 1), out[-800:])
        result = json.loads((folder / 'run.json').read_text()) if run.returncode in (0, 1) else {}
        check('every variant works', result.get('voids') == {}, str(result.get('voids')))
        for name, series in result.get('series', {}).items():
            check(f'{name}: no variant failed', series['voids'] == {}, str(series['voids']))
            sample = series['rounds'][0].get('Ringwall, 10000 filters', {})
            check(f'{name}: Ringwall with 10,000 filters was measured', sample.get('ratio', 0) > 0, str(sample))
        check('a run leaves nothing behind', not left_behind(run.pid), str(left_behind(run.pid)))

        killed = start(folder, '--only', 'W4-connect')
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and len(left_behind(killed.pid)) < 6:
            time.sleep(0.05)
        check('a run under way has places', len(left_behind(killed.pid)) >= 6)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and left_behind(killed.pid):
            time.sleep(0.1)
        check('a killed run leaves nothing behind', not left_behind(killed.pid), str(left_behind(killed.pid)))
    check.finish()


main()
