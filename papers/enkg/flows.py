"""EnKG and its rivals on Navier–Stokes flows: errors on fields, and settings tuned on others."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from claimbench import Run, artefact
from common.tuning import pick

from . import baselines
from .method import SIGMA_MAX, correction, enkg, is_guided
from .navier_stokes import Inversion

MIDDLE = 2.0  # guidance scale of EnKG and EKI in the middle of the grid
RIVALS = (*baselines.SCALED, "SCG")


def fields(run: Run, generator: torch.Generator, count: int) -> tuple[Tensor, Inversion]:
    """Draw fields of the prior, (count, n), and return them with the problem."""
    problem = Inversion.make(torch.zeros(1, dtype=run.dtype, device=run.device))
    n = problem.prior.variances.numel()
    noise = torch.randn(count, n, generator=generator, dtype=run.dtype, device=run.device)
    return problem.prior.sample(noise), problem


def calls(particles: int, steps: int) -> int:
    """Return how often EnKG with two corrections a step calls the forward model."""
    return 2 * particles * sum(is_guided(i, steps, 0.05) for i in range(steps))


def relative_errors(x: Tensor, truth: Tensor) -> Tensor:
    """Return relative L2 errors over the last axis, ∞ where a sample is not finite."""
    errors = (x - truth).norm(dim=-1) / truth.norm(dim=-1)
    return errors.nan_to_num(nan=math.inf)


def ensemble_error(
    problem: Inversion,
    truth: Tensor,
    w: float,
    generator: torch.Generator,
    *,
    particles: int,
    steps: int,
    updates: int = 2,
    pairing: int = 0,
    method: str = "enkg",
) -> float:
    """Return EnKG's relative L2 error, the mean over particles and fields.

    Args:
        problem: forward model and prior.
        truth: fields, (fields, n).
        w: guidance scale.
        generator: draws the start.
        particles: J.
        steps: N.
        updates: corrections a step.
        pairing: by how many particles predictions are moved against particles.
        method: "eki" corrects samples of the prior instead, with as many calls.
    """
    y = problem.forward(truth)[:, None]
    shape = (len(truth), particles, truth.shape[-1])
    noise = torch.randn(shape, generator=generator, dtype=truth.dtype, device=truth.device)

    def forward(x: Tensor) -> Tensor:
        return problem.forward(x).roll(pairing, dims=-2)

    def misfit(predicted: Tensor) -> Tensor:
        return predicted - y

    if method == "eki":
        x = problem.prior.sample(noise)
        for _ in range(calls(1, steps)):
            predicted = forward(x)
            x = correction(x, predicted, misfit(predicted), w)
    else:
        x = enkg(
            *(SIGMA_MAX * noise, problem.prior.denoise, forward, misfit),
            w=w,
            steps=steps,
            updates=updates,
        )
    return relative_errors(x, truth[:, None]).mean().item()


def rival_errors(
    name: str, setting: float, truth: Tensor, task: baselines.Task, chain: int
) -> Tensor:
    """Return a rival's relative L2 errors, one a field.

    `setting`: its guidance scale; for SCG, which has none, the number of diffusion steps.
    """
    if name == "SCG":
        return relative_errors(baselines.scg(task, chain=round(setting)), truth)
    method, _ = baselines.SCALED[name]
    scale = torch.full((len(truth), 1), setting).to(truth)
    return relative_errors(method(task, scale, chain=chain), truth)


@artefact(timeout=1200)
def tuned(
    run: Run,
    *,
    particles: int,
    steps: int,
    chain: int,
    grid: list[float],
    fields_: int,
    eki: bool = False,
) -> dict[str, Any]:
    """For each method the setting of its grid with the smallest mean error on fields of its own.

    Args:
        run: this run.
        particles: J.
        steps: N.
        chain: diffusion steps of the rivals, SCG's in the middle of its grid.
        grid: what the middle settings are multiplied by.
        fields_: how many fields.
        eki: tune EKI, and nothing else.

    Returns:
        Settings by method, and as `rival` the one with the smallest error of all rivals.
    """
    generator = run.torch_generator()
    truth, problem = fields(run, generator, fields_)
    task = baselines.Task(problem, problem.forward(truth), calls(particles, steps), generator)
    size = {"particles": particles, "steps": steps}
    chosen: dict[str, Any] = {}
    scores = {}
    for name in ("EKI",) if eki else ("EnKG", *RIVALS):
        if name in ("EnKG", "EKI"):
            method, middle = name.lower(), MIDDLE
        else:
            middle = chain if name == "SCG" else baselines.SCALED[name][1]
        settings = [middle * g for g in grid]
        if name == "SCG":
            settings = [float(max(round(s), 4)) for s in settings]
        errors = []
        for done, setting in enumerate(settings):
            if name in ("EnKG", "EKI"):
                error = ensemble_error(problem, truth, setting, generator, method=method, **size)
            else:
                error = rival_errors(name, setting, truth, task, chain).mean().item()
            errors.append(error)
            run.progress(done + 1, len(settings))
        key = "steps" if name == "SCG" else "scale"
        choice = pick(run, name, {key: settings}, errors, budget=len(grid))
        chosen[name], scores[name] = choice.setting[key], choice.score
    if not eki:
        names = list(RIVALS)
        best = pick(run, "rival", {"method": names}, [scores[name] for name in names])
        chosen["rival"] = best.setting["method"]
    return chosen


@artefact
def rivals_on_fields(
    run: Run,
    *,
    seed: int,
    names: Sequence[str],
    settings: dict[str, Any],
    count: int,
    particles: int,
    steps: int,
    chain: int,
) -> dict[str, list[float]]:
    """Errors of some rivals on the fields of a seed, one a field."""
    generator = torch.Generator(device=run.device).manual_seed(seed)
    truth, problem = fields(run, generator, count)
    task = baselines.Task(problem, problem.forward(truth), calls(particles, steps), generator)
    error = partial(rival_errors, truth=truth, task=task, chain=chain)
    return {name: error(name, settings[name]).tolist() for name in names}
