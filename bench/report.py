"""What a run says: markdown tables, and the machine it is about."""
import os
import platform
import statistics
import subprocess
from pathlib import Path

from figures import Series, interval


def machine():
    """What must be equal for two runs to be comparable, and the versions that were measured."""
    cpu = next((line.split(':', 1)[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines()
                if line.startswith('model name')), platform.machine())
    folder = Path('/sys/devices/system/cpu/vulnerabilities')
    mitigations = {path.name: path.read_text().strip() for path in sorted(folder.glob('*'))
                   if 'Not affected' not in path.read_text()} if folder.exists() else {}
    return {'kernel': platform.release(), 'cpu': cpu, 'cpus': os.cpu_count(),
            'mitigations': mitigations, 'jit': read('/proc/sys/net/core/bpf_jit_enable'),
            'versions': {'ringwall': version('git', 'describe', '--always', '--dirty'), 'nft': version('nft', '-v'),
                         'iptables': version('iptables-legacy', '-V')}}


def read(path):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def version(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    except FileNotFoundError:
        return None
    return (done.stdout or done.stderr).strip().split('\n')[0]


def with_interval(values):
    three = interval(values)
    return '{:.3f} ({:.3f}-{:.3f})'.format(*three) if three else '-'


def micro(values):
    return f'{statistics.median(values) / 1000:.1f}' if values else '-'


def series_table(data, variants):
    """One workload, its variants in the order of the plan."""
    series = Series(data)
    lines = [f'### {data["title"]}', '']
    noise = with_interval(series.noise())
    verdict = {'ratio': 'valid', 'ratio_p50': 'rates **void**, the machine was busy; medians valid',
               None: '**VOID**, the machine was too busy to measure'}[series.basis()]
    lines += [f'{len(series.rounds)} rounds of {data["seconds"]} s; plain against plain by rate {noise}, by median '
              f'operation {with_interval(series.noise("ratio_p50"))}: {verdict}.', '',
              '| variant | rate, 1/s | ratio to plain (95 %) | by median operation | best, µs | p50 | p99 | p99.9 |',
              '|---|---:|---|---|---:|---:|---:|---:|']
    for name in variants:
        rates = series.values(name, 'rate')
        if not rates:
            continue
        ratio, median = ('1', '1') if name == 'plain' else (with_interval(series.values(name, by))
                                                            for by in ('ratio', 'ratio_p50'))
        best = series.values(name, 'min_ns')
        lines.append(f'| {name} | {statistics.median(rates):,.0f} | {ratio} | {median} '
                     f'| {min(best) / 1000 if best else 0:.2f} '
                     f'| {micro(series.values(name, "p50_ns"))} | {micro(series.values(name, "p99_ns"))} '
                     f'| {micro(series.values(name, "p999_ns"))} |')
    lines += [f'| {name} | void: {reason} | | | | | | |' for name, reason in data['voids'].items()]
    return '\n'.join(lines) + '\n'


def setup_lines(setup):
    """How long the large rule sets took to load; ours also without making the namespaces and starting the service."""
    for name, figures in setup.items():
        if 'commit_ms' in figures and figures['filters'] >= 1000:
            yield f'* {name}: {figures["add_ms"]:.0f} ms to add, {figures["commit_ms"]:.1f} ms to commit'
        elif name.endswith(', 10000') or name.endswith(', 100000'):
            yield f'* {name}: {figures["seconds"] * 1000:.0f} ms'


def scene_text(name, scene):
    if 'void' in scene:
        return f'* {name}: not measured: {scene["void"]}'
    rows = scene.get('rows')
    if rows:
        head = list(rows[0])
        table = ['| ' + ' | '.join(head) + ' |', '|' + '---:|' * len(head)]
        table += ['| ' + ' | '.join(number(row[key]) for key in head) + ' |' for row in rows]
        return f'* {name}\n\n' + '\n'.join(table) + '\n'
    return f'* {name}: ' + ', '.join(f'{key} {number(value)}' for key, value in scene.items())


def number(value):
    if isinstance(value, float):
        return f'{value:,.3f}' if abs(value) < 1000 else f'{value:,.0f}'
    if isinstance(value, dict):
        return '(' + ', '.join(f'{key} {number(each)}' for key, each in value.items()) + ')'
    if isinstance(value, list):
        return with_interval(value) if value and isinstance(value[0], float) else str(value)
    return f'{value:,}' if isinstance(value, int) else str(value)


def markdown(result):
    about = result['machine']
    versions = '; '.join(f'{name} {text}' for name, text in about['versions'].items())
    lines = ['# Benchmark', '', f'Kernel {about["kernel"]}, {about["cpu"]}, {about["cpus"]} CPUs; {versions}.', '']
    lines += [series_table(data, result['variants']) for data in result['series'].values()]
    if result['voids']:
        lines += ['### Not measured', ''] + [f'* {name}: {why}' for name, why in result['voids'].items()] + ['']
    if result.get('setup'):
        lines += ['### Loading the rules', '', *setup_lines(result['setup']), '']
    if result['scenes']:
        lines += ['### Measured once', ''] + [scene_text(name, scene) for name, scene in result['scenes'].items()]
    return '\n'.join(lines) + '\n'
