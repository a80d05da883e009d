"""Verdicts from seeds: does the claim hold, and how sure is that?

`judge` sees which seeds held, never the metrics, so it assumes nothing about how they are
distributed. The test behind the rule `typical` is in `claimbench.judging.sequential`. `judge_mean`, the rule
`mean`, takes the values and assumes that they are normal; its test is in `claimbench.judging.group_t`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from claimbench.judging import group_t
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

__all__ = [
    "LOOKS",
    "Judgement",
    "judge",
    "judge_mean",
    "median_coverage",
    "median_interval",
    "next_look",
]

Verdict = Literal["reproduced", "diverged", "undecided"]

Scale = Literal["log"]

DEFAULT_SEEDS = {"every": 3, "typical": max(LOOKS), "mean": max(group_t.LOOKS)}
LEAST_SEEDS = {"every": 1, "typical": FEWEST_SEEDS}


@dataclass(frozen=True)
class Judgement:
    """What the seeds show about one claim, or one control.

    Attributes:
        verdict: "reproduced", "diverged", or "undecided" where neither has been shown yet.
        final: whether more seeds would change nothing: decided, or max_seeds reached. Undecided
            and final is what the engine calls inconclusive.
        held: seeds that held, out of `seeds`.
        seeds: seeds that the judgement used: up to the deciding look, at most max_seeds. Report
            metrics of these alone, and they will not depend on what else has been run.
        share: held / seeds, 0.0 without any. Rule `mean` does not judge by it.
        interval: interval for the true share, at most 5 % a side, valid although the number of
            seeds depends on what they show; see `judge` and `judge_mean`. (0.0, 1.0) without any
            seeds.
        power: what max_seeds seeds would have shown with probability 80 %. Rule `typical`: the
            smallest true share at which the verdict is "reproduced" so often. Rule `every`: the
            smallest share of failing seeds of which they would have met one so often. Rule
            `mean`: the smallest distance of the true mean from a bound, in standard deviations
            of the metric (of its logarithm with `scale: log`), that is shown so often.
        more_seeds: how many further seeds would decide with probability 80 % if what was observed
            (the share, or mean and standard deviation) were the truth. None once decided, without
            any seeds, and where 200 seeds in all would not do.
        rule: "every", "typical" or "mean".
        max_seeds: the largest number of seeds of the design.
        estimate: rule `mean`: mean, lower and upper bound of its interval, in the metric's unit;
            the geometric mean with `scale: log`. None for the other rules, without any seeds, and
            where a value is infinite.
    """

    verdict: Verdict
    final: bool
    held: int
    seeds: int
    share: float
    interval: tuple[float, float]
    power: float
    more_seeds: int | None
    rule: str
    max_seeds: int
    estimate: tuple[float, float, float] | None = None

    @property
    def power_text(self) -> str:
        """The power as one sentence without a full stop; the number is rounded up."""
        if self.rule == "mean":
            return (
                f"{self.max_seeds} seeds show a mean that lies {self.power:.2f} standard "
                f"deviations or more from a bound in {100 * POWER:.0f} % of cases"
            )
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
    `claimbench.judging.sequential.interval`. Of a final judgement it excludes 1/2 if and only if the verdict
    is decided. Of one that is not final it treats the present number of seeds as the last look;
    read it as preliminary. The interval of rule `every` orders the ends by the seed j that fails
    first, all n holding being the largest, so that with α = 5 %

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
        ValueError: the rule is unknown or `mean`, which needs the values; or max_seeds lies
            outside its range.
    """
    if rule == "mean":
        raise ValueError("rule `mean` judges values, not outcomes: call judge_mean")
    if max_seeds is None:
        max_seeds = DEFAULT_SEEDS.get(rule, MOST_SEEDS)
    _check(rule, max_seeds)
    cut = [bool(held) for held in outcomes[:max_seeds]]
    return _judge_typical(cut, max_seeds) if rule == "typical" else _judge_every(cut, max_seeds)


class Bounds(Protocol):
    """The region of a metric, as `claimbench.spec.Region` has it; ±∞ where an end is missing."""

    @property
    def lower(self) -> float:
        """Lower end."""

    @property
    def upper(self) -> float:
        """Upper end."""

    def holds(self, value: float) -> bool:
        """Return whether the value lies in the region."""


def judge_mean(
    values: Sequence[float],
    region: Bounds,
    *,
    scale: Scale | None = None,
    max_seeds: int = DEFAULT_SEEDS["mean"],
) -> Judgement:
    """Judge a claim by the mean of its one metric: the rule `mean`.

    At 5, 8, 12 and 20 seeds, up to max_seeds, a t test compares the mean with each end of the
    region, at the level of 0.01771 that makes the error over all looks 5 % (derivation and
    constants: `claimbench.judging.group_t`). The verdict is "reproduced" where the mean is shown to lie
    inside, for a region of two ends by both tests at once, and "diverged" where it is shown to
    lie outside. If the values are independent and normal, each word is wrong with probability 5 %
    at most. Whether an end belongs to its region makes no difference.

    With `scale: log` logarithms of values and ends are compared: the claim is on the geometric
    mean, and log-normal values are judged as exactly as normal ones.

    Where it errs: the values have to be near normal, above all not skewed. With the mean exactly
    at the lower end of a region, the two words, both wrong, came out this often (in per cent;
    Monte Carlo, docs/calibration.md). A long tail to the right gives too many "diverged"; for a
    tail to the left, or at an upper end, read the columns the other way round.

        values                       reproduced  diverged
        normal                              4.9       5.1
        log-normal, σ = 1                   0.2      29.7
        the same with scale: log            4.9       5.0
        exponential                         0.8      19.0
        the same with scale: log           10.9       1.9
        t, 3 degrees of freedom             4.0       4.0
        Beta(5, 1)                         14.3       1.5
        bimodal, 70 % and 30 %              2.0      19.5
        coarse, four values, skewed         1.9       9.6

    A control at the bound is wrongly rejected as often as the last column says. Tails that are
    heavy on both sides alike do no harm. The rule `typical` stays below 5 % for all of these.

    Equal values: a look at which all are equal decides nothing, for then t does not exist; few
    distinct values can come out equal by chance. Use `typical`. An infinite value: what can be
    infinite has no finite mean, so the first look with one decides "diverged", with `scale: log`
    too. Below five seeds the claim is undecided.

    `held` counts the seeds whose own value lies in the region. `interval`, for their share, is
    that of Clopper & Pearson at 5 % / 4 a side, which holds at whichever look the test stops.
    `estimate` has the interval for the mean that excludes an end where a look decides against it
    (a region of one end; "diverged" of two takes a stricter level).

    Args:
        values: the metric, in the order of the seed index; nothing after the deciding look is
            read.
        region: where the mean must lie; at least one end is finite.
        scale: "log", or None for the values as they are.
        max_seeds: the last look: 5, 8, 12 or 20.

    Raises:
        ValueError: max_seeds is no look, the region has no finite end, a value is NaN, or with
            `scale: log` a value or a finite end is not positive.
    """
    _check("mean", max_seeds)
    cut = [float(value) for value in values[:max_seeds]]
    if math.isinf(region.lower) and math.isinf(region.upper):
        raise ValueError("rule `mean` needs a region with a finite end")
    measured, lower, upper = logarithms(cut, region, scale)
    seeds, verdict = len(cut), _first_verdict(measured, lower, upper)
    if verdict is not None:
        seeds = verdict[0]
    held = sum(region.holds(value) for value in cut[:seeds])
    seen = group_t.summary(measured[:seeds]) if seeds else None
    return Judgement(
        verdict=verdict[1] if verdict else "undecided",
        final=verdict is not None or seeds == max_seeds,
        held=held,
        seeds=seeds,
        share=held / seeds if seeds else 0.0,
        interval=group_t.share_interval(seeds, held),
        power=group_t.SHIFTS[max_seeds],
        more_seeds=group_t.more_values(seen, lower, upper) if seen and not verdict else None,
        rule="mean",
        max_seeds=max_seeds,
        estimate=_estimate(seen, scale) if seen else None,
    )


def logarithms(
    values: Sequence[float], region: Bounds, scale: Scale | None
) -> tuple[list[float], float, float]:
    """Return values, lower and upper end on the scale on which their mean is tested.

    Raises:
        ValueError: the scale is log, and a value or a finite end is not positive.
    """
    if scale is None:
        return list(values), region.lower, region.upper
    lower, upper = (
        _log(end, "bound") if math.isfinite(end) else end for end in (region.lower, region.upper)
    )
    return [_log(value, "value") for value in values], lower, upper


def _first_verdict(
    values: list[float], lower: float, upper: float
) -> tuple[int, Literal["reproduced", "diverged"]] | None:
    """The first look that decides, and what it says."""
    for look in group_t.LOOKS:
        if look > len(values):
            break
        seen = group_t.summary(values[:look])
        if group_t.shown_outside(seen, lower, upper):
            return look, "diverged"
        if group_t.shown_inside(seen, lower, upper):
            return look, "reproduced"
    return None


def _log(value: float, what: str) -> float:
    if value <= 0:
        raise ValueError(f"`scale: log` takes positive numbers, got a {what} of {value!r}")
    return math.log(value)


def _estimate(seen: group_t.Summary, scale: Scale | None) -> tuple[float, float, float] | None:
    if seen.infinite:
        return None
    low, high = seen.interval()
    if scale != "log":
        return seen.mean, low, high
    return _exp(seen.mean), _exp(low), _exp(high)


def _exp(value: float) -> float:
    """The exponential, ∞ where it is too large for a float."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _check(rule: str, max_seeds: int) -> None:
    if rule == "mean":
        if max_seeds not in group_t.LOOKS:
            raise ValueError(f"rule `mean` takes a max_seeds of 5, 8, 12 or 20, got {max_seeds}")
        return
    if rule not in LEAST_SEEDS:
        raise ValueError(f"unknown rule `{rule}`; the rules are every, typical and mean")
    if not LEAST_SEEDS[rule] <= max_seeds <= MOST_SEEDS:
        raise ValueError(
            f"rule `{rule}` takes a max_seeds of {LEAST_SEEDS[rule]} to {MOST_SEEDS}, "
            f"got {max_seeds}"
        )


def _judge_typical(outcomes: list[bool], max_seeds: int) -> Judgement:
    seeds = len(outcomes)
    verdict: Verdict = "undecided"
    for look in looks(max_seeds):
        if look > len(outcomes):
            break
        decided = side(look, sum(outcomes[:look]), boundary(look))
        if decided:
            seeds, verdict = look, "reproduced" if decided > 0 else "diverged"
            break
    held = sum(outcomes[:seeds])
    undecided = verdict == "undecided"
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
    verdict: Verdict = "diverged" if failed else "undecided" if missing else "reproduced"
    return Judgement(
        verdict=verdict,
        final=verdict != "undecided",
        held=held,
        seeds=seeds,
        share=held / seeds if seeds else 0.0,
        interval=(
            ALPHA ** (1 / held) if held else 0.0,
            (1 - ALPHA) ** (1 / seeds) if failed else 1.0,
        ),
        power=1 - (1 - POWER) ** (1 / max_seeds),
        more_seeds=missing if verdict == "undecided" and seeds else None,
        rule="every",
        max_seeds=max_seeds,
    )


def next_look(rule: str, seeds_so_far: int, max_seeds: int) -> int | None:
    """Return how many seeds in total should exist before judging again; None at max_seeds.

    For `typical` and `mean` this is the next look. For `every` it is one more seed, since each
    can decide; who runs several at once loses nothing but their cost.

    Raises:
        ValueError: the rule is unknown, or max_seeds lies outside its range.
    """
    _check(rule, max_seeds)
    candidates: Iterable[int] = range(1, max_seeds + 1)
    if rule == "typical":
        candidates = looks(max_seeds)
    elif rule == "mean":
        candidates = (look for look in group_t.LOOKS if look <= max_seeds)
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
