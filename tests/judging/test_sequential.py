"""The sequential test, against counting every sequence and against scipy at a single look."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import pytest
from scipy import stats

from claimbench.judging import sequential
from claimbench.judging.sequential import ALPHA, LOOKS, MOST_SEEDS

GRID = [i / 100 for i in range(1, 100)]
DESIGNS = (6, 7, 8, 9, 10, 11, 12, 17, 20, 24, 40)


def ends(max_seeds):
    """The outcomes (seeds, held) in which a design can end, with their number of sequences.

    Worked out stage by stage, where `paths` goes seed by seed.
    """
    counts, running, start = {}, {0: 1}, 0
    for look in sequential.looks(max_seeds):
        reached: Counter[int] = Counter()
        for held, count in running.items():
            for more in range(look - start + 1):
                reached[held + more] += count * math.comb(look - start, more)
        for held, count in reached.items():
            if look == max_seeds or sequential.side(look, held, LOOKS[look]):
                counts[look, held] = count
        running = {k: count for k, count in reached.items() if (look, k) not in counts}
        start = look
    return counts


def chance(end, count, p):
    seeds, held = end
    return count * p**held * (1 - p) ** (seeds - held)


def stagewise(end, max_seeds):
    """Sort key of the stage-wise ordering, ascending."""
    seeds, held = end
    decided = 0 if seeds == max_seeds else sequential.side(seeds, held, LOOKS[seeds])
    return (decided, -decided * seeds, held)


def test_looks_are_those_of_the_design_page():
    assert dict(LOOKS) == {6: 6, 9: 8, 12: 10, 20: 15}


@pytest.mark.parametrize(
    ("max_seeds", "expected"),
    [(6, [6]), (7, [6, 7]), (11, [6, 9, 11]), (20, [6, 9, 12, 20]), (30, [6, 9, 12, 20, 30])],
)
def test_looks_of_a_design(max_seeds, expected):
    assert sequential.looks(max_seeds) == expected


@pytest.mark.parametrize("max_seeds", [6, 7, 9, 10, 12, 14])
def test_paths_agree_with_walking_every_sequence(max_seeds):
    walked: Counter[tuple[int, int]] = Counter()
    for outcomes in itertools.product((0, 1), repeat=max_seeds):
        for seeds in sequential.looks(max_seeds):
            held = sum(outcomes[:seeds])
            if seeds == max_seeds or max(held, seeds - held) >= LOOKS[seeds]:
                walked[seeds, held] += 1
                break
    assert walked == {
        (seeds, held): count * 2 ** (max_seeds - seeds)
        for (seeds, held), count in ends(max_seeds).items()
    }
    assert all(sequential.paths(n)[k] == count for (n, k), count in ends(max_seeds).items())


@pytest.mark.parametrize("max_seeds", DESIGNS)
def test_paths_agree_with_going_stage_by_stage(max_seeds):
    expected = ends(max_seeds)
    assert sum(Fraction(count, 2**seeds) for (seeds, _), count in expected.items()) == 1
    assert all(sequential.paths(n)[k] == count for (n, k), count in expected.items())


def test_error_of_the_design_of_twenty_is_at_most_5_percent_a_side():
    error = sum(
        Fraction(count, 2**seeds)
        for (seeds, held), count in ends(20).items()
        if held >= LOOKS[seeds]
    )
    assert error == Fraction(48906, 2**20)
    assert sequential.chance_above(20, 0.5) == float(error)


def test_looks_are_the_boundary_rule_worked_out():
    assert {look: sequential.boundary(look) for look in LOOKS} == LOOKS


@pytest.mark.parametrize(("max_seeds", "expected"), [(7, 7), (10, 9), (11, 9), (21, 16), (30, 22)])
def test_boundary_of_a_last_look(max_seeds, expected):
    assert sequential.boundary(max_seeds) == expected


@pytest.mark.parametrize("max_seeds", [*range(6, 61), 100, MOST_SEEDS])
def test_boundary_is_the_smallest_that_keeps_the_error(max_seeds):
    boundary = sequential.boundary(max_seeds)
    assert boundary > max_seeds / 2
    assert sequential.at_least(max_seeds, boundary, 0.5) <= ALPHA
    assert sequential.at_least(max_seeds, boundary - 1, 0.5) > ALPHA


@pytest.mark.parametrize("max_seeds", DESIGNS)
def test_at_least_sums_the_stagewise_ordering(max_seeds):
    counts = ends(max_seeds)
    ordered = sorted(counts, key=lambda end: stagewise(end, max_seeds))
    for p in (0.1, 0.5, 0.77):
        for i, (seeds, held) in enumerate(ordered):
            expected = sum(chance(end, counts[end], p) for end in ordered[i:])
            assert sequential.at_least(seeds, held, p) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("max_seeds", DESIGNS)
def test_at_least_rises_with_the_share(max_seeds):
    for seeds, held in ends(max_seeds):
        values = [sequential.at_least(seeds, held, p) for p in GRID]
        assert all(a <= b + 1e-12 for a, b in itertools.pairwise(values))


@pytest.mark.parametrize("max_seeds", DESIGNS)
def test_interval_bounds_have_5_percent_beyond_them(max_seeds):
    counts = ends(max_seeds)
    ordered = sorted(counts, key=lambda end: stagewise(end, max_seeds))
    for i, end in enumerate(ordered):
        low, high = sequential.interval(*end)
        above = sum(chance(other, counts[other], low) for other in ordered[i:])
        below = sum(chance(other, counts[other], high) for other in ordered[: i + 1])
        assert low == 0 if i == 0 else above == pytest.approx(ALPHA, abs=1e-9)
        assert high == 1 if end == ordered[-1] else below == pytest.approx(ALPHA, abs=1e-9)


@pytest.mark.parametrize("max_seeds", range(6, 41))
def test_interval_excludes_one_half_exactly_when_decided(max_seeds):
    boundary = sequential.boundary(max_seeds)
    for seeds, held in ends(max_seeds):
        low, high = sequential.interval(seeds, held)
        decided = sequential.side(seeds, held, LOOKS[seeds] if seeds < max_seeds else boundary)
        assert (low > 0.5) - (high < 0.5) == decided


@pytest.mark.parametrize("max_seeds", DESIGNS)
def test_interval_covers_at_90_percent_5_a_side(max_seeds):
    counts = ends(max_seeds)
    for p in GRID:
        too_high = sum(
            chance(end, n, p) for end, n in counts.items() if sequential.interval(*end)[0] > p
        )
        too_low = sum(
            chance(end, n, p) for end, n in counts.items() if sequential.interval(*end)[1] < p
        )
        assert max(too_high, too_low) <= ALPHA + 1e-12


def test_interval_for_a_fixed_number_of_seeds_would_not_cover():
    fixed = {
        (seeds, held): stats.binomtest(held, seeds).proportion_ci(0.9, "exact")
        for seeds, held in ends(20)
    }
    worst = min(
        sum(chance(e, n, p) for e, n in ends(20).items() if fixed[e].low <= p <= fixed[e].high)
        for p in GRID
    )
    assert worst < 0.9


@pytest.mark.parametrize("held", range(7))
def test_single_look_agrees_with_scipy(held):
    test = stats.binomtest(held, 6, alternative="greater")
    interval = stats.binomtest(held, 6).proportion_ci(0.9, "exact")
    assert sequential.interval(6, held) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert (held >= sequential.boundary(6)) == (test.pvalue <= ALPHA)
    assert sequential.at_least(6, held, 0.5) == pytest.approx(test.pvalue)


@pytest.mark.parametrize("seeds", [6, 9, 11, 20, 33])
def test_interval_rises_with_the_count(seeds):
    intervals = [
        sequential.interval(seeds, held)
        for held in range(seeds + 1)
        if sequential.paths(seeds)[held]
    ]
    assert len(intervals) > 3
    for (low, high), (next_low, next_high) in itertools.pairwise(intervals):
        assert low < next_low
        assert high < next_high


def test_detectable_share_of_one_look():
    assert sequential.detectable_share(6) == pytest.approx(0.8 ** (1 / 6), abs=1e-12)


@pytest.mark.parametrize("max_seeds", DESIGNS)
def test_detectable_share_is_shown_in_80_percent(max_seeds):
    share = sequential.detectable_share(max_seeds)
    shown = sum(
        chance((seeds, held), count, share)
        for (seeds, held), count in ends(max_seeds).items()
        if held >= sequential.boundary(seeds)
    )
    assert shown == pytest.approx(0.8, abs=1e-9)


@pytest.mark.parametrize(("held", "more"), [(14, 46), (13, 109)])
def test_more_seeds_beyond_the_last_look_is_the_smallest_that_would_do(held, more):
    share = held / 20
    assert sequential.more_seeds(20, held, 20) == more
    for extra in range(1, more + 1):
        boundary = sequential.boundary(20 + extra)
        up = stats.binom(extra, share).sf(boundary - held - 1)
        down = stats.binom(extra, share).cdf(20 + extra - boundary - held)
        assert (up + down >= 0.8) == (extra == more)


def decided_within(seeds, held, more):
    """The chance that a look among the next seeds decides, by walking all continuations."""
    total = 0.0
    for outcomes in itertools.product((0, 1), repeat=more):
        after = [held + sum(outcomes[: look - seeds]) for look in LOOKS if look > seeds]
        boundaries = [look for look in LOOKS if seeds < look <= seeds + more]
        if any(sequential.side(n, k, LOOKS[n]) for n, k in zip(boundaries, after, strict=False)):
            total += (held / seeds) ** sum(outcomes) * (1 - held / seeds) ** (more - sum(outcomes))
    return total


@pytest.mark.parametrize(
    ("seeds", "held", "more"),
    [(3, 3, 3), (6, 5, 14), (9, 7, 11), (8, 7, 1), (11, 9, 1), (10, 8, 10)],
)
def test_more_seeds_before_the_last_look_is_the_next_look_that_would_do(seeds, held, more):
    assert sequential.more_seeds(seeds, held, 20) == more
    later = [look - seeds for look in LOOKS if seeds < look <= seeds + more]
    assert [decided_within(seeds, held, n) >= 0.8 for n in later] == [False] * (len(later) - 1) + [
        True
    ]


@pytest.mark.parametrize("held", [10, 11, 12])
def test_more_seeds_gives_up_near_one_half(held):
    assert sequential.more_seeds(20, held, 20) is None


@pytest.mark.parametrize(("seeds", "max_seeds"), [(4, 20), (6, 6), (9, 20), (10, 10), (20, 20)])
def test_more_seeds_treats_both_sides_alike(seeds, max_seeds):
    both = [
        (
            sequential.more_seeds(seeds, held, max_seeds),
            sequential.more_seeds(seeds, seeds - held, max_seeds),
        )
        for held in range(seeds // 2, seeds)
        if not sequential.side(seeds, held, sequential.boundary(seeds))
    ]
    assert any(up is not None for up, _ in both)
    assert all(up == down for up, down in both)
