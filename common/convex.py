"""Convex losses with closed-form derivatives. Points have shape (..., p), values (...)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

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
class Rows(ABC):
    """f = mean of φ(aᵢᵀ w; bᵢ) over n rows + ½ ridge ‖w‖²; subclasses give φ and its derivatives.

    Attributes:
        a: A, shape (n, p).
        b: shape (n,).
        ridge: 0 or more.
    """

    a: Array
    b: Array
    ridge: float = 0.0

    bend = 1.0
    """The largest second derivative of φ in z."""

    @abstractmethod
    def phi(self, z: Array, b: Array) -> Array:
        """Return φ(z; b)."""

    @abstractmethod
    def slope(self, z: Array, b: Array) -> Array:
        """Return its derivative in z."""

    @abstractmethod
    def curvature(self, z: Array, b: Array) -> Array:
        """Return its second derivative in z."""

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        ridge = self.ridge / 2 * (w**2).sum(axis=-1)
        return np.asarray(self.phi(w @ self.a.T, self.b).mean(axis=-1) + ridge)

    def gradient(self, w: Array) -> Array:
        """Return ∇f, shape (..., p)."""
        slopes = self.slope(w @ self.a.T, self.b)
        return np.asarray(slopes @ self.a / len(self.b) + self.ridge * w)

    def row_gradient(self, w: Array, row: Draws) -> Array:
        """Return the gradients of rows `row`, shape (...), one a point, each with the whole ridge.

        Their mean over all rows is ∇f.
        """
        a = self.a[row]
        slopes = self.slope((a * w).sum(axis=-1), self.b[row])[..., None]
        return np.asarray(slopes * a + self.ridge * w)

    def row_gradients(self, w: Array) -> Array:
        """Return the gradients of all rows, shape (..., n, p)."""
        slopes = self.slope(w @ self.a.T, self.b)
        return slopes[..., None] * self.a + self.ridge * w[..., None, :]

    def hessian(self, w: Array) -> Array:
        """Return ∇²f, shape (..., p, p)."""
        weights = self.curvature(w @ self.a.T, self.b)[..., None, :] / len(self.b)
        return (self.a.T * weights) @ self.a + self.ridge * np.eye(self.a.shape[1])

    def smoothness(self) -> float:
        """Return an L: `bend` times the largest eigenvalue of AᵀA/n, plus the ridge."""
        top = np.linalg.norm(self.a, 2) ** 2 / len(self.b)
        return float(self.bend * top + self.ridge)

    def row_smoothness(self) -> float:
        """Return the largest L of a single row's loss."""
        return float(self.bend * (self.a**2).sum(axis=1).max() + self.ridge)

    def optimum(self) -> Array:
        """Return the minimum, shape (p,), from zero by Newton's method.

        Raises:
            RuntimeError: as in `newton`.
        """
        return newton(self, np.zeros(self.a.shape[1]))


@dataclass(frozen=True)
class Squares(Rows):
    """φ(z; b) = ½ (z − b)²."""

    def phi(self, z: Array, b: Array) -> Array:
        """Return φ."""
        return (z - b) ** 2 / 2

    def slope(self, z: Array, b: Array) -> Array:
        """Return z − b."""
        return z - b

    def curvature(self, z: Array, b: Array) -> Array:
        """Return 1."""
        return np.ones_like(z)

    def optimum(self) -> Array:
        """Return the minimum, without a ridge that of least norm."""
        root = np.sqrt(self.ridge * len(self.b))
        a = np.vstack([self.a, root * np.eye(self.a.shape[1])]) if self.ridge else self.a
        b = np.concatenate([self.b, np.zeros(len(a) - len(self.b))])
        found: Array = np.linalg.lstsq(a, b, rcond=None)[0]
        return found


@dataclass(frozen=True)
class Logistic(Rows):
    """φ(z; b) = log(1 + exp(−b z)), b = ±1."""

    bend = 0.25

    def phi(self, z: Array, b: Array) -> Array:
        """Return φ."""
        return np.logaddexp(0, -b * z)

    def slope(self, z: Array, b: Array) -> Array:
        """Return −b / (1 + exp(b z))."""
        return -b * _sigmoid(-b * z)

    def curvature(self, z: Array, b: Array) -> Array:
        """Return s (1 − s), s = 1 / (1 + exp(−z))."""
        return _sigmoid(z) * _sigmoid(-z)


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
        z = self._scaled(w)
        top = z.max(axis=-1, keepdims=True)
        return np.asarray(self.mu * (np.log(np.exp(z - top).sum(axis=-1)) + top[..., 0]))

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
        z = self._scaled(w)
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _sigmoid(z: Array) -> Array:
    return np.exp(-np.logaddexp(0, -z))
