"""Rounds: every workload under all its variants, in random order, each beside the plain kernel."""
import random
import sys
import time

from place import Void

PLAIN, AGAIN = 'plain', 'plain again'
# So many variants share one run of the plain kernel: nothing the machine does is far from its comparison.
CHUNK = 5


def sample_of(figures, plain=None):
    sample = {key: value for key, value in figures.items() if key.endswith('_ns')}
    sample['rate'] = figures['operations'] / figures['seconds']
    if plain:
        sample['ratio'] = sample['rate'] / plain['rate']
        if sample.get('p50_ns'):
            sample['ratio_p50'] = plain['p50_ns'] / sample['p50_ns']
    return sample


class Workload:
    """A named way to run the load generator under these variants."""

    def __init__(self, name, title, options, variants, seconds=0.4, every=1):
        self.name, self.title, self.options, self.variants = name, title, options, variants
        self.seconds, self.every = seconds, every  # every: measured in each such round

    def run(self, variant):
        return variant.load(*self.options, '--seconds', self.seconds)


def measure_round(workload, variants, voids):
    """One round: {name: sample}. A variant that fails is void from here on."""
    names = [name for name in workload.variants if name in variants and name != PLAIN and name not in voids]
    random.shuffle(names)
    samples = {}
    for start in range(0, len(names), CHUNK):
        chunk = [PLAIN, *names[start:start + CHUNK]]
        random.shuffle(chunk)
        figures = {}
        for name in chunk:
            try:
                figures[name] = workload.run(variants[name])
            except (RuntimeError, OSError, Void) as error:
                if name == PLAIN:
                    raise
                voids[name] = f'{workload.name}: {error}'
        plain = sample_of(figures[PLAIN])
        samples.setdefault(PLAIN, plain)
        samples.update({name: sample_of(each, plain) for name, each in figures.items() if name != PLAIN})
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
