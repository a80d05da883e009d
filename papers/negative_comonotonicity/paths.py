"""Paths of extragradient and optimistic gradient over families of operators, and their bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimbench import Run
from common.fits import power

from .method import (
    Operator,
    Points,
    Squares,
    eg_average_bound,
    eg_last_bound,
    eg_potential,
    extragradient_step,
    og_average_bound,
    og_last_bound,
    og_potential,
    og_psi,
    optimistic_gradient_start,
    optimistic_gradient_step,
    square,
)
from .operators import Array, applied, class_error, matrices, rotations, starts, times

Family = tuple[Operator, Points]  # an operator for many points at once, and where they start


@dataclass(frozen=True)
class Path:
    """What the iterates went through, a row an iterate.

    Attributes:
        distance: ‖x_k‖², k = 0, …, N.
        residual: ‖F(x_k)‖².
        measure: what never increases: of extragradient ‖F(x_k)‖², of optimistic gradient
            ‖F(x_k)‖² + ‖F(x_k) − F(x̃_{k−1})‖², which begins with k = 1.
    """

    distance: Squares
    residual: Squares
    measure: Squares


@dataclass(frozen=True)
class Method:
    """A method with its guarantees; `first` is the first iterate that its potential speaks of."""

    follow: Callable[[Operator, Points, float, float, int], Path]
    average_bound: Callable[..., Any]
    last_bound: Callable[..., Any]
    potential: Callable[..., Squares]
    first: int


def follow_eg(f: Operator, x: Points, gamma1: float, gamma2: float, steps: int) -> Path:
    """Return extragradient's path."""
    distance, residual = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps + 1):
            distance.append(square(x))
            residual.append(square(f(x)))
            x = extragradient_step(f, x, gamma1, gamma2).after
    return Path(np.array(distance), np.array(residual), np.array(residual))


def follow_og(f: Operator, x0: Points, gamma1: float, gamma2: float, steps: int) -> Path:
    """Return optimistic gradient's path."""
    distance, residual, psi = [square(x0)], [square(f(x0))], []
    with np.errstate(over="ignore", invalid="ignore"):
        state = optimistic_gradient_start(f, x0, gamma2)
        for _ in range(steps):
            distance.append(square(state.x))
            residual.append(square(f(state.x)))
            psi.append(og_psi(state, f))
            state = optimistic_gradient_step(f, state, gamma1, gamma2)
    return Path(np.array(distance), np.array(residual), np.array(psi))


EXTRAGRADIENT = Method(follow_eg, eg_average_bound, eg_last_bound, eg_potential, 0)
OPTIMISTIC = Method(follow_og, og_average_bound, og_last_bound, og_potential, 1)


def families(
    run: Run, rho: float, scales: Array, turns: int, operators: int
) -> tuple[Points, tuple[Family, Family], float]:
    """Return rotations, both families with their starts, and how far they miss their class."""
    z = rotations(rho, scales, np.linspace(0, 1, turns))
    f = matrices(run, operators, rho)
    both = (
        (times(z), np.ones((len(z), 1), dtype=complex)),
        (applied(f), starts(run, operators)),
    )
    return z, both, max(class_error(f, rho, 1.0), class_error(z[:, None, None], rho, 1.0))


def averages(
    run: Run,
    method: Method,
    rho: float,
    gamma1: float,
    gamma2: float,
    operators: int,
    steps: int,
) -> dict[str, float]:
    """Return the worst mean ‖F(x_k)‖² over k ≤ N against its bound, for all N up to `steps`."""
    bound = method.average_bound(np.arange(steps + 1.0), gamma1, gamma2)
    _, both, error = families(run, rho, np.geomspace(0.02, 1, 60), 30, operators)
    means = []
    for operator, start in both:
        residual = method.follow(operator, start, gamma1, gamma2, steps).residual
        mean = np.cumsum(residual, axis=0) / np.arange(1, len(residual) + 1)[:, None]
        means.append(np.where(np.isfinite(mean), mean, np.inf).max(axis=1))
    run.curve("bound", range(len(bound)), bound)
    run.curve("worst rotation", range(len(bound)), means[0])
    return {
        "rotation_share": float((means[0] / bound).max()),
        "matrix_share": float((means[1] / bound).max()),
        "bound_30": float(bound[30]),
        "rotation_30": float(means[0][30]),
        "class_error": error,
    }


def last_iterates(
    run: Run,
    method: Method,
    rho: float,
    gamma: float,
    operators: int,
    scales: int,
    steps: int,
) -> tuple[dict[str, float], Points]:
    """Return how ‖F(x_N)‖² and the potential keep their bounds, and the rotations."""
    z, both, error = families(run, rho, np.geomspace(0.01, 1, scales), scales // 3, operators)
    bound = method.last_bound(np.arange(steps + 1.0), gamma, rho)
    shares, worsts, rise, measure_rise = [], [], -np.inf, -np.inf
    for operator, start in both:
        path = method.follow(operator, start, gamma, gamma, steps)
        if not np.isfinite(path.measure).all():
            return dict.fromkeys(LAST_METRICS, np.inf), z
        potential = [
            method.potential(k, path.distance[k], measure, gamma, rho)
            for k, measure in enumerate(path.measure, method.first)
        ]
        rise = max(rise, largest_rise(np.array(potential)))
        measure_rise = max(measure_rise, largest_rise(path.measure))
        worsts.append(path.residual.max(axis=1))
        shares.append(float((worsts[-1] / bound).max()))
    run.curve("bound", range(steps + 1), bound)
    run.curve("worst rotation", range(steps + 1), worsts[0])
    numbers = np.arange(50, steps + 1, 50)
    exponent = power(numbers, worsts[0][numbers]).exponent
    values = (*shares, rise, measure_rise, exponent, error)
    return dict(zip(LAST_METRICS, values, strict=True)), z


LAST_METRICS = (
    "rotation_share",  # of the bound, largest over N
    "matrix_share",
    "potential_rise",  # largest in a step, in units of the first value
    "residual_rise",  # the same, of what `Path` calls the measure
    "exponent",  # of N, in the worst ‖F(x_N)‖² over rotations
    "class_error",
)


def largest_rise(values: Array) -> float:
    """Return the largest rise from a row to the next, in units of the first row."""
    return float((np.diff(values, axis=0) / values[0]).max())
