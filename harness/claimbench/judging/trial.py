"""One claim on its way to a verdict: its own seeds first, then what its verdict calls for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claimbench.judging.deciding import Case, Wanted, decide
from claimbench.judging.recording import make_record, shown_by
from claimbench.judging.result import Result
from claimbench.judging.verdict import Verdict
from claimbench.spec.discovery import claim_arguments

if TYPE_CHECKING:
    from claimbench.judging.sample import Sample
    from claimbench.settings import Settings
    from claimbench.spec.models import Claim, Spec


@dataclass
class Trial:
    """A claim being tried.

    Attributes:
        spec: the paper's spec.
        claim: the claim.
        settings: how it is run.
        commit: of the code.
        cpu: the CPU model.
        make_sample: returns the experiment with some arguments overridden as a sample, with the
            runs that are there; nothing else comes of asking.
        join: has a sample given the runs that are still to come.
        elsewhere: the last verdict at the tier from which the claim is judged.
        main: the claim's own seeds.
        controls: those of its negative controls, in the order of the spec.
        positive: those of the setting with which a known divergence passes.
        result: the verdict, once there is one.
    """

    spec: Spec
    claim: Claim
    settings: Settings
    commit: str | None
    cpu: str
    make_sample: Callable[[Mapping[str, Any]], Sample]
    join: Callable[[Sample], None]
    elsewhere: Verdict | None = None
    main: Sample | None = field(default=None, init=False)
    controls: list[Sample] = field(default_factory=list, init=False)
    positive: Sample | None = field(default=None, init=False)
    result: Result | None = field(default=None, init=False)

    def begin(self, obstacle: str | None) -> None:
        """Make the claim's own sample; or end, if this machine can't run it."""
        if obstacle is not None:
            self.end(Verdict.SKIPPED, obstacle)
        else:
            self.main = self._joined({})
            self.advance()

    def _joined(self, override: Mapping[str, Any]) -> Sample:
        sample = self.make_sample(override)
        self.join(sample)
        return sample

    def active(self) -> list[Sample]:
        """Return the samples that may want runs now."""
        if self.result is not None or self.main is None:
            return []
        if self.controls:
            return self.controls
        return [self.main if self.positive is None else self.positive]

    def expected_samples(self) -> list[Sample]:
        """Return the samples that an expected verdict takes: the claim's and its controls'."""
        if self.main is None or self.result is not None or self.main.rule == "probe":
            return [] if self.main is None else [self.main]
        known = self.claim.known_at(self.settings.tier)
        if known is not None and known.verdict == "diverges":
            overrides = [known.passes_with]
        else:
            overrides = list(self.claim.controls.values())
        wanted = [override for override in overrides if override and self.settings.control]
        return [self.main, *(self.make_sample(override) for override in wanted)]

    def advance(self) -> None:
        """Go as far as the runs that are there allow."""
        main = self.main
        if self.result is not None or main is None:
            return
        if main.rule == "probe":
            self._after_probe(main)
            return
        active = self.active()
        if not any(one.fault for one in active) and not all(one.final for one in active):
            return
        found = decide(self.case())
        if found is Wanted.CONTROLS:
            self.controls = [self._joined(override) for override in self.claim.controls.values()]
            found = decide(self.case())
        elif found is Wanted.POSITIVE:
            self.positive = self._joined(self._passes_with)
            found = decide(self.case())
        if not isinstance(found, Wanted):
            self.end(*found)

    def _after_probe(self, main: Sample) -> None:
        if main.fault is not None:
            self.end(Verdict.ERROR, main.fault.message)
        elif main.final:
            there = f" (there: {self.elsewhere})" if self.elsewhere else ""
            self.end(Verdict.SKIPPED, f"judged from {self.claim.from_}{there}")

    def case(self) -> Case:
        """Return what the runs that are there show, of the claim and what it is compared with."""
        if self.main is None:
            raise ValueError("nothing was run")
        return Case(
            regions=self.main.regions,
            main=shown_by(self.main),
            controls=self.claim.controls if self.settings.control else {},
            tried=[shown_by(sample) for sample in self.controls],
            passes_with=self._passes_with if self.settings.control else {},
            positive=shown_by(self.positive) if self.positive else None,
        )

    @property
    def _passes_with(self) -> Mapping[str, Any]:
        known = self.claim.known_at(self.settings.tier)
        return (known.passes_with if known is not None else None) or {}

    def end(self, verdict: Verdict, reason: str) -> None:
        """Give the verdict."""
        faults = [sample.fault for sample in self.samples() if sample.fault is not None]
        what = claim_arguments(self.spec.folder, self.claim.id)
        self.result = Result(
            record=make_record(self, verdict, reason),
            repeat=f"pytest {what}{self.settings.options()}",
            failure=faults[0].failure if verdict is Verdict.ERROR and faults else None,
        )

    def samples(self) -> list[Sample]:
        """Return all samples that the claim has had so far."""
        return [s for s in (self.main, *self.controls, self.positive) if s is not None]
