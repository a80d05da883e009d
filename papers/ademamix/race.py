"""AdEMAMix and Adam on the Rosenbrock function, from (-3, 5): the paper's Fig. 2."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from claimbench import Run, artefact
from common.objectives import rosenbrock_gradient

from .method import AdEMAMix
from .probes import BETA2

ADAM_BETA1 = (0.9, 0.99, 0.999, 0.9999)  # the sweep of Fig. 2
BALL = 0.1  # distance from Rosenbrock's minimum that counts as arrival; ours

# Way from (-3, 5) straight to the floor y = x² at (-√5, 5), then along it to (1, 1): 7.92
FLOOR = [x * math.hypot(1, 2 * x) / 2 + math.asinh(2 * x) / 4 for x in (1, 5**0.5)]
WAY = 3 - 5**0.5 + sum(FLOOR)


class Race(NamedTuple):
    """What came of one race.

    Attributes:
        steps_ratio: fewest steps of Adam to arrive, over AdEMAMix's.
        steps_ratio_low: the same for Adam with β1 = 0.9 alone.
        excess_ratio: path beyond the way through the valley, AdEMAMix's over that of Adam with
            β1 = 0.999.
        path_ratio: the same for the whole path.
        distance_ratio: Adam's least distance at the end over AdEMAMix's.
        arrival: AdEMAMix's steps to arrive; all of them where it never does.
    """

    steps_ratio: float
    steps_ratio_low: float
    excess_ratio: float
    path_ratio: float
    distance_ratio: float
    arrival: float


def races(
    run: Run, arguments: dict[str, Any], rates: Sequence[float], factor: float, steps: int
) -> list[Race]:
    """Race AdEMAMix at each rate against Adam at `factor` times it; keep distances as curves."""
    ours = _walk(run, [{"lr": rate, **arguments} for rate in rates], steps, AdEMAMix)
    adams = run.artefact(adam_paths, rates=[factor * rate for rate in rates], steps=steps)["path"]
    return [
        _race(run, rate, torch.cat([ours[:, i : i + 1], adams[:, i].to(ours)], dim=1), steps)
        for i, rate in enumerate(rates)
    ]


@artefact
def adam_paths(run: Run, *, rates: list[float], steps: int) -> dict[str, Tensor]:
    """Adam's iterates at each rate and with each β1: (steps + 1, rates, β1, 2)."""
    groups = [{"lr": rate, "betas": (b, BETA2)} for rate in rates for b in ADAM_BETA1]
    adam = partial(torch.optim.Adam, fused=True)
    path = _walk(run, groups, steps, adam)
    return {"path": path.unflatten(1, (len(rates), len(ADAM_BETA1)))}


def _race(run: Run, rate: float, path: Tensor, steps: int) -> Race:
    """Compare the paths of AdEMAMix and of Adam with each β1, (steps + 1, runs, 2)."""
    distance = (path - 1).norm(dim=-1)  # to (1, 1)
    for i, name in enumerate(("AdEMAMix", *(f"Adam, β1 = {b}" for b in ADAM_BETA1))):
        run.curve(f"{name}, distance at η = {rate}", range(steps + 1), distance[:, i].tolist())
    length = path.diff(dim=0).norm(dim=-1).sum(dim=0)
    excess = (length - WAY).clamp(min=0)
    near = distance < BALL
    arrival = torch.where(near.any(dim=0), near.int().argmax(dim=0), steps)
    low, slow = (1 + ADAM_BETA1.index(b) for b in (0.9, 0.999))
    return Race(
        (arrival[1:].min() / arrival[0]).item(),
        (arrival[low] / arrival[0]).item(),
        (excess[0] / excess[slow]).item() if excess[slow] > 0 else math.inf,
        (length[0] / length[slow]).item(),
        (distance[-1, 1:].min() / distance[-1, 0]).item(),
        arrival[0].item(),
    )


def _walk(
    run: Run,
    groups: list[dict[str, Any]],
    steps: int,
    make: Callable[..., torch.optim.Optimizer],
) -> Tensor:
    """Return an optimizer's iterates from (-3, 5), one path a group of options: (…, groups, 2)."""
    points = torch.tensor([-3.0, 5.0], dtype=run.dtype, device=run.device).repeat(len(groups), 1)
    gradient = torch.zeros_like(points)
    parameters = list(points)  # one a group, views of points
    for p, g in zip(parameters, gradient, strict=True):
        p.grad = g
    optimizer = make([{"params": [p], **o} for p, o in zip(parameters, groups, strict=True)])
    path = points.new_empty((steps + 1, *points.shape))
    path[0] = points
    for t in range(1, steps + 1):
        gradient.copy_(rosenbrock_gradient(points))
        optimizer.step()
        path[t] = points
    return path
