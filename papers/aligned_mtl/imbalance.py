"""Trainings in which one loss dominates, each with a rate of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from claimbench import Run, artefact
from common.tuning import best

from . import tasks


def degradation(metrics: Sequence[Sequence[float]], single: Sequence[Sequence[float]]) -> float:
    """Return Δm in per cent: how much worse than single tasks, on average over tasks and cases.

    Args:
        metrics: a row a case, each with the test error of all tasks, smaller is better.
        single: a row a task, with the error of that task alone.
    """
    alone = np.array([row[0] for row in single])
    return float(100 * (np.array(metrics) / alone - 1).mean())


@artefact
def trained(
    run: Run,
    *,
    seed: int,
    method: str,
    factor: float,
    eps: float | None,
    rates: Sequence[float],
    steps: int,
    images: int,
) -> list[list[float]]:
    """Return test errors of one training a case, each with its rate, on the data of that seed."""
    data = tasks.make(np.random.default_rng(seed), images, run.device)
    return [
        tasks.case(data, seed, steps, rate, method, i, factor, eps).test
        for i, rate in enumerate(rates)
    ]


@artefact
def tuned(
    run: Run,
    *,
    method: str,
    factor: float,
    eps: float | None,
    rates: Sequence[float],
    steps: int,
    images: int,
) -> list[float]:
    """Return for each case the rate with the smallest mean logarithm of validation errors."""
    data = tasks.make(run.rng, images, run.device)

    chosen = []
    for number in range(3):

        def score(setting: dict[str, Any], seed: int, number: int = number) -> float:
            errors = tasks.case(data, seed, steps, setting["rate"], method, number, factor, eps)
            return float(np.log(errors.validation).mean())

        name = f"{method}, case {number + 1}"
        chosen.append(best(run, name, {"rate": rates}, score, pilots=[run.seed]).setting["rate"])
    return chosen
