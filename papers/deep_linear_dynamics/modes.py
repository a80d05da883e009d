"""Gradient descent of linear networks, and the strengths of their modes on the way."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from scipy.integrate import solve_ivp

from .method import (
    Array,
    decoupled,
    flow,
    hyperbola_time,
    orthogonal,
    two_layer_time,
    unequal_time,
)


def descent(
    weights: Sequence[Array], sigma31: Array, sigma11: Array, rate: float
) -> Iterator[Array]:
    """Yield the end-to-end map before each step of gradient descent, without end."""
    while True:
        rates, total = flow(weights, sigma31, sigma11)
        yield total
        weights = [w + rate * dw for w, dw in zip(weights, rates, strict=True)]


def deep_modes(
    rng: np.random.Generator,
    depth: int,
    s: Array,
    u0: float,
    spread: float,
    learnt: float,
    rate: float,
    most: int,
) -> Array:
    """Return UᵀW V before each step until all three modes are learnt: (steps, 3, 3).

    Inputs, hidden layers and outputs have 4, 5 and 3 units, and layers by turns `spread` times the
    equal strength and its inverse.
    """
    bases = [orthogonal(rng, size, 3) for size in (4, *[5] * (depth - 1), 3)]
    u, v = bases[-1], bases[0]
    turns = [spread ** (1 if layer % 2 else -1) for layer in range(depth)]
    weights = decoupled(bases, [np.full(3, u0 ** (1 / depth) * turn) for turn in turns])
    maps = []
    for total in islice(descent(weights, (u * s) @ v.T, np.eye(4), rate), most):
        maps.append(u.T @ total @ v)
        if (np.diag(maps[-1]) >= learnt * s).all():
            break
    return np.array(maps)


def first_crossings(paths: Array, level: float) -> Array:
    """Return at which step each column first reaches `level`, linear in between; inf if never."""
    above = paths >= level
    k = np.maximum(above.argmax(axis=0), 1)
    columns = np.arange(paths.shape[1])
    before, after = paths[k - 1, columns], paths[k, columns]
    at = k - (after - level) / np.where(after == before, 1, after - before)
    return np.where(above.any(axis=0), at, np.inf)


def off_diagonal(modes: Array) -> float:
    """Return the largest entry that is not on the diagonal, in absolute value."""
    return float(np.abs(modes - np.diag(np.diag(modes))).max())


def integrated(
    a: float, b: float, uf: float, s: float, tau: float, decay: float
) -> tuple[float, float]:
    """Return the drift of a² − b² along Eq. 8, relative, and the time until ab = u_f.

    The flow has weight decay besides; the time is inf where u_f is not reached within 100.
    """

    def arrived(_: float, y: Array) -> float:
        return float(y[0] * y[1] - uf)

    arrived.terminal = True  # type: ignore[attr-defined]

    def slope(_: float, y: Array) -> Array:
        rest = s - y[0] * y[1]
        return np.array([y[1] * rest - decay * y[0], y[0] * rest - decay * y[1]]) / tau

    path = solve_ivp(slope, (0, 100), [a, b], "DOP853", events=arrived, rtol=1e-12, atol=1e-14)
    drift = np.abs((path.y[0] ** 2 - path.y[1] ** 2) / (a**2 - b**2) - 1).max()
    return float(drift), float(path.t[-1]) if path.status == 1 else math.inf


def fastest(
    depths: Array, layers: Array, grid: Array, learnt: float, steps: int
) -> tuple[Array, Array, int]:
    """Return for each depth the fewest iterations, the rate that needs them, and ends of the grid.

    One mode with s = 1 and L equal layers. A rate counts with the iteration from which on u stays
    within 1 − `learnt` of s; of rates that need as many the geometric mean is the best.

    Args:
        depths: L.
        layers: strength of each layer at the start, for each L.
        grid: learning rates.
        learnt: share of s.
        steps: iterations of each descent; both are inf where no rate learns within them.
    """
    a = np.broadcast_to(layers[:, None], (len(depths), len(grid)))
    needed = np.zeros(a.shape)
    with np.errstate(over="ignore", invalid="ignore"):  # the largest rates blow up
        for step in range(steps):
            u = a ** depths[:, None]
            needed = np.where(np.abs(u - 1) <= 1 - learnt, needed, step + 1)
            a = a + grid * (1 - u) * a ** (depths[:, None] - 1)
    needed = np.where(needed < steps, needed, np.inf)
    fewest = needed.min(axis=1)
    tied = [np.flatnonzero(row == least) for row, least in zip(needed, fewest, strict=True)]
    best = np.array([np.exp(np.log(grid[i]).mean()) for i in tied])
    ends = sum(bool(i[0] == 0 or i[-1] == len(grid) - 1) for i in tied)
    return fewest, np.where(np.isfinite(fewest), best, np.inf), ends


def hyperbola_errors(learnt: float, factor: float, decay: float) -> dict[str, float]:
    """Compare the integrated flow with its conserved quantity and the times, at three settings.

    Args:
        learnt: share of s until which it is followed.
        factor: the printed time is for τ dθ/dt = factor · s − c₀ sinh θ and
            ab = (c₀ / factor) sinh θ.
        decay: weight decay of the flow.
    """
    drifts, errors, printed_errors, form_errors = [], [], [], []
    for a, b, s, tau in ((0.6, 0.1, 1.0, 1.0), (0.05, 0.4, 2.0, 2.0), (1.2, 0.2, 1.5, 0.5)):
        uf, c0 = learnt * s, abs(a**2 - b**2)
        drift, time = integrated(a, b, uf, s, tau, decay)
        drifts.append(drift)
        errors.append(abs(time / unequal_time(a, b, uf, s, tau) - 1))
        ends = [math.asinh(2 * u / c0) for u in (a * b, uf)]
        form_errors.append(abs(hyperbola_time(*ends, 2 * s, c0, tau) / time - 1))  # type: ignore[call-arg]
        theta0, thetaf = (math.asinh(factor * u / c0) for u in (a * b, uf))
        printed = hyperbola_time(theta0, thetaf, factor * s, c0, tau)
        printed_errors.append(abs(printed / time - 1))
    return {
        "drift": float(max(drifts)),
        "time_error": float(max(errors)),
        "form_error": float(max(form_errors)),
        "equal_error": abs(
            unequal_time(0.3, 0.3, 1.1, 1.7, 2.0) / two_layer_time(0.09, 1.1, 1.7, 2.0) - 1
        ),
        "printed_error": float(max(printed_errors)),
    }
