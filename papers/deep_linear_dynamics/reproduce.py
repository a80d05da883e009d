"""Experiments on deep linear networks: learning times, learning rates, and initial weights."""

import math
from collections.abc import Sequence
from itertools import islice

import numpy as np
from common.fits import power

from claimbench import Run, experiment

from .derivatives import energy_hessian, loss_slopes
from .digits import (
    STARTS,
    fewest_iterations,
    hidden_layers,
    iterations,
    pooled_mnist,
    whitened_mnist,
)
from .method import (
    Array,
    activities,
    curvature,
    decoupled,
    deep_limit_time,
    flow,
    hyperbola_time,
    jacobian,
    learning_time,
    optimum_curvature,
    orthogonal,
    scaled_gaussian,
    two_layer_strength,
    two_layer_time,
    unequal_time,
    variance_fixed_point,
    variance_map,
)
from .modes import descent, fastest, first_crossings, integrated, off_diagonal
from .spectra import gaussian_exponents, haar_errors, product_exponents

START, LEARNT = 0.05, 0.9  # u₀, and u_f in units of s
DEPTHS = (2, 4, 8, 16, 32, 64, 100)


# Parts of the method


@experiment
def descent_direction(run: Run, *, told_white: bool = False) -> dict[str, float]:
    """The flow of three networks at once, 5, 4, 6 and 3 units, against derivatives of their loss.

    The derivatives of loss and activities are by complex steps, exact to rounding.

    `told_white`: the flow is told Σ11 = I, which the inputs do not have.
    """
    x, y = run.rng.standard_normal((30, 5)), run.rng.standard_normal((30, 3))
    sizes = (5, 4, 6, 3)
    nets = [run.rng.standard_normal((3, sizes[i + 1], sizes[i])) / 2 for i in range(3)]
    sigma11 = np.eye(5) if told_white else x.T @ x / len(x)
    rates, total = flow(nets, y.T @ x / len(x), sigma11)

    errors = [np.abs(total - nets[2] @ nets[1] @ nets[0]).max()]
    errors += [np.abs(a + b).max() for a, b in zip(rates, loss_slopes(nets, x, y), strict=True)]
    square = [orthogonal(run.rng, 6, 6) for _ in range(3)]
    point = run.rng.standard_normal(6)
    there = jacobian(square, point, 1.3)
    moved_points = point[:, None] + 1e-30j * np.eye(6)
    expected = activities(square, moved_points, 1.3)[-1].imag / 1e-30
    return {
        "flow_error": float(max(errors)),
        "jacobian_error": float(np.abs(there - expected).max()),
    }


@experiment
def initial_weights(run: Run, *, weights: str = "orthogonal") -> dict[str, float]:
    """Tall, wide and many 3 by 3 orthogonal matrices, and the variance of scaled Gaussian ones.

    `weights`: "gaussian" puts scaled Gaussian matrices in the place of orthogonal ones.
    """
    make = STARTS[weights]
    tall, wide = make(run.rng, 7, 4), make(run.rng, 4, 7)
    isometry = max(np.abs(w @ w.T - np.eye(4)).max() for w in (tall.T, wide))
    mean, second, fourth = haar_errors(np.array([make(run.rng, 3, 3) for _ in range(2000)]))
    squares = 250 * scaled_gaussian(run.rng, 100, 400) ** 2
    lines = np.concatenate([squares.mean(axis=0), squares.mean(axis=1)])
    return {
        "isometry_error": float(isometry),
        "mean_error": mean,
        "second_error": second,
        "fourth_error": fourth,
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
    errors: list[float] = []
    half_times: Array = np.empty(0)
    for step in (rate, rate / 2):
        weights = decoupled([v, r, u], [np.full(4, math.sqrt(u0))] * 2)
        maps = list(islice(descent(weights, sigma31, sigma11, step), round(time / step) + 1))
        modes = u.T @ np.array(maps) @ v
        strengths = np.diagonal(modes, axis1=1, axis2=2)
        times = step * np.arange(len(maps))
        theory = np.stack([two_layer_strength(times, u0, mode) for mode in s], axis=1)
        errors.append(np.abs(strengths - theory).max())
        if step == rate:
            half_times = step * first_crossings(strengths / s, 0.5)
            for i, mode in enumerate(s):
                run.curve(f"s = {mode:g}, descent", times, strengths[:, i])
                run.curve(f"s = {mode:g}, Eq. 12", times, theory[:, i])
    expected = np.array([two_layer_time(u0, mode / 2, mode) for mode in s])
    return {
        "path_error": float(errors[0]),
        "error_ratio": float(errors[0] / errors[1]),
        "half_time_error": float(np.abs(half_times / expected - 1).max()),
        "map_error": off_diagonal(modes[-1]) / s.min(),
    }


@experiment
def hyperbola(run: Run, *, factor: float = 1.0, decay: float = 0.0) -> dict[str, float]:
    """Eq. 8 from unequal a and b, integrated, against its conserved quantity and the times.

    Args:
        factor: the printed time is for τ dθ/dt = factor · s − c₀ sinh θ and
            ab = (c₀ / factor) sinh θ; printed is 1.
        decay: weight decay, which the theory does not have.
    """
    drifts, errors, printed_errors, form_errors = [], [], [], []
    for a, b, s, tau in ((0.6, 0.1, 1.0, 1.0), (0.05, 0.4, 2.0, 2.0), (1.2, 0.2, 1.5, 0.5)):
        uf, c0 = LEARNT * s, abs(a**2 - b**2)
        drift, time = integrated(a, b, uf, s, tau, decay)
        drifts.append(drift)
        errors.append(abs(time / unequal_time(a, b, uf, s, tau) - 1))
        ends = [math.asinh(2 * u / c0) for u in (a * b, uf)]
        form_errors.append(abs(hyperbola_time(*ends, 2 * s, c0, tau) / time - 1))
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
        sizes = [4, *[5] * (depth - 1), 3]
        bases = [orthogonal(run.rng, size, 3) for size in sizes]
        turns = [spread ** (1 if layer % 2 else -1) for layer in range(depth)]
        weights = decoupled(bases, [np.full(3, START ** (1 / depth) * turn) for turn in turns])
        u, v = bases[-1], bases[0]
        sigma31 = (u * s) @ v.T
        expected = np.array([learning_time(START, LEARNT * mode, mode, depth) for mode in s])
        maps = []
        most = round(1.5 * expected.max() * depth / step)
        for total in islice(descent(weights, sigma31, np.eye(4), step / depth), most):
            maps.append(u.T @ total @ v)
            if (np.diag(maps[-1]) >= LEARNT * s).all():
                break
        strengths = np.diagonal(np.array(maps), axis1=1, axis2=2)
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
    one, two, eight = (s_factor * s for s in (1, 2, 8))
    by_hand = {
        "two_layer_error": [
            (two_layer_time(0.1, 1.5, two, 3), 0.75 * math.log(57)),
            (float(two_layer_strength(0.75 * math.log(4), 0.1, two, 3)), 8 / 23),
            (float(two_layer_strength(1e4, 0.1, two, 3)), 2.0),
        ],
        "infinite_error": [
            (deep_limit_time(0.1, 1.5, two, 5, 3), 0.6 * (math.log(57) / 4 + 14 / 3))
        ],
        "curvature_error": [
            (float(curvature(0.5, two, 3, 3)), -9 / 16),
            (optimum_curvature(eight, 3, 3), 16.0),
        ],
        "variance_error": [
            (variance_map(1, 1.5), 0.88716260339514),
            (variance_fixed_point(1.05), 0.0532504912855),
            (variance_fixed_point(4), 12.500601010096),
            (1 + variance_fixed_point(0.9), 1.0),
        ],
    }
    times = {f"time_{depth}": learning_time(START, LEARNT, one, depth) for depth in DEPTHS}
    errors = {
        name: max(abs(value / expected - 1) for value, expected in pairs)
        for name, pairs in by_hand.items()
    }
    times["time_scaled"] = learning_time(0.1, 1.5, two, 4, 3)
    return {**times, "time_wide": learning_time(1e-6, 1 - 1e-6, one, 2), **errors}


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
    tau = 2.0
    eigenvector_errors, top_errors, elsewhere = [], [], []
    for depth in (2, 3, 8, 20):
        for s in (0.5, 1.0, 3.0):
            optimum = s ** (1 / depth)
            top = optimum_curvature(s, depth, tau)
            for share in (0.3, 0.7, 1.0):
                a = np.full(depth, share * optimum)
                a[0] *= spread
                matrix = energy_hessian(a, s) / tau
                along = matrix.sum(axis=1) - curvature(share * optimum, s, depth, tau)
                eigenvector_errors.append(np.abs(along).max() / top)
            top_errors.append(abs(np.linalg.eigvalsh(matrix)[-1] / top - 1))
            visited = curvature(optimum * np.linspace(0, 1, 200, endpoint=False), s, depth, tau)
            elsewhere.append(np.max(visited) / curvature(optimum, s, depth, tau))
    return {
        "eigenvector_error": float(max(eigenvector_errors)),
        "top_error": float(max(top_errors)),
        "largest_elsewhere": float(max(elsewhere)),
    }


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
    counts: dict[str, list[float]] = {}
    ends = 0
    for side, kind in (("orthogonal", start), ("gaussian", "gaussian")):
        counts[side] = []
        for depth in depths:
            weights = hidden_layers(run.rng, kind, 49, 64, depth)
            count, at_end = fewest_iterations(task, weights, rates, cap)
            counts[side].append(count)
            ends += at_end
            run.progress(
                len(counts) * len(depths) + len(counts[side]) - len(depths), 2 * len(depths)
            )
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
    depth, total = 100, np.eye(n)
    for _ in range(depth):
        if weights == "normalised":
            w = run.rng.standard_normal((n, n))
            total = w / np.linalg.norm(w, axis=0) @ total
        else:
            total = orthogonal(run.rng, n, n) @ total
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
