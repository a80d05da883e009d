"""Iterations on a quadratic, counted to a target, and gaps of logistic regression."""

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from claimbench import Run
from common.convex import Quadratic
from common.data import load
from common.linear_models import Logistic

from .method import (
    Array,
    Map,
    fast_start,
    fast_step,
    gradient_step,
    subspace_step,
)
from .polynomials import product_spectrum, rotated

State = TypeVar("State")
L = 0.25  # of the logistic loss, whose second derivatives are at most L AᵀA/m


def times(p: Array) -> Map:
    """Return v ↦ Pv, for P of shape (..., n, n) and v of shape (..., n)."""
    return lambda v: (p @ v[..., None])[..., 0]


def steps_to(
    advance: Callable[[State], State],
    gap: Callable[[State], float],
    state: State,
    limit: int,
    target: float = 1e-8,
) -> float:
    """Return the steps until the gap is `target` times that of the start.

    The last step counts by the share of it that the gap's logarithm takes; `limit` at most.
    """
    last = math.log(gap(state))
    goal = last + math.log(target)
    for k in range(limit):
        state = advance(state)
        now = math.log(max(gap(state), 1e-300))
        if now <= goal:
            return k + (last - goal) / (last - now)
        last = now
    return float(limit)


class OutlierQuadratic:
    """f = ½⟨x − x*, B(x − x*)⟩, eigenvalues 1000, 300, 100 and 197 from 1 to 2, x* = B⁻¹b.

    Attributes:
        lam: eigenvalues of B, falling.
        b: B.
        loss: f + const.
    """

    def __init__(self, run: Run) -> None:
        self.lam = np.concatenate([[1000, 300, 100], np.linspace(2, 1, 197)])
        self.b = rotated(run, self.lam)
        self.loss = Quadratic(self.b, run.rng.standard_normal(200))
        self.minimum = self.loss.optimum()
        self.start = np.zeros(200)

    def gap(self, x: Array) -> float:
        """Return f(x) − f*."""
        return float((x - self.minimum) @ self.loss.gradient(x)) / 2

    def gradient_steps(self, p: Array, limit: int) -> float:
        """Return the steps of the gradient method with P, M = λmax(PB)."""
        m, product = float(product_spectrum(self.b, p)[-1]), times(p)
        return steps_to(
            lambda x: gradient_step(x, self.loss.gradient(x), product, m),
            self.gap,
            self.start,
            limit,
        )

    def fast_steps(self, p: Array, limit: int) -> float:
        """Return the steps of the fast gradient method with P, for μ = L = 1."""
        values, product = product_spectrum(self.b, p), times(p)
        m, q = float(values[-1]), math.sqrt(max(values[0], 0.0) / values[-1])
        return steps_to(
            lambda state: fast_step(state, self.loss.gradient(state.y), product, m, q),
            lambda state: self.gap(state.x),
            fast_start(self.start),
            limit,
        )

    def subspace_steps(self, basis: Callable[[Array], Array], limit: int) -> float:
        """Return the steps of exact minimisation over the span of `basis` of the gradient."""
        product, one = times(self.b), np.ones(())

        def advance(x: Array) -> Array:
            g = self.loss.gradient(x)
            return subspace_step(product, x, g, basis(g), one).x

        return steps_to(advance, self.gap, self.start, limit)

    def conjugate_steps(self, limit: int) -> float:
        """Return those of conjugate gradients: the span is that of gradient and last step."""
        product, one = times(self.b), np.ones(())

        def advance(pair: tuple[Array, Array]) -> tuple[Array, Array]:
            x, last = pair
            g = self.loss.gradient(x)
            after = subspace_step(product, x, g, np.stack([g, last], axis=-1), one).x
            return after, after - x

        start = (self.start, np.zeros_like(self.start))
        return steps_to(advance, lambda pair: self.gap(pair[0]), start, limit)


def breast_cancer(run: Run) -> tuple[Logistic, Array]:
    """Return the loss of a random 80 % of the rows, raw columns, and B, a little regularised."""
    inputs, labels = load("breast_cancer")
    rows = run.rng.permutation(len(labels))[: len(labels) * 4 // 5]
    a = inputs[rows]
    b = a.T @ a / len(a)
    b = b + 1e-6 * np.trace(b) / len(b) * np.eye(len(b))
    return Logistic(a, np.where(labels[rows] == 1, 1.0, -1.0)), b


def logistic_gaps(loss: Logistic, b: Array, p: Array, steps: int) -> tuple[Array, Array]:
    """Return f(x_k)/f(x_0) of both methods, k = 0, …, steps, each of shape (steps + 1, arms).

    Args:
        loss: f ≥ 0 with infimum 0.
        b: B with f'' ≤ L B.
        p: preconditioners, shape (arms, n, n); M = λmax(PB) L.
        steps: gradients of each method.
    """
    m, product = product_spectrum(b, p)[:, -1:] * L, times(p)
    x = np.zeros(p.shape[:-1])
    fast, paths = fast_start(x), [np.stack([x, x])]
    for _ in range(steps):
        g, g_fast = loss.gradient(np.stack([x, fast.y]))
        x, fast = gradient_step(x, g, product, m), fast_step(fast, g_fast, product, m)
        paths.append(np.stack([x, fast.x]))
    gaps = np.array([loss.value(pair) for pair in paths]) / loss.value(x[0] * 0)
    return gaps[:, 0], gaps[:, 1]
