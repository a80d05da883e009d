"""Experiments on layer rotation: Layca's geometry, and what rotation says about test accuracy."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from claimbench import Run, artefact, experiment
from common.fits import rank_correlation
from common.images import Task, split
from common.tuning import pick
from common.updates import adam, sgd

from .method import Layca, layca, layer_rotation, norm, prioritised_rates
from .networks import DEEP, LAYERS, SHALLOW, by_layca, rotations, smoothness, trained
from .wrapping import OPTIMIZERS, Unprojected, unprojected, wrapped_errors

FITTED = 0.99  # training accuracy from which a run counts as one that fits
FAR, NEAR = (0.8, 1.1), 0.3  # mean final rotations that are compared
NO_RUN = -100.0  # points, where a group of runs is empty: nothing is shown

# Three steps of the authors' `layca`, in float64, from w = 1 + i/2, i = 0 … 5
RELEASED = (0.28210023, 1.06883518, 2.1657039, 2.99518898, 3.22560431, 3.07604572)
TUNING_SPLITS = 2


@experiment
def released(run: Run, *, projected: bool = True) -> dict[str, float]:
    """Three steps of Layca from a fixed kernel, against the authors' function.

    Beside it, from a kernel of twice the norm that it should have: one step, the same a billion
    times shorter, and one of length zero. `projected`: whether the step's radial part is taken out.
    """
    step = layca if projected else unprojected
    i = torch.arange(6, dtype=run.dtype, device=run.device).reshape(1, 3, 2)
    w0 = w = 1 + i / 2
    for t, rho in enumerate((0.3, 0.2, 0.1)):
        w = step(w, torch.sin(1 + i + 2 * t) + w / 2, rho, norm(w0))
    restored = step(2 * w0, torch.sin(1 + i), 0.3, norm(w0))
    shorter = step(2 * w0, 1e-9 * torch.sin(1 + i), 0.3, norm(w0))
    still = step(2 * w0, torch.zeros_like(w0), 0.3, norm(w0))
    expected = torch.tensor(RELEASED, dtype=run.dtype, device=run.device)
    return {
        "kernel_error": (w.flatten() - expected).abs().max().item(),  # largest entry is 3.2
        "rotation": layer_rotation(w0, 3 * w).item(),  # whatever the norms
        "norm_error": (norm(restored) / norm(w0) - 1).abs().item(),
        "scale_error": (shorter - restored).abs().max().item(),
        "still_error": (still - w0).abs().max().item(),
    }


@experiment
def wrapped(
    run: Run, *, projected: bool = True, controlled: bool = True, steps: int = 20
) -> dict[str, float]:
    """Layca around SGD and Adam on a small network, against each step put together by hand.

    Args:
        run: this run.
        projected: take the radial part of each step out.
        controlled: use Layca at all.
        steps: how many.
    """
    wrap = Layca if projected else Unprojected
    errors = {
        name: wrapped_errors(run, make, wrap if controlled else None, steps)
        for name, make in OPTIMIZERS.items()
    }
    return {
        "sgd_error": errors["sgd"][0],
        "adam_error": errors["adam"][0],
        "rotation_error": max(error[1] for error in errors.values()),
        "bias_error": max(error[2] for error in errors.values()),
    }


@experiment
def layer_rates(run: Run, *, alpha: float = 0.6) -> dict[str, float]:
    """Rates of four layers at α and −α, over the rate of the fastest."""
    later, earlier = (prioritised_rates(0.5, a, 4) for a in (alpha, -alpha))
    return {
        **{f"later_{layer}": rate / 0.5 for layer, rate in zip(range(4), later, strict=True)},
        **{f"earlier_{layer}": rate / 0.5 for layer, rate in zip(range(4), earlier, strict=True)},
    }


@experiment
def fixed_angle(run: Run, *, projected: bool = True, steps: int = 1000) -> dict[str, float]:
    """Random steps with a radial part of half their length, at three rates side by side.

    `projected`: whether the radial part is taken out.
    """
    step = layca if projected else unprojected
    generator = run.torch_generator()
    shape = (3, 40, 25)
    draw = partial(torch.randn, shape, generator=generator, dtype=run.dtype, device=run.device)
    rho = torch.tensor([0.01, 0.1, 0.5], dtype=run.dtype, device=run.device)
    w = draw()
    norm0 = norm(w)
    expected = 1 - (1 + rho**2).rsqrt()
    error = drift = 0.0
    for _ in range(steps):
        s = draw()
        s = s + 0.5 * norm(s) * w / norm0
        after = step(w, s, rho[:, None, None], norm0)
        error = max(error, (layer_rotation(w, after) - expected).abs().max().item())
        drift = max(drift, (norm(after) / norm0 - 1).abs().max().item())
        w = after
    return {"rotation_error": error, "norm_drift": drift}


@experiment
def random_steps(
    run: Run, *, fresh: bool = True, steps: int = 200, rho: float = 0.1, walks: int = 20
) -> dict[str, float]:
    """The mean cosine to the start after isotropic steps in 10,000 dimensions.

    `fresh`: draw a new step each time; else a walk keeps its first.
    """
    generator = run.torch_generator()
    shape = (walks, 100, 100)
    draw = partial(torch.randn, shape, generator=generator, dtype=run.dtype, device=run.device)
    w0 = w = draw()
    norm0, s, path = norm(w0), draw(), []
    for _ in range(steps):
        w = layca(w, s, rho, norm0)
        path.append(1 - layer_rotation(w0, w).mean().item())
        s = draw() if fresh else s
    run.curve("mean cosine to the start", range(1, steps + 1), path)
    law = [(1 + rho**2) ** (-k / 2) for k in range(1, steps + 1)]
    run.curve("(1 + ρ²)^(−k/2)", range(1, steps + 1), law)
    return {"cosine": path[-1]}


def mnist(
    run: Run, rng: np.random.Generator, per_digit: int, *, pool: int = 2, **options: Any
) -> Task:
    """Return a split of mnist5k, standardised; what is not for training is for testing."""
    like = torch.zeros((), dtype=run.dtype, device=run.device)
    return split("mnist5k", rng, like, train=10 * per_digit, pool=pool, **options)


@experiment
def rotation_sweep(
    run: Run,
    *,
    exponents: Sequence[float] = (-6.0, -5.0, -4.0, -3.5, -3.0, -2.5, -2.0, -1.5, -1.0),
    steps: int = 10,
    per_digit: int = 100,
    noise: float = 0.0,
    fitted: float = FITTED,
) -> dict[str, float]:
    """Layca at rates 3^e, all layers equal: final rotation and test accuracy.

    Args:
        exponents: e of each run.
        steps: batches of 100 images.
        per_digit: training images of each digit.
        noise: share of random training labels.
        fitted: training accuracy below which a run is left out.
    """
    task = mnist(run, run.rng, per_digit, label_noise=noise)
    rates = [3.0**e for e in exponents]
    end = trained(DEEP, task, run.torch_generator(), by_layca(DEEP), rates, steps=steps)
    keep = end.train >= fitted
    run.curve("test accuracy against mean rotation", end.rotation, end.test)
    run.curve("training accuracy against mean rotation", end.rotation, end.train)
    far = keep & (end.rotation >= FAR[0]) & (end.rotation <= FAR[1])
    near = keep & (end.rotation < NEAR)
    gain = (
        100 * (end.test[far].mean() - end.test[near].mean()) if far.any() and near.any() else NO_RUN
    )
    enough = keep.sum() >= 3
    return {
        "rank_correlation": rank_correlation(end.rotation[keep], end.test[keep])
        if enough
        else -1.0,
        "gain": float(gain),  # points of test accuracy, far over near
    }


@experiment
def unequal_layers(
    run: Run,
    *,
    alpha: float = 0.6,
    exponents: Sequence[float] = (-5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0),
    steps: int = 10,
    per_digit: int = 100,
) -> dict[str, float]:
    """Layca with all layers equal against α and −α, each at the best rate 3^e of its own.

    Args:
        alpha: α of the unequal runs.
        exponents: e of the grid.
        steps: batches of 100 images.
        per_digit: training images of each digit.
    """
    alphas = (0.0, alpha, -alpha)
    grid = {"alphas": list(alphas), "exponents": list(exponents)}
    best = run.artefact(best_exponents, steps=steps, per_digit=per_digit, **grid)
    for a, row in zip(alphas, best["accuracies"], strict=True):
        run.curve(f"α = {a:g}: tuning accuracy against log₃ ρ", exponents, row)
    task = mnist(run, run.rng, per_digit)
    make = by_layca(DEEP, [prioritised_rates(1.0, a, LAYERS) for a in alphas])
    rates = [3.0**e for e in best["exponents"]]
    end = trained(DEEP, task, run.torch_generator(), make, rates, steps=steps)
    equal, *unequal = (100 * end.test).tolist()
    return {"gain": equal - max(unequal)}  # points of test accuracy


@artefact
def best_exponents(
    run: Run, *, alphas: list[float], exponents: list[float], steps: int, per_digit: int
) -> dict[str, Any]:
    """For each α the e with the highest mean test accuracy over two splits, and all these means."""
    make = by_layca(DEEP, [prioritised_rates(1.0, a, LAYERS) for a in alphas for _ in exponents])
    rates = [3.0**e for _ in alphas for e in exponents]
    tests = []
    for i in range(TUNING_SPLITS):
        task = mnist(run, run.rng, per_digit)
        tests.append(trained(DEEP, task, run.torch_generator(), make, rates, steps=steps).test)
        run.progress(i + 1, TUNING_SPLITS)
    table = np.stack(tests, axis=-1).reshape(len(alphas), -1, TUNING_SPLITS)
    budget = len(exponents) * TUNING_SPLITS
    choices = [
        pick(run, f"Layca, α = {a:g}", {"log₃ ρ": exponents}, row, higher=True, budget=budget)
        for a, row in zip(alphas, table, strict=True)
    ]
    return {
        "exponents": [choice.setting["log₃ ρ"] for choice in choices],
        "accuracies": [choice.scores for choice in choices],
    }


@experiment
def optimizers(
    run: Run,
    *,
    exponents: Sequence[float] = (-5.0, -4.0, -3.0, -2.0, -1.0, 0.0),
    adam_exponents: Sequence[float] = (-9.0, -8.0, -7.0, -6.0, -5.0, -4.0),
    decay: float = 0.01,
    reference: str = "start",
    centred: bool = True,
    steps: int = 10,
    per_digit: int = 100,
) -> dict[str, float]:
    """SGD, SGD with weight decay and Adam at rates 3^e: rotation, rate and test accuracy.

    Args:
        exponents: e of SGD, with and without weight decay.
        adam_exponents: e of Adam, as many.
        decay: λ of the weight decay.
        reference: kernels that rotation is measured from: those at the "start", or an "independent"
            draw of them.
        centred: compare each optimizer's rates with the middle of its grid, in logarithms, instead
            of all rates as they are.
        steps: batches of 100 images.
        per_digit: training images of each digit.
    """
    protocol = {"steps": steps, "per_digit": per_digit, "seed": run.seed}
    kinds = {
        "SGD": {"name": "sgd", "decay": 0.0, "exponents": list(exponents)},
        "SGD, weight decay": {"name": "sgd", "decay": decay, "exponents": list(exponents)},
        "Adam": {"name": "adam", "decay": 0.0, "exponents": list(adam_exponents)},
    }
    ends = []
    for label, kind in kinds.items():
        end = run.artefact(optimized, **kind, **protocol)
        ends.append({key: np.asarray(values, dtype=float) for key, values in end.items()})
        run.curve(f"{label}: test accuracy against rotation", ends[-1]["start"], ends[-1]["test"])
    sgd, decayed, _ = ends
    rotation, train, test = (
        np.concatenate([e[k] for e in ends]) for k in (reference, "train", "test")
    )
    grids = [np.asarray(e, dtype=float) for e in (exponents, exponents, adam_exponents)]
    rate = np.concatenate([e - e.mean() if centred else e for e in grids])
    keep = train >= FITTED
    by_rotation = by_rate = -1.0
    if keep.sum() >= 3:
        by_rotation = rank_correlation(rotation[keep], test[keep])
        by_rate = rank_correlation(rate[keep], test[keep])
    best = sgd["test"].argmax()
    return {
        "rate_correlation": rank_correlation(grids[0], sgd[reference]),
        "advantage": by_rotation - by_rate,
        "further": float((decayed[reference] - sgd[reference])[best]),
    }


@artefact
def optimized(
    run: Run,
    *,
    name: str,
    decay: float,
    exponents: list[float],
    steps: int,
    per_digit: int,
    seed: int,
) -> dict[str, list[float]]:
    """Final mean rotation from the start and from an independent draw, and both accuracies."""
    generator = torch.Generator(run.device).manual_seed(seed)
    task = mnist(run, np.random.default_rng(seed), per_digit)
    make = {"sgd": sgd, "adam": adam}[name]
    rates = [3.0**e for e in exponents]
    end = trained(DEEP, task, generator, lambda _: make(decay=decay), rates, steps=steps)  # type: ignore[operator]
    independent = rotations(DEEP, DEEP.initial(generator, dtype=run.dtype), end.theta)
    return {
        "start": end.rotation.tolist(),
        "independent": independent.mean(axis=0).tolist(),
        "train": end.train.tolist(),
        "test": end.test.tolist(),
    }


@experiment
def features(
    run: Run,
    *,
    exponents: Sequence[float] = (-6.0, -5.0, -4.0, -3.0, -2.5, -2.0),
    permuted: bool = False,
    steps: int = 10,
    per_digit: int = 200,
) -> dict[str, float]:
    """Layca at rates 3^e on a network with one hidden layer: how smooth its filters become.

    Args:
        exponents: e of each run.
        permuted: give the network images whose pixels are reordered.
        steps: batches of 100 images.
        per_digit: training images of each digit.
    """
    task = mnist(run, run.rng, per_digit, pool=1, permuted=permuted)
    rates = [3.0**e for e in exponents]
    end = trained(SHALLOW, task, run.torch_generator(), by_layca(SHALLOW), rates, steps=steps)
    smooth = smoothness(end.kernels[0])
    run.curve("smoothness against the first layer's rotation", end.rotations[0], smooth)
    return {
        "rank_correlation": rank_correlation(end.rotations[0], smooth),
        "rise": float(smooth[-1] - smooth[0]),
    }
