"""Gradient descent on pairs of functions, one smooth and one with kinks."""

from collections.abc import Callable
from itertools import chain, repeat

import numpy as np
from scipy.optimize import linprog
from scipy.special import logsumexp, softmax

from claimbench import Run
from common.convex import LogSumExp

from .method import Array, Gradient, descend, hard_subgradient, hard_value, smooth_bound


def descents_of_a_pair(run: Run, smooth: str, kink: str, steps: int) -> dict[str, float]:
    """Return what `smooth_against_kink` does."""
    a, b, mu = run.rng.standard_normal((20, 5)), 0.3 * run.rng.standard_normal(20), 0.5
    a = a - a.mean(axis=0)  # so that both have a minimum
    start = run.rng.standard_normal(5)
    start = start / np.linalg.norm(start)
    alpha = float(mu / (a**2).sum(axis=1).max())
    soft = LogSumExp(a, b, mu)
    lowest = linprog(
        [*np.zeros(5), 1], A_ub=np.column_stack([a, -np.ones(20)]), b_ub=b, bounds=(None, None)
    ).x

    def highest(x: Array) -> Array:
        return np.asarray((x @ a.T - b).max(axis=-1))

    functions: dict[str, tuple[Callable[[Array], Array], Gradient, Array]] = {
        "smooth": (soft.value, soft.gradient, soft.optimum()),
        "kink": (highest, lambda x: a[(a @ x - b).argmax()], lowest[:-1]),
    }

    def path(role: str, name: str) -> tuple[Array, Array, float]:
        value, gradient, optimum = functions[name]
        x = np.stack(list(descend(gradient, start, repeat(alpha, steps))))
        gap = value(x) - value(optimum)
        distance = float(np.linalg.norm(start - optimum))
        bound = smooth_bound(distance, alpha, np.arange(1, steps + 1))
        run.curve(f"{role}, {name}: gap", range(1, steps + 1), np.maximum(gap, 1e-16))
        run.curve(f"{role}, {name}: bound", range(1, steps + 1), bound)
        lengths = [float(np.linalg.norm(gradient(point))) for point in (start, x[-1])]
        return gap / bound, np.diff(gap), lengths[1] / lengths[0]

    smooth_share, smooth_rise, smooth_gradient = path("A", smooth)
    kink_share, kink_rise, kink_gradient = path("B", kink)
    return {
        "smooth_share": float(smooth_share.max()),
        "smooth_rise": float(smooth_rise.max()),
        "smooth_gradient": smooth_gradient,
        "kink_share": float(kink_share[-100:].mean()),
        "kink_rises": float((kink_rise > 0).mean()),
        "kink_gradient": kink_gradient,
    }


def best_gap(k: int, smooth: bool) -> float:
    """Return the gap of the best of k + 1 iterates, as `hard_instance` asks."""
    mu, start = 1 / (k + 1) ** 0.5, np.zeros(k + 1)
    if smooth:
        iterates = descend(lambda x: softmax(x) + mu * x, start, repeat(1 / (1 + mu), k))
        values = [float(logsumexp(x) + mu / 2 * (x @ x)) for x in [start, *iterates]]
        return min(values) - np.log(k + 1) + 1 / (2 * mu * (k + 1))
    iterates = descend(lambda x: hard_subgradient(x, mu), start, repeat(k**-0.5, k))
    lowest = min(float(hard_value(x, mu)) for x in chain([start], iterates))
    return lowest + 1 / (2 * mu * (k + 1))
