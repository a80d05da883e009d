"""Losses with stochastic gradients whose strong growth constant ρ is known exactly."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from common.data import load

from .method import Array, row_growth

Draws = npt.NDArray[np.integer[Any]]


class Problem(Protocol):
    """A quadratic loss with minimum 0. Points have shape (..., p), draws the shape (...)."""

    @property
    def largest(self) -> float:
        """L, the largest eigenvalue of the Hessian."""

    @property
    def smallest(self) -> float:
        """μ, the smallest one that is not zero."""

    @property
    def rho(self) -> float:
        """ρ, the least constant with E‖g‖² ≤ ρ ‖∇f‖² everywhere."""

    @property
    def largest_draw(self) -> float:
        """Lmax, the largest smoothness constant of a single draw's loss."""

    @property
    def draws(self) -> int:
        """How many equally likely stochastic gradients there are."""

    @property
    def start(self) -> Array:
        """w₀, shape (p,)."""

    def loss(self, w: Array) -> Array:
        """Return f(w)."""

    def gradient(self, w: Array) -> Array:
        """Return ∇f(w)."""

    def stochastic(self, w: Array, draw: Draws) -> Array:
        """Return g(w, z)."""


@dataclass(frozen=True)
class Coordinates:
    """f = ½ Σ λᵢ wᵢ² with g = d ∂ᵢf eᵢ, i uniform among d coordinates: ρ = d.

    Attributes:
        eigenvalues: λ, shape (d,).
    """

    eigenvalues: Array

    @property
    def largest(self) -> float:
        return float(self.eigenvalues.max())

    @property
    def smallest(self) -> float:
        return float(self.eigenvalues.min())

    @property
    def rho(self) -> float:
        return float(self.draws)

    @property
    def largest_draw(self) -> float:
        return self.draws * self.largest

    @property
    def draws(self) -> int:
        return len(self.eigenvalues)

    @property
    def start(self) -> Array:
        return np.ones(self.draws)

    def loss(self, w: Array) -> Array:
        return w**2 @ self.eigenvalues / 2

    def gradient(self, w: Array) -> Array:
        return self.eigenvalues * w

    def stochastic(self, w: Array, draw: Draws) -> Array:
        hit = np.arange(self.draws) == np.asarray(draw)[..., None]
        return np.where(hit, self.draws * self.gradient(w), 0.0)


@dataclass(frozen=True)
class Rows:
    """f = 1/(2n) ‖Aw − b‖² with A of rank n, and g = aᵢ (aᵢᵀw − bᵢ), i uniform among n rows.

    Attributes:
        a: A, shape (n, p).
        b: shape (n,).
        largest: L.
        smallest: μ on the span of the rows, which no iterate leaves.
        rho: ρ.
    """

    a: Array
    b: Array
    largest: float
    smallest: float
    rho: float

    @classmethod
    def of(cls, a: Array, b: Array) -> "Rows":
        """Return the problem with its constants."""
        eigenvalues = np.linalg.eigvalsh(a @ a.T / len(a))
        return cls(a, b, float(eigenvalues[-1]), float(eigenvalues[0]), row_growth(a))

    @property
    def largest_draw(self) -> float:
        return float((self.a**2).sum(axis=1).max())

    @property
    def draws(self) -> int:
        return len(self.b)

    @property
    def start(self) -> Array:
        return np.zeros(self.a.shape[1])

    def loss(self, w: Array) -> Array:
        return ((w @ self.a.T - self.b) ** 2).mean(axis=-1) / 2

    def gradient(self, w: Array) -> Array:
        return (w @ self.a.T - self.b) @ self.a / self.draws

    def stochastic(self, w: Array, draw: Draws) -> Array:
        row = self.a[draw]
        return ((row * w).sum(axis=-1) - self.b[draw])[..., None] * row


class FullBatch(Rows):
    """The same loss where every draw is the full gradient: ρ = 1 and Lmax = L."""

    @property
    def largest_draw(self) -> float:
        return self.largest

    def stochastic(self, w: Array, draw: Draws) -> Array:
        return self.gradient(w)


def gaussian_rows(rng: np.random.Generator, samples: int = 20, dimension: int = 40) -> Rows:
    """Draw least squares whose rows have lengths that differ by up to a factor of ten."""
    a = rng.standard_normal((samples, dimension)) * 10 ** rng.uniform(0, 1, (samples, 1))
    return Rows.of(a, a @ rng.standard_normal(dimension))


def digits_rows(rng: np.random.Generator, samples: int = 60, features: int = 200) -> Rows:
    """Draw least squares over digits: is the digit 5 or more, ±1, from pixels and random features.

    Images are centred and scaled to length 8; the features are those 64 numbers and relu(xW/8) with
    standard normal W; then every row has length 1.
    """
    images, labels = load("digits")
    x = images - images.mean(axis=0)
    chosen = rng.choice(len(x), samples, replace=False)
    x = x[chosen]
    x = 8 * x / np.linalg.norm(x, axis=1, keepdims=True)
    a = np.hstack([x, np.maximum(x @ rng.standard_normal((64, features)) / 8, 0)])
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    return Rows.of(a, np.where(labels[chosen] >= 5, 1.0, -1.0))
