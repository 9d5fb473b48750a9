#!/usr/bin/env python3
"""Ringwall against the plain kernel and the other firewalls of Linux, on one machine, in one run.

Everything happens in cgroups and network namespaces of its own, on loopback. Each variant first shows one permitted and
one denied connection; the order inside a round is random; a ratio compares with the plain kernel measured beside it; a
series is void when plain against plain leaves 0.99-1.01.
"""
import argparse
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import compare
import plans
import plot
import publish
import report
import scenes
import series
import targets
from place import BUILD, Void, skip_unless_possible


# A quick run takes under three minutes also on a busy machine: no round begins after this, the classifier follows.
QUICK_SECONDS = 130


def say(text):
    print(text, file=sys.stderr, flush=True)


def build_variants(makers):
    """{name: variant} of those that work here, {name: reason} of the others."""
    variants, voids = {}, {}
    for number, (name, make) in enumerate(makers.items(), 1):
        print(f'\rset up {number} of {len(makers)}: {name:<48}', end='', file=sys.stderr, flush=True)
        variant = None
        try:
            begin = time.monotonic()
            variant = make()
            variant.setup_seconds = time.monotonic() - begin
            variant.verify()
            variants[name] = variant
        except (Void, RuntimeError, AssertionError, OSError) as error:
            voids[name] = str(error)
            if variant:
                variant.close()
    say('')
    return variants, voids


def play(functions, options):
    results = {}
    for function in functions:
        say(f'scene: {function.__name__}')
        try:
            results[function.__name__] = function(options)
        except (Void, RuntimeError, AssertionError, OSError, ValueError) as error:
            results[function.__name__] = {'void': str(error) or type(error).__name__}
    return results


def save(result, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')


def command_run(options):
    skip_unless_possible()
    plan = plans.quick() if options.quick else plans.full()
    if options.only:
        plan = plan.only(options.only.split(','))
    scene_list = [] if options.no_scenes else scenes.QUICK if options.quick else scenes.ALL
    if options.scenes:
        scene_list = [each for each in scenes.ALL if each.__name__ in options.scenes.split(',')]
    rounds = options.rounds or plan.rounds
    begin = time.monotonic()
    result = {'machine': report.machine(), 'time': time.strftime('%Y-%m-%d %H:%M:%S'), 'quick': options.quick}
    variants, result['voids'] = build_variants(plan.makers)
    try:
        result['variants'] = list(plan.makers)
        result['setup'] = {name: {'seconds': v.setup_seconds, **(getattr(v, 'commit', None) or {})}
                           for name, v in variants.items()}
        deadline = begin + QUICK_SECONDS if options.quick else None
        result['series'] = series.measure(plan.workloads, variants, rounds, deadline)
    finally:
        for variant in variants.values():
            variant.close()
    result['scenes'] = play(scene_list, SimpleNamespace(quick=options.quick, attribution=options.attribution))
    result['took_seconds'] = time.monotonic() - begin
    path = Path(options.json) if options.json else BUILD / 'bench' / time.strftime('run-%Y%m%d-%H%M%S.json')
    save(result, path)
    print(report.markdown(result))
    if not options.quick:
        print(targets.markdown(targets.judge(result)))
    if 'W1' in result['series'] and not options.quick:
        plot.write(result, path.with_suffix('.svg'))
        say(f'the plot is {path.with_suffix(".svg")}')
    say(f'took {result["took_seconds"]:.0f} s; all figures are in {path}')
    void = [name for name, data in result['series'].items() if series_is_void(data)]
    if void:
        say('VOID, the machine was too busy: ' + ', '.join(void))
    return 1 if void else 0


def series_is_void(data):
    return report.Series(data).basis() is None


class NotARun(Exception):
    """A file that is none of `bench run`; the text says what it is."""


def read(path):
    try:
        result = json.loads(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise NotARun(f'{path}: {error.strerror}') from error
    except ValueError as error:
        raise NotARun(f'{path} is not JSON: {error}') from error
    series = result.get('series') if isinstance(result, dict) else None
    if not isinstance(series, dict) or not all(isinstance(data, dict) for data in series.values()):
        raise NotARun(f'{path} has no figures of the benchmark: it is not from `bench run --json`')
    if any('rounds' not in data for data in series.values()):
        raise NotARun(f'{path} is the summary that `publish` writes, without the single rounds: see results.md beside '
                      'it, or run the benchmark')
    return result


def command_compare(options):
    try:
        lines, worse = compare.compare(read(options.before), read(options.after))
    except compare.NotComparable as error:
        say(str(error))
        return 2
    print('\n'.join(lines))
    return 1 if worse else 0


def command_targets(options):
    print(targets.markdown(targets.judge(read(options.file))))
    return 0


def command_table(options):
    print(report.markdown(read(options.file)))
    return 0


def command_publish(options):
    try:
        publish.publish(read(options.file))
    except publish.Unfit as error:
        say(str(error))
        return 1
    return 0


def command_plot(options):
    plot.write(read(options.file), Path(options.out))
    return 0


def main():
    parser = argparse.ArgumentParser(prog='bench', description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    run = commands.add_parser('run', help='measure')
    run.add_argument('--quick', action='store_true', help='under three minutes: the main series only')
    run.add_argument('--rounds', type=int, help='how many rounds (31; quick: 15, or as many as fit)')
    run.add_argument('--only', help='these series: ' + ','.join(w.name for w in plans.full().workloads))
    run.add_argument('--scenes', help='these scenes: ' + ','.join(each.__name__ for each in scenes.ALL))
    run.add_argument('--no-scenes', action='store_true', help='only what is measured in rounds')
    run.add_argument('--attribution', type=float, default=60, help='seconds of short-lived programs')
    run.add_argument('--json', help='where the figures go (default: bench/ in the build folder)')
    run.set_defaults(run=command_run)
    two = commands.add_parser('compare', help='two runs on one machine')
    two.add_argument('before')
    two.add_argument('after')
    two.set_defaults(run=command_compare)
    for name, function, text in (('targets', command_targets, 'each target: met or missed'),
                                 ('table', command_table, 'the tables of a run'),
                                 ('publish', command_publish, 'into docs/bench and README.md')):
        command = commands.add_parser(name, help=text)
        command.add_argument('file')
        command.set_defaults(run=function)
    command = commands.add_parser('plot', help='connections a second against filters, SVG and PNG')
    command.add_argument('file')
    command.add_argument('out')
    command.set_defaults(run=command_plot)
    options = parser.parse_args()
    try:
        return options.run(options)
    except NotARun as error:
        say(str(error))
        return 2


if __name__ == '__main__':
    sys.exit(main())
