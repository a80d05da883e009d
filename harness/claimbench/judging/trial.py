"""One claim on its way to a verdict: its own seeds first, then what its verdict calls for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claimbench.judging.recording import make_record, summarise
from claimbench.judging.result import Result
from claimbench.judging.verdict import SettingVerdict, Verdict
from claimbench.judging.words import counted, interval_text
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
        if main.fault is not None:
            self.end(Verdict.ERROR, main.fault.message)
        elif main.final:
            self._after_main(main)

    def _after_main(self, main: Sample) -> None:
        if main.rule == "probe":
            there = f" (there: {self.elsewhere})" if self.elsewhere else ""
            self.end(Verdict.SKIPPED, f"judged from {self.claim.from_}{there}")
        elif main.judgement.verdict is SettingVerdict.REPRODUCED:
            self._try_controls(main)
        elif main.judgement.verdict is SettingVerdict.DIVERGED:
            self._try_positive(main)
        else:
            self.end(Verdict.INCONCLUSIVE, _undecided(main))

    def _try_controls(self, main: Sample) -> None:
        if not self.settings.control:
            self.end(Verdict.REPRODUCED, f"{_seeds(main)}; control not run")
            return
        if not self.controls:
            self.controls = [self._joined(override) for override in self.claim.controls.values()]
        pairs = list(zip(self.claim.controls, self.controls, strict=True))
        for name, sample in pairs:
            if sample.fault is not None:
                self.end(Verdict.ERROR, f"control {name}: {sample.fault.message}")
                return
        if not all(sample.final for sample in self.controls):
            return
        passing = [
            name for name, sample in pairs if sample.judgement.verdict is SettingVerdict.REPRODUCED
        ]
        if passing:
            what = (
                f"control {passing[0]} passes"
                if len(passing) == 1
                else (f"controls {', '.join(passing)} pass")
            )
            self.end(Verdict.VACUOUS, f"the {what} the same check")
            return
        for name, sample in pairs:
            if sample.judgement.verdict is SettingVerdict.UNDECIDED:
                self.end(Verdict.INCONCLUSIVE, f"the control {name}: {_undecided(sample)}")
                return
        rejected = "control" if len(pairs) == 1 else f"all {len(pairs)} controls"
        self.end(Verdict.REPRODUCED, f"{_seeds(main)}; {rejected} rejected")

    def _try_positive(self, main: Sample) -> None:
        known = self.claim.known_at(self.settings.tier)
        if known is None or not known.passes_with or not self.settings.control:
            self.end(Verdict.DIVERGED, _missed(main))
            return
        if self.positive is None:
            self.positive = self._joined(known.passes_with)
        setting = f"passes_with {_shown(known.passes_with)}"
        if self.positive.fault is not None:
            self.end(Verdict.ERROR, f"{setting}: {self.positive.fault.message}")
        elif self.positive.final:
            verdict = self.positive.judgement.verdict
            if verdict is SettingVerdict.REPRODUCED:
                self.end(Verdict.DIVERGED, _missed(main))
            elif verdict is SettingVerdict.DIVERGED:
                self.end(
                    Verdict.VACUOUS, f"{setting} fails too: nothing shows that the check can hold"
                )
            else:
                self.end(Verdict.INCONCLUSIVE, f"{setting}: {_undecided(self.positive)}")

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


def _seeds(sample: Sample) -> str:
    judgement = sample.judgement
    return f"{judgement.held} of {counted(judgement.seeds, 'seed')} held"


def _missed(sample: Sample) -> str:
    """Say which metric missed its region, and by what."""
    name = sample.misses() or next(iter(sample.regions))
    value = interval_text(summarise(sample.judged)[name])
    return f"{name} is {value}, expected {sample.regions[name]}; {_seeds(sample)}"


def _undecided(sample: Sample) -> str:
    judgement = sample.judgement
    if judgement.seeds < sample.max_seeds:
        advice = f"the rule `{sample.rule}` may take {sample.max_seeds}"
    elif judgement.more_seeds is not None:
        advice = f"about {judgement.more_seeds} more would probably decide"
    else:
        advice = "so near one half that 200 seeds would not decide"
    return f"{_seeds(sample)}, which does not decide; {advice}"


def _shown(arguments: Mapping[str, Any]) -> str:
    return "(" + ", ".join(f"{name}={value!r}" for name, value in arguments.items()) + ")"
