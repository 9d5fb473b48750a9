"""Statistics: medians with bootstrap intervals, and when a run is void."""
import random
import statistics

# Plain kernel against plain kernel: outside of this the machine was too busy to measure. A median may be right by
# chance, so its interval has a band as well.
NOISE_LOW, NOISE_HIGH = 0.99, 1.01
SPREAD_LOW, SPREAD_HIGH = 0.97, 1.03
ROUNDS_MIN = 5
DRAWS = 2000


def interval(values, seed=1):
    """(median, low, high): the bootstrap 95 % interval of the median. The same values give the same interval."""
    if not values:
        return None
    generator = random.Random(seed)
    draws = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(DRAWS))
    return statistics.median(values), draws[DRAWS // 40], draws[DRAWS - 1 - DRAWS // 40]


def is_void(control_ratios):
    """Whether the A/A control leaves the bands; with too few rounds nothing can be said, so that is void too."""
    if len(control_ratios) < ROUNDS_MIN:
        return True
    middle, low, high = interval(control_ratios)
    return not (NOISE_LOW <= middle <= NOISE_HIGH and SPREAD_LOW <= low and high <= SPREAD_HIGH)


def ratio_of(numerator, denominator):
    """Median and interval of the ratio of two variants, taken inside each round."""
    pairs = [(a, b) for a, b in zip(numerator, denominator) if a and b]
    return interval([a / b for a, b in pairs])


class Series:
    """What one workload gave: rounds of {variant: sample}, a sample being {rate, ratio, p50_ns, ..}."""

    def __init__(self, data):
        self.rounds = data['rounds']
        self.seconds = data['seconds']

    def values(self, variant, what):
        return [r[variant][what] for r in self.rounds if variant in r and what in r[variant]]

    def ratio(self, variant, by='ratio'):
        return interval(self.values(variant, by))

    def between(self, variant, other, by='ratio'):
        """How many times faster one variant is than another; each first against the plain kernel beside it."""
        both = [r for r in self.rounds if variant in r and other in r]
        return ratio_of([r[variant].get(by) for r in both], [r[other].get(by) for r in both])

    def noise(self, by='ratio'):
        return self.values('plain again', by)

    def is_void(self, by='ratio'):
        return is_void(self.noise(by))

    def basis(self):
        """What ratios can be trusted: those of rates ('ratio'); when others disturbed them, those of the median
        operations ('ratio_p50'), which a machine that is busy now and then leaves alone; or None."""
        return next((by for by in ('ratio', 'ratio_p50') if not self.is_void(by)), None)
