"""Rules (nodes, weights) of integration, in float64."""

import math

import numpy as np
import numpy.typing as npt

Rule = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def gauss_legendre(points: int, low: float = -1.0, high: float = 1.0) -> Rule:
    """Return the rule on (low, high) that is exact for polynomials of degree 2 `points` − 1."""
    x, weight = np.polynomial.legendre.leggauss(points)
    half = (high - low) / 2
    return (low + high) / 2 + half * x, half * weight


def periodic(points: int, low: float = -math.pi, high: float = math.pi) -> Rule:
    """Return the trapezoid rule of a periodic function: equal weights, `low` the first node.

    Exact for trigonometric polynomials of that period and of degree below `points`.
    """
    step = (high - low) / points
    return np.asarray(low + step * np.arange(points)), np.full(points, step)


def gaussian(points: int) -> Rule:
    """Return the rule of E f(z), z standard normal, exact up to degree 2 `points` − 1.

    Weights sum to 1. (Gauss–Hermite.)
    """
    x, weight = np.polynomial.hermite_e.hermegauss(points)
    return x, weight / math.sqrt(2 * math.pi)
