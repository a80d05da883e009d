"""Small models with NumPy's Gauss–Newton beside them: linear ones, and sines of linear ones.

All fields take θ (p,) and a point's features x (p,).
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

from .flows import Vector


def linear(theta: Array, x: Array) -> Array:
    """Return û = x·θ."""
    return x @ theta


def linear_rate(m: Array, theta: Array, x: Array) -> Array:
    """Return L û = x·Mθ."""
    return x @ (m @ theta)


class SineProblem(NamedTuple):
    """Features x (n, p), θ (p,) and a time step Δt for `sine`."""

    x: Vector
    theta: Vector
    dt: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "SineProblem":
        """Draw 40 points for 16 parameters."""
        return cls(rng.standard_normal((40, 16)) / 2, 0.3 * rng.standard_normal(16), 0.3)


def sine(theta: Array, x: Array) -> Array:
    """Return û = sin x·θ."""
    return jnp.sin(x @ theta)


def sine_rate(theta: Array, x: Array) -> Array:
    """Return L û = cos 3 x·θ, which no change of θ gives to all points."""
    return jnp.cos(3 * (x @ theta))


def sine_values(theta: Vector, x: Vector) -> tuple[Vector, Vector]:
    """Return û and L û of `sine` at points (n, p)."""
    z = x @ theta
    return np.sin(z), np.cos(3 * z)


def sine_iteration(
    theta: Vector, x: Vector, target: Vector, moving: npt.NDArray[np.intp] | slice = slice(None)
) -> Vector:
    """Return θ after one iteration of Gauss–Newton on `sine`, that moves some entries of it."""
    z = x @ theta
    columns = (np.cos(z)[:, None] * x)[:, moving]
    after = theta.copy()
    after[moving] += np.linalg.lstsq(columns, target - np.sin(z), rcond=None)[0]
    return after
