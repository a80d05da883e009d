"""The rules and the field's habits, for thousands of samples at once.

Each takes an array with one sample a row and bounds, and returns verdicts (1 reproduced, -1
diverged, 0 undecided) and the seeds used. Tests compare the rules of the harness with
`claimbench.judging.rules`.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from claimbench.judging.sequential import ALPHA, LOOKS

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Judged = tuple[Counts, Counts]


def typical(values: Array, lower: float, upper: float = np.inf) -> Judged:
    """The rule `typical` with up to 20 seeds."""
    holds = (values >= lower) & (values <= upper)
    stages = []
    for look, least in LOOKS.items():
        held = holds[:, :look].sum(axis=1)
        stages.append((look, (held >= least).astype(int) - (look - held >= least)))
    return _first(stages)


def every(values: Array, lower: float, upper: float = np.inf, *, seeds: int = 3) -> Judged:
    """The rule `every`."""
    holds = ((values >= lower) & (values <= upper))[:, :seeds]
    all_hold = holds.all(axis=1)
    used = np.where(all_hold, seeds, holds.argmin(axis=1) + 1)
    return np.where(all_hold, 1, -1), used


def t_interval(
    values: Array, lower: float, upper: float = np.inf, *, seeds: Sequence[int]
) -> Judged:
    """A 90 % t interval inside or outside the region, at the first of the seeds that says so.

    With one number of seeds the habit of a fixed n; with several the habit to add seeds until the
    interval is clear, without a correction.
    """
    stages = [(n, _t_verdict(values[:, :n], lower, upper, ALPHA, ALPHA)) for n in seeds]
    return _first(stages)


def one_seed(values: Array, lower: float, upper: float = np.inf) -> Judged:
    """One seed and a band: its value lies in the region or does not."""
    return every(values, lower, upper, seeds=1)


def reference_convergence(values: Array, reference: Array, *, runs: int) -> Judged:
    """MLPerf's reference-convergence rule: not shown to lie below the reference, so it passes.

    Of the `runs` submitted and the 2 `runs` reference runs, the smallest and the largest are
    dropped. The submission fails where its trimmed mean is so much smaller than the reference's
    that a pooled one-sided t test with 5 % rejects, with the standard deviation of the trimmed
    reference runs (divisor their number) standing for both. Meant for epochs to convergence,
    where smaller is suspicious.

    Source: the public checker, mlcommons/logging, `mlperf_logging/rcp_checker/rcp_checker.py`,
    `compute_rcp_stats` and `_find_min_acceptable_mean`.
    """
    submitted = np.sort(values[:, :runs], axis=1)[:, 1:-1]
    trimmed = np.sort(reference[:, : 2 * runs], axis=1)[:, 1:-1]
    few, many = submitted.shape[1], trimmed.shape[1]
    critical = -special.stdtrit(few + many - 2, ALPHA)
    least = trimmed.mean(axis=1) - critical * trimmed.std(axis=1) * np.sqrt(1 / few + 1 / many)
    verdict = np.where(submitted.mean(axis=1) > least, 1, -1)
    equal = trimmed.std(axis=1) == 0
    verdict[equal] = np.where(submitted.mean(axis=1) >= trimmed.mean(axis=1), 1, -1)[equal]
    return verdict, np.full(len(values), 3 * runs)


def with_control(claim: Judged, control: Judged) -> tuple[NDArray[np.str_], Counts]:
    """The verdict words of claims with one control, and all seeds used.

    The control runs only where the claim is reproduced; see `claimbench.judging.trial`.
    """
    main, other = claim[0], control[0]
    words = np.select(
        [main < 0, main == 0, other > 0, other == 0],
        ["diverged", "inconclusive", "vacuous", "inconclusive"],
        "reproduced",
    )
    return words, claim[1] + np.where(main > 0, control[1], 0)


def _t_verdict(values: Array, lower: float, upper: float, inside: float, outside: float) -> Counts:
    """What a single look says; nothing where all values are equal."""
    count = values.shape[1]
    centre, sd = values.mean(axis=1), values.std(axis=1, ddof=1)
    varied = values.min(axis=1) < values.max(axis=1)
    error = np.where(varied, sd, 1) / np.sqrt(count)
    t_in, t_out = (-special.stdtrit(count - 1, level) for level in (inside, outside))
    over, under = (centre - lower) / error, (upper - centre) / error
    verdict = ((over >= t_in) & (under >= t_in)).astype(int)
    verdict -= (over <= -t_out) | (under <= -t_out)
    return np.where(varied, verdict, 0)


def _first(stages: Iterable[tuple[int, Counts]]) -> Judged:
    """The first stage that is not 0, and its seeds; the last one's seeds where all are."""
    verdict: Counts | None = None
    for seeds, says in stages:
        if verdict is None:
            verdict, used = says.copy(), np.full(len(says), seeds)
            continue
        still = verdict == 0
        used[still] = seeds
        verdict[still] = says[still]
    if verdict is None:
        raise ValueError("no stages")
    return verdict, used
