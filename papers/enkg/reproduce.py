"""EnKG against its formulas, the Gaussian posterior, and other methods that use no derivatives."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from claimbench import Run, artefact, experiment

from . import baselines, fashion
from .method import (
    SIGMA_MAX,
    clean_estimate,
    correction,
    enkg,
    is_guided,
)
from .navier_stokes import Inversion

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)  # of guidance, for EnKG and EKI on images
TUNED_ON = 100  # of the held-out images; the others are restored


def _normal(run: Run) -> Callable[..., Tensor]:
    """Return a function from a shape to standard normal numbers, the same ones each time."""
    generator = torch.Generator(run.device).manual_seed(run.seed)
    return partial(torch.randn, generator=generator, dtype=run.dtype, device=run.device)


def _relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


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
        errors.append(_relative(moved, -length * e @ h @ c_xx))
    basis = torch.linalg.qr(centred[1:].T)[0]  # of the differences' span, from the last case
    outside = moved - moved @ basis @ basis.T
    return {
        "full_rank_error": errors[0],
        "subspace_error": errors[1],
        "outside_span": (outside.norm() / moved.norm()).item(),
    }


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
            gaps.append(_relative(direction, expected))
        run.curve(f"gap, {name} particles", spreads, gaps)
        orders.append(_slope(spreads, gaps))
    return {"order": orders[0], "order_symmetric": orders[1]}


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the exponent of y in x, by least squares on logarithms."""
    log_x, log_y = (torch.tensor(v, dtype=torch.float64).log() for v in (x, y))
    log_x = log_x - log_x.mean()
    return ((log_x @ log_y) / (log_x @ log_x)).item()


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

    return {"difference": _relative(corrected(1000.0), corrected(1.0))}


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
        "batch_error": _relative(beside, x),
    }


@experiment
def gaussian_posterior(run: Run, *, updates: int = 2, particles: int = 256) -> dict[str, float]:
    """Prior N(0, I) in 16 dimensions, four linear observations with noise of deviation 0.05.

    Args:
        updates: corrections a step.
        particles: J.
    """
    w = run.artefact(gaussian_guidance, particles=particles)
    misfit, ratio = _gaussian_case(run, w, updates, particles)
    return {"misfit": misfit, "error_ratio": ratio}


@artefact
def gaussian_guidance(run: Run, *, particles: int) -> float:
    """Of four guidance scales the one with the smallest error ratio on a problem of its own."""
    scales = (0.25, 0.5, 1.0, 2.0)
    return min(scales, key=lambda w: _gaussian_case(run, w, 2, particles)[1])


def _gaussian_case(run: Run, w: float, updates: int, particles: int) -> tuple[float, float]:
    """Return the misfit of the ensemble's mean, and its distance from the posterior mean.

    The distance is in units of the one between the prior's and the posterior's mean.
    """
    normal = _normal(run)
    n, m, noise = 16, 4, 0.05
    h = normal(m, n) / n**0.5
    observed = h @ normal(n) + noise * normal(m)
    x = enkg(
        SIGMA_MAX * normal(particles, n),
        lambda x, sigma: x / (1 + sigma**2),
        lambda x: x @ h.T,
        lambda y: y - observed,
        w=w,
        updates=updates,
    ).mean(dim=0)
    identity = torch.eye(m, dtype=run.dtype, device=run.device)
    posterior = h.T @ torch.linalg.solve(h @ h.T + noise**2 * identity, observed)
    misfit = (h @ x - observed).square().sum() / observed.square().sum()
    return misfit.item(), ((x - posterior).norm() / posterior.norm()).item()


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
    settings = run.artefact(tuned, grid=list(grid), fields=tuning_fields, **size)
    best = run.artefact(baseline_error, seed=run.seed, settings=settings, **size)
    generator = run.torch_generator()
    field, problem = _fields(run, generator, 1)
    error = _enkg_error(problem, field, settings["EnKG"], updates, particles, steps, generator)
    return {"error_ratio": error / best, "relative_error": error}


@artefact(timeout=1200)
def tuned(
    run: Run, *, particles: int, steps: int, chain: int, grid: list[float], fields: int
) -> dict[str, float]:
    """For each method the setting of its grid with the smallest mean error on fields of its own."""
    generator = run.torch_generator()
    truth, problem = _fields(run, generator, fields)
    calls = _calls(particles, steps)
    out = {}
    scales = [2.0 * g for g in grid]
    errors = [_enkg_error(problem, truth, w, 2, particles, steps, generator) for w in scales]
    out["EnKG"] = scales[errors.index(min(errors))]
    for name, (method, middle) in baselines.SCALED.items():
        scales = [middle * g for g in grid]
        copies = truth.repeat(len(grid), 1)
        scale = torch.tensor(scales).to(truth).repeat_interleave(fields)[:, None]
        task = baselines.Task(problem, problem.forward(copies), calls, generator)
        found = _error(method(task, scale, chain=chain), copies).reshape(len(grid), fields)
        out[name] = scales[int(found.mean(dim=1).argmin())]
    task = baselines.Task(problem, problem.forward(truth), calls, generator)
    lengths = [max(round(chain * g), 4) for g in grid]
    errors = [_error(baselines.scg(task, chain=c), truth).mean().item() for c in lengths]
    out["SCG"] = float(lengths[errors.index(min(errors))])
    return out


@artefact
def baseline_error(
    run: Run, *, seed: int, settings: dict[str, float], particles: int, steps: int, chain: int
) -> float:
    """The smallest error of the baselines on the field of that seed."""
    generator = torch.Generator(device=run.device).manual_seed(seed)
    truth, problem = _fields(run, generator, 1)
    task = baselines.Task(problem, problem.forward(truth), _calls(particles, steps), generator)
    errors = [_error(baselines.scg(task, chain=int(settings["SCG"])), truth)]
    for name, (method, _) in baselines.SCALED.items():
        scale = torch.full((1, 1), settings[name]).to(truth)
        errors.append(_error(method(task, scale, chain=chain), truth))
    return torch.cat(errors).min().item()


def _fields(run: Run, generator: torch.Generator, count: int) -> tuple[Tensor, Inversion]:
    like = torch.zeros(1, dtype=run.dtype, device=run.device)
    problem = Inversion.make(like)
    n = problem.prior.variances.numel()
    noise = torch.randn(count, n, generator=generator, dtype=run.dtype, device=run.device)
    return problem.prior.sample(noise), problem


def _calls(particles: int, steps: int) -> int:
    """Return how often EnKG with two updates calls the forward model."""
    return 2 * particles * sum(is_guided(i, steps, 0.05) for i in range(steps))


def _error(x: Tensor, truth: Tensor) -> Tensor:
    """Return relative L2 errors, ∞ where the sample is not finite."""
    errors = (x - truth).norm(dim=-1) / truth.norm(dim=-1)
    return errors.nan_to_num(nan=math.inf)


def _enkg_error(
    problem: Inversion,
    truth: Tensor,
    w: float,
    updates: int,
    particles: int,
    steps: int,
    generator: torch.Generator,
) -> float:
    """Return EnKG's relative L2 error, the mean over particles and fields (fields, n)."""
    y = problem.forward(truth)[:, None]
    shape = (len(truth), particles, truth.shape[-1])
    noise = torch.randn(shape, generator=generator, dtype=truth.dtype, device=truth.device)
    x = enkg(
        SIGMA_MAX * noise,
        problem.prior.denoise,
        problem.forward,
        lambda predicted: predicted - y,
        w=w,
        steps=steps,
        updates=updates,
    )
    return _error(x, truth[:, None]).mean().item()


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
    tasks, samples, rivals = _restoration(run, slice(TUNED_ON, None), **size)
    unguided = _mean_psnr(rivals, tasks[0].target)
    metrics = {}
    for task in tasks:
        restored = task.enkg(samples, scales[f"EnKG {task.name}"], updates)
        eki = task.eki(rivals, scales[f"EKI {task.name}"])
        metrics[f"gain_{task.name}"] = restored - unguided
        metrics[f"over_eki_{task.name}"] = restored - eki
    return metrics


@artefact
def restoration_scales(
    run: Run, *, particles: int, steps: int, images: int, training: int
) -> dict[str, float]:
    """For EnKG and EKI, in each task, the best of five scales on images that no claim uses."""
    tasks, samples, rivals = _restoration(
        run, slice(TUNED_ON), particles=particles, steps=steps, images=images, training=training
    )
    found = {}
    for task in tasks:
        found[f"EnKG {task.name}"] = max(SCALES, key=partial(task.enkg, samples, updates=2))
        found[f"EKI {task.name}"] = max(SCALES, key=partial(task.eki, rivals))
    return found


@dataclass(frozen=True)
class _Task:
    """A way to damage images, and the mean PSNR of two ways to restore them, in dB."""

    name: str
    damage: Callable[[Tensor], Tensor]
    target: Tensor
    denoise: Callable[[Tensor, float], Tensor]
    steps: int

    def misfit(self, y: Tensor) -> Tensor:
        return y - self.damage(self.target)

    def enkg(self, start: Tensor, w: float, updates: int) -> float:
        x = enkg(
            start, self.denoise, self.damage, self.misfit, w=w, steps=self.steps, updates=updates
        )
        return _mean_psnr(x, self.target)

    def eki(self, x: Tensor, w: float) -> float:
        """With EnKG's step length, and as many forward calls as it makes with two corrections."""
        for _ in range(_calls(1, self.steps)):
            y = self.damage(x)
            x = correction(x, y, self.misfit(y), w)
        return _mean_psnr(x, self.target)


def _restoration(
    run: Run, rows: slice, *, particles: int, steps: int, images: int, training: int
) -> tuple[list[_Task], Tensor, Tensor]:
    """Return the tasks on random held-out images, EnKG's start, and samples of the prior."""
    prior = run.artefact(denoiser, training=training)
    weights = [prior[f"weight{i}"].to(run.device) for i in range(6)]
    generator, normal = run.torch_generator(), _normal(run)
    held_out = prior["held_out"].to(run.device)[rows]
    order = torch.randperm(len(held_out), generator=generator, device=run.device)
    truth = held_out[order[:images]]
    mask = torch.randperm(truth.shape[-1], generator=generator, device=run.device)[:98]

    def denoise(x: Tensor, sigma: float) -> Tensor:
        return fashion.denoise(weights, x, torch.full((1,), sigma).to(x))

    shape = (images, particles, truth.shape[-1])
    start, other = SIGMA_MAX * normal(*shape), SIGMA_MAX * normal(*shape)
    damages: dict[str, Callable[[Tensor], Tensor]] = {
        "superresolution": fashion.averaged,
        "inpainting": lambda x: x[..., mask],
    }
    tasks = [_Task(n, damage, truth[:, None], denoise, steps) for n, damage in damages.items()]
    return tasks, start, clean_estimate(other, denoise, SIGMA_MAX, steps)


def _mean_psnr(x: Tensor, target: Tensor) -> float:
    """Return the mean over particles and images, in dB; −∞ where a pixel is not a number."""
    return fashion.psnr(x, target).mean().nan_to_num(nan=-math.inf).item()


@artefact
def denoiser(run: Run, *, training: int) -> dict[str, Tensor]:
    """A denoiser trained on the first 20,000 images, and the last 1,000, which it has not seen."""
    like = torch.zeros(1, dtype=run.dtype, device=run.device)
    everything = fashion.images(like)
    weights = fashion.train(everything[:20_000], training, run.torch_generator())
    out = {f"weight{i}": w for i, w in enumerate(weights)}
    return {**out, "held_out": everything[-1000:].clone()}
