"""Rounds: every workload under all its variants, in random order, each beside the plain kernel."""
import random
import statistics
import sys
import time

PLAIN, AGAIN = 'plain', 'plain again'
# So many variants take turns with the plain kernel, a slice each: nothing the machine does is far from its comparison.
CHUNK = 5
SLICE_SECONDS = 0.02


class Workload:
    """A named way to run the load generator under these variants, for so many seconds each."""

    def __init__(self, name, title, options, variants, seconds=0.4, every=1):
        self.name, self.title, self.options, self.variants = name, title, options, variants
        self.seconds, self.every = seconds, every  # every: measured in each such round

    def start(self, variant):
        return variant.slices(*self.options, '--seconds', SLICE_SECONDS)


def take_turns(loads, seconds):
    """Slices of {name: Slices} in an order that changes. Returns ({name: rates}, {name: why it failed})."""
    rates, failed = {name: [] for name in loads}, {}
    for _ in range(max(1, round(seconds / SLICE_SECONDS))):
        names = [name for name in loads if name not in failed]
        random.shuffle(names)
        for name in names:
            try:
                rates[name].append(loads[name].work())
            except RuntimeError as error:
                failed[name] = str(error)
    return rates, failed


def sample_of(load, rates, plain=None):
    """What one variant did: percentiles, rate, and the ratio to the plain kernel: the median of the slices' ratios."""
    figures = load.finish()
    sample = {key: value for key, value in figures.items() if key.endswith('_ns')}
    sample['rate'] = figures['operations'] / figures['seconds']
    if plain:
        sample['ratio'] = statistics.median(rate / other for rate, other in zip(rates, plain['rates']))
        if sample.get('p50_ns'):
            sample['ratio_p50'] = plain['p50_ns'] / sample['p50_ns']
    return sample


def measure_chunk(workload, variants, names, voids):
    """The plain kernel and these variants: {name: sample}."""
    loads = {}
    try:
        for name in [PLAIN, *names]:
            loads[name] = workload.start(variants[name])
        rates, failed = take_turns(loads, workload.seconds)
        if PLAIN in failed:
            raise RuntimeError(failed[PLAIN])
        voids.update({name: f'{workload.name}: {why}' for name, why in failed.items()})
        plain = {**sample_of(loads[PLAIN], rates[PLAIN]), 'rates': rates[PLAIN]}
        samples = {name: sample_of(loads[name], rates[name], plain) for name in names if name not in failed}
        del plain['rates']
        return {PLAIN: plain, **samples}
    finally:
        for load in loads.values():
            load.end()


def measure_round(workload, variants, voids):
    """One round: {name: sample}. A variant that fails is void from here on."""
    names = [name for name in workload.variants if name in variants and name != PLAIN and name not in voids]
    random.shuffle(names)
    samples = {}
    for start in range(0, len(names), CHUNK):
        samples.update(measure_chunk(workload, variants, names[start:start + CHUNK], voids))
    return samples


def measure(workloads, variants, rounds, deadline=None):
    """{workload name: {title, seconds, rounds, voids}}; the rounds of the workloads alternate.

    No round begins after `deadline` (of time.monotonic())."""
    results = {w.name: {'title': w.title, 'seconds': w.seconds, 'rounds': [], 'voids': {}} for w in workloads}
    for number in range(rounds):
        if deadline and time.monotonic() > deadline:
            break
        for workload in (each for each in workloads if number % each.every == 0):
            print(f'\rround {number + 1} of {rounds}: {workload.name:<24}', end='', file=sys.stderr, flush=True)
            result = results[workload.name]
            result['rounds'].append(measure_round(workload, variants, result['voids']))
    print(file=sys.stderr)
    return results
