"""Experiments on deep linear networks: learning times, learning rates, and initial weights."""

import math
from collections.abc import Sequence
from itertools import islice

import numpy as np

from claimbench import Run, experiment
from common.fits import power

from .derivatives import flow_error, hessian_errors, tanh_jacobians
from .digits import (
    STARTS,
    fewest_iterations,
    hidden_layers,
    iterations,
    pooled_mnist,
    whitened_mnist,
)
from .method import (
    activities,
    decoupled,
    deep_limit_time,
    jacobian,
    learning_time,
    orthogonal,
    scaled_gaussian,
    two_layer_strength,
    two_layer_time,
    variance_fixed_point,
)
from .modes import deep_modes, descent, fastest, first_crossings, hyperbola_errors, off_diagonal
from .spectra import gaussian_exponents, haar_errors, product, product_exponents
from .values import DEPTHS, LEARNT, START, errors_by_hand, learning_times

# Parts of the method


@experiment
def descent_direction(run: Run, *, told_white: bool = False) -> dict[str, float]:
    """Flow and Jacobian against derivatives; `told_white`: the flow is told Σ11 = I."""
    there, expected = tanh_jacobians([orthogonal(run.rng, 6, 6) for _ in range(3)], run.rng)
    errors = {"jacobian_error": float(np.abs(there - expected).max())}
    return {"flow_error": flow_error(run.rng, told_white), **errors}


@experiment
def initial_weights(run: Run, *, weights: str = "orthogonal") -> dict[str, float]:
    """Tall, wide and many 3 by 3 orthogonal matrices, and the variance of scaled Gaussian ones.

    `weights`: "gaussian" puts scaled Gaussian matrices in the place of orthogonal ones.
    """
    make = STARTS[weights]
    tall, wide = make(run.rng, 7, 4), make(run.rng, 4, 7)
    isometry = max(np.abs(w @ w.T - np.eye(4)).max() for w in (tall.T, wide))
    moments = haar_errors(np.array([make(run.rng, 3, 3) for _ in range(2000)]))
    squares = 250 * scaled_gaussian(run.rng, 100, 400) ** 2
    lines = np.concatenate([squares.mean(axis=0), squares.mean(axis=1)])
    return {
        "isometry_error": float(isometry),
        **moments,
        "variance_error": float(abs(squares.mean() - 1)),
        "line_error": float(np.abs(lines - 1).max()),
    }


# Two layers


@experiment
def two_layers(
    run: Run, *, whitened: bool = True, rate: float = 1e-3, time: float = 8.0
) -> dict[str, float]:
    """Gradient descent of two layers with four modes from u₀ = 0.001, against Eqs. 11 and 12.

    Args:
        whitened: Σ11 = I; otherwise that of 200 Gaussian inputs.
        rate: learning rate; a second descent has half of it.
        time: rate times number of steps, with τ = 1.
    """
    s, u0 = np.array([3, 2, 1, 0.5]), 1e-3
    u, v, r = (orthogonal(run.rng, 4, 4) for _ in range(3))
    x = run.rng.standard_normal((200, 4))
    if whitened:
        x = np.linalg.qr(x)[0] * math.sqrt(len(x))
    sigma11 = x.T @ x / len(x)
    sigma31 = (u * s) @ v.T @ sigma11
    courses = []
    for step in (rate, rate / 2):
        weights = decoupled([v, r, u], [np.full(4, math.sqrt(u0))] * 2)
        maps = islice(descent(weights, sigma31, sigma11, step), round(time / step) + 1)
        found = u.T @ np.array(list(maps)) @ v
        times = step * np.arange(len(found))
        theory = np.stack([two_layer_strength(times, u0, mode) for mode in s], axis=1)
        strengths = np.diagonal(found, axis1=1, axis2=2)
        courses.append((times, strengths, theory))
    times, strengths, theory = courses[0]
    for i, mode in enumerate(s):
        run.curve(f"s = {mode:g}, descent", times, strengths[:, i])
        run.curve(f"s = {mode:g}, Eq. 12", times, theory[:, i])
    errors = [float(np.abs(course[1] - course[2]).max()) for course in courses]
    expected = np.array([two_layer_time(u0, mode / 2, mode) for mode in s])
    half_times = rate * first_crossings(strengths / s, 0.5)
    return {
        "path_error": errors[0],
        "error_ratio": errors[0] / errors[1],
        "half_time_error": float(np.abs(half_times / expected - 1).max()),
        "map_error": off_diagonal(found[-1]) / s.min(),
    }


@experiment
def hyperbola(run: Run, *, factor: float = 1.0, decay: float = 0.0) -> dict[str, float]:
    """Eq. 8 from unequal a and b, integrated, against its conserved quantity and the times.

    Args:
        factor: the printed time is for τ dθ/dt = factor · s − c₀ sinh θ and
            ab = (c₀ / factor) sinh θ; printed is 1.
        decay: weight decay, which the theory does not have.
    """
    return hyperbola_errors(LEARNT, factor, decay)


# Any depth


@experiment
def deep_networks(
    run: Run, *, depths: Sequence[int] = (2, 4, 8), spread: float = 1.0, step: float = 0.004
) -> dict[str, float]:
    """Gradient descent of deep networks with three modes, against the times of Eq. 15.

    Inputs, hidden layers and outputs have 4, 5 and 3 units. The learning rate is `step` over L.

    Args:
        depths: L, even.
        spread: layers have by turns `spread` times the equal strength and its inverse; the theory
            has 1.
        step: L times the learning rate, with τ = 1.
    """
    s = np.array([2, 1.5, 1])
    time_errors, map_errors = [], []
    for depth in depths:
        expected = np.array([learning_time(START, LEARNT * mode, mode, depth) for mode in s])
        most = round(1.5 * expected.max() * depth / step)
        maps = deep_modes(run.rng, depth, s, START, spread, LEARNT, step / depth, most)
        strengths = np.diagonal(maps, axis1=1, axis2=2)
        times = step / depth * first_crossings(strengths / s, LEARNT)
        time_errors.append(np.abs(times / expected - 1).max())
        map_errors.append(off_diagonal(maps[-1]) / s.max())
        run.curve(f"L = {depth}, s = 1", np.arange(len(maps)) * step, strengths[:, 2])
    return {"time_error": float(max(time_errors)), "map_error": float(max(map_errors))}


@experiment
def formulas(run: Run, *, s_factor: float = 1.0) -> dict[str, float]:
    """Each formula at a point or two, against values that were got by other means.

    `s_factor`: the formulas are told s times this factor.
    """
    return {**learning_times(s_factor), **errors_by_hand(s_factor)}


@experiment
def depth_delay(run: Run, *, layer_strength: float | None = None) -> dict[str, float]:
    """L times the learning time by Eq. 15, against its limit for infinite depth, Eq. 17; s = 1.

    `layer_strength`: every layer starts with it, whatever L is, instead of u₀ = 0.05.
    """
    starts = [START if layer_strength is None else layer_strength**depth for depth in DEPTHS]
    delays = np.array(
        [
            depth * learning_time(u0, LEARNT, 1, depth)
            for depth, u0 in zip(DEPTHS, starts, strict=True)
        ]
    )
    limit = deep_limit_time(START, LEARNT, 1, 1)
    run.curve("L t", DEPTHS, delays)
    return {
        "share_of_limit": float(delays[-1] / limit),
        "least_growth": float((delays[1:] / delays[:-1]).min()),
        "exponent": power(DEPTHS[-3:], delays[-3:]).exponent,
        "limit_error": abs(1e5 * learning_time(START, LEARNT, 1, 100_000) / limit - 1),
    }


@experiment
def best_rates(
    run: Run, *, layer_strength: float | None = None, steps: int = 3000
) -> dict[str, float]:
    """The learning rate with the fewest iterations for L equal layers and one mode with s = 1.

    The rates are the same for every L, 0.0001 to 3, 3 % apart. A rate counts with the iteration
    from which on u stays within 10 % of s.

    Args:
        layer_strength: every layer starts with it, whatever L is, instead of u₀ = 0.001.
        steps: iterations of each descent.
    """
    depths = np.array([2, 9, 27, 53, 99])  # of the paper's networks with 3, 10, 28, 54, 100 layers
    grid = 1e-4 * 1.03 ** np.arange(350)
    u0 = 1e-3 if layer_strength is None else layer_strength**depths
    fewest, best, ends = fastest(depths, u0 ** (1 / depths), grid, LEARNT, steps)
    run.curve("iterations", depths, fewest)
    return {
        "rate_exponent": power(depths[1:], best[1:]).exponent,
        "steps_exponent": power(depths[-2:], fewest[-2:]).exponent,
        "grid_ends": float(ends),
    }


@experiment
def hessian(run: Run, *, spread: float = 1.0) -> dict[str, float]:
    """The Hessian of E(a) = (s − Π a)² / 2τ by complex steps, against Eqs. 37 and 41.

    `spread`: the first layer has this multiple of the others' strength.
    """
    return hessian_errors(spread)


# Initial weights


@experiment
def mnist_depths(
    run: Run,
    *,
    start: str = "orthogonal",
    depths: Sequence[int] = (2, 4),
    rates: int = 4,
    cap: int = 50,
) -> dict[str, float]:
    """Iterations to learn MNIST at several depths, from orthogonal and from Gaussian weights.

    Args:
        start: of the orthogonal side; "gaussian" gives it Gaussian weights too, drawn anew.
        depths: L, increasing.
        rates: how many learning rates are tried for each depth and start.
        cap: iterations after which a descent counts as learnt.
    """
    task = pooled_mnist(run.dtype.type)
    counts: dict[str, list[float]] = {"orthogonal": [], "gaussian": []}
    ends = 0
    for side, kind in (("orthogonal", start), ("gaussian", "gaussian")):
        for depth in depths:
            weights = hidden_layers(run.rng, kind, 49, 64, depth)
            count, at_end = fewest_iterations(task, weights, rates, cap)
            counts[side].append(count)
            ends += at_end
            run.progress(sum(map(len, counts.values())), 2 * len(depths))
        run.curve(f"{side}: iterations", depths, counts[side])
    return {
        "orthogonal_growth": counts["orthogonal"][-1] / counts["orthogonal"][0],
        "gaussian_growth": counts["gaussian"][-1] / counts["gaussian"][0],
        "gaussian_ratio": counts["gaussian"][-1] / counts["orthogonal"][-1],
        "grid_ends": float(ends),
    }


@experiment
def whitened_depths(
    run: Run, *, start: str = "orthogonal", depths: Sequence[int] = (2, 4), cap: int = 50
) -> dict[str, float]:
    """Iterations to learn whitened MNIST at several depths, at a learning rate of 0.02/L.

    Args:
        start: orthogonal or gaussian weights.
        depths: L, increasing.
        cap: iterations after which a descent counts as learnt.
    """
    task = whitened_mnist(run.dtype.type, 32)
    counts = []
    for i, depth in enumerate(depths, 1):
        weights = hidden_layers(run.rng, start, 32, 32, depth)
        counts.append(iterations(task, weights, 0.02 / depth, 1.1 * task.least, cap))
        run.progress(i, len(depths))
    run.curve(f"{start}: iterations", depths, counts)
    return {"orthogonal_growth": counts[-1] / counts[0], "fewest": min(counts)}


@experiment
def products(run: Run, *, weights: str = "orthogonal", n: int = 100) -> dict[str, float]:
    """Singular values of products of 100 random matrices, n by n.

    Args:
        weights: of the orthogonal product; "normalised": Gaussian with columns of length 1.
        n: size.
    """
    depth = 100
    total = product(run.rng, weights, n, depth)
    logs = product_exponents(run.rng, n, depth)
    spread = logs[[50, 100]].std(axis=1) / [50, 100]
    return {
        "orthogonal_error": float(np.abs(np.linalg.svd(total, compute_uv=False) - 1).max()),
        "spread_ratio": float(spread[1] / spread[0]),
        "spread_error": float(abs(spread[1] / gaussian_exponents(n).std() - 1)),
        "median_over_largest": float(np.exp(np.median(logs[-1]) - logs[-1].max())),
    }


@experiment
def jacobians(
    run: Run, *, weights: str = "orthogonal", n: int = 100, depth: int = 50
) -> dict[str, float]:
    """Singular values of the Jacobian of tanh networks, at an input of unit variance.

    Args:
        weights: of the orthogonal networks; "gaussian" to give them Gaussian ones, drawn anew.
        n: units in each layer.
        depth: L.
    """
    x = run.rng.standard_normal(n)
    mine = [STARTS[weights](run.rng, n, n) for _ in range(depth)]
    gaussian = [scaled_gaussian(run.rng, n, n) for _ in range(depth)]
    below, edge, above = (
        np.linalg.svd(jacobian(mine, x, gain), compute_uv=False) for gain in (0.9, 1.05, 1.1)
    )
    other = np.linalg.svd(jacobian(gaussian, x, 1.05), compute_uv=False)
    run.curve("orthogonal, g = 1.05", range(n), edge)
    return {
        "mean_at_edge": float(edge.mean()),
        "mean_below": float(below.mean()),
        "median_ratio": float(np.median(edge) / np.median(other)),
        "spread_ratio": float(np.log(above).std() / (depth * gaussian_exponents(n).std())),
    }


@experiment
def activity(run: Run, *, depth: int = 29, n: int = 200) -> dict[str, float]:
    """Variance of the activity in the last five layers, from 20 inputs of unit variance.

    Args:
        depth: L; the paper's networks of 30 layers have 29.
        n: units in each layer.
    """
    weights = [orthogonal(run.rng, n, n) for _ in range(depth)]
    x = run.rng.standard_normal((n, 20))
    variances = {}
    for gain in (0.9, 1.2, 1.5, 2.0):
        layers = np.array(activities(weights, x, gain))
        run.curve(f"g = {gain:g}", range(1, depth + 2), (layers**2).mean(axis=(1, 2)))
        variances[gain] = float((layers[-5:] ** 2).mean())
    return {
        "variance_below": variances[0.9],
        "error_1_2": abs(variances[1.2] / variance_fixed_point(1.2) - 1),
        "error_1_5": abs(variances[1.5] / variance_fixed_point(1.5) - 1),
        "error_2": abs(variances[2.0] / variance_fixed_point(2) - 1),
    }
