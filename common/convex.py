"""Convex losses with closed-form derivatives. Points have shape (..., p), values (...)."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

Array = npt.NDArray[np.floating[Any]]
Draws = npt.NDArray[np.integer[Any]] | int


class Smooth(Protocol):
    """A loss with two derivatives."""

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""

    def gradient(self, w: Array) -> Array:
        """Return ∇f, shape (..., p)."""

    def hessian(self, w: Array) -> Array:
        """Return ∇²f, shape (..., p, p)."""


def newton(loss: Smooth, start: Array, *, tolerance: float = 1e-12, steps: int = 100) -> Array:
    """Return the minimum of a strictly convex loss, by Newton's method with backtracking.

    Args:
        loss: f.
        start: one point, shape (p,).
        tolerance: on √(∇fᵀ (∇²f)⁻¹ ∇f) over √(1 + |f|), below which two full steps end it.
        steps: at most.

    Raises:
        RuntimeError: they were not enough, as where there is no minimum.
    """
    w = np.array(start, dtype=float)
    for _ in range(steps):
        value, g = loss.value(w), loss.gradient(w)
        direction = np.linalg.solve(loss.hessian(w), g)
        decrement = float(g @ direction)
        if decrement <= tolerance**2 * (1 + abs(float(value))):
            return np.asarray(w - direction)
        size = 1.0
        # near the minimum the values no longer differ, and whole steps are right
        while size > 1e-10 and not (
            loss.value(w - size * direction) <= value - size * decrement / 4 + 1e-14 * abs(value)
        ):
            size /= 2
        w = w - size * direction
    raise RuntimeError(f"newton: no minimum in {steps} steps; is the loss strictly convex?")


@dataclass(frozen=True)
class Quadratic:
    """f = ½ wᵀ A w − bᵀ w, A symmetric.

    Attributes:
        a: A, shape (p, p).
        b: shape (p,).
    """

    a: Array
    b: Array

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        return np.asarray(((w @ self.a) * w).sum(axis=-1) / 2 - w @ self.b)

    def gradient(self, w: Array) -> Array:
        """Return A w − b."""
        return w @ self.a - self.b

    def hessian(self, w: Array) -> Array:
        """Return A for each point."""
        return np.broadcast_to(self.a, (*w.shape[:-1], *self.a.shape))

    def optimum(self) -> Array:
        """Return A⁻¹ b."""
        return np.linalg.solve(self.a, self.b)


@dataclass(frozen=True)
class Coordinates:
    """f = ½ Σ λᵢ wᵢ², whose row i is d ∂ᵢf eᵢ: one of d coordinates, drawn uniformly.

    E‖row‖² = d ‖∇f‖² everywhere: the strong growth constant is d.

    Attributes:
        eigenvalues: λ, shape (d,).
    """

    eigenvalues: Array

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        return np.asarray(w**2 @ self.eigenvalues / 2)

    def gradient(self, w: Array) -> Array:
        """Return λ w."""
        return self.eigenvalues * w

    def row_gradient(self, w: Array, row: Draws) -> Array:
        """Return the stochastic gradient of coordinates `row`, shape (...), one a point."""
        count = len(self.eigenvalues)
        hit = np.arange(count) == np.asarray(row)[..., None]
        return np.where(hit, count * self.gradient(w), 0.0)


@dataclass(frozen=True)
class LogSumExp:
    """f = μ log Σ exp((aᵢᵀ w − bᵢ) / μ), a smooth maximum.

    Attributes:
        a: A, shape (n, p).
        b: shape (n,).
        mu: μ > 0; f is within μ log n above the maximum.
    """

    a: Array
    b: Array
    mu: float

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        return np.asarray(self.mu * logsumexp(self._scaled(w), axis=-1))

    def gradient(self, w: Array) -> Array:
        """Return Aᵀ π, π the softmax, shape (..., p)."""
        return self._shares(w) @ self.a

    def hessian(self, w: Array) -> Array:
        """Return Aᵀ (diag π − π πᵀ) A / μ, shape (..., p, p)."""
        shares = self._shares(w)
        mean = shares @ self.a
        square = (self.a.T * shares[..., None, :]) @ self.a
        return (square - mean[..., :, None] * mean[..., None, :]) / self.mu

    def optimum(self) -> Array:
        """Return the minimum from zero by Newton's method; see `newton`."""
        return newton(self, np.zeros(self.a.shape[1]))

    def _scaled(self, w: Array) -> Array:
        return (w @ self.a.T - self.b) / self.mu

    def _shares(self, w: Array) -> Array:
        return np.asarray(softmax(self._scaled(w), axis=-1))
