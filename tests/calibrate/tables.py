"""Counts verdicts of every rule on claims whose truth is known."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from claimbench.judging.sequential import LOOKS, chance_above, detectable_share
from tests.calibrate import rules
from tests.calibrate.samples import KINDS, Kind

Array = NDArray[np.float64]

SEEDS = max(LOOKS)
TRUTH_TOLERANCE = 1e-9
MEDIAN, MEAN, INSIDE, OUTSIDE = "median at the bound", "mean at the bound", "inside", "outside"
CASES = (MEDIAN, MEAN, INSIDE, OUTSIDE)
WORDS = ("reproduced", "diverged", "vacuous", "inconclusive")


@dataclass(frozen=True)
class Rule:
    """A way to judge.

    Attributes:
        name: as the tables call it.
        judge: takes values and the lower bound.
        about: what the claim is about: share (more than half of all seeds hold) or mean.
    """

    name: str
    judge: Callable[[Array, float], rules.Judged]
    about: str


RULES = (
    Rule("every", rules.every, "share"),
    Rule("typical", rules.typical, "share"),
    Rule("t, 5 seeds", partial(rules.t_interval, seeds=(5,)), "mean"),
    Rule("t, 10 seeds", partial(rules.t_interval, seeds=(10,)), "mean"),
    Rule("t, until clear", partial(rules.t_interval, seeds=(5, 8, 12, 20)), "mean"),
    Rule("one seed", rules.one_seed, "share"),
)
MLPERF = {"MLPerf, 5 runs": 5, "MLPerf, 10 runs": 10}


@dataclass(frozen=True)
class Row:
    """How often one rule says what of one kind of sample in one case.

    Attributes:
        kind: name of the distribution.
        case: one of `CASES`.
        rule: name of the rule.
        reproduced: share of verdicts.
        diverged: share of verdicts.
        seeds: mean number used.
        wrong_reproduced: whether "reproduced" is wrong here.
        wrong_diverged: whether "diverged" is.
        share: true share of seeds that hold.
        exact: rule typical: the exact probabilities of the two verdicts.
    """

    kind: str
    case: str
    rule: str
    reproduced: float
    diverged: float
    seeds: float
    wrong_reproduced: bool
    wrong_diverged: bool
    share: float
    exact: tuple[float, float] | None = None

    @property
    def undecided(self) -> float:
        """Share of the samples without a verdict."""
        return 1 - self.reproduced - self.diverged


def bound(kind: Kind, case: str) -> float:
    """Return the lower end of the region; inside and outside are one sd from the mean."""
    steps = {MEDIAN: kind.median, MEAN: kind.mean}
    return steps.get(case, kind.mean + (kind.sd if case == OUTSIDE else -kind.sd))


def rows(replications: int, seed: int = 0) -> Iterator[Row]:
    """Yield a row for each kind, case and rule, every case of a kind on the same draws."""
    for kind in KINDS:
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        values = kind.draw(rng, (replications, SEEDS))
        reference = kind.draw(rng, (replications, 2 * max(MLPERF.values())))
        for case in CASES:
            end = bound(kind, case)
            for rule in RULES:
                yield _row(kind, case, rule, values, end)
            if case != MEDIAN:
                for name, runs in MLPERF.items():
                    moved = reference + (end - kind.mean)
                    judged = rules.reference_convergence(values, moved, runs=runs)
                    # it never shows that the mean lies above, so at the bound it is right to pass
                    wrong = kind.mean < end - TRUTH_TOLERANCE, kind.mean > end - TRUTH_TOLERANCE
                    yield _counted(kind, case, name, judged, wrong, kind.share(end))


def _row(kind: Kind, case: str, rule: Rule, values: Array, end: float) -> Row:
    judged = rule.judge(values, end)
    share = kind.share(end)
    distance = share - 0.5 if rule.about == "share" else kind.mean - end
    wrong = distance < TRUTH_TOLERANCE, distance > -TRUTH_TOLERANCE
    if rule.name == "every":
        wrong = wrong[0], False  # a seed that does not hold is a counterexample
    exact = None
    if rule.name == "typical":
        exact = chance_above(SEEDS, share), chance_above(SEEDS, 1 - share)
    return _counted(kind, case, rule.name, judged, wrong, share, exact)


def _counted(
    kind: Kind,
    case: str,
    rule: str,
    judged: rules.Judged,
    wrong: tuple[bool, bool],
    share: float,
    exact: tuple[float, float] | None = None,
) -> Row:
    verdict, seeds = judged
    return Row(
        kind=kind.name,
        case=case,
        rule=rule,
        reproduced=float((verdict > 0).mean()),
        diverged=float((verdict < 0).mean()),
        seeds=float(seeds.mean()),
        wrong_reproduced=wrong[0],
        wrong_diverged=wrong[1],
        share=share,
        exact=exact,
    )


@dataclass(frozen=True)
class Control:
    """How often a claim with one control gets which verdict.

    Attributes:
        kind: name of the distribution.
        rule: name of the rule.
        claim: where the claim lies: inside, or edge (the rule's own).
        control: where its control lies: outside, edge, or inside.
        shares: of each of `WORDS`.
        seeds: mean number used, the control's included.
    """

    kind: str
    rule: str
    claim: str
    control: str
    shares: Mapping[str, float]
    seeds: float


PLACES = (("inside", "outside"), ("inside", "edge"), ("inside", "inside"), ("edge", "outside"))


def controls(replications: int, seed: int = 1) -> Iterator[Control]:
    """Yield verdicts on claims with controls, for the rules every and typical."""
    for kind in KINDS:
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        values = [kind.draw(rng, (replications, SEEDS)) for _ in range(2)]
        for rule in RULES[:2]:
            for places in PLACES:
                ends = [bound(kind, MEDIAN if place == "edge" else place) for place in places]
                judged = [rule.judge(v, end) for v, end in zip(values, ends, strict=True)]
                words, seeds = rules.with_control(*judged)
                shares = {word: float((words == word).mean()) for word in WORDS}
                yield Control(kind.name, rule.name, *places, shares, float(seeds.mean()))


def curves(replications: int, seed: int = 3) -> tuple[list[float], dict[str, list[float]]]:
    """Return shifts in sd and, for each rule, how often it reproduces a normal claim there."""
    values = np.random.default_rng(seed).standard_normal((replications, SEEDS))
    shifts = [i / 10 for i in range(21)]
    shown = {
        rule.name: [float((rule.judge(values, -s)[0] > 0).mean()) for s in shifts] for rule in RULES
    }
    return shifts, shown


def typical_errors() -> dict[int, tuple[float, float]]:
    """Return for each largest number of seeds the exact error at 1/2, and the share it shows."""
    return {
        seeds: (chance_above(seeds, 0.5), detectable_share(seeds)) for seeds in range(6, SEEDS + 1)
    }
