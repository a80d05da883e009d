"""One claim on its way to a verdict: its own seeds first, then what its verdict calls for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claimbench.identity.datasets import about
from claimbench.judging.result import Result, counted, interval_text, summarise
from claimbench.spec.discovery import claim_arguments

if TYPE_CHECKING:
    from claimbench.judging.sample import Sample
    from claimbench.settings import Settings
    from claimbench.spec import Claim, Spec


@dataclass
class Trial:
    """A claim being tried.

    Attributes:
        spec: the paper's spec.
        claim: the claim.
        settings: how it is run.
        provenance: what else the record says: commit, CPU.
        make_sample: returns the sample of the experiment with some arguments overridden.
        main: the claim's own seeds.
        controls: those of its negative controls, in the order of the spec.
        positive: those of the setting with which a known divergence passes.
        result: the verdict, once there is one.
        elsewhere: the last verdict at the tier from which the claim is judged.
    """

    spec: Spec
    claim: Claim
    settings: Settings
    provenance: Mapping[str, Any]
    make_sample: Callable[[Mapping[str, Any]], Sample] = field(init=False)
    main: Sample | None = None
    controls: list[Sample] = field(default_factory=list)
    positive: Sample | None = None
    result: Result | None = None
    elsewhere: str | None = None

    def begin(self, obstacle: str | None) -> None:
        """Make the claim's own sample; or end, if this machine can't run it."""
        if obstacle is not None:
            self.end("skipped", obstacle)
        else:
            self.main = self.make_sample({})
            self.advance()

    def active(self) -> list[Sample]:
        """Return the samples that may want runs now."""
        if self.result is not None or self.main is None:
            return []
        if self.controls:
            return self.controls
        return [self.main if self.positive is None else self.positive]

    def expected_samples(self) -> list[Sample]:
        """Return the samples that an expected verdict takes: the claim's and its control's."""
        if self.main is None or self.result is not None or self.main.rule == "probe":
            return [] if self.main is None else [self.main]
        known = self.claim.known_at(self.settings.tier)
        overrides = list(self.claim.control) if known is None else [known.passes_with]
        wanted = [override for override in overrides if override and self.settings.control]
        return [self.main, *(self.make_sample(override) for override in wanted)]

    def advance(self) -> None:
        """Go as far as the runs that are there allow."""
        main = self.main
        if self.result is not None or main is None:
            return
        if main.fault is not None:
            self.end("error", main.fault.message)
        elif main.final:
            self._after_main(main)

    def _after_main(self, main: Sample) -> None:
        if main.rule == "probe":
            there = f" (there: {self.elsewhere})" if self.elsewhere else ""
            self.end("skipped", f"judged from {self.claim.from_}{there}")
        elif main.judgement.verdict == "reproduced":
            self._try_controls(main)
        elif main.judgement.verdict == "diverged":
            self._try_positive(main)
        else:
            self.end("inconclusive", _undecided(main))

    def _try_controls(self, main: Sample) -> None:
        if not self.settings.control:
            self.end("reproduced", f"{_seeds(main)}; control not run")
            return
        if not self.controls:
            self.controls = [self.make_sample(override) for override in self.claim.control]
        pairs = list(zip(self.controls, self.claim.control, strict=True))
        for sample, override in pairs:
            if sample.fault is not None:
                self.end("error", f"control {_shown(override)}: {sample.fault.message}")
                return
        if not all(sample.final for sample in self.controls):
            return
        for sample, override in pairs:
            if sample.judgement.verdict == "reproduced":
                self.end("vacuous", f"the control {_shown(override)} passes the same check")
                return
        for sample, override in pairs:
            if sample.judgement.verdict == "undecided":
                self.end("inconclusive", f"the control {_shown(override)}: {_undecided(sample)}")
                return
        self.end("reproduced", f"{_seeds(main)}; control rejected")

    def _try_positive(self, main: Sample) -> None:
        known = self.claim.known_at(self.settings.tier)
        if known is None or known.passes_with is None or not self.settings.control:
            self.end("diverged", _missed(main))
            return
        if self.positive is None:
            self.positive = self.make_sample(known.passes_with)
        setting = f"passes_with {_shown(known.passes_with)}"
        if self.positive.fault is not None:
            self.end("error", f"{setting}: {self.positive.fault.message}")
        elif self.positive.final:
            verdict = self.positive.judgement.verdict
            if verdict == "reproduced":
                self.end("diverged", _missed(main))
            elif verdict == "diverged":
                self.end("vacuous", f"{setting} fails too: nothing shows that the check can hold")
            else:
                self.end("inconclusive", f"{setting}: {_undecided(self.positive)}")

    def end(self, verdict: str, reason: str) -> None:
        """Give the verdict."""
        known = self.claim.known_at(self.settings.tier)
        judged = self.claim.judged_at(self.settings.tier)
        faults = [sample.fault for sample in self._samples() if sample.fault is not None]
        what = claim_arguments(self.spec.folder, self.claim.id)
        self.result = Result(
            record=self._record(verdict, reason),
            known=known.finding if known is not None and judged else None,
            repeat=f"pytest {what}{self.settings.options()}",
            failure=faults[0].failure if verdict == "error" and faults else None,
        )

    def _samples(self) -> list[Sample]:
        return [s for s in (self.main, *self.controls, self.positive) if s is not None]

    def _record(self, verdict: str, reason: str) -> dict[str, Any]:
        claim, tier, main = self.claim, self.settings.tier, self.main
        judgement = main.judgement if main is not None and main.rule != "probe" else None
        known = claim.known_at(tier)
        expect = claim.expect_at(tier).items()
        runs = [run for sample in self._samples() for run in sample.judged]
        controls = [
            _setting_record(sample, override)
            for sample, override in zip(self.controls, claim.control, strict=False)
        ]
        return {
            "paper": self.spec.slug,
            "claim": claim.id,
            "kind": claim.kind,
            "fidelity": claim.fidelity,
            "tier": tier,
            "profile": self.settings.profile,
            "method": ", ".join(map(str, self.settings.methods)) or None,
            "verdict": verdict,
            "reason": reason,
            "held": judgement.held if judgement else 0,
            "seeds": len(main.judged) if main is not None else 0,
            "metrics": summarise(main.judged) if main is not None else {},
            "rule": claim.rule,
            "max_seeds": claim.max_seeds,
            "deterministic": self.spec.experiments[claim.experiment].deterministic,
            "share": judgement.interval if judgement else None,
            "power": judgement.power_text if judgement else None,
            "expect": {name: region.model_dump(exclude_none=True) for name, region in expect},
            "expect_text": {name: str(region) for name, region in expect},
            "reported": dict(claim.reported),
            "control": _weakest(controls) or {"verdict": "not run", "held": 0, "seeds": 0},
            "controls": controls,
            "passes_with": (
                _setting_record(self.positive, known.passes_with)
                if self.positive is not None and known is not None and known.passes_with
                else None
            ),
            "known": known.finding if known is not None else None,
            "amended": len(claim.amended),
            "run_key": main.identity.key if main is not None else None,
            "spec_hash": self.spec.claim_hash(claim),
            "started_at": min((run.started_at for run in runs), default=None),
            "seconds": sum(run.seconds for run in runs),
            "cpu_seconds": sum(run.cpu_seconds for run in runs),
            "peak_mb": max((run.peak_mb for run in runs if run.peak_mb), default=None),
            "data": {name: about(name) for name in self.spec.experiments[claim.experiment].data},
            "packages": main.identity.packages if main is not None else {},
            **self.provenance,
        }


def _setting_record(sample: Sample, override: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "verdict": "error" if sample.fault else sample.judgement.verdict,
        "held": sample.judgement.held,
        "seeds": sample.judgement.seeds,
        "arguments": dict(override),
        "metrics": summarise(sample.judged),
    }


def _weakest(controls: list[dict[str, Any]]) -> dict[str, Any] | None:
    order = ("error", "reproduced", "undecided", "diverged")
    return min(controls, key=lambda control: order.index(control["verdict"]), default=None)


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
