"""The plot of connections per second against the number of filters, as SVG; both axes are logarithmic."""
import math
import statistics
import subprocess

from figures import Series

WIDTH, HEIGHT = 860, 520
LEFT, RIGHT, TOP, BOTTOM = 80, 250, 50, 60
# (how the variant's name begins, label, colour, dashes)
LINES = [
    ('Ringwall', 'Ringwall', '#0b6e4f', ''),
    ('nft set', 'nftables, one set (no programs)', '#3f88c5', '5 4'),
    ('nft linear behind conntrack', 'nftables behind conntrack', '#8e6c8a', ''),
    ('iptables-legacy behind conntrack', 'iptables behind conntrack', '#b9a44c', '5 4'),
    ('iptables-legacy', 'iptables', '#d08c2f', ''),
    ('nft linear', 'nftables, linear', '#d1495b', ''),
    ('nft by cgroup', 'nftables by cgroup', '#a23b72', '5 4'),
    ('nft by user', 'nftables by user', '#6b2d5c', '2 3'),
]
FLAT = [('plain', 'no firewall', '#888888'), ('NFQUEUE, minimal, other CPU', 'NFQUEUE, minimal', '#555555'),
        ('OpenSnitch', 'OpenSnitch', '#111111')]


def points_of(series, prefix, variants):
    """[(filters, rate)] of the variants named `prefix, N`."""
    points = []
    for name in variants:
        head, _, tail = name.rpartition(', ')
        count = tail.removesuffix(' filters').replace(',', '')
        rates = series.values(name, 'rate')
        if head == prefix and count.isdigit() and int(count) > 0 and rates:
            points.append((int(count), statistics.median(rates)))
    return sorted(points)


def x_of(filters):
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(filters) - 1) / 4


def y_of(rate):
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (math.log10(max(rate, 10)) - 1) / 4.2)


def text(x, y, words, anchor='start', size=13, colour='#222222'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}" '
            f'font-family="DejaVu Sans, Helvetica, sans-serif">{words}</text>')


def axes():
    parts = []
    for power in range(1, 6):
        x = x_of(10 ** power)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eeeeee"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 20, f'{10 ** power:,}', 'middle'))
        y = y_of(10 ** power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(text(LEFT - 8, y + 4, f'{10 ** power:,}', 'end'))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, 'filters', 'middle'))
    parts.append(text(LEFT - 60, TOP - 18, 'TCP connections a second, one CPU, no rule matches but the last', size=14))
    return parts


def spread(labels):
    """Moves labels (y, text, colour) apart so that they can be read."""
    placed = []
    for y, words, colour in sorted(labels):
        y = max(y, placed[-1][0] + 16) if placed else y
        placed.append((y, words, colour))
    return placed


def svg(result):
    """The plot of a run that has the series W1."""
    series, variants = Series(result['series']['W1']), result['variants']
    parts, labels = axes(), []
    for prefix, label, colour, dashes in LINES:
        points = points_of(series, prefix, variants)
        if not points:
            continue
        path = ' '.join(f'{x_of(n):.1f},{y_of(rate):.1f}' for n, rate in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5" '
                     f'stroke-dasharray="{dashes}"/>')
        parts += [f'<circle cx="{x_of(n):.1f}" cy="{y_of(rate):.1f}" r="3.5" fill="{colour}"/>' for n, rate in points]
        labels.append((y_of(points[-1][1]), label, colour))
    for prefix, label, colour in FLAT:
        rates = [rate for name in variants if name.startswith(prefix) for rate in series.values(name, 'rate')]
        if rates:
            y = y_of(statistics.median(rates))
            parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{colour}" '
                         f'stroke-dasharray="1 3" stroke-width="1.5"/>')
            labels.append((y, label, colour))
    parts += [text(WIDTH - RIGHT + 12, y + 4, words, colour=colour) for y, words, colour in spread(labels)]
    if series.basis() is None:
        parts.append(text(LEFT + 12, HEIGHT - BOTTOM - 12, 'VOID: the machine was too busy', colour='#cc0000'))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
            + '\n'.join(parts) + '\n</svg>\n')


def write(result, path):
    """Writes path (an .svg) and the same as PNG beside it, if rsvg-convert is there."""
    path.write_text(svg(result), encoding='utf-8')
    try:
        subprocess.run(['rsvg-convert', '-z', '1.5', '-o', str(path.with_suffix('.png')), str(path)], check=True)
    except FileNotFoundError:
        pass
