"""Fitting a model of few parameters: Levenberg–Marquardt, with derivatives from JAX."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from jax import Array

Vector = npt.NDArray[np.float64]
Model = Callable[[Array, Array], Array]
"""(θ, one point) ↦ a number."""


def levenberg_marquardt(
    model: Model,
    theta: Any,
    x: Any,
    y: Any,
    *,
    tolerance: float,
    iterations: int,
) -> Vector:
    """Return θ that brings the root mean square of r = y − model(θ, x) to `tolerance`, if it can.

    With J the Jacobian of the model, an iteration tries θ + Jᵀ (J Jᵀ + μ I)⁻¹ r, which is the
    damped Gauss–Newton step (JᵀJ + μ I)⁻¹ Jᵀ r at the cost of n instead of p parameters. If that
    lowers |r|² it is taken and μ divided by three, otherwise μ is multiplied by four (Nocedal and
    Wright 2006, Numerical Optimization, section 10.3, with fixed factors). μ starts at 1e-2 times
    the mean of the diagonal of J Jᵀ, and stays above 1e-14 times that.

    Args:
        model: differentiable, and a pytree, as `jax.tree_util.Partial` makes of any function.
        theta: start, shape (p,).
        x: points, shape (n, …).
        y: what the model shall give at each, shape (n,).
        tolerance: at which to stop.
        iterations: at most so many.

    Returns:
        Shape (p,): the best θ found.
    """
    best, y = np.array(theta), np.asarray(y)
    value, slope = values_and_slopes(model, best, x)
    r = y - value
    scale = np.mean(np.sum(slope**2, axis=1))
    mu = 1e-2 * scale
    for _ in range(iterations):
        if r @ r <= len(y) * tolerance**2:
            break
        step = slope.T @ np.linalg.solve(slope @ slope.T + mu * np.eye(len(y)), r)
        value, new_slope = values_and_slopes(model, best + step, x)
        if (y - value) @ (y - value) < r @ r:  # not so where it is no number
            best, r, slope = best + step, y - value, new_slope
            mu = max(mu / 3, 1e-14 * scale)
        else:
            mu *= 4
    return best


def values_and_slopes(model: Model, theta: Any, x: Any) -> tuple[Vector, Vector]:
    """Return model(θ, x), shape (n,), and its derivatives by θ, shape (n, p).

    Args:
        model: as for `levenberg_marquardt`.
        theta: θ, shape (p,).
        x: points, shape (n, …).
    """
    value, slope = _values_and_slopes(model, theta, x)
    return np.asarray(value), np.asarray(slope)


@jax.jit
def _values_and_slopes(model: Model, theta: Array, x: Array) -> tuple[Array, Array]:
    return jax.vmap(jax.value_and_grad(model), (None, 0))(theta, x)
