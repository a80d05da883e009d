"""Verdicts from seeds: does the claim hold, and how sure is that?

`judge` sees which seeds held, never the metrics, so it assumes nothing about how they are
distributed. The test behind the rule `typical` is in `claimbench.judging.sequential`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from claimbench.judging.sequential import (
    ALPHA,
    FEWEST_SEEDS,
    LOOKS,
    MOST_SEEDS,
    POWER,
    boundary,
    detectable_share,
    interval,
    looks,
    more_seeds,
    side,
)
from claimbench.judging.verdict import SettingVerdict

__all__ = [
    "LOOKS",
    "Judgement",
    "judge",
    "median_coverage",
    "median_interval",
    "next_look",
]

DEFAULT_SEEDS = {"every": 3, "typical": max(LOOKS)}
LEAST_SEEDS = {"every": 1, "typical": FEWEST_SEEDS}


@dataclass(frozen=True)
class Judgement:
    """What the seeds show about one claim, or one control.

    Attributes:
        verdict: reproduced, diverged, or undecided where neither has been shown yet.
        final: whether more seeds would change nothing: decided, or max_seeds reached. Undecided
            and final is what the engine calls inconclusive.
        held: seeds that held, out of `seeds`.
        seeds: seeds that the judgement used: up to the deciding look, at most max_seeds. Report
            metrics of these alone, and they will not depend on what else has been run.
        share: held / seeds, 0.0 without any.
        interval: interval for the true share, at most 5 % a side, valid although the number of
            seeds depends on what they show; see `judge`. (0.0, 1.0) without any seeds.
        power: what max_seeds seeds would have shown with probability 80 %. Rule `typical`: the
            smallest true share at which the verdict is "reproduced" so often. Rule `every`: the
            smallest share of failing seeds of which they would have met one so often.
        more_seeds: how many further seeds would decide with probability 80 % if the observed
            share were the truth. None once decided, without any seeds, and where 200 seeds in all
            would not do.
        rule: "every" or "typical".
        max_seeds: the largest number of seeds of the design.
    """

    verdict: SettingVerdict
    final: bool
    held: int
    seeds: int
    share: float
    interval: tuple[float, float]
    power: float
    more_seeds: int | None
    rule: str
    max_seeds: int

    @property
    def power_text(self) -> str:
        """The power as one sentence without a full stop; the number is rounded up."""
        share = f"{math.ceil(100 * self.power) / 100:.2f} or more in {100 * POWER:.0f} % of cases"
        if self.rule == "typical":
            return f"{self.max_seeds} seeds show a share of {share}"
        if self.max_seeds == 1:
            return f"1 seed exposes a share of failing seeds of {share}"
        return f"{self.max_seeds} seeds expose a share of failing seeds of {share}"


def judge(
    outcomes: Sequence[bool], rule: str = "typical", *, max_seeds: int | None = None
) -> Judgement:
    """Judge a claim by the seeds that held.

    Rule `typical`: let p be the share of all seeds that would hold. The verdict is "reproduced"
    where p > 1/2 is shown and "diverged" where p < 1/2 is, at the first look of `LOOKS` at which
    so many seeds, of those so far, lie on one side. At p = 1/2 each error has probability 4.7 %,
    further away less. With another max_seeds than 20 the looks below it stay, and max_seeds is
    the last look, with the smallest boundary that keeps the error of the whole at or below 5 % a
    side: 9 of 11, say, or 22 of 30. For some numbers, such as 7, 10 and 21, nothing that the look
    before left undecided can reach it.

    Rule `every`: the first seed that does not hold decides "diverged"; "reproduced" takes
    max_seeds that hold.

    Outcomes are read in order and nothing after the deciding look is read, so seeds that happen
    to be stored already cannot change a verdict. A list longer than max_seeds is cut.

    The interval of rule `typical` orders the ends of the test stage by stage, see
    `claimbench.judging.sequential.interval`. Of a final judgement it excludes 1/2 if and only if
    the verdict is decided. Of one that is not final it treats the present number of seeds as the
    last look; read it as preliminary. The interval of rule `every` orders the ends by the seed j
    that fails first, all n holding being the largest, so that with α = 5 %

        failed at j:  p^(j - 1) = α at the lower bound,  1 - p^j = α at the upper
        n held:       p^n = α at the lower bound,        1 is the upper,

    with 0 as the lower bound for j = 1, and the present number as n while not final. It excludes
    1 if and only if the verdict is "diverged".

    Args:
        outcomes: whether the seed held, in the order of the seed index. An empty list is
            undecided.
        rule: "every" or "typical".
        max_seeds: the largest number of seeds: for `every` 1 to 200, default 3; for `typical` 6
            to 200, default 20.

    Raises:
        ValueError: the rule is unknown, or max_seeds lies outside its range.
    """
    if max_seeds is None:
        max_seeds = DEFAULT_SEEDS.get(rule, MOST_SEEDS)
    _check(rule, max_seeds)
    cut = [bool(held) for held in outcomes[:max_seeds]]
    return _judge_typical(cut, max_seeds) if rule == "typical" else _judge_every(cut, max_seeds)


def _check(rule: str, max_seeds: int) -> None:
    if rule not in LEAST_SEEDS:
        raise ValueError(f"unknown rule `{rule}`; the rules are every and typical")
    if not LEAST_SEEDS[rule] <= max_seeds <= MOST_SEEDS:
        raise ValueError(
            f"rule `{rule}` takes a max_seeds of {LEAST_SEEDS[rule]} to {MOST_SEEDS}, "
            f"got {max_seeds}"
        )


def _judge_typical(outcomes: list[bool], max_seeds: int) -> Judgement:
    seeds = len(outcomes)
    verdict = SettingVerdict.UNDECIDED
    for look in looks(max_seeds):
        if look > len(outcomes):
            break
        decided = side(look, sum(outcomes[:look]), boundary(look))
        if decided:
            seeds = look
            verdict = SettingVerdict.REPRODUCED if decided > 0 else SettingVerdict.DIVERGED
            break
    held = sum(outcomes[:seeds])
    undecided = verdict is SettingVerdict.UNDECIDED
    return Judgement(
        verdict=verdict,
        final=not undecided or seeds == max_seeds,
        held=held,
        seeds=seeds,
        share=held / seeds if seeds else 0.0,
        interval=interval(seeds, held),
        power=detectable_share(max_seeds),
        more_seeds=more_seeds(seeds, held, max_seeds) if undecided else None,
        rule="typical",
        max_seeds=max_seeds,
    )


def _judge_every(outcomes: list[bool], max_seeds: int) -> Judgement:
    failed = False in outcomes
    seeds = outcomes.index(False) + 1 if failed else len(outcomes)
    held = seeds - failed
    missing = max_seeds - seeds
    undecided = bool(missing) and not failed
    verdict = SettingVerdict.DIVERGED if failed else SettingVerdict.REPRODUCED
    return Judgement(
        verdict=SettingVerdict.UNDECIDED if undecided else verdict,
        final=not undecided,
        held=held,
        seeds=seeds,
        share=held / seeds if seeds else 0.0,
        interval=(
            ALPHA ** (1 / held) if held else 0.0,
            (1 - ALPHA) ** (1 / seeds) if failed else 1.0,
        ),
        power=1 - (1 - POWER) ** (1 / max_seeds),
        more_seeds=missing if undecided and seeds else None,
        rule="every",
        max_seeds=max_seeds,
    )


def next_look(rule: str, seeds_so_far: int, max_seeds: int) -> int | None:
    """Return how many seeds in total should exist before judging again; None at max_seeds.

    For `typical` this is the next look. For `every` it is one more seed, since each
    can decide; who runs several at once loses nothing but their cost.

    Raises:
        ValueError: the rule is unknown, or max_seeds lies outside its range.
    """
    _check(rule, max_seeds)
    candidates: Iterable[int] = range(1, max_seeds + 1)
    if rule == "typical":
        candidates = looks(max_seeds)
    return next((look for look in candidates if look > seeds_so_far), None)


def median_interval(values: Iterable[float], confidence: float = 0.9) -> tuple[float, float, float]:
    """Return the median of the values and an interval for the median that they estimate.

    The interval runs from the r-th smallest to the r-th largest value, with the largest r whose
    coverage, see `median_coverage`, reaches the confidence. It holds for every distribution: for a
    continuous one the coverage is exact, for others at least that. Too few values for it (fewer
    than 5 at 0.9) give the full range, which covers less.

    Values may be ±inf. An even number of values has as its median the mean of the middle two,
    except that between -inf and inf, which have none, the lower is taken.

    Source: David & Nagaraja, Order Statistics (3rd ed., 2003), sec. 7.1.

    Returns:
        Median, lower bound and upper bound, in the unit of the values.

    Raises:
        ValueError: no values, a NaN among them, or a confidence outside (0, 1).
    """
    ordered = sorted(float(value) for value in values)
    if any(math.isnan(value) for value in ordered):
        raise ValueError("median_interval: NaN has no place in an order")
    rank = _rank(len(ordered), confidence)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    median = low if low == high or low == -math.inf else low / 2 + high / 2
    return median, ordered[rank - 1], ordered[-rank]


def median_coverage(count: int, confidence: float = 0.9) -> float:
    """Return the probability with which `median_interval` of so many values covers the median.

    With B ~ Binomial(count, 1/2), the number of values below the median, and r the rank of the
    lower bound, it is 1 - 2 P(B < r). It lies below the confidence where `median_interval` falls
    back to the full range, r = 1; a single value covers with probability 0.

    Raises:
        ValueError: count below 1, or a confidence outside (0, 1).
    """
    rank = _rank(count, confidence)
    return 1 - 2 * sum(math.comb(count, k) for k in range(rank)) / (1 << count)


@lru_cache(maxsize=1024)
def _rank(count: int, confidence: float) -> int:
    """The largest r ≥ 1 with 1 - 2 P(B < r) ≥ confidence, or 1 if there is none."""
    if count < 1:
        raise ValueError("median_interval: give at least one value")
    if not 0 < confidence < 1:
        raise ValueError(f"median_interval: confidence must lie in (0, 1), got {confidence}")
    rank, below = 1, 1 + count
    while 1 - 2 * below / (1 << count) >= confidence:
        rank += 1
        below += math.comb(count, rank)
    return rank
