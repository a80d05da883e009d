"""The group-sequential t test: against scipy, against simulation, and where it says nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calibrate import boundary
from claimbench.judging import group_t
from claimbench.judging.group_t import HALF_LEVEL, HALF_SPENT, LEVEL, LOOKS, SHIFTS, SPENT

INF = math.inf
LEVELS = [(LEVEL, 0.05, SPENT), (HALF_LEVEL, 0.025, HALF_SPENT)]

derandomized = settings(derandomize=True, max_examples=200, deadline=None)
samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


def reached(values: np.ndarray, level: float) -> np.ndarray:
    """Share of the rows that have reached the boundary by each look, nothing stopping below."""
    hit, shares = np.zeros(len(values), dtype=bool), []
    for look in LOOKS:
        hit |= stats.ttest_1samp(values[:, :look], 0, axis=1, alternative="greater").pvalue <= level
        shares.append(hit.mean())
    return np.array(shares)


@pytest.mark.parametrize(("level", "alpha", "spent"), LEVELS)
def test_level_is_the_largest_that_keeps_the_error(level, alpha, spent):
    errors = boundary.crossing(LOOKS, level, cells=100)
    assert errors[-1] == pytest.approx(alpha, abs=3e-5)
    assert boundary.crossing(LOOKS, level + 1e-4, cells=100)[-1] > alpha
    assert errors == pytest.approx([spent[look] for look in LOOKS], abs=3e-5)


@pytest.mark.parametrize("cells", [30, 60])
def test_grid_converges(cells):
    exact = boundary.crossing(LOOKS, LEVEL, cells=200)
    assert boundary.crossing(LOOKS, LEVEL, cells=cells) == pytest.approx(exact, abs=0.3 / cells**2)


@pytest.mark.parametrize(("level", "alpha", "spent"), LEVELS)
def test_error_by_simulation(level, alpha, spent):
    values = np.random.default_rng(1).standard_normal((100_000, 20))
    expected = np.array([spent[look] for look in LOOKS])
    noise = np.sqrt(expected * (1 - expected) / len(values))
    assert np.all(np.abs(reached(values, level) - expected) < 4 * noise)


@pytest.mark.parametrize("most", LOOKS)
def test_shift_is_shown_in_80_percent(most):
    values = np.random.default_rng(2).standard_normal((20_000, 20)) + SHIFTS[most]
    assert reached(values, LEVEL)[LOOKS.index(most)] == pytest.approx(0.8, abs=0.013)
    looks = [look for look in LOOKS if look <= most]
    shown = sum(boundary.power_by_look(looks, LEVEL, SHIFTS[most], cells=100))
    assert 0.799 < shown < 0.81


def test_single_look_is_the_t_test():
    assert boundary.nominal_level([12], 0.05, cells=50) == pytest.approx(0.05, abs=1e-6)
    freedom, shift = 11, 0.8
    critical = stats.t.isf(0.05, freedom)
    exact = stats.nct.sf(critical, freedom, shift * math.sqrt(12))
    assert sum(boundary.power_by_look([12], 0.05, shift)) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 11, 19, 40])
@pytest.mark.parametrize("t", [-INF, -30.0, -2.5, -0.1, 0.0, 0.7, 2.0, 9.0, INF])
def test_tail(t, freedom):
    assert group_t.tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), abs=1e-14)


@pytest.mark.parametrize("freedom", [1, 4, 19])
def test_quantile(freedom):
    assert group_t.quantile(freedom) == pytest.approx(stats.t.isf(LEVEL, freedom))


@pytest.mark.parametrize("level", [0.5, 0.2, LEVEL, 1e-6])
def test_normal_quantile(level):
    assert group_t.normal_quantile(level) == pytest.approx(stats.norm.isf(level), abs=1e-9)


@derandomized
@given(samples, st.floats(-1e6, 1e6))
def test_p_values_agree_with_scipy(values, bound):
    seen = group_t.summary(values)
    if seen.sd <= 1e-6:
        return
    for ours, side in ((seen.above(bound), "greater"), (seen.below(bound), "less")):
        theirs = stats.ttest_1samp(values, bound, alternative=side).pvalue
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@derandomized
@given(samples, st.floats(-1e6, 1e6))
def test_interval_excludes_what_is_rejected(values, bound):
    seen = group_t.summary(values)
    low, high = seen.interval()
    if abs(bound - low) > 1e-6 * (1 + abs(low)) and math.isfinite(low):
        assert (bound < low) == (seen.above(bound) <= LEVEL)
    if abs(bound - high) > 1e-6 * (1 + abs(high)) and math.isfinite(high):
        assert (bound > high) == (seen.below(bound) <= LEVEL)


def test_summary_by_hand():
    seen = group_t.summary([1.0, 2.0, 6.0])
    assert (seen.count, seen.mean) == (3, 3.0)
    assert seen.sd == pytest.approx(math.sqrt(7))
    assert seen.testable


@pytest.mark.parametrize(
    "values", [[3.0], [0.1] * 5, [1.0, INF, 2.0], [-INF, INF], [1.7e308, -1.7e308, 1.7e308]]
)
def test_without_t_nothing_is_shown(values):
    seen = group_t.summary(values)
    assert not seen.testable
    assert (seen.above(0), seen.below(0), seen.above(-INF), seen.below(INF)) == (1, 1, 0, 0)
    assert seen.interval() == (-INF, INF)
    assert not group_t.shown_inside(seen, 0.0, INF)
    assert group_t.shown_outside(seen, 0.0, INF) == seen.infinite
    assert group_t.more_values(seen, 0.0, INF) is None


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_summary_refuses(values):
    with pytest.raises(ValueError, match=r"at least one value, and no NaN"):
        group_t.summary(values)


def test_region_of_two_ends_takes_the_stricter_level_outside():
    """t = -3.6 at 5 values has p = 0.0114: between the two levels."""
    unit = [-1.0, -0.5, 0.0, 0.5, 1.0]
    half = math.sqrt(0.625 / 5)
    seen = group_t.summary([x - 3.6 * half for x in unit])
    assert HALF_LEVEL < seen.below(0) < LEVEL
    assert group_t.shown_outside(seen, 0.0, INF)
    assert not group_t.shown_outside(seen, 0.0, 50.0)
    assert group_t.shown_inside(seen, -50.0, 0.0)
    assert not group_t.shown_inside(seen, -1.3, 0.0)


@pytest.mark.parametrize(
    ("lower", "upper", "place"), [(0.0, INF, 0.0), (0.0, 0.1, 0.05), (0.0, 0.1, 0.0)]
)
def test_p_values_over_all_looks_are_valid(lower, upper, place):
    """Where the test stops, P(p ≤ x) ≤ x for the true null; "outside" is false at each place."""
    replications = 3000
    values = np.random.default_rng(3).standard_normal((replications, 20)) + place
    outside, inside = [], []
    for row in values:
        for look in LOOKS:
            seen = group_t.summary(list(map(float, row[:look])))
            if group_t.shown_outside(seen, lower, upper) or group_t.shown_inside(
                seen, lower, upper
            ):
                break
        outside.append(group_t.p_outside(seen, lower, upper))
        inside.append(group_t.p_inside(seen, lower, upper))
    for x in (0.01, 0.03, 0.05, 0.2):
        limit = x + 3 * math.sqrt(x / replications)
        assert np.mean(np.array(outside) <= x) <= limit
        if place == lower:
            assert np.mean(np.array(inside) <= x) <= limit


def test_p_values_by_hand():
    unit = [-1.0, -0.5, 0.0, 0.5, 1.0]
    five, nine = group_t.summary([x + 1 for x in unit]), group_t.summary([x + 1 for x in unit[:9]])
    assert group_t.p_inside(five, 0.0, INF) == five.above(0)
    assert group_t.p_outside(five, -INF, 0.0) == five.above(0)
    assert group_t.p_outside(five, -1.0, 0.0) == 2 * five.above(0)
    eight = group_t.summary([*(x + 1 for x in unit), 0.5, 1.0, 1.5])
    assert group_t.p_inside(eight, 0.0, INF) == SPENT[5] + eight.above(0)
    assert group_t.p_outside(eight, -1.0, 0.0) == 2 * (HALF_SPENT[5] + eight.above(0))
    assert nine == five
    assert group_t.p_outside(group_t.summary([1.0, INF]), 0.0, INF) == 0


def test_more_values():
    unit = [-1.0, -0.5, 0.0, 0.5, 1.0]
    d = 0.4
    seen = group_t.summary([x + d * math.sqrt(0.625) for x in unit])
    z = stats.norm.isf(LEVEL)
    total = math.ceil(((z + stats.norm.isf(0.2)) / d) ** 2 + z**2 / 2)
    assert group_t.more_values(seen, 0.0, INF) == total - 5
    assert group_t.more_values(seen, -5.0, 0.0) == total - 5
    assert group_t.more_values(seen, -20.0, INF) == 3  # no sooner than the next look
    assert group_t.more_values(seen, seen.mean - 0.01, INF) is None


def test_share_interval():
    assert group_t.share_interval(0, 0) == (0.0, 1.0)
    for seeds, held in ((5, 5), (8, 1), (20, 13)):
        exact = stats.binomtest(held, seeds).proportion_ci(1 - 0.1 / 4, "exact")
        assert group_t.share_interval(seeds, held) == pytest.approx((exact.low, exact.high))
