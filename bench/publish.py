"""`bench publish FILE`: puts a valid run's figures and plot into docs/bench and README.md."""
import json
import re
import statistics

import plot
import report
import targets
from figures import Series
from place import ROOT

BEGIN, END = '<!-- figures of tools/bench.sh publish -->', '<!-- end of the figures -->'
COUNTS = (10, 100, 1000, 10000, 100000)
# (label, how the variants are named)
ROWS = [
    ('**Ringwall**, by program, address, port', 'Ringwall, {} filters'),
    ('nftables, one set (no programs)', 'nft set, {}'),
    ('nftables behind conntrack', 'nft linear behind conntrack, {}'),
    ('iptables behind conntrack', 'iptables-legacy behind conntrack, {}'),
    ('nftables, linear', 'nft linear, {}'),
    ('nftables by cgroup', 'nft by cgroup, {}'),
    ('nftables by user', 'nft by user, {}'),
    ('iptables', 'iptables-legacy, {}'),
    ('iptables by user', 'iptables-legacy by user, {}'),
]
WITHOUT_COUNT = [
    ('Ringwall, 10,000 filters, `ringwall monitor` watching', 'Ringwall, events, 10000 filters'),
    ('NFQUEUE, minimal C program, same CPU', 'NFQUEUE, minimal, same CPU'),
    ('NFQUEUE, minimal C program, other CPU', 'NFQUEUE, minimal, other CPU'),
    ('OpenSnitch 1.5.8.1, `/proc` monitor', 'OpenSnitch 1.5.8.1, /proc monitor'),
    ('plain kernel, measured again', 'plain again'),
]


class Unfit(Exception):
    """A run that must not be published."""


def digest(result):
    """The README's tables: connections a second as shares of the plain kernel's."""
    series = Series(result['series']['W1'])
    by = series.basis()

    def share(name):
        three = series.ratio(name, by)
        return f'{three[0]:.3f}' if three else '-'

    about = result['machine']
    lines = [f'TCP connections a second on one CPU as shares of the plain kernel\'s '
             f'({statistics.median(series.values("plain", "rate")):,.0f}), {len(series.rounds)} rounds; kernel '
             f'{about["kernel"]}, {about["cpus"]} CPUs; no rule matches but the last:', '',
             '| rules | ' + ' | '.join(f'{count:,}' for count in COUNTS) + ' |', '|---|' + '---:|' * len(COUNTS)]
    lines += [f'| {label} | ' + ' | '.join(share(name.format(count)) for count in COUNTS) + ' |'
              for label, name in ROWS]
    lines += ['', '| | share |', '|---|---:|']
    lines += [f'| {label} | {share(name)} |' for label, name in WITHOUT_COUNT]
    return '\n'.join(lines) + '\n'


def replaced(text, figures):
    """README.md with these figures between the marks."""
    marks = re.compile(re.escape(BEGIN) + '.*?' + re.escape(END), re.DOTALL)
    if not marks.search(text):
        raise Unfit('README.md has no marks for the figures')
    picture = '![TCP connections a second against the number of filters](docs/bench/connections.svg)\n'
    return marks.sub(lambda _: f'{BEGIN}\n{picture}\n{figures}{END}', text)


def summary(result):
    """The run without its single rounds."""
    series = {}
    for name, data in result['series'].items():
        each = Series(data)
        keys = ('rate', 'min_ns', 'p50_ns', 'p99_ns', 'p999_ns')
        series[name] = {variant: {**{key: statistics.median(each.values(variant, key))
                                     for key in keys if each.values(variant, key)},
                                  'ratio': each.ratio(variant), 'ratio_p50': each.ratio(variant, 'ratio_p50')}
                        for variant in result['variants'] if each.values(variant, 'rate')}
    return {**{key: result[key] for key in ('machine', 'time', 'setup', 'scenes', 'voids')}, 'series': series}


def publish(result, root=ROOT):
    if 'W1' not in result['series'] or Series(result['series']['W1']).basis() is None:
        raise Unfit('the run has no valid W1')
    folder = root / 'docs' / 'bench'
    readme = replaced((root / 'README.md').read_text(encoding='utf-8'), digest(result))
    (root / 'README.md').write_text(readme, encoding='utf-8')
    plot.write(result, folder / 'connections.svg')
    (folder / 'results.md').write_text(
        report.markdown(result).rstrip('\n') + '\n\n' + targets.markdown(targets.judge(result)), encoding='utf-8')
    (folder / 'results.json').write_text(json.dumps(summary(result), indent=1) + '\n', encoding='utf-8')
