"""EnKG against its formulas, the Gaussian posterior, and other methods that use no derivatives."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from claimbench import Run, experiment
from common.errors import relative
from common.fits import power

from . import hindsight
from .flows import ensemble_error, fields, rivals_on_fields, tuned
from .gaussian import gaussian_case, gaussian_guidance
from .method import (
    SIGMA_MAX,
    clean_estimate,
    correction,
    enkg,
    inner_steps,
    is_guided,
    noise_levels,
    prediction,
)
from .restoration import TUNED_ON, mean_psnr, restoration, restoration_scales


def _normal(run: Run) -> Callable[..., Tensor]:
    """Return a function from a shape to standard normal numbers, the same ones each time."""
    generator = torch.Generator(run.device).manual_seed(run.seed)
    return partial(torch.randn, generator=generator, dtype=run.dtype, device=run.device)


@experiment
def linear_direction(run: Run, *, shift: int = 0) -> dict[str, float]:
    """Corrections for linear predictions y = H x against C_xx Hᵀ(Hx − y), formed with matrices.

    `shift`: by how many particles the predictions are moved against the particles.
    """
    normal = _normal(run)
    errors, w = [], 0.7
    for particles, n, m in ((40, 6, 3), (5, 50, 3)):
        x, h, observed = normal(particles, n), normal(m, n), normal(m)
        y = x @ h.T
        moved = correction(x, y.roll(shift, dims=0), y - observed, w) - x
        centred = x - x.mean(dim=0)
        c_xx = centred.T @ centred / particles
        e = x @ h.T - observed
        length = w / (e @ h @ centred.T / particles).square().sum().sqrt()
        errors.append(relative(moved, -length * e @ h @ c_xx))
    basis = torch.linalg.qr(centred[1:].T)[0]  # of the differences' span, from the last case
    outside = moved - moved @ basis @ basis.T
    return {
        "full_rank_error": errors[0],
        "subspace_error": errors[1],
        "outside_span": (outside.norm() / moved.norm()).item(),
        "collapsed_move": _move_of_equal_particles(normal),
    }


def _move_of_equal_particles(normal: Callable[..., Tensor]) -> float:
    x = normal(6).expand(9, 6)
    y = x @ normal(3, 6).T
    return (correction(x, y, y - normal(3), 0.7) - x).abs().max().item()


@experiment
def linearisation(
    run: Run,
    *,
    kink: bool = False,
    particles: int = 2000,
    spreads: Sequence[float] = (0.3, 0.1, 0.03, 0.01),
) -> dict[str, float]:
    """The ensemble's direction for y = sin(Hx) against C_xx J(x̄)ᵀ e, at smaller and smaller spread.

    The direction is read off a correction, whose length is divided out again.

    Args:
        kink: y = |H(x − c)| in the place of the sine, with c as far from the middle as a tenth of
            the spread.
        particles: J.
        spreads: ε.
    """
    normal = _normal(run)
    centre, h, observed, z = normal(6), normal(3, 6), normal(3), normal(particles, 6)
    half = z[: particles // 2]
    orders = []
    for name, offsets in (("normal", z), ("symmetric", torch.cat([half, -half]))):
        gaps = []
        for spread in spreads:
            x = centre + spread * offsets
            corner = centre - 0.1 * spread if kink else torch.zeros_like(centre)
            inner, middle = (x - corner) @ h.T, h @ (x.mean(dim=0) - corner)
            y, slope = (inner.abs(), middle.sign()) if kink else (inner.sin(), middle.cos())
            e = y - observed
            delta_x, delta_y = x - x.mean(dim=0), y - y.mean(dim=0)
            length = torch.linalg.matrix_norm(e @ delta_y.T / particles)
            direction = length * (x - correction(x, y, e, 1.0))
            expected = e @ (slope[:, None] * h) @ (delta_x.T @ delta_x) / particles
            gaps.append(relative(direction, expected))
        run.curve(f"gap, {name} particles", spreads, gaps)
        orders.append(power(spreads, gaps).exponent)
    return {"order": orders[0], "order_symmetric": orders[1]}


@experiment
def units(run: Run, *, normalised: bool = True) -> dict[str, float]:
    """A correction in one unit of y and in another.

    `normalised`: with the method's step length; otherwise the step is w times the direction.
    """
    normal = _normal(run)
    x, h, observed = normal(20, 6), normal(3, 6), normal(3)

    def corrected(unit: float) -> Tensor:
        y = unit * (x @ h.T).sin()
        e = y - unit * observed
        if normalised:
            return correction(x, y, e, 0.7)
        c_xy = (x - x.mean(dim=0)).T @ (y - y.mean(dim=0)) / len(x)
        return x - 0.7 * e @ c_xy.T

    return {"difference": relative(corrected(1000.0), corrected(1.0))}


@experiment
def fixed_problem(run: Run, *, updates: int = 2) -> dict[str, float]:
    """The whole method on a problem without randomness: 10 particles in 4 dimensions, 100 steps.

    The start is 80 sin(1.7 i²), H = cos(i²) row by row, G = sin(Hx), y = (0.3, −0.4, 0.5), w = 1,
    and the prior is normal with variances 1, 1/2, 1/3, 1/4.
    """
    options: dict[str, Any] = {"dtype": run.dtype, "device": run.device}
    start = 80 * (1.7 * torch.arange(1, 41, **options) ** 2).sin().reshape(10, 4)
    h = (torch.arange(1, 13, **options) ** 2).cos().reshape(3, 4)
    observed = torch.tensor([0.3, -0.4, 0.5], **options)
    variances = 1 / torch.arange(1, 5, **options)
    calls = 0

    def forward(x: Tensor) -> Tensor:
        nonlocal calls
        calls += x[..., 0].numel()
        return (x @ h.T).sin()

    def solved(start: Tensor) -> Tensor:
        return enkg(
            start,
            lambda x, sigma: x * variances / (variances + sigma**2),
            forward,
            lambda y: y - observed,
            w=1.0,
            steps=100,
            updates=updates,
            edge=0.02,
        )

    x = solved(start)
    forward_calls = calls
    beside = solved(torch.stack([start, start.flip(0, 1)]))[0]
    return {
        "mean": x.mean().item(),
        "deviation": x.std().item(),
        "first": x[0, 0].item(),
        "forward_calls": forward_calls,
        "batch_error": relative(beside, x),
    }


@experiment
def decaying_guidance(run: Run, *, ratio: float = 0.2, steps: int = 24) -> dict[str, float]:
    """EnKG with a decaying guidance scale against its parts put together, with a ratio of 0.2.

    The scale of the reference is w times the straight line from 1 to the ratio. `ratio`: r of EnKG.
    """
    normal = _normal(run)
    start, h, observed, w = SIGMA_MAX * normal(12, 5), normal(3, 5), normal(3), 0.9

    def denoise(x: Tensor, sigma: float) -> Tensor:
        return x / (1 + sigma**2)

    def misfit(y: Tensor) -> Tensor:
        return y - observed

    found = enkg(
        *(start, denoise, lambda x: (x @ h.T).sin(), misfit), w=w, steps=steps, min_ratio=ratio
    )
    x = start
    for i, (sigma, after) in enumerate(pairwise(noise_levels(steps))):
        for _ in range(2 if is_guided(i, steps, 0.05) else 0):
            y = (clean_estimate(x, denoise, sigma, inner_steps(i, steps)) @ h.T).sin()
            x = correction(x, y, misfit(y), w * (1 - 0.8 * i / steps))
        x = prediction(x, denoise, sigma, after)
    return {"error": relative(found, x)}


@experiment
def gaussian_posterior(run: Run, *, updates: int = 2, particles: int = 256) -> dict[str, float]:
    """Prior N(0, I) in 16 dimensions, four linear observations with noise of deviation 0.05.

    Args:
        updates: corrections a step.
        particles: J.
    """
    w = run.artefact(gaussian_guidance, particles=particles)
    misfit, ratio = gaussian_case(run, w, updates, particles)
    return {"misfit": misfit, "error_ratio": ratio}


@experiment
def navier_stokes(
    run: Run,
    *,
    updates: int = 2,
    particles: int = 8,
    steps: int = 6,
    chain: int = 10,
    grid: Sequence[float] = (1.0,),
    tuning_fields: int = 1,
) -> dict[str, float]:
    """EnKG and four baselines on one field, each with the best setting of its grid on other fields.

    Args:
        updates: corrections a step.
        particles: J.
        steps: N.
        chain: diffusion steps of the baselines.
        grid: what the middle settings are multiplied by: guidance scales; for SCG, which has none,
            the steps.
        tuning_fields: on how many fields they are chosen.
    """
    size = {"particles": particles, "steps": steps, "chain": chain}
    settings = run.artefact(hindsight.tuned, grid=list(grid), fields_=tuning_fields, **size)
    best = run.artefact(hindsight.best_rival, seed=run.seed, settings=settings, **size)
    generator = run.torch_generator()
    truth, problem = fields(run, generator, 1)
    ensemble = {"particles": particles, "steps": steps, "updates": updates}
    error = ensemble_error(problem, truth, settings["EnKG"], generator, **ensemble)  # type: ignore[arg-type]
    return {"error_ratio": error / best, "relative_error": error}


@experiment
def navier_stokes_means(
    run: Run,
    *,
    updates: int = 2,
    pairing: int = 0,
    method: str = "enkg",
    particles: int = 8,
    steps: int = 6,
    chain: int = 10,
    grid: Sequence[float] = (1.0,),
    tuning_fields: int = 1,
    fields_a_seed: int = 1,
) -> dict[str, float]:
    """EnKG against the rival that was best in tuning, each by its mean error over some fields.

    Args:
        updates: corrections a step.
        pairing: by how many particles predictions are moved against particles.
        method: "eki" puts EKI, from samples of the prior, in EnKG's place.
        particles: J.
        steps: N.
        chain: diffusion steps of the rivals.
        grid: as in `navier_stokes`.
        tuning_fields: on how many fields settings and rival are chosen.
        fields_a_seed: over which errors are averaged.
    """
    size = {"particles": particles, "steps": steps, "chain": chain}
    tuning = {"grid": list(grid), "fields_": tuning_fields, **size}
    settings = run.artefact(tuned, **tuning)
    rival = settings["rival"]
    found = run.artefact(
        rivals_on_fields,
        seed=run.seed,
        names=[rival],
        settings=settings,
        count=fields_a_seed,
        **size,
    )
    w = settings["EnKG"] if method == "enkg" else run.artefact(tuned, eki=True, **tuning)["EKI"]
    generator = run.torch_generator()
    truth, problem = fields(run, generator, fields_a_seed)
    variant = {"updates": updates, "pairing": pairing, "method": method}
    error = ensemble_error(
        problem,
        truth,
        w,
        generator,
        particles=particles,
        steps=steps,
        **variant,  # type: ignore[arg-type]
    )
    rival_error = sum(found[rival]) / fields_a_seed
    return {
        "error_ratio": error / rival_error,
        "relative_error": error,
        "rival_error": rival_error,
    }


@experiment
def fashion_restoration(
    run: Run,
    *,
    updates: int = 2,
    particles: int = 8,
    steps: int = 6,
    images: int = 2,
    training: int = 10,
) -> dict[str, float]:
    """EnKG, samples of the prior, and EKI from such samples, on two ways to damage an image.

    Args:
        updates: corrections a step.
        particles: J.
        steps: N.
        images: how many, drawn from those that were not trained on.
        training: steps of the denoiser's training.
    """
    size = {"particles": particles, "steps": steps, "images": images, "training": training}
    scales = run.artefact(restoration_scales, **size)
    tasks, samples, rivals = restoration(run, slice(TUNED_ON, None), **size)
    unguided = mean_psnr(rivals, tasks[0].target)
    metrics = {}
    for task in tasks:
        restored = task.enkg(samples, scales[f"EnKG {task.name}"], updates)
        eki = task.eki(rivals, scales[f"EKI {task.name}"])
        metrics[f"gain_{task.name}"] = restored - unguided
        metrics[f"over_eki_{task.name}"] = restored - eki
    return metrics
