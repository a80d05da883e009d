"""Fitting a model of few parameters in JAX: Levenberg–Marquardt."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class _State(NamedTuple):
    theta: Array
    r: Array
    loss: Array
    mu: Array
    iteration: Array


@partial(jax.jit, static_argnames=("model",))
def levenberg_marquardt(
    model: Callable[[Array, Array], Array],
    theta: Array,
    x: Array,
    y: Array,
    *,
    tolerance: float | Array,
    iterations: int | Array,
) -> Array:
    """Return θ that brings the root mean square of r = y − model(θ, x) to `tolerance`, if it can.

    With J the Jacobian of the model, an iteration tries θ + Jᵀ (J Jᵀ + μ I)⁻¹ r, which is the
    damped Gauss–Newton step (JᵀJ + μ I)⁻¹ Jᵀ r at the cost of n instead of p parameters. If that
    lowers |r|² it is taken and μ divided by three, otherwise μ is multiplied by four (Nocedal and
    Wright 2006, Numerical Optimization, section 10.3, with fixed factors). μ starts at 1e-2 times
    the mean of the diagonal of J Jᵀ, and stays above 1e-14 times that.

    Args:
        model: maps θ and one point to a scalar; always the same object, or equal ones, for
            `jax.jit`.
        theta: start, shape (p,).
        x: points, shape (n, …).
        y: what the model shall give at each, shape (n,).
        tolerance: at which to stop.
        iterations: at most so many.

    Returns:
        Shape (p,): the best θ found.
    """
    slopes = jax.vmap(jax.grad(model), (None, 0))

    def residual(theta: Array) -> Array:
        return y - jax.vmap(model, (None, 0))(theta, x)

    def unfinished(state: _State) -> Array:
        return (state.loss > len(y) * tolerance**2) & (state.iteration < iterations)

    def iterate(state: _State) -> _State:
        j = slopes(state.theta, x)
        factor = jax.scipy.linalg.cho_factor(j @ j.T + state.mu * jnp.eye(len(y)))
        theta = state.theta + j.T @ jax.scipy.linalg.cho_solve(factor, state.r)
        r = residual(theta)
        better = r @ r < state.loss  # False where the step is not a number
        theta, r = jnp.where(better, theta, state.theta), jnp.where(better, r, state.r)
        mu = jnp.maximum(jnp.where(better, state.mu / 3, state.mu * 4), 1e-14 * scale)
        return _State(theta, r, r @ r, mu, state.iteration + 1)

    r = residual(theta)
    scale = jnp.mean(jnp.sum(slopes(theta, x) ** 2, axis=1))
    start = _State(theta, r, r @ r, 1e-2 * scale, jnp.asarray(0))
    return jax.lax.while_loop(unfinished, iterate, start).theta
