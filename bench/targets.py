"""The targets, each with its figure and interval: met, missed, void (the machine was too busy) or not measured."""
from figures import Series, interval
from plans import EVENTS, INBOUND, OUR_10000

MIB = 1 << 20


class Missing(Exception):
    """A figure that the run does not have; the text says why."""


class Run:
    def __init__(self, result):
        self.result = result

    def why(self, name, data):
        return self.result['voids'].get(name) or data['voids'].get(name) or 'not part of this run'

    def series(self, name, *variants):
        data = self.result['series'].get(name)
        if data is None:
            raise Missing(f'{name} is not part of this run')
        for variant in variants:
            if not Series(data).values(variant, 'rate'):
                raise Missing(f'{variant}: {self.why(variant, data)}')
        return Series(data)

    def ratio(self, workload, variant):
        series = self.series(workload, variant)
        return series.ratio(variant, series.basis() or 'ratio'), series.basis()

    def times(self, variant, other, workload='W1'):
        """How many times faster `variant` is than `other`."""
        series = self.series(workload, variant, other)
        return series.between(variant, other, series.basis() or 'ratio'), series.basis()

    def p99(self, variant, other, workload='W1'):
        series = self.series(workload, variant, other)
        pairs = zip(series.values(variant, 'p99_ns'), series.values(other, 'p99_ns'))
        return interval([a / b for a, b in pairs]), 'ratio' if series.basis() == 'ratio' else None

    def scene(self, name, *keys):
        scene = self.result['scenes'].get(name, {'void': 'not part of this run'})
        if 'void' in scene:
            raise Missing(f'{name}: {scene["void"]}')
        for key in keys:
            scene = scene[key]
        return (scene, scene, scene) if isinstance(scene, (int, float)) else scene

    def value(self, name, *keys, scale=1.0):
        return tuple(each * scale for each in self.scene(name, *keys)), 'ratio'

    def row(self, name, filters, key, scale=1.0):
        for row in self.scene(name, 'rows'):
            if row['filters'] == filters:
                return (row[key] * scale,) * 3, 'ratio'
        raise Missing(f'{name}: nothing of {filters} filters')


def at_least(limit):
    return f'≥ {limit:g}', lambda value: value >= limit


def at_most(limit):
    return f'≤ {limit:g}', lambda value: value <= limit


def exactly(limit):
    return f'= {limit:g}', lambda value: value == limit


def all_targets(run):
    """(number, what, (text, test), function that gives ((figure, low, high), basis as in figures.py))."""
    nfqueue = 'NFQUEUE, minimal, {} CPU'
    snitch = 'OpenSnitch 1.5.8.1, /proc monitor'
    return [
        ('1', 'W1, 10,000 filters, identity and events: ratio to plain', at_least(0.97),
         lambda: run.ratio('W1', EVENTS)),
        ('2', 'cost of a connection, 10,000 filters against 10', at_most(1.02),
         lambda: run.times('Ringwall, 10 filters', OUR_10000)),
        ('2', 'cost of a connection, 100,000 filters against 10', at_most(1.05),
         lambda: run.times('Ringwall, 10 filters', 'Ringwall, 100000 filters')),
        ('2', 'classifier, 10,000 filters, mixed, ns', at_most(150), lambda: run.row('classifier', 10000, 'mixed_ns')),
        ('3', 'times nft by cgroup, 1,000', at_least(8),
         lambda: run.times('Ringwall, 1000 filters', 'nft by cgroup, 1000')),
        ('4', 'times nft linear, 10,000', at_least(36), lambda: run.times(OUR_10000, 'nft linear, 10000')),
        ('4', 'times iptables-legacy, 10,000', at_least(20), lambda: run.times(OUR_10000, 'iptables-legacy, 10000')),
        ('4', 'times nft by user, 10,000', at_least(60), lambda: run.times(OUR_10000, 'nft by user, 10000')),
        ('4', 'times iptables by user, 10,000', at_least(60),
         lambda: run.times(OUR_10000, 'iptables-legacy by user, 10000')),
        ('4b', 'times nft behind conntrack, 1,000', at_least(1.6),
         lambda: run.times('Ringwall, 1000 filters', 'nft linear behind conntrack, 1000')),
        ('4b', 'times nft behind conntrack, 10,000', at_least(10),
         lambda: run.times(OUR_10000, 'nft linear behind conntrack, 10000')),
        ('5', 'times one nft set of 10,000', at_least(1.03), lambda: run.times(OUR_10000, 'nft set, 10000')),
        ('6', 'times minimal NFQUEUE, same CPU', at_least(1.5), lambda: run.times(OUR_10000, nfqueue.format('same'))),
        ('6', 'times minimal NFQUEUE, other CPU', at_least(6), lambda: run.times(OUR_10000, nfqueue.format('other'))),
        ('6', 'times OpenSnitch', at_least(20), lambda: run.times(OUR_10000, snitch)),
        ('6', 'p99 against that of OpenSnitch', at_most(0.05), lambda: run.p99(OUR_10000, snitch)),
        ('7', 'W3 bulk, no inbound filter', at_least(0.995), lambda: run.ratio('W3-bulk', OUR_10000)),
        ('7', 'W3 request and response, no inbound filter', at_least(0.99), lambda: run.ratio('W3-rr', OUR_10000)),
        ('8', 'W4 connected UDP, no inbound filter', at_least(0.99), lambda: run.ratio('W4-connected', OUR_10000)),
        ('8', 'W4 unconnected UDP, no inbound filter', at_least(0.92), lambda: run.ratio('W4-unconnected', OUR_10000)),
        ('9', 'W4 connected UDP, hooks at all packets', at_least(0.87), lambda: run.ratio('W4-connected', INBOUND)),
        ('10', 'a denied connect(), µs', at_most(0.30), lambda: run.value('denied', 'single_ns', scale=1e-3)),
        ('10', 'share of a CPU the service spends during 10^7 denials', at_most(0.01),
         lambda: run.value('denied', 'service_cpu_share')),
        ('10', 'denials that were not counted', exactly(0), lambda: uncounted(run)),
        ('11', 'commit of 10,000 filters, ms', at_most(15), lambda: run.row('commit', 10000, 'commit_ms')),
        ('11', 'commit of 100,000 filters, ms', at_most(300), lambda: run.row('commit', 100000, 'commit_ms')),
        ('11', 'verdicts by a mixture of two policies', exactly(0), lambda: run.value('swap', 'load', 'wrong')),
        ('11', 'connections slower than 5 ms during swaps', exactly(0),
         lambda: stalls(run)),
        ('12', 'short-lived programs that were told of rightly, share', exactly(1), lambda: attributed(run)),
        ('13', 'others\' rate while a question is open', at_least(0.97),
         lambda: (interval(run.scene('question', 'ratios')), 'ratio')),
        ('14', 'asked in memory: p99 until connected beyond plain, µs', at_most(150),
         lambda: answered(run)),
        ('15', 'wake-ups a minute of an idle service', exactly(0), lambda: run.value('idle', 'wakeups_per_minute')),
        ('15', 'its resident memory, MiB', at_most(8), lambda: run.value('idle', 'resident_bytes', scale=1 / MIB)),
        ('15', 'kernel tables of 10,000 filters of 1,000 programs, MiB', at_most(4),
         lambda: run.row('commit', 10000, 'table_bytes', 1 / MIB)),
        ('15', 'kernel tables of 100,000 filters, MiB', at_most(64),
         lambda: run.row('commit', 100000, 'table_bytes', 1 / MIB)),
        ('16', 'share of a CPU the service spends at 50,000 connections/s with history', at_most(0.05),
         lambda: run.value('history', 'share_at_50000')),
        ('16', 'connections neither told of nor counted as lost', exactly(0),
         lambda: run.value('history', 'unaccounted')),
        ('17', 'verdicts changed when the service is killed', exactly(0), lambda: run.value('killed', 'changed')),
        ('17', 'rate after against before', at_least(0.97), lambda: run.value('killed', 'speed_ratio')),
        ('-', 'block list of 1,350,000 addresses in force, s', at_most(5),
         lambda: run.value('block_list', 'load_seconds')),
        ('-', 'rate under it against an empty policy', at_least(0.97), lambda: run.value('block_list', 'speed_ratio')),
    ]


def stalls(run):
    """Without any policy to swap there must be none, or the machine was too busy to say."""
    scene = run.scene('swap')
    return (scene['load']['stalls_over_5_ms'],) * 3, None if scene['control']['stalls_over_5_ms'] else 'ratio'


def uncounted(run):
    scene = run.scene('denied')
    return (abs(scene['denials'] - scene['counted']),) * 3, 'ratio'


def answered(run):
    scene = run.scene('answer')
    quiet = scene['plain']['p99_ns'] < 5 * scene['plain']['p50_ns']
    return (scene['added_p99_us'],) * 3, 'ratio' if quiet else None


def attributed(run):
    scene = run.scene('attribution')
    return (scene['attributed'] / scene['programs'] if scene['programs'] else 0.0,) * 3, 'ratio'


def judge(result):
    """A list of {number, what, target, figure, low, high, verdict}."""
    judged = []
    for number, what, (text, test), measure in all_targets(Run(result)):
        row = {'number': number, 'what': what, 'target': text}
        try:
            (row['figure'], row['low'], row['high']), basis = measure()
            word = 'met' if test(row['figure']) else 'missed'
            row['verdict'] = {'ratio': word, 'ratio_p50': f'{word}, by median operation'}.get(basis, f'void ({word})')
        except Missing as missing:
            row['verdict'] = f'not measured: {missing}'
        judged.append(row)
    return judged


def markdown(judged):
    lines = ['### Targets', '', '| # | what | target | figure (95 %) | |', '|---|---|---|---|---|']
    for row in judged:
        figure = '-'
        if 'figure' in row:
            figure = f'{row["figure"]:.4g}'
            if row['low'] != row['high']:
                figure += f' ({row["low"]:.4g}-{row["high"]:.4g})'
        lines.append(f'| {row["number"]} | {row["what"]} | {row["target"]} | {figure} | {row["verdict"]} |')
    counts = [sum(row['verdict'].startswith(word) for row in judged) for word in ('met', 'missed')]
    lines += ['', f'{counts[0]} met, {counts[1]} missed, {len(judged) - sum(counts)} void or not measured.']
    return '\n'.join(lines) + '\n'
