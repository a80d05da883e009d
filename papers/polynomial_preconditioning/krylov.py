"""Krylov steps against independent references, and the Krylov search on a logistic loss."""

import numpy as np

from claimbench import Run
from common.convex import Quadratic
from common.errors import absolute, largest, relative
from common.linear_models import Logistic

from .method import (
    Array,
    Map,
    elementary,
    krylov_basis,
    power_traces,
    searched_step,
    subspace_step,
    symmetric_preconditioners,
)
from .paths import L, times
from .polynomials import polynomials, rotated


def krylov_space(run: Run, product: Map, g: Array, tau: int, random: bool) -> Array:
    """Return `krylov_basis` of g, or of random vectors in its place."""
    return krylov_basis(product, run.rng.standard_normal(g.shape) if random else g, tau)


def span_falls(b: Array, g: Array, spans: Array) -> Array:
    """Return by how much ½⟨Bh, h⟩ + ⟨g, h⟩ can fall over h in spans, by least squares."""
    root, falls = np.linalg.cholesky(b), []
    for each, span in zip(g, spans, strict=True):
        target = -np.linalg.solve(root, each)
        columns = root.T @ (span / np.linalg.norm(span, axis=0))
        fitted = columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
        falls.append(fitted @ fitted / 2)
    return np.array(falls)


def gram_steps(b: Array, g: Array, tau: int) -> Array:
    """Return the steps −Σ a_j B^j g, ⟨g, B^{j+k+1} g⟩ a = ⟨g, B^j g⟩, for M = 1."""
    steps = []
    for each in g:
        powers = np.array([np.linalg.matrix_power(b, j) @ each for j in range(2 * tau + 2)])
        moments = powers @ each
        gram = np.array([moments[j + 1 : j + tau + 2] for j in range(tau + 1)])
        steps.append(-np.linalg.solve(gram, moments[: tau + 1]) @ powers[: tau + 1])
    return np.array(steps)


def polynomial_falls(run: Run, b: Array, g: Array, tau: int) -> Array:
    """Return the falls along p(B) g with the best step: P_τ and its rivals, and random p."""
    random = [
        sum(
            c * np.linalg.matrix_power(b, j) for j, c in enumerate(run.rng.standard_normal(tau + 1))
        )
        for _ in range(20)
    ]
    known = [polynomials(b, tau, name)[-1] for name in ("symmetric", "neumann", "chebyshev")]
    d = g @ np.array([*known, *random])
    return (d * g).sum(axis=-1) ** 2 / (2 * (d * (d @ b)).sum(axis=-1))


def searched(run: Run, tau: int, random: bool, steps: int) -> tuple[float, float]:
    """Return the largest M/(2L), and the least that f fell beyond the promise, from two points."""
    a = run.rng.standard_normal((60, 8)) * np.geomspace(1, 0.03, 8)
    loss = Logistic(a, np.where(run.rng.random(60) < 0.5, 1.0, -1.0))
    product = times(a.T @ a / 60)
    x, m = run.rng.standard_normal((2, 8)), np.full(2, L)
    shares, slacks = [], []
    for _ in range(steps):
        g = loss.gradient(x)
        basis = krylov_space(run, product, g, tau, random)
        step = searched_step(loss.value, product, x, g, basis, m)
        shares.append(step.m.max() / (2 * L))
        slacks.append((loss.value(x) - step.decrease - loss.value(step.x)).min())
        x, m = step.x, step.m
    return float(max(shares)), float(min(slacks))


def step_errors(run: Run, missing: int, random: bool, steps: int) -> dict[str, float]:
    """Return how far Krylov steps lie from references; see `krylov_minimum`."""
    b = rotated(run, np.exp(run.rng.uniform(0, np.log(20), 8)))
    loss, product = Quadratic(b, run.rng.standard_normal(8)), times(b)
    x = run.rng.standard_normal((2, 8))
    g = loss.gradient(x)
    basis = krylov_space(run, product, g, 3 - missing, random)
    step = subspace_step(product, x, g, basis, np.ones(2))
    smaller = krylov_space(run, product, g, 2 - missing, random)
    short = subspace_step(product, x, g, smaller, np.full(2, 1.7))
    spans = np.stack([g @ np.linalg.matrix_power(b, j) for j in range(4)], axis=-1)
    gaps = loss.value(x) - loss.value(loss.optimum())
    falls = (loss.value(x) - loss.value(step.x)) / gaps
    grams = basis.swapaxes(-1, -2) @ basis
    last = spans[..., 3:]
    inside = basis @ (basis.swapaxes(-1, -2) @ last)
    search_share, slack = searched(run, 2 - missing, random, steps)
    return {
        "basis_error": max(
            absolute(grams, np.broadcast_to(np.eye(basis.shape[-1]), grams.shape)),
            relative(inside, last),
        ),
        "minimum_error": absolute(falls, span_falls(b, g, spans) / gaps),
        "gram_error": relative(short.x - x, gram_steps(b, g, 2) / 1.7),
        "least_advantage": float((falls - polynomial_falls(run, b, g, 3) / gaps).min()),
        "search_share": search_share,
        "decrease_slack": slack,
    }


def search_errors(run: Run, halved: bool, promise: float) -> tuple[float, float]:
    """Return how far M and x⁺, and the decrease, lie from a search with the Gram system."""
    a = run.rng.standard_normal((60, 8)) * np.geomspace(1, 0.03, 8)
    loss = Logistic(a, np.where(run.rng.random(60) < 0.5, 1.0, -1.0))
    b = a.T @ a / 60
    x, m = run.rng.standard_normal((2, 8)), np.array([0.013, 7.3]) * L
    g = loss.gradient(x)
    basis = krylov_basis(times(b), g, 2)
    found = searched_step(loss.value, times(b), x, g, basis, m)
    for i, whole in enumerate(gram_steps(b, g, 2)):
        m[i] = m[i] / 2 if halved else m[i]
        while loss.value(x[i] + whole / m[i]) > loss.value(x[i]) + promise * (g[i] @ whole) / m[i]:
            m[i] *= 2
    moved = x + gram_steps(b, g, 2) / m[:, None]
    decrease = -(gram_steps(b, g, 2) * g).sum(axis=-1) / (2 * m)
    return (
        max(relative(found.m, m), relative(found.x - x, moved - x)),
        relative(found.decrease, decrease),
    )


def small_space_errors(run: Run) -> tuple[float, float]:
    """Return how far steps end from the minimum 0, from two eigenvectors and from 0 itself."""
    b = 1000 * rotated(run, np.geomspace(1, 20, 8))
    product, vectors = times(b), np.linalg.eigh(b)[1]
    x = np.stack([vectors[:, 2] - 0.7 * vectors[:, 5], np.zeros(8)])
    basis = krylov_basis(product, x @ b, 3)
    step = subspace_step(product, x, x @ b, basis, np.ones(2))
    loss, zero = Quadratic(b, np.zeros(8)), np.zeros(8)
    searched = searched_step(loss.value, product, zero, zero, basis[1], np.array(0.7))
    ends = np.abs((basis != 0).any(axis=-2).sum(axis=-1) - (2, 0)).max()
    return float(np.abs(step.x[0]).max() + ends), float(np.abs(searched.x).max())


def stiff_basis_error(run: Run) -> float:
    """Return the largest entry of QᵀQ − I, for g beside the leading eigenvector."""
    b = rotated(run, np.geomspace(1, 100, 8))
    g = np.linalg.eigh(b)[1][:, -1] + 1e-6 * run.rng.standard_normal(8)
    basis = krylov_basis(times(b), g, 3)
    return absolute(basis.T @ basis, np.eye(4))


def float32_error(run: Run) -> float:
    """Return how far two matrices at once in float32 lie from single ones in float64."""
    exact = np.stack([rotated(run, run.rng.uniform(1, 5, 6)) / 20 for _ in range(2)])
    g = run.rng.standard_normal((2, 6))
    b, g32 = exact.astype(np.float32), g.astype(np.float32)
    one = np.ones(2, np.float32)
    basis = krylov_basis(times(b), g32, 2)
    found = (
        symmetric_preconditioners(b, 3).swapaxes(0, 1),
        elementary(power_traces(b, 3)),
        basis,
        subspace_step(times(b), g32, g32, basis, one).x,
    )
    if any(part.dtype != np.float32 for part in found):
        return float("inf")
    errors = []
    for i, (matrix, each) in enumerate(zip(exact, g, strict=True)):
        single = krylov_basis(times(matrix), each, 2)
        wanted = (
            symmetric_preconditioners(matrix, 3),
            elementary(power_traces(matrix, 3)),
            single,
            subspace_step(times(matrix), each, each, single, np.ones(())).x,
        )
        errors += [largest(part[i], value) for part, value in zip(found, wanted, strict=True)]
    return max(errors)


def krylov_gaps(
    run: Run, loss: Logistic, b: Array, p: Array, tau: int, search: str, steps: int
) -> tuple[Array, float]:
    """Return f(x_k)/f(x_0) of the search in subspaces, and how many values of f a step took.

    `search`: "krylov"; "random", the Krylov space of a random vector; "fixed", the span of P g.
    """
    product, calls = times(b), 0

    def value(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return loss.value(x)

    x, m = np.zeros(len(b)), np.array(L)
    gaps = [loss.value(x)]
    for _ in range(steps):
        g = loss.gradient(x)
        krylov = krylov_space(run, product, g, tau, search == "random")
        basis = (p @ g)[:, None] if search == "fixed" else krylov
        step = searched_step(value, product, x, g, basis, m)
        x, m = step.x, step.m
        gaps.append(loss.value(x))
    return np.array(gaps) / gaps[0], calls / steps
