"""Trajectories of two-timescale extragradient and of its rival, towards 0 and away from it."""

from collections.abc import Sequence

import numpy as np

from claimbench import Run

from .method import (
    Array,
    eigenvalues,
    extragradient_factor,
    extragradient_step,
    jacobian,
    timescales,
)
from .points import Blocks, sphere
from .stepsizes import STEPS, radius


def follow(
    run: Run, name: str, problem: Blocks, z: Array, eta: float | Array, tau: float, count: int
) -> Array:
    """Return the points after `count` steps; keep the median distance from 0 as a curve."""
    scales = timescales(tau, len(problem.a), len(problem.a))
    every = max(count // 50, 1)
    at, distances = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(count):
            if k % every == 0:
                at.append(k)
                distances.append(float(np.median(np.linalg.norm(z, axis=-1))))
            z = STEPS[name](problem.field, z, eta, scales)
    if np.isfinite(distances).all():
        label = "descent ascent at eight step sizes" if z.ndim > 2 else name
        run.curve(f"median distance, {label}", at, distances)
    return z


def race(
    run: Run, problem: Blocks, eta: float, tau: float, method: str, steps: int, starts: int
) -> dict[str, float]:
    """Return shares of starts that end within 0.001 of the point, with as many gradients each.

    The rival is gradient descent ascent with eight step sizes, of which the best counts.
    """
    z = sphere(run.rng, starts, 2 * len(problem.a), 0.1)
    rates = np.geomspace(0.01, 0.7, 8)[:, None, None]
    many = np.broadcast_to(z, (8, *z.shape))
    ours = follow(run, method, problem, z, eta, tau, steps if method == "eg" else 2 * steps)
    theirs = follow(run, "gda", problem, many, rates, tau, 2 * steps)
    arrived = np.linalg.norm(theirs, axis=-1) < 1e-3
    return {
        "eg_share": float((np.linalg.norm(ours, axis=-1) < 1e-3).mean()),
        "gda_share": float(arrived.mean(axis=-1).max()),
    }


def escape(run: Run, problem: Blocks, taus: Sequence[float], starts: int) -> dict[str, float]:
    """Return how τ-EG leaves 0 from starts at distance 1e-6, at the first τ and two step sizes.

    `time_ratio`: the median number of steps to distance 0.01, over that of the linearised step.
    """
    point, n = problem.point(), len(problem.a)
    etas = np.array([0.05, 0.2])
    lam, vectors = np.linalg.eig(jacobian(point, taus[0]))
    linear = (vectors * extragradient_factor(lam, etas[:, None])[:, None]) @ np.linalg.inv(vectors)
    z = np.broadcast_to(sphere(run.rng, starts, 2 * n, 1e-6), (2, starts, 2 * n))
    w, across = z, linear.real.mT
    inside = np.zeros((2, *z.shape[:2]))  # how many steps, of the method and of its linearisation
    count = round(120 / etas.min())
    near, scales = np.ones((2, *z.shape[:2]), dtype=bool), timescales(taus[0], n, n)
    for _ in range(count):
        z = extragradient_step(problem.field, z, etas[:, None, None], scales)
        w = w @ across
        near &= np.array([(z * z).sum(axis=-1), (w * w).sum(axis=-1)]) < 1e-4
        inside += near
        if not near.any():
            break
    ours, linearised = np.median(inside, axis=-1)
    radii = [radius("eg", eigenvalues(point, tau), eta) for tau in taus for eta in etas]
    return {
        "escape_share": float((inside[0] < count).mean()),
        "time_ratio": float(max(ours / linearised, key=lambda r: abs(r - 1))),
        "least_radius": float(min(radii)),
    }
