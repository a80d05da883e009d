"""What many verdicts say together: how many are wrong, and which would stand a correction.

Every function takes records. Give each claim once (one tier,
one profile), and every claim that was tried, not a selection: both answers count the chances that
the undecided ones had.

They are about verdicts that rest on a sample of seeds, see `is_sampled`: of such a claim it is true
or not that more than half of all possible seeds hold. An identity that is checked on generic
inputs, anything else that every seed has to meet, and what is deterministic are left out: nothing
is concluded there from a sample on a share, and one seed that does not hold is a counterexample.
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
        judged: claims that were tried on a sample of seeds: decided or inconclusive.
        decided: those reproduced, diverged or vacuous.
        claims: expected number of wrong verdicts because of the claims' own seeds.
        controls: the same because of the seeds of their controls.
    """

    judged: int
    decided: int
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
            dependent. Different experiments have different seeds and are independent. (Whatever
            the dependence, by Benjamini & Yekutieli, the rule `typical` would stop at 6 of 6 seeds
            with a p-value of 1/32 too early to survive among three claims or more.)
    """

    record: Record
    p_value: float
    survives: bool


def expected_errors(records: Iterable[Record]) -> ExpectedErrors:
    """Bound the expected number of wrong verdicts.

    A claim is either true or not, so one of the two words is wrong of it, and the rule `typical`
    gives that word with probability 5 % at most. Summed over all claims that were tried, also
    those that ended inconclusive, since they could have been decided wrongly: 5 % of the decided
    ones alone would be too little.

    A control can be wrongly rejected, or wrongly pass: the same bound for each control (one,
    where none was run), and for a `passes_with`.

    Not counted: what is wrong without chance, such as a mistake in an experiment.
    """
    judged = list(filter(is_sampled, records))
    return ExpectedErrors(
        judged=len(judged),
        decided=sum(record.verdict.decided for record in judged),
        claims=ALPHA * len(judged),
        controls=ALPHA * sum(map(_settings, judged)),
    )


def is_sampled(record: Record) -> bool:
    """Say whether a claim was judged by the share of seeds that hold, of a sample of them."""
    return record.verdict.judged and record.rule == "typical" and not record.deterministic


def discoveries(records: Iterable[Record], rate: float = 0.05) -> list[Discovery]:
    """Return every sampled claim with its p-value and whether its verdict stands the correction.

    The family is all claims that were tried; who leaves out the undecided ones selects by the
    result. "Wrong" includes the wrong side (a directional error), for which the p-values are
    two-sided; Benjamini & Yekutieli, J. Am. Stat. Assoc. 100 (2005), 71, show that the procedure
    then controls it too.

    Sources: Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995), 289, eq. 1; Benjamini & Yekutieli,
    Ann. Stat. 29 (2001), 1165, theorem 1.3.

    Args:
        records: one a claim; those that rest on no sample of seeds are left out.
        rate: expected share of wrong verdicts among those that survive, in (0, 1).

    Returns:
        In the order of the records.

    Raises:
        ValueError: the rate lies outside (0, 1).
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must lie in (0, 1), got {rate}")
    judged = list(filter(is_sampled, records))
    values = [p_value(record) for record in judged]
    largest = _threshold(values, rate)
    return [Discovery(record, p, p <= largest) for record, p in zip(judged, values, strict=True)]


def p_value(record: Record) -> float:
    """Return the p-value of a verdict: a chance at least that small that it would come so far.

    Valid (at most x with probability x at most, where the verdict is wrong) although the number
    of seeds depends on what they show. It is the exact chance, at a share of one half,
    of an end at least as telling in the order by stages
    (`claimbench.judging.sequential.at_least`), times two, for the two sides. "Reproduced" says two
    things, that the claim holds and that each control fails, and is wrong if one of them is: its
    p-value is the largest of theirs. A control that was not run has no part in it.

    1 for "vacuous" and "inconclusive", which show nothing of the claim.

    Raises:
        ValueError: the claim was not judged by a sample of seeds.
    """
    if not is_sampled(record):
        raise ValueError(f"`{record.name}`, {record.verdict}, rests on no sample of seeds")
    if record.verdict not in (Verdict.REPRODUCED, Verdict.DIVERGED):
        return 1.0
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


def _threshold(values: Sequence[float], rate: float) -> float:
    """The largest p-value that survives: the k-th of m, for the largest k with p ≤ k rate / m.

    -1 where none does.
    """
    ordered = sorted(values)
    passing = [p for k, p in enumerate(ordered, 1) if p <= k * rate / len(ordered)]
    return max(passing, default=-1.0)
