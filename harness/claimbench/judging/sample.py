"""The seeds of one setting: which runs are still wanted, and what those that are there say."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claimbench.judging.rules import Judgement, judge, next_look

if TYPE_CHECKING:
    from claimbench.identity.keys import Identity
    from claimbench.running.store import StoredRun
    from claimbench.running.workers.jobs import Failure, Job
    from claimbench.spec.region import Region


_ZERO = 1e-9
"""Below it a metric is an error of nothing but rounding."""


@dataclass(frozen=True)
class Fault:
    """Why a sample can't be judged.

    Attributes:
        message: one line.
        failure: what the run left behind, where one failed.
    """

    message: str
    failure: Failure | None = None


@dataclass
class Sample:
    """One setting of an experiment (the claim's own, a control's) over its seeds.

    Attributes:
        identity: what its runs depend on; its key names them.
        job: makes the job of a seed index.
        regions: where each expected metric must lie.
        rule: every or typical; `probe` for one seed that is only looked at.
        max_seeds: where the rule stops.
        cap: the user's own limit on seeds, at most `max_seeds`.
        deterministic: the spec says that seeds make no difference.
        control: it is a negative control, of which the first seed usually decides.
        runs: what is there, by seed index.
        failures: what failed, by seed index.
        constant: metrics that may be the same for every seed.
        repeats: one seed is to be carried out a second time, and must give the same bits.
        repeated: the seed index of that run, and what it gave.
    """

    identity: Identity
    job: Callable[[int], Job]
    regions: Mapping[str, Region]
    rule: str
    max_seeds: int
    cap: int
    deterministic: bool
    control: bool = False
    runs: dict[int, StoredRun] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    constant: Collection[str] = ()
    repeats: bool = False
    repeated: tuple[int, Mapping[str, float] | Failure] | None = None
    _sound: list[StoredRun] = field(default_factory=list)
    _outcomes: list[bool] = field(default_factory=list)
    _judged: list[StoredRun] = field(default_factory=list)
    _judgement: Judgement | None = None
    _fault: Fault | None = None
    _wanted: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.take({}, {})

    def take(self, runs: Mapping[int, StoredRun], failures: Mapping[int, Failure]) -> None:
        """Add runs and failures, in whatever order they come, and see what follows.

        What follows depends on the runs without a gap from seed index 0 on, so that the order
        in which workers finish changes nothing.
        """
        if not self.runs.keys().isdisjoint(runs):
            self._sound, self._outcomes = [], []
        self.runs.update(runs)
        self.failures.update(failures)
        have = self._extend()
        if self.rule == "probe":
            self._judged = self._sound[:1]
        else:
            self._judgement = judge(self._outcomes, self.rule, max_seeds=self.max_seeds)
            self._judged = self._sound[: self._judgement.seeds]
        self._fault = self._find_fault(have) or self._difference()
        self._wanted = [] if self._fault or self._enough else self._next(have)

    def _extend(self) -> int:
        """Look at the runs that now follow without a gap; return how many can be judged."""
        for index in range(len(self._sound), self.cap):
            run = self.runs.get(index)
            if run is None or self._refusal(run):
                break
            self._sound.append(run)
            self._outcomes.append(self.holds(run))
        return len(self._sound)

    def take_repeat(self, index: int, what: Mapping[str, float] | Failure) -> None:
        """Add what a seed gave when it was carried out a second time."""
        self.repeated = index, what
        self.take({}, {})

    def _next(self, have: int) -> list[int]:
        target: int | None = 1
        if self.rule == "every" and not self.control:
            target = self.max_seeds  # most hold, so don't wait for one seed before the next
        elif self.rule != "probe":
            target = next_look(self.rule, have, self.max_seeds)
        limit = min(target or 0, self.cap)
        return [i for i in range(limit) if i not in self.runs and i not in self.failures]

    def _find_fault(self, index: int) -> Fault | None:
        """Return what is wrong with the run of that index, on which the sample waits, or with all.

        A run beyond the deciding one can't do harm any more.
        """
        if not self._enough and index in self.failures:
            failure = self.failures[index]
            return Fault(f"seed {index}: {failure.message}", failure)
        if not self._enough and index in self.runs and index < self.cap:
            return Fault(f"seed {index}: {self._refusal(self.runs[index])}")
        metrics = [run.metrics for run in self._judged]
        if self.rule == "probe":
            infinite = [n for values in metrics for n in self.regions if math.isinf(values[n])]
            return Fault(f"seed 0: metric `{infinite[0]}` is infinite") if infinite else None
        if not self._enough or len(metrics) < 2 or self.deterministic:
            return None  # a later seed may still differ
        return self._constancy(metrics)

    def _constancy(self, metrics: list[dict[str, float]]) -> Fault | None:
        """Return the fault of a judged metric that is the same for every seed.

        An error of zero is what it should be, up to rounding, and shows nothing either way.
        """
        same = [
            name
            for name in self.regions
            if name not in self.constant
            and abs(metrics[0][name]) > _ZERO
            and all(values[name] == metrics[0][name] for values in metrics)
        ]
        if not same:
            return None
        value = metrics[0][same[0]]
        return Fault(
            f"all {len(metrics)} seeds give {same[0]} = {value!r}: use the run's seed, or declare "
            "`deterministic: true` if nothing is random, or the metric under `constant` if it "
            "can well be the same for every seed"
        )

    def _difference(self) -> Fault | None:
        if self.repeated is None or self.repeated[0] not in self.runs:
            return None
        index, again = self.repeated
        if not isinstance(again, Mapping):
            return Fault(f"seed {index}, again: {again.message}", again)
        first = self.runs[index].metrics
        for name in dict.fromkeys([*first, *again]):
            before, after = first.get(name), again.get(name)
            if before != after and not (before != before and after != after):  # NaN both times
                return Fault(
                    f"not deterministic: seed {index} gave {name} = {before!r}, and {after!r} in "
                    "a fresh worker"
                )
        return None

    def _refusal(self, run: StoredRun) -> str | None:
        """Return why the run can't be judged."""
        for name in self.regions:
            if name not in run.metrics:
                returned = ", ".join(run.metrics)
                return f"no metric `{name}`; the experiment returned {returned}"
            if math.isnan(run.metrics[name]):
                return f"metric `{name}` is NaN"
        return None

    @property
    def fault(self) -> Fault | None:
        """What makes the sample an error, if anything does."""
        return self._fault

    @property
    def final(self) -> bool:
        """Whether no further run is wanted."""
        return self._enough and not self.repeats_later

    @property
    def repeats_later(self) -> bool:
        """Whether a seed will have to be carried out a second time."""
        return self.repeats and self.repeated is None

    @property
    def wants_repeat(self) -> int | None:
        """The seed index that has to be carried out once more now, if any.

        It is the last one judged: what an earlier seed left behind in its worker shows there.
        """
        if not self.repeats_later or self._fault is not None or not self._enough:
            return None
        return self._judged[-1].index

    @property
    def _enough(self) -> bool:
        if self._judgement is None:
            return bool(self._judged)
        return self._judgement.final or len(self._judged) >= self.cap

    @property
    def judgement(self) -> Judgement:
        """What the runs say under the rule."""
        if self._judgement is None:
            raise ValueError(f"rule `{self.rule}` judges nothing")
        return self._judgement

    @property
    def judged(self) -> list[StoredRun]:
        """The runs that the judgement rests on; later ones don't count."""
        return self._judged

    def wanted(self) -> list[int]:
        """Return the seed indices whose runs are needed before the next look."""
        return self._wanted

    def holds(self, run: StoredRun) -> bool:
        """Say whether all expected metrics of a run lie in their regions."""
        return all(region.holds(run.metrics[name]) for name, region in self.regions.items())

    def misses(self) -> str | None:
        """Return the first metric that some judged run has outside its region."""
        for name, region in self.regions.items():
            if not all(region.holds(run.metrics[name]) for run in self._judged):
                return name
        return None
