"""Where the constants of `claimbench.judging.group_t` come from: the joint law of t at several looks.

Write r = Σx / √(n Σx²) for the first n values. t = r √(n - 1) / √(1 - r²) rises with r, so a
boundary on t is one on r. Let the values be normal with mean 0 (the bound). Their direction is
then uniform on the sphere and independent of their length, and r depends on the direction alone.
So Σx² of the first n is chi-squared with n degrees of freedom whatever all r so far have been, and
the sequence of r is a Markov chain in one dimension. From look n to look N = n + d it goes by

    r_N = (r_n √(n B) + s √(d (1 - B))) / √N,

with B ~ Beta(n/2, d/2) the share of Σx² that the first n have, and s the r of the d new values,
whose density is proportional to (1 - s²)^((d - 3)/2). The first look has the density of s with n
in the place of d.

With mean δ and standard deviation 1 the density changes by the factor exp(δ Σx - n δ² / 2), and
Σx = r √(n q) with q = Σx² chi-squared and independent of r. So the same chain gives the power.

The chain was used for sequential t tests by Jennison & Turnbull, Biometrika 78 (1991), 133, in two
dimensions; the step to one is the independence above.

Probabilities go over a grid of cells in r whose mass sits in their middle; the error falls with
the square of the cell.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

Array = NDArray[np.float64]

CELLS = 200
NODES = 80


def crossing(looks: Sequence[int], level: float, *, cells: int = CELLS) -> list[float]:
    """Return for each look the probability that t has reached its boundary there or before.

    The mean lies at the bound. The boundary of a look is the quantile of its own t distribution
    that is exceeded with probability `level`; nothing ends at the other side.
    """
    return [*itertools.accumulate(power_by_look(looks, level, 0.0, cells=cells))]


def nominal_level(looks: Sequence[int], alpha: float, *, cells: int = CELLS) -> float:
    """Return the level of each look for which the error over all looks is alpha."""

    def excess(level: float) -> float:
        return crossing(looks, level, cells=cells)[-1] - alpha

    return float(optimize.brentq(excess, alpha / len(looks) / 2, 2 * alpha, xtol=1e-9))


def detectable_shift(
    looks: Sequence[int], level: float, power: float, *, cells: int = CELLS
) -> float:
    """Return the distance of the mean from the bound, in sd, that is shown so often."""

    def missing(shift: float) -> float:
        return sum(power_by_look(looks, level, shift, cells=cells)) - power

    return float(optimize.brentq(missing, 0.0, 5.0, xtol=1e-6))


def power_by_look(
    looks: Sequence[int], level: float, shift: float, *, cells: int = CELLS
) -> list[float]:
    """Return for each look the probability that the boundary is reached there first.

    Args:
        looks: numbers of values, ascending.
        level: of each look.
        shift: how far the mean lies inside the bound, in standard deviations.
        cells: in which the interval below the boundary, and that above, are cut.
    """
    chances, running, middles = [], np.ones(1), np.zeros(1)
    before = 0
    for look in looks:
        quantile = float(stats.t.isf(level, look - 1))
        limit = quantile / np.sqrt(look - 1 + quantile**2)
        edges = np.concatenate(
            [np.linspace(-1, limit, cells + 1), np.linspace(limit, 1, cells + 1)[1:]]
        )
        mass = running @ np.diff(_cdf(edges, middles, before, look), axis=1)
        middles = (edges[:-1] + edges[1:]) / 2
        chances.append(float(mass[cells:] @ _tilt(middles[cells:], look, shift)))
        running, middles, before = mass[:cells], middles[:cells], look
    return chances


def _cdf(edges: Array, start: Array, before: int, look: int) -> Array:
    """P(r at the look ≤ edge), one row for each r at the look before."""
    new = look - before
    if not before:
        return np.asarray(_direction(edges, new)[None, :])
    roots, weights = special.roots_jacobi(NODES, new / 2 - 1, before / 2 - 1)
    shares = (1 + roots) / 2
    total = np.zeros((len(start), len(edges)))
    for share, weight in zip(shares, weights / weights.sum(), strict=True):
        goal = np.sqrt(look) * edges[None, :] - np.sqrt(before * share) * start[:, None]
        total += weight * _direction(goal / np.sqrt(new * (1 - share)), new)
    return total


def _direction(r: Array, count: int) -> Array:
    """P(Σx / √(count Σx²) ≤ r) for count standard normal values, r cut to [-1, 1]."""
    cut = np.clip(r, -1, 1)
    half = special.betainc(0.5, (count - 1) / 2, cut**2) / 2
    return np.asarray(0.5 + np.sign(cut) * half)


def _tilt(r: Array, look: int, shift: float) -> Array:
    """E exp(δ r √(n q) - n δ² / 2) over q, chi-squared with n degrees of freedom."""
    roots, weights = special.roots_genlaguerre(NODES, look / 2 - 1)
    length = np.sqrt(2 * roots * look)
    exponent = shift * r[:, None] * length[None, :] - look * shift**2 / 2
    return np.asarray(np.exp(exponent) @ (weights / weights.sum()))
