"""Losses with stochastic gradients whose strong growth constant ρ is known exactly."""

from functools import cached_property
from typing import Protocol

import numpy as np

from common import convex
from common.convex import Draws
from common.data import load
from common.linear_models import Squares

from .method import Array, row_growth


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

    def value(self, w: Array) -> Array:
        """Return f(w)."""

    def gradient(self, w: Array) -> Array:
        """Return ∇f(w)."""

    def row_gradient(self, w: Array, row: Draws) -> Array:
        """Return g(w, z)."""


class Coordinates(convex.Coordinates):
    """f = ½ Σ λᵢ wᵢ² with g = d ∂ᵢf eᵢ, i uniform among d coordinates: ρ = d."""

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


class Rows(Squares):
    """f = 1/(2n) ‖Aw − b‖² with A of rank n, and g = aᵢ (aᵢᵀw − bᵢ), i uniform among n rows."""

    @cached_property
    def _eigenvalues(self) -> Array:
        values: Array = np.linalg.eigvalsh(self.a @ self.a.T / len(self.a))
        return values

    @property
    def largest(self) -> float:
        return float(self._eigenvalues[-1])

    @property
    def smallest(self) -> float:
        """μ on the span of the rows, which no iterate leaves."""
        return float(self._eigenvalues[0])

    @cached_property
    def rho(self) -> float:
        return row_growth(self.a)

    @cached_property
    def largest_draw(self) -> float:
        return self.row_smoothness()

    @property
    def draws(self) -> int:
        return len(self.b)

    @property
    def start(self) -> Array:
        return np.zeros(self.a.shape[1])


class FullBatch(Rows):
    """The same loss where every draw is the full gradient: ρ = 1 and Lmax = L."""

    @cached_property
    def rho(self) -> float:
        return 1.0

    @cached_property
    def largest_draw(self) -> float:
        return self.largest

    def row_gradient(self, w: Array, row: Draws) -> Array:
        """Return ∇f, whatever the row."""
        return self.gradient(w)


def gaussian_rows(rng: np.random.Generator, samples: int = 20, dimension: int = 40) -> Rows:
    """Draw least squares whose rows have lengths that differ by up to a factor of ten."""
    a = rng.standard_normal((samples, dimension)) * 10 ** rng.uniform(0, 1, (samples, 1))
    return Rows(a, a @ rng.standard_normal(dimension))


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
    return Rows(a, np.where(labels[chosen] >= 5, 1.0, -1.0))
