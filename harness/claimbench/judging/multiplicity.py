"""What many verdicts say together: how many are wrong, and which would stand a correction.

Every function takes records. Give each claim once (one tier,
one profile), and every claim that was tried, not a selection: both answers count the chances that
the undecided ones had.

What is true of a claim is, here as for its verdict: rule `typical`, more than half of all possible
seeds hold; rule `every`, see `expected_errors`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claimbench.judging.record import Record, Setting
from claimbench.judging.sequential import ALPHA, at_least
from claimbench.judging.verdict import Verdict


@dataclass(frozen=True)
class ExpectedErrors:
    """Upper bounds on how many of the decided verdicts are expected to be wrong.

    Attributes:
        judged: claims that were tried: decided or inconclusive.
        decided: claims reproduced, diverged or vacuous.
        certain: decided ones that chance cannot make wrong: nothing is random, or a seed of a
            claim on every seed does not hold.
        claims: expected number of wrong verdicts because of the claims' own seeds.
        controls: the same because of the seeds of their controls.
    """

    judged: int
    decided: int
    certain: int
    claims: float
    controls: float

    @property
    def total(self) -> float:
        """Expected number of wrong verdicts for either reason, at most."""
        return self.claims + self.controls


@dataclass(frozen=True)
class Discovery:
    """A verdict, and whether it stands the correction.

    Attributes:
        record: the record.
        p_value: see `p_value`.
        survives: Benjamini & Hochberg: among the verdicts that survive, the expected share of
            wrong ones is at most the rate if the p-values are independent, or positively
            dependent. Different experiments have different seeds and are independent.
        survives_any: Benjamini & Yekutieli: the same whatever the p-values have to do with each
            other, as claims that share runs may. Stricter by 1 + 1/2 + … + 1/m for m claims; the
            rule `typical` stops at 6 of 6 seeds with a p-value of 1/32, too early to survive this
            among three claims or more.
    """

    record: Record
    p_value: float
    survives: bool
    survives_any: bool


def expected_errors(records: Iterable[Record]) -> ExpectedErrors:
    """Bound the expected number of wrong verdicts.

    A claim is either true or not, so one of the two words is wrong of it, and the rule `typical`
    gives that word with probability 5 % at most. Summed over all claims that were tried, also
    those that ended inconclusive, since they could have been decided wrongly: 5 % of the decided
    ones alone would be too little.

    Rule `every`: "diverged" is a counterexample and never wrong. "Reproduced" has no error rate,
    as a claim that fails in one seed of a million passes; it is counted as wrong only where at
    most half of all seeds would hold, which n seeds let pass with probability 2⁻ⁿ at most. Where
    nothing is random, no verdict is wrong by chance.

    A control can be wrongly rejected, or wrongly pass: the same bound for each control (one,
    where none was run), and for a `passes_with`.

    Not counted: what is wrong without chance, such as a mistake in an experiment.
    """
    judged = [record for record in records if record.verdict.judged]
    decided = [record for record in judged if record.verdict.decided]
    return ExpectedErrors(
        judged=len(judged),
        decided=len(decided),
        certain=sum(_certain(record) for record in decided),
        claims=sum(map(_error, judged), 0.0),
        controls=sum((_settings(record) * _error(record) for record in judged), 0.0),
    )


def discoveries(records: Iterable[Record], rate: float = 0.05) -> list[Discovery]:
    """Return every tried claim with its p-value and whether its verdict stands the correction.

    The family is all claims that were tried; who leaves out the undecided ones selects by the
    result. "Wrong" includes the wrong side (a directional error), for which the p-values are
    two-sided; Benjamini & Yekutieli, J. Am. Stat. Assoc. 100 (2005), 71, show that the procedure
    then controls it too.

    Sources: Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995), 289, eq. 1; Benjamini & Yekutieli,
    Ann. Stat. 29 (2001), 1165, theorem 1.3.

    Args:
        records: one a claim; skipped claims and errors are left out.
        rate: expected share of wrong verdicts among those that survive, in (0, 1).

    Returns:
        In the order of the records.

    Raises:
        ValueError: the rate lies outside (0, 1).
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must lie in (0, 1), got {rate}")
    judged = [record for record in records if record.verdict.judged]
    values = [p_value(record) for record in judged]
    independent = _threshold(values, rate)
    harmonic = sum(1 / k for k in range(1, len(values) + 1))
    dependent = _threshold(values, rate / harmonic) if values else 0.0
    return [
        Discovery(record, p, p <= independent, p <= dependent)
        for record, p in zip(judged, values, strict=True)
    ]


def p_value(record: Record) -> float:
    """Return the p-value of a verdict: a chance at least that small that it would come so far.

    Valid (at most x with probability x at most, where the verdict is wrong) although the number
    of seeds depends on what they show. Rule `typical`: the exact chance, at a share of one half,
    of an end at least as telling in the order by stages
    (`claimbench.judging.sequential.at_least`), times two, for the two sides. "Reproduced" says two
    things, that the claim holds and that each control fails, and is wrong if one of them is: its
    p-value is the largest of theirs. A control that was not run has no part in it.

    Rule `every`: "reproduced" by n seeds has 2⁻ⁿ, against at most half of all seeds holding;
    "diverged" is a counterexample and has 0, as has what is deterministic.

    1 for "vacuous" and "inconclusive", which show nothing of the claim.

    Raises:
        ValueError: the verdict is skipped or error.
    """
    if not record.verdict.judged:
        raise ValueError(f"a claim that is `{record.verdict}` has no p-value")
    if record.verdict not in (Verdict.REPRODUCED, Verdict.DIVERGED):
        return 1.0
    if _certain(record):
        return 0.0
    if record.rule == "every":
        return float(0.5**record.seeds)
    reproduced = record.verdict is Verdict.REPRODUCED
    largest = _one_sided(record, holds=reproduced)
    if reproduced:
        for control in _controls(record):
            largest = max(largest, _one_sided(control, holds=False))
    return min(1.0, 2 * largest)


def _one_sided(setting: Record | Setting, *, holds: bool) -> float:
    """The p-value of one setting's seeds (the claim's or a control's) for one side."""
    held = setting.held if holds else setting.seeds - setting.held
    return at_least(setting.seeds, held, 0.5)


def _controls(record: Record) -> Sequence[Setting]:
    """The controls that were run."""
    return [control for control in record.controls if control.seeds]


def _settings(record: Record) -> int:
    """How many further settings could have been judged wrongly."""
    return max(1, len(_controls(record))) + (record.passes_with is not None)


def _certain(record: Record) -> bool:
    """Whether chance cannot have made the verdict wrong."""
    return record.deterministic or (record.rule == "every" and record.verdict is Verdict.DIVERGED)


def _error(record: Record) -> float:
    """The largest probability of a wrong word on one setting's seeds."""
    if record.deterministic:
        return 0.0
    return ALPHA if record.rule == "typical" else float(0.5**record.max_seeds)


def _threshold(values: Sequence[float], rate: float) -> float:
    """The largest p-value that survives: the k-th of m, for the largest k with p ≤ k rate / m.

    -1 where none does.
    """
    ordered = sorted(values)
    passing = [p for k, p in enumerate(ordered, 1) if p <= k * rate / len(ordered)]
    return max(passing, default=-1.0)
