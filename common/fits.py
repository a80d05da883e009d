"""Power laws, spreads and rank correlations of a few measured numbers."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike


class Fit(NamedTuple):
    """A power law y = c x^exponent, and the share of log y's variance that it explains."""

    exponent: float
    r2: float


def power(x: ArrayLike, y: ArrayLike, *, diverged: float = math.inf) -> Fit:
    """Fit a power law by least squares in logarithms.

    Args:
        x: positive, at least two different values, shape (n,).
        y: positive, shape (n,).
        diverged: the exponent where a y is not finite, with an R² of 0. Give −inf where a large
            exponent is what a claim asks for.

    Returns:
        The exponent, and R², which is 0 where all y are equal.

    Raises:
        ValueError: a value is zero or negative, all x are equal, or the shapes differ.
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if xs.ndim != 1 or xs.shape != ys.shape:
        raise ValueError(f"a power law needs one y an x, got shapes {xs.shape} and {ys.shape}")
    if not np.isfinite(ys).all():
        return Fit(diverged, 0.0)
    if not ((xs > 0).all() and (ys > 0).all()):
        raise ValueError("a power law needs positive values; leave out zeros and negative ones")
    if np.ptp(xs) == 0:
        raise ValueError("a power law needs at least two different x")
    log_x, log_y = np.log(xs), np.log(ys)
    line = np.polyfit(log_x, log_y, 1)
    total = np.square(log_y - log_y.mean()).sum()
    left = np.square(log_y - np.polyval(line, log_x)).sum()
    return Fit(float(line[0]), float(1 - left / total) if np.ptp(ys) > 0 else 0.0)


def factor(values: ArrayLike) -> float:
    """Return the largest of some values over their smallest.

    Infinite where the smallest is zero, or one is not finite.

    Raises:
        ValueError: a value is negative, or there is none.
    """
    found = np.asarray(values, dtype=float)
    if found.size == 0 or (found < 0).any():
        raise ValueError("a factor needs values of zero or more, at least one")
    if not np.isfinite(found).all() or found.min() == 0:
        return math.inf
    return float(found.max() / found.min())


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Return Spearman's coefficient, equal values sharing their mean rank; 0 if one is constant.

    Args:
        a: numbers, infinite ones included, shape (n,).
        b: as many.

    Raises:
        ValueError: a value is NaN, which has no rank, or the shapes differ.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"ranks need two equal lists, got {first.shape} and {second.shape}")
    if np.isnan(first).any() or np.isnan(second).any():
        raise ValueError("NaN has no rank; give ±inf for what diverged")
    if min(len(np.unique(first)), len(np.unique(second))) < 2:
        return 0.0
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]
