"""Saddle functions with a stationary point at 0, and random points with a degenerate f_yy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import ortho_group

from common.stability import crossing

from .method import Array, Point


@dataclass(frozen=True)
class Blocks:
    """f = Σ aᵢ x̂ᵢ²/2 + cᵢ x̂ᵢŷᵢ + bᵢ ŷᵢ²/2 + (x̂ᵢ⁴ − ŷᵢ⁴)/4 with x̂ = Qx and ŷ = Ry.

    Attributes:
        a, b, c: a number a block, shape (n,).
        q, r: Q and R, rotations, shape (n, n).
    """

    a: Array
    b: Array
    c: Array
    q: Array
    r: Array

    def field(self, z: Array) -> Array:
        """Return F = (∇ₓf, −∇ᵧf) at points (x, y), shape (..., 2n)."""
        n = len(self.a)
        x, y = z[..., :n] @ self.q.T, z[..., n:] @ self.r.T
        in_x = self.a * x + self.c * y + x * x * x
        in_y = self.c * x + self.b * y - y * y * y
        return np.concatenate([in_x @ self.q, -in_y @ self.r], axis=-1)

    def point(self) -> Point:
        """Return the second derivatives at 0."""
        a, b = (m.T @ (d[:, None] * m) for m, d in ((self.q, self.a), (self.r, self.b)))
        return Point(a, b, self.q.T @ (self.c[:, None] * self.r))


def blocks(rows: Sequence[tuple[float, float, float]], rng: np.random.Generator | None) -> Blocks:
    """Return blocks with (a, b, c) as given, randomly rotated; as they are without a generator."""
    a, b, c = np.array(rows, dtype=float).T
    if rng is None:
        return Blocks(a, b, c, np.eye(len(rows)), np.eye(len(rows)))
    return Blocks(a, b, c, *ortho_group.rvs(len(rows), size=2, random_state=rng))


def sphere(rng: np.random.Generator, count: int, size: int, radius: float) -> Array:
    """Return random points of norm `radius`, shape (count, size)."""
    z = rng.standard_normal((count, size))
    return np.asarray(radius * z / np.linalg.norm(z, axis=-1, keepdims=True))


def degenerate_point(rng: np.random.Generator, least: float, largest: float) -> Point:
    """Return a random point on R⁵ × R⁵ whose B ≤ 0 has rank two, and whose S_res is positive.

    −B has nonzero eigenvalues between `least` and `largest`; C is Gaussian, and S is too, but for
    the two eigenvalues of S_res, which are between 0.5 and 2.
    """
    basis = ortho_group.rvs(5, random_state=rng)
    values = rng.uniform(least, largest, 2)
    b = -(basis[:, :2] * values) @ basis[:, :2].T
    c = rng.standard_normal((5, 5))
    left = np.linalg.qr(c @ basis[:, 2:], mode="complete")[0]  # the last two are U
    s = rng.standard_normal((5, 5))
    s = (s + s.T) / 2
    turn = ortho_group.rvs(2, random_state=rng)
    s[3:, 3:] = (turn * rng.uniform(0.5, 2, 2)) @ turn.T
    into_range = c @ basis[:, :2]
    return Point(left @ s @ left.T - (into_range / values) @ into_range.T, b, c)


def inner_maximum(g: Array, b: Array, radius: float) -> Array:
    """Return the maximum of gᵀy + yᵀBy/2 over ‖y‖ ≤ radius, for B ≤ 0.

    It is the minimum over m ≥ 0 of its dual, Σ gᵢ²/(2(m − bᵢ)) + m radius²/2 in B's eigenbasis,
    whose derivative is bisected in log m.

    Args:
        g: shape (..., k, n).
        b: B, shape (..., n, n).
        radius: of the ball.

    Returns:
        Maxima, shape (..., k).
    """
    values, vectors = np.linalg.eigh(b)
    squares = (g @ vectors) ** 2
    beta = np.minimum(values, 0)[..., None, :]

    def rises(log_m: Array) -> Array:
        m = np.exp(log_m)[..., None]
        return np.asarray((squares / (m - beta) ** 2).sum(axis=-1) > radius**2)

    m = np.exp(crossing(rises, np.full(g.shape[:-1], -80.0), 20.0, iterations=50))[..., None]
    return np.asarray((squares / (m - beta)).sum(axis=-1) / 2 + m[..., 0] * radius**2 / 2)


def no_descent(quadratics: Point, edge: Array) -> Array:
    """Tell where max f(x, y) over ‖y‖ ≤ √‖x‖ is never negative, for ‖x‖ = 1e-4 and 1e-6.

    Args:
        quadratics: many on R² × R² with B ≤ 0, each array with a leading axis.
        edge: directions of x beside 64 around the circle, with both signs, shape (points, k, 2).
    """
    turns = 2 * np.pi * np.arange(64) / 64
    grid = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    x = np.concatenate([np.broadcast_to(grid, (len(edge), 64, 2)), edge, -edge], axis=1)
    own = ((x @ quadratics.a) * x).sum(axis=-1) / 2
    maxima = [
        delta**2 * own + inner_maximum(delta * x @ quadratics.c, quadratics.b, delta**0.5)
        for delta in (1e-4, 1e-6)
    ]
    return np.asarray((np.array(maxima) >= 0).all(axis=(0, 2)))
