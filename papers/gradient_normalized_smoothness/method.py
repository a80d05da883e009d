"""Newton steps regularised by the gradient's norm over γ, the gradient-normalized smoothness.

Semenov, Jaggi and Doikov 2025, arXiv 2506.13710: Algorithm 1 with the search of γ and the matrices
of the authors' code. Norms are ‖h‖² = ⟨Bh, h⟩ for points and ‖g‖² = ⟨g, B⁻¹g⟩ for gradients. All
arrays keep their dtype; points have any leading axes, each point on its own.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # of floats
Map = Callable[[Array], Array]

HALVINGS = 40  # of γ in one iteration, as in the authors' code


class Metric(NamedTuple):
    """B and B⁻¹, both symmetric and positive definite, shape (n, n)."""

    b: Array
    inverse: Array


def metric(b: Array) -> Metric:
    """Return the metric of B, shape (n, n)."""
    return Metric(b, np.linalg.inv(b))


def primal_norm(h: Array, metric: Metric) -> Array:
    """Return ‖h‖ = ⟨Bh, h⟩^(1/2), (..., n) to (...)."""
    return np.sqrt(np.maximum(((h @ metric.b) * h).sum(axis=-1), 0))


def dual_norm(g: Array, metric: Metric) -> Array:
    """Return ‖g‖ = ⟨g, B⁻¹g⟩^(1/2), (..., n) to (...)."""
    return np.sqrt(np.maximum(((g @ metric.inverse) * g).sum(axis=-1), 0))


def smoothness_radius(
    gradient: Map,
    x: Array,
    matrix: Array,
    directions: Array,
    metric: Metric,
    upper: float,
    *,
    radii: int = 100,
    iterations: int = 40,
) -> float:
    """Return γ(x), the definition taken by its word on a grid of h.

    γ(x) is the largest γ with ‖f'(x + h) − f'(x) − Hh‖ ≤ ‖f'(x)‖ ‖h‖ / γ for all ‖h‖ ≤ γ.

    Args:
        gradient: f', shape (..., n) to (..., n).
        x: one point, shape (n,).
        matrix: H(x), shape (n, n).
        directions: of h, of any length, shape (d, n).
        metric: of the norms.
        upper: the largest γ that is looked at; returned where it, too, is small enough.
        radii: lengths of h for each γ.
        iterations: of bisection.
    """
    g = gradient(x)
    norm = dual_norm(g, metric)
    units = directions / primal_norm(directions, metric)[:, None]

    def holds(gamma: float) -> bool:
        lengths = gamma * np.arange(1, radii + 1)[:, None] / radii
        h = lengths[..., None] * units
        error = dual_norm(gradient(x + h) - g - h @ matrix, metric)
        return bool((error * gamma <= norm * lengths).all())

    if holds(upper):
        return upper
    low, high = 0.0, upper
    for _ in range(iterations):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


# Approximations of the Hessian


def log_sum_exp_matrix(a: Array, pi: Array, mu: float) -> Array:
    """Return the weighted Gauss–Newton matrix Aᵀ diag(π) A / μ of f = μ log Σ exp((Ax − b)/μ).

    It is the Hessian without −f' f'ᵀ/μ.

    Args:
        a: A, shape (m, n).
        pi: π, the softmax of (Ax − b)/μ, shape (..., m).
        mu: μ.
    """
    return (a.T * pi[..., None, :]) @ a / mu


def softmax_blocks(a: Array, pi: Array) -> Array:
    """Return the block-diagonal Gauss–Newton matrix of the mean cross-entropy of k classes.

    Block c is Aᵀ diag(π_c) A / m, the weighted Gauss–Newton matrix of class c.

    Args:
        a: A, shape (m, n).
        pi: probabilities of the classes, shape (..., m, k).

    Returns:
        For parameters that are class after class, shape (..., k n, k n).
    """
    m, n = a.shape
    k = pi.shape[-1]
    blocks = log_sum_exp_matrix(a, np.moveaxis(pi, -1, -2), m)
    found = np.zeros((*pi.shape[:-2], k, n, k, n), blocks.dtype)
    for c in range(k):
        found[..., c, :, c, :] = blocks[..., c, :, :]
    return found.reshape(*pi.shape[:-2], k * n, k * n)


def inexact_hessian(u: Array, jacobian: Array, p: float) -> Array:
    """Return ‖u‖^(p−2) JᵀJ + (p − 2) ‖u‖^(−p) f' f'ᵀ, for f = ‖u(x)‖^p / p.

    It is the Hessian without the second derivatives of u, exact for linear u; p = 2 is
    Gauss–Newton. Norms of u are Euclidean.

    Args:
        u: u(x), shape (..., m).
        jacobian: J = u'(x), shape (..., m, n).
        p: 2 or more.
    """
    v = fisher_vector(u, jacobian, p)
    scale = _norm(u)[..., None] ** (p - 2)
    square = scale * (jacobian.swapaxes(-1, -2) @ jacobian)
    return np.asarray(square + v[..., :, None] * v[..., None, :])


def fisher_vector(u: Array, jacobian: Array, p: float) -> Array:
    """Return v with vvᵀ = (p − 2) ‖u‖^(−p) f' f'ᵀ, the Fisher term; zero where u is.

    Arguments as in `inexact_hessian`; shape (..., n).
    """
    size = _norm(u)
    unit = u / np.where(size > 0, size, 1)
    pulled = (unit[..., None, :] @ jacobian)[..., 0, :]
    return np.asarray(math.sqrt(p - 2) * size ** (p / 2 - 1) * pulled)


# Steps


def regularized_step(x: Array, g: Array, matrix: Array, lam: Array, metric: Metric) -> Array:
    """Return x − (H + λB)⁻¹ g; x itself where the sum is not positive definite.

    Args:
        x: shape (..., n).
        g: f'(x).
        matrix: H(x), shape (..., n, n).
        lam: λ > 0, shape (...).
        metric: of B.
    """
    total = matrix + lam[..., None, None] * metric.b
    definite = _definite(total)[..., None]
    total = np.where(definite[..., None], total, metric.b)
    return np.where(definite, x - np.linalg.solve(total, g[..., None])[..., 0], x)


def rank_one_step(x: Array, g: Array, v: Array, lam: Array, metric: Metric) -> Array:
    """Return x − (vvᵀ + λB)⁻¹ g by the Sherman–Morrison formula.

    Args:
        x: shape (..., n).
        g: f'(x).
        v: such as `fisher_vector`, shape (..., n).
        lam: λ > 0, shape (...).
        metric: of B.
    """
    turned = v @ metric.inverse
    share = (turned * g).sum(axis=-1) / (lam + (turned * v).sum(axis=-1))
    return x - (g @ metric.inverse - share[..., None] * turned) / lam[..., None]


class State(NamedTuple):
    """A point, f and f' there, and the γ that is tried next.

    Attributes:
        x: shape (..., n).
        value: f(x), shape (...).
        g: f'(x).
        gamma: shape (...).
    """

    x: Array
    value: Array
    g: Array
    gamma: Array


def start(value: Map, gradient: Map, x0: Array, gamma0: float = 1.0) -> State:
    """Return the state before the first iteration."""
    first = value(x0)
    return State(x0, first, gradient(x0), np.full_like(first, gamma0))


def iterate(
    value: Map, gradient: Map, state: State, trial: Callable[[Array], Array], metric: Metric
) -> State:
    """Return the state after an iteration of Algorithm 1 with the adaptive search of γ.

    γ is halved until f(x) − f(x⁺) ≥ ‖f'(x⁺)‖²/(8λ) with λ = ‖f'(x)‖/γ, and doubled for the next
    iteration. A point with gradient zero stays, and so does one at which `HALVINGS` trials were
    rejected, with γ as small as it is then. (The authors' code adds 1e-8 to γ in λ, and moves to
    the last trial where all were rejected.)

    Args:
        value: f, shape (..., n) to (...).
        gradient: f'.
        state: of the last iteration.
        trial: λ, shape (...), to x⁺, such as `regularized_step` with the rest filled in.
        metric: of the norms.
    """
    before, gamma = state.value, state.gamma
    norm = dual_norm(state.g, metric)
    found, done = state, norm == 0
    for _ in range(HALVINGS):
        lam = np.where(done, 1, norm) / gamma
        after = trial(lam)
        value_after, g_after = value(after), gradient(after)
        fell = before - value_after >= dual_norm(g_after, metric) ** 2 / (8 * lam)
        new = fell & ~done
        found = _choose(new, State(after, value_after, g_after, 2 * gamma), found)
        done = done | new
        if done.all():
            return found
        gamma = np.where(done, gamma, gamma / 2)
    return found._replace(gamma=np.where(done, found.gamma, gamma))


def _choose(where: Array, yes: State, no: State) -> State:
    """Return one state for the points where it holds, shape (...), and another for the others."""
    x, g = (np.where(where[..., None], a, b) for a, b in ((yes.x, no.x), (yes.g, no.g)))
    value, gamma = np.where(where, yes.value, no.value), np.where(where, yes.gamma, no.gamma)
    return State(x, value, g, gamma)


def _norm(u: Array) -> Array:
    """Return ‖u‖ over the last axis, which is kept."""
    return np.asarray(np.linalg.norm(u, axis=-1, keepdims=True))


def _definite(matrix: Array) -> Array:
    """Return where symmetric matrices are positive definite, shape (...)."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.eigvalsh(matrix)[..., 0] > 0)
    return np.ones(matrix.shape[:-2], dtype=bool)
