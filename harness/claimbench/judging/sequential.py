"""The exact sequential binomial test behind the rule `typical`: boundaries, intervals, power.

Seeds hold independently with an unknown share p. At each look, n seeds of which k hold, the test
says p > 1/2 when k reaches the boundary b(n), p < 1/2 when n - k does, and goes on otherwise.
Every probability below comes from counting sequences, none from an approximation: if c(n, k) is
the number of sequences of n outcomes with k that hold which no look before n has ended, then

    P_p(the test is still running before look n, and k of n hold) = c(n, k) p^k (1 - p)^(n - k).

c obeys Pascal's rule c(n + 1, k) = c(n, k) + c(n, k - 1), with the decided entries set to zero
after each look.

A design has the looks of `LOOKS` that lie below its largest number of seeds, and a last look at
that number. The boundary of a look is the smallest that keeps the error at p = 1/2, summed over
the looks so far, at or below `ALPHA` a side; `LOOKS` is this rule worked out.

Sources: group-sequential tests of a proportion, Jennison & Turnbull, Group Sequential Methods
with Applications to Clinical Trials (2000), ch. 12. The ordering of the outcomes, Tsiatis, Rosner
& Mehta, Biometrics 40 (1984), 797, and for the binomial Jennison & Turnbull, Technometrics 25
(1983), 49.
"""

import math
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

ALPHA = 0.05
"""Error allowed on each side."""

POWER = 0.8
"""What `detectable_share` and `more_seeds` call probable."""

LOOKS: Mapping[int, int] = MappingProxyType({6: 6, 9: 8, 12: 10, 20: 15})
"""Seeds at a look to the seeds on one side that decide there."""

FEWEST_SEEDS = min(LOOKS)
MOST_SEEDS = 200
BISECTIONS = 60


@cache
def paths(seeds: int) -> tuple[int, ...]:
    """Return c(seeds, k) for k = 0 … seeds, at most `MOST_SEEDS`: what no earlier look ended."""
    if seeds == 0:
        return (1,)
    before = list(paths(seeds - 1))
    if seeds - 1 in LOOKS:
        before = [
            0 if side(seeds - 1, held, LOOKS[seeds - 1]) else count
            for held, count in enumerate(before)
        ]
    return tuple(a + b for a, b in zip([*before, 0], [0, *before], strict=True))


def side(seeds: int, held: int, boundary: int) -> int:
    """Return 1 if the seeds that hold reach the boundary, -1 if the others do, else 0."""
    return (held >= boundary) - (seeds - held >= boundary)


def looks(max_seeds: int) -> list[int]:
    """Return the numbers of seeds at which a design of at most max_seeds looks, ascending."""
    return [*(look for look in LOOKS if look < max_seeds), max_seeds]


@cache
def boundary(seeds: int) -> int:
    """Return b(seeds) for a look of `LOOKS` or a last look at that many seeds.

    It is seeds + 1, which nothing reaches, where even one more sequence would break `ALPHA`.
    """
    spent = 0.0
    for look in looks(seeds)[:-1]:
        spent += sum(paths(look)[LOOKS[look] :]) / 2**look
    held, reached = seeds, paths(seeds)[seeds]
    while spent + reached / (1 << seeds) <= ALPHA:
        held -= 1
        reached += paths(seeds)[held]
    return held + 1


def at_least(seeds: int, held: int, p: float) -> float:
    """Return P_p(T ≥ (seeds, held)), T being where the test ends, in the stage-wise ordering.

    From the top: what ends above 1/2 at the first look, at the second, …, then the outcomes at
    `seeds` by their count, then what ends below 1/2 at the last look before `seeds`, …, at the
    first. Within a look more seeds that hold rank higher. `seeds` is treated as the last look. If
    the test decided there, later looks would change nothing: what ends at them ranks below an
    outcome that ended above 1/2, and above one that ended below.
    """
    return math.fsum(
        paths(look)[k] * p**k * (1 - p) ** (look - k)
        for look in looks(seeds)
        for k in range(held if look == seeds else LOOKS[look], look + 1)
    )


@cache
def interval(seeds: int, held: int) -> tuple[float, float]:
    """Return the exact interval for p, `ALPHA` a side, after a test that ended at (seeds, held).

    The bounds solve P_p(T ≥ t) = α and P_p(T ≤ t) = α; both probabilities are monotone in p. An
    interval from a fixed number of seeds (Clopper & Pearson 1934) would be too narrow, because
    the test stops when the counts look extreme. At the first look the two are the same.

    Where a design ends, the interval excludes 1/2 if and only if the test has decided there.
    """
    return _lower(seeds, held), 1 - _lower(seeds, seeds - held)


def _lower(seeds: int, held: int) -> float:
    """The largest p, up to rounding, at which P_p(T ≥ t) stays at or below α; 0 if there is none.

    The upper bound follows by swapping what holds with what does not, as the design is symmetric.
    """
    if at_least(seeds, held, 0.0) > ALPHA:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if at_least(seeds, held, middle) <= ALPHA:
            low = middle
        else:
            high = middle
    return low


@cache
def binomial_interval(trials: int, successes: int, level: float) -> tuple[float, float]:
    """Return the exact interval for a share after a fixed number of trials, `level` a side.

    Source: Clopper & Pearson, Biometrika 26 (1934), 404. (0, 1) without trials.
    """
    return (
        _binomial_lower(trials, successes, level),
        1 - _binomial_lower(trials, trials - successes, level),
    )


def _binomial_lower(trials: int, successes: int, level: float) -> float:
    low, high = 0.0, 1.0 if successes else 0.0
    for _ in range(BISECTIONS):
        p = (low + high) / 2
        reached = math.fsum(
            math.comb(trials, k) * p**k * (1 - p) ** (trials - k)
            for k in range(successes, trials + 1)
        )
        low, high = (p, high) if reached <= level else (low, p)
    return low


def chance_above(max_seeds: int, p: float) -> float:
    """Return the probability that a design of at most max_seeds shows p > 1/2, at share p."""
    return at_least(max_seeds, boundary(max_seeds), p)


@cache
def detectable_share(max_seeds: int) -> float:
    """Return the smallest p ≥ 1/2 at which `chance_above` reaches `POWER`."""
    low, high = 0.5, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if chance_above(max_seeds, middle) < POWER:
            low = middle
        else:
            high = middle
    return high


@cache
def more_seeds(seeds: int, held: int, max_seeds: int) -> int | None:
    """Return how many seeds, on top of an undecided (seeds, held), would probably decide.

    The smallest number with which, given the counts so far and with the observed share as the
    true one, the test decides with probability `POWER` or more. Up to max_seeds these are the
    looks of the design. Beyond it, each N stands for the design of at most N seeds, which is what
    somebody runs who raises max_seeds to N. Where max_seeds is one of `LOOKS`, that design
    repeats all looks already taken, so raising it once keeps the error at or below `ALPHA`.

    None where `MOST_SEEDS` in all would not be enough, and where nothing was observed.
    """
    if seeds == 0:
        return None
    decided = 0.0
    for total, running in _ahead(seeds, held):
        if total not in LOOKS and total < max_seeds:
            continue
        ends = math.fsum(c for k, c in running.items() if side(total, k, boundary(total)))
        if decided + ends >= POWER:
            return total - seeds
        if total in LOOKS:
            decided += ends
    return None


def _ahead(seeds: int, held: int) -> Iterator[tuple[int, dict[int, float]]]:
    """Yield each later number of seeds with the chance of each count that no look has ended."""
    share = held / seeds
    running = {held: 1.0}
    for total in range(seeds + 1, MOST_SEEDS + 1):
        following: dict[int, float] = {}
        for k, chance in running.items():
            if total - 1 not in LOOKS or not side(total - 1, k, LOOKS[total - 1]):
                following[k] = following.get(k, 0.0) + chance * (1 - share)
                following[k + 1] = following.get(k + 1, 0.0) + chance * share
        running = following
        yield total, running
