"""Experiments on gradient methods at kinks: l1 penalties, rates, the edge of stability."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat

import numpy as np
import torch

from claimbench import Run, experiment
from common.data import load
from common.fits import power

from .agreement import disagreements
from .iterates import last
from .lasso import norms_by_penalty
from .method import (
    Array,
    Bend,
    bouncing_place,
    descend,
    hard_gap,
    huber,
    pseudo_huber,
    pseudo_huber_end,
    soft_threshold,
)
from .pruning import PENALTIES, RATES, ends
from .rates import best_gap, descents_of_a_pair

# l1 penalties


@experiment
def lasso(run: Run, *, step: str = "gradient", steps: int = 20_000) -> dict[str, float]:
    """End norms against penalties, 50 rows of 20 normal columns, five of them in use, noise 0.1.

    Args:
        step: "gradient", or "proximal", "over-penalty" (α/λ beyond λ_max) or "decaying" (α/√k).
        steps: of each penalty.
    """
    x, beta = run.rng.standard_normal((50, 20)), np.zeros(20)
    beta[:5] = run.rng.standard_normal(5)
    return norms_by_penalty(run, step, x, x @ beta + 0.1 * run.rng.standard_normal(50), steps)


@experiment
def lasso_diabetes(run: Run, *, step: str = "gradient", steps: int = 20_000) -> dict[str, float]:
    """`lasso` on the diabetes data; only the start is random."""
    inputs, targets = load("diabetes")
    x, y = ((part - part.mean(axis=0)) / part.std(axis=0) for part in (inputs, targets))
    return norms_by_penalty(run, step, x, y, steps)


@experiment
def two_cycle(run: Run, *, step: str = "gradient", steps: int = 5_000) -> dict[str, float]:
    """Ends on ½ aβ² + λ|β| from ten random starts, for several a, α and λ.

    Args:
        step: as for `lasso`; "over-penalty" is α/λ.
        steps: of each.
    """
    signs, sizes = run.rng.choice([-1, 1], 10), run.rng.uniform(0.1, 1, 10)
    grid = ([2.0, 7.3], [0.05, 0.02], [0.3, 3.0, 30.0], signs * sizes)
    a, alpha, lam, start = np.broadcast_arrays(*np.ix_(*map(np.asarray, grid)))
    if step == "proximal":
        iterates = _thresholded(a, alpha, lam, start, steps)
    else:
        size = alpha / lam if step == "over-penalty" else alpha
        iterates = descend(lambda beta: a * beta + lam * np.sign(beta), start, repeat(size, steps))
    before, end = last(2, iterates)
    place = bouncing_place(alpha, lam, a)
    return {
        "cycle_error": float(np.abs(np.abs(end) / place - 1).max()),
        "alternation_error": float((np.abs(before + end) / place).max()),
        "amplitude": float(np.abs(end[0, 0, 1]).mean()),
    }


def _thresholded(a: Array, alpha: Array, lam: Array, beta: Array, steps: int) -> Iterator[Array]:
    for _ in range(steps):
        beta = soft_threshold(beta - alpha * a * beta, alpha * lam)
        yield beta


# Rates


@experiment
def smooth_against_kink(
    run: Run, *, smooth: str = "smooth", kink: str = "kink", steps: int = 5_000
) -> dict[str, float]:
    """Steps of 1/L on a smooth maximum of affine functions, and on the maximum itself.

    `smooth`, `kink`: which of the two functions stands in the place of each.
    """
    return descents_of_a_pair(run, smooth, kink, steps)


@experiment
def stall(
    run: Run, *, kink: bool = True, decaying: bool = False, steps: int = 20_000
) -> dict[str, float]:
    """Where constant steps from fifty random starts end on |x|, and steps of 0.3 on x²/2.

    Args:
        kink: |x|; or x²/2 in its place.
        decaying: with α/√k instead of α.
        steps: on |x|.
    """
    alphas = np.array([1e-4, 1e-3, 1e-2, 1e-1])
    start = run.rng.uniform(0.5, 1.5, (50, 1)) + np.zeros(4)
    factors = 1 / np.sqrt(np.arange(1, steps + 1)) if decaying else np.ones(steps)
    slope = np.sign if kink else np.copy
    before, end = last(2, descend(slope, start, (alphas * factor for factor in factors)))
    level = np.maximum(np.maximum(np.abs(before), np.abs(end)).mean(axis=0), 1e-12)
    run.curve("mean error where it stalls", alphas, level)
    (smooth_end,) = last(1, descend(np.copy, start, repeat(0.3, 200)))
    return {
        "slope": power(alphas, level).exponent,
        "width_error": float(np.abs(np.abs(end - before) / alphas - 1).max()),
        "smooth_end": float(np.abs(smooth_end).max()),
    }


@experiment
def hard_instance(run: Run, *, smooth: bool = False) -> dict[str, float]:
    """Gap of the best of K + 1 iterates from 0 on max x + (μ/2) ‖x‖², K = 100 to 6400.

    `smooth`: log Σ exp x in place of the maximum, with steps of 1/(1 + μ).
    """

    counts = (100, 400, 1600, 6400)
    gaps = np.maximum([best_gap(k, smooth) for k in counts], 1e-15)
    run.curve("best gap", counts, gaps)
    run.curve("1 / (2 √(K + 1))", counts, [hard_gap(k) for k in counts])
    return {
        "slope": power(counts, gaps).exponent,
        **{f"gap_{k}": float(found) for k, found in zip(counts, gaps, strict=True)},
    }


@experiment
def functions(run: Run, *, zero: float = 0.0, tie: str = "first") -> dict[str, float]:
    """The paper's functions and subgradients against PyTorch's, at random points and at kinks.

    Args:
        zero: what is taken for the sign of zero.
        tie: "first" or "last" of the largest coordinates.
    """
    return disagreements(run, zero, tie)


# Edge of stability


@experiment
def edge(run: Run, *, quadratic: bool = False, steps: int = 5_000) -> dict[str, float]:
    """Constant steps η on √(x² + δ²) and on Huber's function, δ = 0.1, from three starts.

    `quadratic`: x²/(2δ) in the place of both; iterates beyond 1e12 stay there.
    """
    delta, etas, start = 0.1, np.array([0.15, 0.25, 1.0]), np.array([[0.7], [-1.3], [0.31]])

    def bend(x: Array, function: Callable[[Array, float], Bend]) -> Bend:
        if quadratic:
            return Bend(x**2 / (2 * delta), x / delta, np.full_like(x, 1 / delta))
        return function(x, delta)

    def ends(function: Callable[[Array, float], Bend], eta: Array) -> list[Array]:
        def slope(x: Array) -> Array:
            return np.where(np.abs(x) < 1e12, bend(x, function).slope, 0)

        return last(3, descend(slope, start + 0 * eta, repeat(eta, steps)))

    *_, x = ends(pseudo_huber, etas)
    expected = [pseudo_huber_end(eta, delta) for eta in etas]
    place = np.array([end.place for end in expected])
    sharpness = np.array([end.sharpness for end in expected])
    found = bend(x, pseudo_huber)
    first, second, third = ends(huber, etas[2:])
    return {
        "place_error": float((np.abs(np.abs(x) - place) / np.maximum(place, 0.01)).max()),
        "sharpness_error": float(np.abs(found.curvature / sharpness - 1).max()),
        "edge_share": float((found.curvature * etas / 2).max()),
        "loss_gap": float((found.value - bend(np.zeros(()), pseudo_huber).value)[:, 1:].min()),
        "huber_sharpness": float(bend(third, huber).curvature.max()),
        "huber_return": float(np.abs(third - first).max()),
        "huber_width_error": float(np.abs(np.abs(second - third) - etas[2]).max()),
    }


# Adaptive methods and networks


@experiment
def scaled_kink(
    run: Run,
    *,
    rmsprop: str = "rmsprop",
    adam: str = "adam",
    beta1: float = 0.9,
    steps: int = 1_500,
) -> dict[str, float]:
    """Mean |x| over the last 500 steps of 0.01 on c|x|, c = 1 and 1e4, from twenty starts.

    Args:
        rmsprop: "rmsprop" or "descent" in its place.
        adam: likewise.
        beta1: Adam's β1.
        steps: of each.
    """
    alpha, c = 0.01, torch.tensor([1.0, 1e4], dtype=run.dtype, device=run.device)
    start = torch.as_tensor(run.rng.uniform(0.2, 1, (20, 1))).to(c).repeat(1, 2)
    makers: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "rmsprop": torch.optim.RMSprop,
        "adam": partial(torch.optim.Adam, betas=(beta1, 0.999)),
        "descent": torch.optim.SGD,
    }

    def level(name: str) -> list[float]:
        x = start.clone()
        optimizer = makers[name]([x], lr=alpha)
        total = torch.zeros_like(x)
        for step in range(steps):
            x.grad = c * x.sign()
            optimizer.step()
            if step >= steps - 500:
                total += x.abs()
        mean: list[float] = (total / 500).mean(dim=0).tolist()
        return mean

    levels = {"descent": level("descent"), "rmsprop": level(rmsprop), "adam": level(adam)}
    for name, found in levels.items():
        run.curve(f"{name}: mean |x| over α", c.tolist(), [value / alpha for value in found])
    ratio = {name: high / low for name, (low, high) in levels.items()}
    return {
        "rmsprop_ratio": ratio["rmsprop"],
        "adam_ratio": ratio["adam"],
        "descent_ratio": ratio["descent"],
        "rmsprop_level": levels["rmsprop"][0] / alpha,
        "adam_level": levels["adam"][0] / alpha,
        "level_ratio": min(
            theirs / ours for ours, theirs in zip(levels["adam"], levels["rmsprop"], strict=True)
        ),
    }


@experiment
def pruning(
    run: Run,
    *,
    sgd: str = "sgd",
    adam: str = "adam",
    rows: int = 100,
    batch: int = 32,
    steps: int = 4,
) -> dict[str, float]:
    """Zeros and norms of networks trained with penalties from 1e-5 to 1, at two learning rates.

    Args:
        sgd: "sgd", "proximal" or "squared", see `trained`.
        adam: "adam", or "sgd" in its place.
        rows: of FashionMNIST, for training.
        batch: of so many rows.
        steps: one a batch.
    """
    size = {"rows": rows, "batch": batch, "steps": steps}
    by_sgd, by_adam, proximal = (ends(run, arm, **size) for arm in (sgd, adam, "proximal"))
    for name, found in (("SGD", by_sgd), ("Adam", by_adam), ("proximal SGD", proximal)):
        for i, rate in enumerate(RATES):
            run.curve(f"{name}, η = {rate}: l1 norm", PENALTIES, found.norms[:, i].tolist())
    growth, adam_growth = (
        found.norms[-1] / found.norms[-2].clamp(min=1e-6) for found in (by_sgd, by_adam)
    )
    return {
        "sgd_zeros": by_sgd.zeros.max().item(),
        "adam_zeros": by_adam.zeros.max().item(),
        "proximal_zeros": proximal.zeros[-2:].min().item(),
        "sgd_growth": growth.min().item(),
        "adam_growth_low": adam_growth.min().item(),
        "adam_growth_high": adam_growth.max().item(),
        "adam_rate_growth": (by_adam.norms[-1, 1] / by_adam.norms[-1, 0]).item(),
    }
