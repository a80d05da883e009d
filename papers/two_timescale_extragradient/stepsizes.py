"""Spectral radii of steps, and the smallest step size that contracts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from common.errors import absolute, relative
from common.stability import crossing

from .method import (
    Array,
    extragradient_factor,
    extragradient_step,
    flow_is_stable,
    gradient_factor,
    gradient_step,
    timescales,
)

STEPS = {"eg": extragradient_step, "gda": gradient_step}
FACTORS = {"eg": extragradient_factor, "gda": gradient_factor}


def radius(name: str, lam: Array, eta: Any) -> Array:
    """Return the spectral radius of a step, from eigenvalues (..., n) and η, shape (...)."""
    return np.asarray(np.abs(FACTORS[name](lam, np.asarray(eta)[..., None])).max(axis=-1))


def thresholds(name: str, lam: Array) -> Array:
    """Return the smallest η that contracts for eigenvalues (points, n), 0 if none up to 10 does."""
    grid = np.geomspace(1e-3, 10, 400)
    stable = radius(name, lam[:, None], np.broadcast_to(grid, (len(lam), 400))) < 1
    first = stable.argmax(axis=1)
    below = np.where(first > 0, grid[first - 1], 0.0)
    found = crossing(lambda eta: radius(name, lam, eta) >= 1, below, grid[first])
    return np.where(stable.any(axis=1), found, 0.0)


def gda_least_radius(lam: Array) -> float:
    """Return the least spectral radius of gradient descent ascent over points and step sizes."""
    grid = np.geomspace(1e-3, 10, 50)
    return float(radius("gda", lam[:, None], np.broadcast_to(grid, (len(lam), 50))).min())


def cubic_root(cosine: float) -> float:
    """Return the least r > 0 with |1 − z + z²| = 1, z = r exp(iθ); 0 if there is none."""
    roots = np.roots([1, -2 * cosine, 4 * cosine**2 - 1, -2 * cosine])
    real = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 1e-9)]
    return float(real.min(initial=np.inf)) if real.size else 0.0


def boundary(name: str) -> dict[str, float]:
    """Return errors of where |factor| = 1, in units of 1/η at η = 0.7, by bisection."""
    eta, factor = 0.7, FACTORS[name]

    def contracts(z: Array) -> Array:
        return np.asarray(np.abs(factor(z / eta, eta)) < 1)

    def reach(angles: Array) -> Array:
        ray = np.exp(1j * angles)
        return crossing(lambda r: contracts(r * ray), np.full(len(angles), 1e-3), 3.0)

    def left(inside: Callable[[Array], Array], y: float) -> float:
        return float(crossing(lambda x: inside(x + 1j * y), 0.0, -y))

    angles = np.array([0.13, 0.4, 0.77, 1.01, 1.3, 1.5, -0.6, -1.2, -1.45])
    roots = [cubic_root(k) for k in np.cos(angles)]
    disc = left(lambda z: flow_is_stable(z / eta, eta / 2), 0.05)
    at_zero = float(flow_is_stable(np.array(0j), eta / 2))
    return {
        "axis_error": absolute(reach(np.array([np.pi / 2, -np.pi / 2, 0.0])), np.ones(3)),
        "ray_error": absolute(reach(angles), roots),
        "power_error": power_error(name),
        "disc_gap": abs(left(contracts, 0.05) / disc - 1),
        "flow_error": max(absolute(disc, np.sqrt(1 - 0.05**2) - 1), at_zero),
        "fourth_order": (2 * left(contracts, 0.01) / 0.01**2 + 1) / 0.01**2,
    }


def power_error(name: str) -> float:
    """Return by how much five steps on R² are not powers of a factor; F turns by 0.9, times 1.3.

    `name`: whose factor is to belong to τ-EG.
    """
    size, turn, etas = 1.3, 0.9, np.array([0.2, 0.5, 1.1])[:, None]
    cos, sin = size * np.cos(turn), size * np.sin(turn)
    rotation = np.array([[cos, sin], [-sin, cos]])
    z = {method: np.full((3, 2), [0.6, -0.8]) for method in STEPS}
    for method, step in STEPS.items():
        for _ in range(5):
            z[method] = step(lambda p: p @ rotation, z[method], etas, timescales(1.0, 1, 1))
    lam = np.array(size * np.exp(1j * turn))
    expected = {
        "eg": FACTORS[name](lam, etas[:, 0]),
        "gda": gradient_factor(lam, etas[:, 0]),
    }
    ratios = {k: (points @ [1, 1j]) / (0.6 - 0.8j) for k, points in z.items()}
    return max(relative(ratios[k], expected[k] ** 5) for k in STEPS)
