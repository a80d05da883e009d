"""Power laws, factors and rank correlations against values by hand and scipy's definitions."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from common.fits import factor, power, rank_correlation


def test_exact_power_law():
    x = np.array([0.5, 3.0, 20.0])
    fit = power(x, 7 * x**-1.5)
    assert fit.exponent == pytest.approx(-1.5, rel=1e-12)
    assert fit.r2 == pytest.approx(1, rel=1e-12)


def test_noisy_power_law_by_hand():
    # log₂: x = 0, 1, 2 and y = 0, 3, 3: slope 3/2, residuals −1/2, 1, −1/2 against Σ(y − 2)² = 6
    fit = power([1, 2, 4], [1, 8, 8])
    assert fit == pytest.approx((1.5, 1 - 1.5 / 6), rel=1e-12)


def test_diverged_values_have_an_infinite_exponent_of_the_sign_asked_for():
    assert power([1, 2, 4], [1, math.nan, 2]) == (math.inf, 0)
    assert power([1, 2, 4], [1, math.inf, 2], diverged=-math.inf) == (-math.inf, 0)


def test_constant_has_exponent_zero_and_explains_nothing():
    fit = power([1, 2, 5], [3, 3, 3])
    assert fit.exponent == pytest.approx(0, abs=1e-14)
    assert fit.r2 == 0


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([1, 2], [0, 1], "positive"),
        ([-1, 2], [1, 1], "positive"),
        ([0, 2], [1, 3], "positive"),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]], "one y an x"),
        ([2, 2], [1, 3], "two different x"),
        ([1, 2, 3], [1, 2], "one y an x"),
    ],
)
def test_power_law_refuses(x, y, why):
    with pytest.raises(ValueError, match=why):
        power(x, y)


def test_factor():
    assert factor([3, 0.5, 2]) == 6
    assert factor([3, 0, 2]) == factor([3, math.nan]) == factor([1, math.inf]) == math.inf
    assert factor([0.2, 0.1]) == 2
    for values in ([3, -1], []):
        with pytest.raises(ValueError, match="zero or more"):
            factor(values)


def test_rank_correlation_equals_scipy_with_ties():
    rng = np.random.default_rng(0)
    a, noise = rng.integers(0, 6, 40), rng.integers(0, 4, 40)
    expected = spearmanr(a, a + noise).statistic
    assert rank_correlation(a, a + noise) == pytest.approx(expected, rel=1e-12)
    assert 0.5 < expected < 0.95
    assert rank_correlation([0, 1, 1, 0], [1, 2, 3, 2]) == pytest.approx(1 / math.sqrt(2))


def test_rank_correlation_of_a_constant_is_zero_and_infinity_has_a_rank():
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == rank_correlation([3, 1], [2, 2]) == 0
    assert rank_correlation([1, 2, math.inf], [10, 20, 30]) == pytest.approx(1)
    with pytest.raises(ValueError, match="NaN"):
        rank_correlation([1, math.nan], [1, 2])
    with pytest.raises(ValueError, match="two equal lists"):
        rank_correlation([[1, 2], [3, 4]], [[1, 2], [3, 4]])
