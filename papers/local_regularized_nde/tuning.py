"""Trained models, and the weight of a regulariser that is tuned on models of other seeds."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, artefact
from common.tuning import pick

from .method import SolverError
from .neural_ode import train

TUNING_DROP = 0.01  # accuracy that tuning may give away on the validation images


@artefact
def trained(
    run: Run, *, seed: int, regularizer: str, weight: float, steps: int, dynamics: bool
) -> dict[str, Tensor]:
    """A neural ODE trained as `train` says, judged on the test images."""
    return train(
        run, seed=seed, regularizer=regularizer, weight=weight, steps=steps, dynamics=dynamics
    )


@artefact
def tuned(
    run: Run, *, regularizer: str, weights: list[float], steps: int, models: int
) -> dict[str, Any]:
    """The weight with the fewest calls of f on validation images, the smallest where several tie.

    Among those that lose at most TUNING_DROP of accuracy there; if none does, the most accurate.
    Calls and accuracy are means over models of different seeds. A weight with which a solve fails
    counts as infinitely many calls. With it come the table and the models without regulariser.
    """
    seeds = run.rng.integers(2**32, size=models).tolist()

    def validated(regularizer: str, weight: float) -> tuple[float, float]:
        found = []
        for seed in seeds:
            found_model = train(
                run,
                seed=seed,
                regularizer=regularizer,
                weight=weight,
                steps=steps,
                validation=True,
            )
            found.append((found_model["nfe"].item(), found_model["accuracy"].item()))
        calls, accuracy = np.mean(found, axis=0).tolist()
        return calls, accuracy

    base = validated("none", 0.0)
    table = []
    for weight in weights:
        try:
            table.append((weight, *validated(regularizer, weight)))
        except SolverError:
            table.append((weight, math.inf, 0.0))
    least = base[1] - TUNING_DROP
    scores = [calls if accuracy >= least else math.inf for _, calls, accuracy in table]
    accurate = [accuracy for *_, accuracy in table]
    kept = any(math.isfinite(score) for score in scores)
    best = pick(
        run, regularizer, {"weight": weights}, scores if kept else accurate, higher=not kept
    )
    return {"weight": best.setting["weight"], "table": table, "without": base}


def model(
    run: Run, regularizer: str, weight: float, steps: int, dynamics: bool = True
) -> dict[str, Tensor]:
    """Return the trained model of this seed; without weight or dynamics nothing is regularised."""
    if weight == 0 or not dynamics:
        regularizer, weight = "none", 0.0
    arguments = {"regularizer": regularizer, "weight": weight, "steps": steps}
    found = run.artefact(trained, seed=run.seed, dynamics=dynamics, **arguments)
    return {name: torch.as_tensor(value, device=run.device) for name, value in found.items()}


def local_weight(
    run: Run, weight: float | None, weights: Sequence[float], steps: int, models: int
) -> float:
    """Return the given weight of the local regulariser, or else the tuned one."""
    if weight is not None:
        return weight
    grid = {"weights": list(weights), "steps": steps, "models": models}
    found: float = run.artefact(tuned, regularizer="unbiased", **grid)["weight"]
    return found


def accuracy_gap(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    """Return first less second on the test images, rounded, so that ten of a thousand are 0.01."""
    return round((first["accuracy"] - second["accuracy"]).item(), 9)
