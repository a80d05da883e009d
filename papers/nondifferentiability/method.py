"""The gradient method at kinks: what it ends in on functions whose gradient autodiff only invents.

Kumar 2024, arXiv 2401.08426. "NGDM" is x ← x − α g(x), where g is the gradient or, at a kink, the
subgradient that autodiff returns: sign(0) = 0. Arrays keep their dtype; leading axes are problems.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # of floats
Numbers = float | Array
Gradient = Callable[[Array], Array]


# The method, and the step that it is mistaken for


def descend(gradient: Gradient, start: Array, steps: Iterable[Numbers]) -> Iterator[Array]:
    """Yield the iterates after `start`, x ← x − α g(x), one for each step α.

    Args:
        gradient: g, which only reads its argument.
        start: x₀, shape (..., d).
        steps: α₀, α₁, …, numbers or arrays that broadcast to x.
    """
    x = start
    for alpha in steps:
        x = x - alpha * gradient(x)
        yield x


def soft_threshold(x: Array, width: Numbers) -> Array:
    """Return sign(x) max(|x| − width, 0), the proximal map of width ‖·‖₁."""
    return np.sign(x) * np.maximum(np.abs(x) - width, 0)


# l1 penalties


def lasso_subgradient(beta: Array, h: Array, c: Array, lam: Numbers) -> Array:
    """Return Hβ − c + λ sign β, of ½ βᵀHβ − cᵀβ + λ‖β‖₁; H = XᵀX/n and c = Xᵀy/n for the LASSO.

    Args:
        beta: β, shape (..., d).
        h: H, symmetric, shape (d, d).
        c: shape (d,).
        lam: λ, a number or of shape (..., 1).
    """
    return beta @ h - c + lam * np.sign(beta)


def bouncing_place(alpha: Numbers, lam: Numbers, a: Numbers) -> Numbers:
    """Return the v > 0 for which steps α on ½ aβ² + λ|β| jump between v and −v.

    v = αλ / (2 − αa) for αa < 2; it attracts every start but zero, though the minimum is at zero.
    """
    return alpha * lam / (2 - alpha * a)


def bouncing_norm(d: int, alpha: Numbers, lam: Numbers) -> Numbers:
    """Return d αλ/2, about which ‖β‖₁ ends for large λ: each coordinate between v and v − αλ."""
    return d * alpha * lam / 2


# Rates


def smooth_bound(distance: Numbers, alpha: Numbers, k: Numbers) -> Numbers:
    """Return ‖x₀ − x*‖² / (2αk), above f(x_k) − f* for convex L-smooth f and α ≤ 1/L, k ≥ 1."""
    return distance**2 / (2 * alpha * k)


def hard_value(x: Array, mu: float) -> Array:
    """Return max x + (μ/2) ‖x‖², shape (...), of points (..., d)."""
    return np.asarray(x.max(axis=-1) + mu / 2 * (x**2).sum(axis=-1))


def hard_subgradient(x: Array, mu: float) -> Array:
    """Return e_i + μx, where i is the first of the largest coordinates, of points (..., d)."""
    first = np.arange(x.shape[-1]) == x.argmax(axis=-1)[..., None]
    return first + mu * x


def hard_gap(k: int) -> float:
    """Return 1 / (2 √(k + 1)), what the best of k + 1 iterates from 0 is above the minimum.

    In k + 1 dimensions with μ = 1/√(k + 1): a step moves one coordinate, so that one is left at
    zero and no iterate is better than the start.
    """
    return 1 / (2 * (k + 1) ** 0.5)


# Edge of stability


class Bend(NamedTuple):
    """Value, derivative and second derivative of a function of one variable."""

    value: Array
    slope: Array
    curvature: Array


def pseudo_huber(x: Array, delta: float) -> Bend:
    """Return √(x² + δ²) and its derivatives: convex, 1-Lipschitz, 1/δ-smooth."""
    root = np.hypot(x, delta)
    return Bend(root, x / root, delta**2 / root**3)


def huber(x: Array, delta: float) -> Bend:
    """Return x²/(2δ) for |x| ≤ δ, |x| − δ/2 beyond, and its derivatives."""
    inner = np.abs(x) <= delta
    value = np.where(inner, x**2 / (2 * delta), np.abs(x) - delta / 2)
    return Bend(value, np.clip(x / delta, -1, 1), np.where(inner, 1 / delta, 0.0))


class Cycle(NamedTuple):
    """Where constant steps end: |x|, and the curvature there."""

    place: float
    sharpness: float


def pseudo_huber_end(eta: float, delta: float) -> Cycle:
    """Return the end of steps η on √(x² + δ²).

    For η > 2δ, twice 1/L, the cycle ±√(η²/4 − δ²) with curvature 8δ²/η³, below 2/η; for smaller
    steps the minimum with 1/δ.
    """
    if eta <= 2 * delta:
        return Cycle(0.0, 1 / delta)
    return Cycle((eta**2 / 4 - delta**2) ** 0.5, 8 * delta**2 / eta**3)
