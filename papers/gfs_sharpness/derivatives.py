"""Derivatives by complex steps, and what the experiments draw."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .method import Array, SquaredRegression, scalar_flow, scalar_gfs_sharpness


def derivative(function: Callable[[Any], Any], w: Array) -> Array:
    """Return ∂f/∂w_k, k along axis 0, of an analytic function whose last axis is that of `w`."""
    step = 1e-20
    return np.array([function(w + 1j * step * e[:, None]).imag / step for e in np.eye(len(w))])


def largest_eigenvalue(hessians: Array) -> Array:
    """Return λmax of symmetric matrices, which `derivative` leaves in the first two axes."""
    return np.linalg.eigvalsh(np.moveaxis(hessians, -1, 0))[..., -1]


def regression(
    rng: np.random.Generator, samples: int = 10, dimension: int = 20
) -> SquaredRegression:
    """Draw a problem of squared regression with a linear teacher."""
    x = rng.standard_normal((samples, dimension))
    return SquaredRegression(x, x @ rng.normal(0, 0.5, dimension))


class ScalarStart(NamedTuple):
    """Starts of scalar networks: weights (depth, runs), step sizes (runs,) and η φ(w)/2 (runs,)."""

    w: Array
    eta: Array
    ratio: Array


def scalar_start(
    rng: np.random.Generator,
    depth: int,
    runs: int,
    ratio: tuple[float, float],
    product: tuple[float, float],
) -> ScalarStart:
    """Draw log-normal weights, a step size for each, and move them along the flow to a product."""
    w = np.exp(0.5 * rng.standard_normal((depth, runs)))
    c = rng.uniform(*ratio, runs)
    eta = 2 * c / scalar_gfs_sharpness(w)
    return ScalarStart(scalar_flow(w, rng.uniform(*product, runs)), eta, c)
