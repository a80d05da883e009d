"""Making the record of a verdict from what a trial has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimbench.identity.datasets import about
from claimbench.judging.chosen import chosen_in
from claimbench.judging.record import Control, Measured, Record, Setting, weakest
from claimbench.judging.verdict import SettingVerdict, Verdict

if TYPE_CHECKING:
    from claimbench.judging.sample import Sample
    from claimbench.judging.trial import Trial
    from claimbench.running.store import StoredRun


def make_record(trial: Trial, verdict: Verdict, reason: str) -> Record:
    """Return the record of a verdict on the claim that is being tried."""
    spec, claim, tier, main = trial.spec, trial.claim, trial.settings.tier, trial.main
    experiment = spec.experiments[claim.experiment]
    judgement = main.judgement if main is not None and main.rule != "probe" else None
    known = claim.known_at(tier)
    passing = known.passes_with if known is not None else None
    expect = claim.expect_at(tier).items()
    runs = [run for sample in trial.samples() for run in sample.judged]
    controls = tuple(
        Control(name=name, **_tried(sample, override))
        for (name, override), sample in zip(claim.controls.items(), trial.controls, strict=False)
    )
    return Record(
        paper=spec.slug,
        claim=claim.id,
        headline=claim.headline,
        kind=claim.kind,
        fidelity=claim.fidelity,
        tier=tier,
        profile=trial.settings.profile,
        method=", ".join(map(str, trial.settings.methods)) or None,
        verdict=verdict,
        reason=reason,
        held=judgement.held if judgement else 0,
        seeds=len(main.judged) if main is not None else 0,
        metrics=summarise(main.judged) if main is not None else {},
        rule=claim.rule,
        max_seeds=claim.max_seeds,
        deterministic=experiment.deterministic,
        share=judgement.interval if judgement else None,
        power=judgement.power_text if judgement else None,
        expect={name: region.model_dump(exclude_none=True) for name, region in expect},
        expect_text={name: str(region) for name, region in expect},
        reported=dict(claim.reported),
        control=weakest(controls),
        controls=controls,
        passes_with=Setting(**_tried(trial.positive, passing))
        if trial.positive and passing
        else None,
        known=known.finding if known is not None else None,
        known_verdict=Verdict(known.word) if known is not None else None,
        amended=len(claim.amended),
        run_key=main.identity.key if main is not None else None,
        spec_hash=spec.claim_hash(claim),
        started_at=min((run.started_at for run in runs), default=None),
        seconds=sum((run.seconds for run in runs), 0.0),
        cpu_seconds=sum((run.cpu_seconds for run in runs), 0.0),
        peak_mb=max((run.peak_mb for run in runs if run.peak_mb), default=None),
        data={name: about(name) for name in experiment.data},
        packages=dict(main.identity.packages) if main is not None else {},
        commit=max(runs, key=lambda run: run.started_at).commit if runs else trial.commit,
        cpu=main.identity.machine if main is not None else trial.cpu,
        judged_at=None,
        chosen=chosen_in(run.chosen for run in main.judged) if main is not None else {},
    )


def _tried(sample: Sample, override: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "verdict": SettingVerdict.ERROR if sample.fault else sample.judgement.verdict,
        "held": sample.judgement.held,
        "seeds": sample.judgement.seeds,
        "arguments": dict(override),
        "metrics": summarise(sample.judged),
    }


def summarise(runs: Sequence[StoredRun]) -> dict[str, Measured]:
    """Return median, interval and values of each metric that all runs have."""
    if not runs:
        return {}
    names = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    return {name: Measured.of([run.metrics[name] for run in runs]) for name in names}
