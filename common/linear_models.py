"""Losses of linear models over rows of data. Points have shape (..., p), values (...)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp, softmax

from common.convex import Array, Draws, newton


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
        return np.asarray(-b * expit(-b * z))

    def curvature(self, z: Array, b: Array) -> Array:
        """Return s (1 − s), s = 1 / (1 + exp(−z))."""
        return np.asarray(expit(z) * expit(-z))


@dataclass(frozen=True)
class Softmax:
    """Mean cross-entropy in nats of k classes with scores W aᵢ, + ½ ridge ‖w‖²; w is W row by row.

    Attributes:
        a: A, shape (n, p).
        labels: 0 to k − 1, shape (n,).
        classes: k; points have shape (..., k p).
        ridge: positive for a unique minimum.
    """

    a: Array
    labels: npt.NDArray[np.integer[Any]]
    classes: int
    ridge: float = 0.0

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        z = self._scores(w)
        own = np.take_along_axis(z, self._index(z), axis=-1)[..., 0]
        return np.asarray(
            (logsumexp(z, axis=-1) - own).mean(axis=-1) + self.ridge / 2 * (w**2).sum(axis=-1)
        )

    def gradient(self, w: Array) -> Array:
        """Return ∇f, shape (..., k p)."""
        found = self._errors(w).swapaxes(-1, -2) @ self.a / len(self.a)
        return np.asarray(found.reshape(w.shape) + self.ridge * w)

    def row_gradients(self, w: Array) -> Array:
        """Return the gradients of all rows, shape (..., n, k p), each with the whole ridge."""
        found = self._errors(w)[..., :, None] * self.a[:, None, :]
        return found.reshape(*found.shape[:-2], -1) + self.ridge * w[..., None, :]

    def hessian(self, w: Array) -> Array:
        """Return ∇²f, shape (..., k p, k p)."""
        pi = softmax(self._scores(w), axis=-1)
        blocks = pi[..., :, None] * np.eye(self.classes) - pi[..., :, None] * pi[..., None, :]
        found = np.einsum("...ncd,np,nq->...cpdq", blocks, self.a, self.a, optimize=True)
        side = self.classes * self.a.shape[1]
        found = found.reshape(*w.shape[:-1], side, side) / len(self.a)
        return np.asarray(found + self.ridge * np.eye(side))

    def optimum(self) -> Array:
        """Return the minimum from zero by Newton's method; see `newton`."""
        return newton(self, np.zeros(self.classes * self.a.shape[1]))

    def _scores(self, w: Array) -> Array:
        matrices = w.reshape(*w.shape[:-1], self.classes, -1)
        return np.asarray(self.a @ matrices.swapaxes(-1, -2))

    def _index(self, z: Array) -> npt.NDArray[np.integer[Any]]:
        return np.broadcast_to(self.labels, z.shape[:-1])[..., None]

    def _errors(self, w: Array) -> Array:
        wanted = np.eye(self.classes)[self.labels]
        return np.asarray(softmax(self._scores(w), axis=-1) - wanted)
