"""TENG: a network's parameters follow a PDE by natural gradient steps in the space of u.

Chen, McCarran, Vizcaino, Soljačić and Luo 2024, arXiv 2404.10771. Counts of iterations and random
subsets are those of the authors' code (`teng.py`).

Everything here takes functions of a flat parameter vector θ (p,) and one point x (d,): û(θ, x), and
L û(θ, x), the right-hand side of u_t = L u. They must be pytrees, for `jax.jit`:
`jax.tree_util.Partial(f)` makes one of any function f. Points are nodes of equal quadrature weight,
shape (n, d): the weights of the paper's norm then cancel.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

Field = Callable[[Array, Array], Array]
"""(θ, x) ↦ a number."""

Numbers = Array | npt.NDArray[np.float64]

EULER_ITERATIONS = 7
ROWS = 4096
"""Of the Jacobian at once; beyond them only the columns that move are kept."""
HEUN_ITERATIONS = (7, 5)


class Step(NamedTuple):
    """A time step.

    Attributes:
        theta: θ at the new time.
        losses: for each stage the loss ½ mean (u* − û)² before its first iteration and after each.
    """

    theta: Numbers
    losses: tuple[list[Array], ...]


class Subset(NamedTuple):
    """Random coordinates of θ to which each natural gradient step is confined.

    The authors' code regularises with it, and takes 1536 and 1024 of 8361 coordinates.

    Attributes:
        key: JAX key, a new one for each time step.
        first: how many coordinates the first iteration of a time step moves.
        later: how many every other iteration moves.
    """

    key: Array
    first: int
    later: int


@jax.jit
def values(field: Field, theta: Numbers, x: Numbers) -> Array:
    """Return the field at all points, shape (n,)."""
    return jax.vmap(field, (None, 0))(jnp.asarray(theta), jnp.asarray(x))


@jax.jit
def project(
    u: Field,
    theta: Numbers,
    x: Numbers,
    v: Numbers,
    rcond: float | Array,
    coordinates: Array | None = None,
) -> Array:
    """Return Δθ = argmin ‖J Δθ − v‖ with J_jp = ∂û(x_j) / ∂θ_p, of least norm.

    J Δθ is the projection of v onto the tangent space of the networks at θ. Singular values of J
    up to `rcond` times the largest count as zero.

    Args:
        u: û.
        theta: θ.
        x: nodes.
        v: values at the nodes, shape (n,).
        rcond: where to cut. The authors leave it at machine epsilon times max(n, p) and confine
            the step to `coordinates` instead.
        coordinates: indices of the entries of Δθ that may differ from zero; all if None.
    """
    columns = slice(None) if coordinates is None else coordinates
    jacobian = jax.lax.map(lambda at: jax.grad(u)(theta, at)[columns], x, batch_size=ROWS)
    left, sigma, right = jnp.linalg.svd(jacobian, full_matrices=False)
    kept = sigma > rcond * sigma[0]
    delta = right.T @ jnp.where(kept, (left.T @ v) / jnp.where(kept, sigma, 1), 0)
    if coordinates is None:
        return delta
    return jnp.zeros_like(theta).at[coordinates].set(delta)


def tdvp_velocity(
    u: Field,
    rate: Field,
    theta: Numbers,
    x: Numbers,
    rcond: float,
    coordinates: Array | None = None,
) -> Array:
    """Return θ̇ = argmin ‖J θ̇ − L û‖: the time-dependent variational principle.

    Args:
        u: û.
        rate: L û.
        theta: θ.
        x: nodes.
        rcond: as for `project`.
        coordinates: as for `project`.
    """
    return project(u, theta, x, values(rate, theta, x), rcond, coordinates)


def natural_gradient(
    u: Field,
    theta: Numbers,
    x: Numbers,
    target: Numbers,
    iterations: int,
    rcond: float,
    subset: Subset | None = None,
) -> tuple[Numbers, list[Array]]:
    """Minimise ½ mean (u* − û)² from θ by steps θ ← θ + argmin ‖J Δθ − (u* − û)‖.

    Each is the gradient of the loss with respect to u, projected onto the tangent space; the step
    size is one and there is no line search. In parameters this is Gauss–Newton.

    Args:
        u: û.
        theta: start.
        x: nodes.
        target: u* at the nodes.
        iterations: number of steps.
        rcond: as for `project`.
        subset: coordinates drawn anew for each step, `later` of them but for the first; all if
            None.

    Returns:
        θ, and the losses before the first step and after each.
    """
    residual = target - values(u, theta, x)
    losses = [_half_mean_square(residual)]
    for i in range(iterations):
        coordinates = None
        if subset is not None:
            key = jax.random.fold_in(subset.key, i)
            count = min(subset.first if i == 0 else subset.later, theta.size)
            coordinates = jax.random.choice(key, theta.size, (count,), replace=False)
        theta = theta + project(u, theta, x, residual, rcond, coordinates)
        residual = target - values(u, theta, x)
        losses.append(_half_mean_square(residual))
    return theta, losses


@jax.jit
def _half_mean_square(residual: Array) -> Array:
    return jnp.mean(residual**2) / 2


def euler_step(
    u: Field,
    rate: Field,
    theta: Numbers,
    x: Numbers,
    dt: float,
    *,
    iterations: int = EULER_ITERATIONS,
    rcond: float = 1e-6,
    subset: Subset | None = None,
) -> Step:
    """Take a step of TENG-Euler: û moves to u* = û + Δt L û.

    The first iteration is a step of `tdvp_velocity` by the explicit Euler method.

    Args:
        u: û.
        rate: L û.
        theta: θ.
        x: nodes.
        dt: Δt.
        iterations: natural gradient steps.
        rcond: as for `project`.
        subset: as for `natural_gradient`.
    """
    target = values(u, theta, x) + dt * values(rate, theta, x)
    theta, losses = natural_gradient(u, theta, x, target, iterations, rcond, subset)
    return Step(theta, (losses,))


def heun_step(
    u: Field,
    rate: Field,
    theta: Numbers,
    x: Numbers,
    dt: float,
    *,
    iterations: tuple[int, int] = HEUN_ITERATIONS,
    rcond: float = 1e-6,
    subset: Subset | None = None,
) -> Step:
    """Take a step of TENG-Heun: a TENG-Euler step to θ̃, then u* = û + Δt/2 (L û + L ũ).

    The second stage starts at θ̃, not at θ, as in the authors' code.

    Args:
        u: û.
        rate: L û.
        theta: θ.
        x: nodes.
        dt: Δt.
        iterations: natural gradient steps of each stage.
        rcond: as for `project`.
        subset: as for `natural_gradient`; every step of the second stage moves `later` coordinates.
    """
    first, second = iterations
    predicted = euler_step(u, rate, theta, x, dt, iterations=first, rcond=rcond, subset=subset)
    slope = values(rate, theta, x) + values(rate, predicted.theta, x)
    target = values(u, theta, x) + dt / 2 * slope
    if subset is not None:
        subset = Subset(jax.random.fold_in(subset.key, first), subset.later, subset.later)
    theta, losses = natural_gradient(u, predicted.theta, x, target, second, rcond, subset)
    return Step(theta, (*predicted.losses, losses))
