"""Choosing hyperparameters from grids, on seeds that no claim is judged on.

Tune in an artefact: its run has a seed of its own, and all seeds of an experiment share it. Every
choice is handed to `run.chosen`, so that the record tells what was chosen from which grid.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple, Protocol

import numpy as np

Grid = Mapping[str, Any]  # to sequences of values
Setting = dict[str, Any]


class Run(Protocol):
    """What tuning needs of a run."""

    seed: int

    def chosen(self, name: str, /, *, grid: Grid, **setting: Any) -> None:
        """Keep what was chosen."""

    def progress(self, done: int, total: int) -> None:
        """Say how much is over."""


class Choice(NamedTuple):
    """The best setting of a grid.

    Attributes:
        setting: a value for each name of the grid.
        score: its mean over the pilots.
        scores: the means of all settings, in the order of `settings`; worst possible (inf, or
            −inf where higher is better) where one of the pilots gave no finite number.
    """

    setting: Setting
    score: float
    scores: list[float]


def settings(grid: Grid) -> list[Setting]:
    """Return every combination of a grid's values, the last name's changing fastest."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def pilot_seeds(run: Run, count: int) -> list[int]:
    """Return seeds for tuning, the same for all arms that are tuned in this run."""
    return [int(seed) for seed in np.random.SeedSequence(run.seed).generate_state(count)]


def best(
    run: Run,
    name: str,
    grid: Grid,
    score: Callable[[Setting, int], Any],
    *,
    pilots: int | Sequence[int],
    higher: bool = False,
    budget: int | None = None,
) -> Choice:
    """Return the setting with the lowest mean score, one training after another.

    Args:
        run: an artefact's.
        name: of what is tuned.
        grid: for each name its values.
        score: of a setting (a dict) and a pilot's seed; a number.
        pilots: how many seeds (`pilot_seeds`), or the seeds themselves.
        higher: take the highest mean instead.
        budget: how many trainings each arm of the comparison has; see `pick`.

    Raises:
        ValueError: as `pick`, before anything is trained.
    """
    seeds = pilot_seeds(run, pilots) if isinstance(pilots, int) else list(pilots)
    cells = settings(grid)
    _check_budget(name, len(cells), len(seeds), budget)
    table = np.empty((len(cells), len(seeds)))
    for i, (row, column) in enumerate(np.ndindex(table.shape)):
        table[row, column] = float(score(dict(cells[row]), seeds[column]))
        run.progress(i + 1, table.size)
    return pick(run, name, grid, table, higher=higher, budget=budget)


def best_of_each(
    run: Run,
    arms: Mapping[str, Grid],
    score: Callable[[str, Setting, int], Any],
    *,
    pilots: int | Sequence[int],
    higher: bool = False,
) -> dict[str, Choice]:
    """Return the best setting of each arm of a comparison; all arms have the same pilots.

    Args:
        run: an artefact's.
        arms: for each arm's name its grid, all with as many settings.
        score: of an arm's name, a setting and a pilot's seed.
        pilots: as in `best`.
        higher: take the highest means instead.

    Raises:
        ValueError: an arm has more settings than another.
    """
    sizes = {arm: len(settings(grid)) for arm, grid in arms.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"arms of a comparison need as many settings each, got {sizes}")
    seeds = pilot_seeds(run, pilots) if isinstance(pilots, int) else list(pilots)
    return {
        arm: best(
            run,
            arm,
            grid,
            lambda setting, seed, arm=arm: score(arm, setting, seed),  # type: ignore[misc]
            pilots=seeds,
            higher=higher,
        )
        for arm, grid in arms.items()
    }


def pick(
    run: Run,
    name: str,
    grid: Grid,
    scores: Any,
    *,
    higher: bool = False,
    budget: int | None = None,
) -> Choice:
    """Return the setting with the lowest mean of scores that are there already.

    For all settings at once on a leading axis: train `settings(grid)`, then pick. What is not
    finite never wins; where nothing is finite, the first setting is chosen with an infinite score.
    Of equal ones the first is chosen.

    Args:
        run: an artefact's.
        name: of what is tuned.
        grid: for each name its values.
        scores: one a setting, in the order of `settings`, shape (settings,) or (settings, pilots);
            a list, array or tensor.
        higher: take the highest mean instead.
        budget: how many trainings, settings times pilots, each arm of the comparison has; None
            where nothing is compared.

    Raises:
        ValueError: the scores do not fit the grid, or arm and budget differ.
    """
    values = scores.detach().cpu() if hasattr(scores, "detach") else scores
    table = np.asarray(values, dtype=float)
    table = table[:, None] if table.ndim == 1 else table
    cells = settings(grid)
    if table.ndim != 2 or len(table) != len(cells) or table.size == 0:
        raise ValueError(f"`{name}`: {len(cells)} settings, but scores of shape {table.shape}")
    _check_budget(name, len(cells), table.shape[1], budget)
    worst = -math.inf if higher else math.inf
    finite = np.isfinite(table).all(axis=1)
    means = np.where(finite, np.where(finite[:, None], table, 0.0).mean(axis=1), worst)
    at = int(means.argmax() if higher else means.argmin())
    run.chosen(name, grid={key: list(values) for key, values in grid.items()}, **cells[at])
    return Choice(cells[at], float(means[at]), means.tolist())


def _check_budget(name: str, cells: int, pilots: int, budget: int | None) -> None:
    if budget is not None and cells * pilots != budget:
        raise ValueError(
            f"`{name}`: {cells} settings on {pilots} pilots are {cells * pilots} trainings, but "
            f"the budget of each arm is {budget}"
        )
