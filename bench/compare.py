"""`bench compare A B`: what changed between two runs on one machine."""
from figures import Series

# What counts as slower: of a series beyond its intervals, and of the classifier, whose best runs nothing disturbs.
SLOWER, CLASSIFIER_SLOWER = 0.03, 0.01
SAME = ('kernel', 'cpu', 'cpus', 'mitigations')


class NotComparable(Exception):
    pass


def text(three):
    return '{:.3f} ({:.3f}-{:.3f})'.format(*three)


def compare(old, new):
    """(lines, worse): a line for each variant; worse: how many are slower."""
    differing = [key for key in SAME if old['machine'].get(key) != new['machine'].get(key)]
    if differing:
        raise NotComparable('the runs are of different machines: ' + ', '.join(differing))
    lines, worse = ['| workload | variant | before | after | change |', '|---|---|---|---|---:|'], 0
    for name, data in new['series'].items():
        if name not in old['series']:
            continue
        before, after = Series(old['series'][name]), Series(data)
        by = 'ratio' if not before.is_void() and not after.is_void() else 'ratio_p50'
        if before.is_void(by) or after.is_void(by):
            lines.append(f'| {name} | all | void run | | |')
            continue
        for variant in new['variants']:
            a, b = before.ratio(variant, by), after.ratio(variant, by)
            if not a or not b:
                continue
            change = b[0] / a[0] - 1
            slower = change < -SLOWER and b[2] < a[1]
            worse += slower
            mark = ' **slower**' if slower else ''
            lines.append(f'| {name} | {variant} | {text(a)} | {text(b)} | {change:+.1%}{mark} |')
    for row, change in classifier_changes(old, new):
        slower = change > CLASSIFIER_SLOWER
        worse += slower
        lines.append(f'| W11 | classifier, {row["filters"]} filters, mixed | | {row["mixed_ns"]} ns | {change:+.1%}'
                     f'{" **slower**" if slower else ""} |')
    return lines, worse


def classifier_changes(old, new):
    """(row, change of its cost) of the classifier's runs, if both have one."""
    before, after = ({row['filters']: row for row in run['scenes'].get('classifier', {}).get('rows', [])}
                     for run in (old, new))
    return [(row, row['mixed_ns'] / before[count]['mixed_ns'] - 1) for count, row in after.items() if count in before]
