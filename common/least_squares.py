"""Nonlinear least squares for small networks in JAX: Levenberg–Marquardt."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array


@partial(jax.jit, static_argnames=("residual",))
def levenberg_marquardt(
    residual: Callable[[Array, Array, Array], Array],
    theta: Array,
    x: Array,
    y: Array,
    *,
    tolerance: float | Array,
    iterations: int | Array,
) -> Array:
    """Return θ that brings the root mean square of r(θ, x, y) down to `tolerance`, if it can.

    With J the Jacobian of r, an iteration tries θ − Jᵀ (J Jᵀ + μ I)⁻¹ r, which is the damped
    Gauss–Newton step (JᵀJ + μ I)⁻¹ Jᵀ r. If that lowers |r|² it is taken and μ divided by three,
    otherwise μ is multiplied by four (Nocedal and Wright 2006, Numerical Optimization, section
    10.3, with fixed factors). μ starts at 1e-2 times the mean of the diagonal of J Jᵀ, and has a
    floor at 1e-14 times that of the first iteration.

    Args:
        residual: r, of shape (n,); a function that is always the same object, for `jax.jit`.
        theta: start, shape (p,).
        x: first argument of r after θ, such as the points.
        y: second, such as the targets.
        tolerance: at which to stop.
        iterations: at most so many.

    Returns:
        Shape (p,): the best θ found.
    """

    def parts(theta: Array) -> tuple[Array, Array]:
        r = residual(theta, x, y)
        return r, r @ r

    r, loss = parts(theta)
    jacobian = jax.jacrev(residual)
    scale = jnp.mean(jacobian(theta, x, y) ** 2) * theta.size
    goal = len(r) * tolerance**2

    def unfinished(state: tuple[Array, Array, Array, Array, Array]) -> Array:
        _, _, loss, _, i = state
        return (loss > goal) & (i < iterations)

    def iterate(
        state: tuple[Array, Array, Array, Array, Array],
    ) -> tuple[Array, Array, Array, Array, Array]:
        theta, r, loss, mu, i = state
        j = jacobian(theta, x, y)
        factor = jnp.linalg.cholesky(j @ j.T + mu * jnp.eye(len(r)))
        half = jax.scipy.linalg.solve_triangular(factor, r, lower=True)
        solution = jax.scipy.linalg.solve_triangular(factor.T, half, lower=False)
        new = theta - j.T @ solution
        new_r, new_loss = parts(new)
        better = new_loss < loss  # False for NaN
        return (
            jnp.where(better, new, theta),
            jnp.where(better, new_r, r),
            jnp.where(better, new_loss, loss),
            jnp.maximum(jnp.where(better, mu / 3, mu * 4), 1e-14 * scale),
            i + 1,
        )

    start = (theta, r, loss, 1e-2 * scale, jnp.asarray(0))
    return jax.lax.while_loop(unfinished, iterate, start)[0]
