"""Symmetric polynomial preconditioners P_τ of a matrix B, and gradient methods that use them.

Doikov and Rodomanov 2023, arXiv 2301.13194. The loss has μB ≤ f'' ≤ LB with a known symmetric
B > 0, such as AᵀA/m where f is a mean of φ(⟨aᵢ, x⟩). P_τ is homogeneous of degree τ in B: divide
large B by its trace where float32 would overflow. All arrays keep their dtype.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # of floats
Map = Callable[[Array], Array]
"""v ↦ Bv, or g ↦ Pg, for vectors of shape (..., n)."""

DOUBLINGS = 100  # of M in one step: beyond, x⁺ equals x in any precision


# The preconditioners


def power_traces(b: Array, degree: int) -> Array:
    """Return tr B, tr B², …, tr B^degree, shape (..., degree), of B, shape (..., n, n)."""
    traces = np.zeros((*b.shape[:-2], degree), b.dtype)
    power = b
    for i in range(degree):
        traces[..., i] = np.trace(power, axis1=-2, axis2=-1)
        power = power @ b
    return traces


def elementary(traces: Array) -> Array:
    """Return σ_0 = 1, σ_1, …, σ_k of B's eigenvalues, from the traces of k powers of B.

    Newton's identities: i σ_i = Σ_j (−1)^{j−1} σ_{i−j} tr B^j; the spectrum is not needed.

    Args:
        traces: of `power_traces`, shape (..., k).

    Returns:
        Shape (..., k + 1).
    """
    sigma = [np.ones(traces.shape[:-1], traces.dtype)]
    for i in range(1, traces.shape[-1] + 1):
        terms = [(-1) ** (j - 1) * sigma[i - j] * traces[..., j - 1] for j in range(1, i + 1)]
        sigma.append(sum(terms) / i)
    return np.stack(sigma, axis=-1)


def symmetric_preconditioners(b: Array, tau: int) -> Array:
    """Return P_0 = I, P_1, …, P_τ by the paper's recursion.

    P_t = (1/t) Σ_{i=1..t} (−1)^{i−1} P_{t−i} U_i, where U_i = tr(B^i) I − B^i.

    Args:
        b: B, shape (..., n, n).
        tau: τ < n.

    Returns:
        Positive definite, commuting with B, shape (τ + 1, ..., n, n).

    Raises:
        ValueError: τ is not in 0, …, n − 1; P_n would be zero.
    """
    _check(tau, b.shape[-1])
    identity = np.broadcast_to(np.eye(b.shape[-1], dtype=b.dtype), b.shape)
    parts, power, found = [], identity, [identity]
    for t in range(1, tau + 1):
        power = power @ b
        trace = np.trace(power, axis1=-2, axis2=-1)
        parts.append(trace[..., None, None] * identity - power)
        terms = [(-1) ** (i - 1) * found[t - i] @ parts[i - 1] for i in range(1, t + 1)]
        found.append(sum(terms) / t)
    return np.stack(found)


def precondition(product: Map, sigma: Array, g: Array) -> Array:
    """Return P_τ g = Σ_i (−1)^i σ_{τ−i} B^i g by τ products with B; P_τ is not assembled.

    Args:
        product: v ↦ Bv.
        sigma: σ_0, …, σ_τ of `elementary`, shape (τ + 1,).
        g: shape (..., n).
    """
    found = sigma[0] * g
    for coefficient in sigma[1:]:
        found = coefficient * g - product(found)
    return found


# Their spectrum, where that of B is known


def preconditioner_spectrum(lam: Array, tau: int) -> Array:
    """Return the eigenvalues of P_τ: σ_τ of all eigenvalues of B but λᵢ, without cancellation.

    Args:
        lam: λ > 0 in any order, shape (n,).
        tau: τ < n.

    Returns:
        One for each eigenvector of B, in the order of λ, shape (n,).

    Raises:
        ValueError: as `symmetric_preconditioners`.
    """
    n = len(lam)
    _check(tau, n)
    others = np.broadcast_to(lam, (n, n))[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    sigma = np.zeros((n, tau + 1), lam.dtype)
    sigma[:, 0] = 1
    for column in others.T:
        sigma[:, 1:] = sigma[:, 1:] + column[:, None] * sigma[:, :-1]
    return sigma[:, tau]


class Extremes(NamedTuple):
    """α_τ and β_τ, the smallest and largest eigenvalue of P_τ B; M = β_τ L is a safe step."""

    alpha: float
    beta: float


def extremes(lam: Array, tau: int) -> Extremes:
    """Return α_τ = λₙ σ_τ(λ without λₙ) and β_τ = λ₁ σ_τ(λ without λ₁)."""
    values = lam * preconditioner_spectrum(lam, tau)
    return Extremes(float(values[lam.argmin()]), float(values[lam.argmax()]))


def xi(lam: Array, tau: int) -> float:
    """Return ξ_τ, by which P_τ changes the condition number λ₁/λₙ (caption of Figure 4.1)."""
    values = preconditioner_spectrum(lam, tau)
    return float(values[lam.argmax()] / values[lam.argmin()])


# The methods


def gradient_step(x: Array, g: Array, preconditioner: Map, m: float | Array) -> Array:
    """Return x − P g / M.

    Args:
        x: shape (..., n).
        g: f'(x).
        preconditioner: g ↦ P g.
        m: M, a number or of shape (..., 1); β_τ L for P_τ.
    """
    return x - preconditioner(g) / m


class FastState(NamedTuple):
    """x_k, the point y_k at which the next gradient is taken, and t_k."""

    x: Array
    y: Array
    t: float


def fast_start(x0: Array) -> FastState:
    """Return the state before the first step, x_0 = y_0 and t_0 = 1."""
    return FastState(x0, x0, 1.0)


def fast_step(
    state: FastState,
    g: Array,
    preconditioner: Map,
    m: float | Array,
    q: float | Array | None = None,
) -> FastState:
    """Return the state after a step of the fast gradient method in the norm of P⁻¹.

    x_{k+1} = y_k − P f'(y_k)/M and y_{k+1} = x_{k+1} + momentum (x_{k+1} − x_k). The paper's method
    is an estimating sequence; these are its two standard forms.

    Args:
        state: of the last step.
        g: f'(y_k).
        preconditioner: g ↦ P g.
        m: M, as in `gradient_step`.
        q: √(μα/(Lβ)) for μ > 0, momentum (1 − q)/(1 + q); None for μ = 0, momentum
            (t_k − 1)/t_{k+1} with t_{k+1} = (1 + √(1 + 4t_k²))/2.
    """
    t = (1 + math.sqrt(1 + 4 * state.t**2)) / 2
    momentum = (state.t - 1) / t if q is None else (1 - q) / (1 + q)
    x = gradient_step(state.y, g, preconditioner, m)
    return FastState(x, x + momentum * (x - state.x), t)


def krylov_basis(product: Map, g: Array, tau: int) -> Array:
    """Return an orthonormal basis of span{g, Bg, …, B^τ g}, shape (..., n, τ + 1).

    By Lanczos with τ products, each vector orthogonalised twice against all before it. Where the
    span has fewer dimensions, as for g = 0, the last columns are zero, or unit vectors made of
    rounding errors where those dimensions are almost one.
    """
    basis = np.zeros((*g.shape, tau + 1), g.dtype)
    tiny = 10 * g.shape[-1] * np.finfo(g.dtype).eps
    for j in range(tau + 1):
        v = product(basis[..., j - 1]) if j else g
        size = _norm(v)
        for _ in range(2):
            v = v - (basis @ (basis.swapaxes(-1, -2) @ v[..., None]))[..., 0]
        left = _norm(v)
        kept = left > tiny * size
        basis[..., j] = np.where(kept, v / np.where(kept, left, 1), 0)
    return basis


class SubspaceStep(NamedTuple):
    """x⁺, the decrease of f that is promised for M ≥ L, shape (...), and M, shape (...)."""

    x: Array
    decrease: Array
    m: Array


def subspace_step(product: Map, x: Array, g: Array, basis: Array, m: Array) -> SubspaceStep:
    """Return the minimum of ⟨g, h⟩ + (M/2) ⟨Bh, h⟩ over h in the span of a basis.

    With the basis of `krylov_basis` that is the paper's step Σ_j a_j B^j g, whose a solves the
    system with matrix ⟨g, B^{j+k+1} g⟩; with P_τ g as the only column it is a gradient step.

    Args:
        product: v ↦ Bv.
        x: shape (..., n).
        g: f'(x).
        basis: columns, those of zeros ignored, shape (..., n, k).
        m: M, shape (...).
    """
    columns = np.moveaxis(basis, -1, 0)
    images = np.moveaxis(np.stack([product(column) for column in columns]), 0, -1)
    empty = (basis == 0).all(axis=-2)[..., None] * np.eye(basis.shape[-1], dtype=g.dtype)
    gram = basis.swapaxes(-1, -2) @ images + empty
    c = basis.swapaxes(-1, -2) @ g[..., None]
    h = basis @ np.linalg.solve(gram, c)
    decrease = (g[..., None, :] @ h)[..., 0, 0] / (2 * m)
    return SubspaceStep(x - h[..., 0] / m[..., None], decrease, m)


def searched_step(
    value: Map, product: Map, x: Array, g: Array, basis: Array, m: Array
) -> SubspaceStep:
    """Return the step with the first of M/2, M, 2M, … for which f falls by what is promised.

    Args:
        value: f, shape (..., n) to (...).
        product: v ↦ Bv.
        x: shape (..., n).
        g: f'(x).
        basis: as in `subspace_step`.
        m: M of the last step, shape (...).

    Raises:
        ArithmeticError: no M is large enough, as where f or g is not finite.
    """
    before, m = value(x), m / 2
    for _ in range(DOUBLINGS):
        step = subspace_step(product, x, g, basis, m)
        fell = value(step.x) <= before - step.decrease
        if fell.all():
            return step
        m = np.where(fell, m, 2 * m)
    raise ArithmeticError("no M is large enough; are f and its gradient finite?")


def _norm(v: Array) -> Array:
    """Return ‖v‖ over the last axis, which is kept."""
    return np.asarray(np.linalg.norm(v, axis=-1, keepdims=True))


def _check(tau: int, n: int) -> None:
    if not 0 <= tau < n:
        raise ValueError(f"τ must be in 0, …, n − 1 = {n - 1}, got {tau}")
