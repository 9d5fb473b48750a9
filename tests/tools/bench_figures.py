#!/usr/bin/env python3
"""The statistics of the benchmark, on runs whose answer is known."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'bench'))
import compare  # noqa: E402
import figures  # noqa: E402
import plot  # noqa: E402
import publish  # noqa: E402
import report  # noqa: E402
import targets  # noqa: E402

MACHINE = {'kernel': '6', 'cpu': 'x', 'cpus': 2, 'mitigations': {}, 'versions': {'ringwall': 'a'}}
failed = 0


def check(name, good):
    global failed
    print(('ok   ' if good else 'FAIL ') + name)
    failed += not good


def run_of(ratios, noise=(1.0,) * 9, machine=None):
    """A run with the series W1: each variant has this ratio in all rounds, give or take a thousandth."""
    rounds = []
    for number, control in enumerate(noise):
        samples = {'plain': {'rate': 90000.0, 'p50_ns': 10000, 'p99_ns': 20000, 'min_ns': 9000}}
        for name, ratio in {'plain again': control, **ratios}.items():
            ratio *= 1 + (number % 3 - 1) / 1000
            samples[name] = {'rate': 90000 * ratio, 'ratio': ratio, 'ratio_p50': ratio, 'p50_ns': int(10000 / ratio),
                             'p99_ns': int(20000 / ratio), 'min_ns': 9000}
        rounds.append(samples)
    return {'machine': machine or MACHINE, 'variants': ['plain', 'plain again', *ratios], 'voids': {}, 'scenes': {},
            'series': {'W1': {'title': 'W1', 'seconds': 1, 'rounds': rounds, 'voids': {}}}}


def verdicts(run):
    return {row['what']: row['verdict'] for row in targets.judge(run)}


FIRST = 'W1, 10,000 filters, identity and events: ratio to plain'
OURS, OTHER = 'Ringwall, 10000 filters', 'nft linear, 10000'
good = run_of({OURS: 0.98, 'Ringwall, 10 filters': 0.98, OTHER: 0.025, 'Ringwall, events, 10000 filters': 0.98})

middle, low, high = figures.interval([1.0, 2.0, 3.0, 4.0, 5.0])
check('the median lies in its interval', middle == 3.0 and 1.0 <= low <= middle <= high <= 5.0)
check('an interval of equal values is a point', figures.interval([2.0] * 9) == (2.0, 2.0, 2.0))
check('nothing has no interval', figures.interval([]) is None)
check('the same values give the same interval', figures.interval([1.0, 2.0, 4.0]) == figures.interval([1.0, 2.0, 4.0]))

check('a quiet control is valid', not figures.is_void([1.0, 1.002, 0.999] * 3))
check('a shifted control is void', figures.is_void([1.02, 1.021, 1.019] * 3))
check('a scattered control with a good median is void', figures.is_void([0.8, 1.0, 1.3] * 3))
check('too few rounds are void', figures.is_void([1.0] * 4) and not figures.is_void([1.0] * 5))

seen = verdicts(good)
check('ratio of variants: 39 times is met', seen['times nft linear, 10,000'] == 'met')
check('a target that is reached is met', seen[FIRST] == 'met')
check('what is not in the run is not measured', seen['times OpenSnitch'].startswith('not measured'))
seen = verdicts(run_of({OURS: 0.5, OTHER: 0.025, 'Ringwall, events, 10000 filters': 0.9}))
check('a target that is not reached is missed', seen[FIRST] == 'missed')
seen = verdicts(run_of({'Ringwall, events, 10000 filters': 0.98}, noise=(1.05,) * 9))
check('a void run meets nothing', seen[FIRST] == 'void (met)')

lines, worse = compare.compare(good, good)
check('a run is not worse than itself', worse == 0 and len(lines) == 2 + 5)
lines, worse = compare.compare(good, run_of({OURS: 0.90, OTHER: 0.025}))
check('a fall by 8 % is found', worse == 1 and any(OURS in line and 'slower' in line for line in lines))
lines, worse = compare.compare(good, run_of({OURS: 0.90}, noise=(1.2,) * 9))
before, after = ({**good, 'scenes': {'classifier': {'rows': [{'filters': 10, 'mixed_ns': cost}]}}}
                 for cost in (100.0, 102.0))
check('a classifier slower by 2 % is found', compare.compare(before, after)[1] == 1)
check('… and a faster one is not', compare.compare(after, before)[1] == 0)
check('a void run is not compared', worse == 0 and 'void' in lines[-1])
try:
    compare.compare(good, run_of({OURS: 0.98}, machine={**MACHINE, 'kernel': '7'}))
    check('runs of two machines are not compared', False)
except compare.NotComparable:
    check('runs of two machines are not compared', True)

text = plot.svg(good)
check('the plot has a line for each kind and is well-formed', text.count('<polyline') == 2 and text.count('<svg') == 1)
check('a void run says so in its plot', 'VOID' in plot.svg(run_of({OURS: 0.98}, noise=(1.2,) * 9)))
check('the table has a row for each variant', all(f'| {name} |' in report.markdown(good) for name in good['variants']))

with tempfile.TemporaryDirectory() as name:
    root = Path(name)
    (root / 'docs' / 'bench').mkdir(parents=True)
    (root / 'README.md').write_text(f'a\n{publish.BEGIN}\nold\n{publish.END}\nb\n')
    publish.publish({**good, 'time': '', 'setup': {}}, root)
    text = (root / 'README.md').read_text()
    check('published figures replace the old ones', 'old' not in text and text.startswith('a\n') and
          text.endswith('b\n') and '| nftables, linear | - | - | - | 0.025 | - |' in text)
    check('tables, figures and plot are published', {'results.md', 'results.json', 'connections.svg'} <=
          {path.name for path in (root / 'docs' / 'bench').iterdir()})
    try:
        publish.publish({**run_of({OURS: 0.98}, noise=(1.2,) * 9), 'time': '', 'setup': {}}, root)
        check('a void run is not published', False)
    except publish.Unfit:
        check('a void run is not published', True)
sys.exit(1 if failed else 0)
