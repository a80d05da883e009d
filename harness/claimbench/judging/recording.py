"""Making the record of a verdict from what a trial has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from claimbench.identity.datasets import about
from claimbench.judging.chosen import chosen_in
from claimbench.judging.deciding import Shown, findings
from claimbench.judging.record import NOT_RUN, Measured, Record
from claimbench.judging.verdict import Verdict

if TYPE_CHECKING:
    from claimbench.judging.sample import Sample
    from claimbench.judging.trial import Trial
    from claimbench.running.store import StoredRun
    from claimbench.spec.models import Claim, Spec
    from claimbench.tiers import Tier


def make_record(trial: Trial, verdict: Verdict, reason: str) -> Record:
    """Return the record of a verdict on the claim that is being tried."""
    spec, claim, main = trial.spec, trial.claim, trial.main
    experiment = spec.experiments[claim.experiment]
    runs = [run for sample in trial.samples() for run in sample.judged]
    case = trial.case() if main is not None and main.rule != "probe" else None
    found = findings(case, claim.reported, verdict) if case else _unjudged(main)
    return Record(
        paper=spec.slug,
        claim=claim.id,
        tier=trial.settings.tier,
        profile=trial.settings.profile,
        method=", ".join(map(str, trial.settings.methods)) or None,
        verdict=verdict,
        reason=reason,
        run_key=main.identity.key if main is not None else None,
        started_at=min((run.started_at for run in runs), default=None),
        seconds=sum((run.seconds for run in runs), 0.0),
        cpu_seconds=sum((run.cpu_seconds for run in runs), 0.0),
        peak_mb=max((run.peak_mb for run in runs if run.peak_mb), default=None),
        data={name: about(name) for name in experiment.data},
        packages=dict(main.identity.packages) if main is not None else {},
        commit=commit_of(runs) if runs else trial.commit,
        cpu=main.identity.machine if main is not None else trial.cpu,
        judged_at=None,
        **written_down(spec, claim, trial.settings.tier),
        **found,
        chosen=chosen_in(run.chosen for run in main.judged) if main is not None else {},
    )


def written_down(spec: Spec, claim: Claim, tier: Tier) -> dict[str, Any]:
    """Return the fields of a record that the spec gives."""
    known = claim.known_at(tier)
    expect = claim.expect_at(tier).items()
    return {
        "headline": claim.headline,
        "kind": claim.kind,
        "fidelity": claim.fidelity,
        "rule": claim.rule,
        "max_seeds": claim.max_seeds,
        "deterministic": spec.experiments[claim.experiment].deterministic,
        "expect": {name: region.model_dump(exclude_none=True) for name, region in expect},
        "expect_text": {name: str(region) for name, region in expect},
        "reported": dict(claim.reported),
        "known": known.finding if known is not None else None,
        "known_verdict": Verdict(known.word) if known is not None else None,
        "amended": len(claim.amended),
        "spec_hash": spec.claim_hash(claim),
    }


def commit_of(runs: Sequence[StoredRun]) -> str | None:
    """Return the commit of the last run; of those whose code was in no commit, if there are any."""
    unclean = [run for run in runs if run.commit is not None and run.commit.endswith("+")]
    return max(unclean or runs, key=lambda run: run.started_at).commit


def _unjudged(main: Sample | None) -> dict[str, Any]:
    """Return the same fields where the claim was not judged: with one seed as a probe, or none."""
    runs = main.judged if main is not None else []
    return {
        "held": 0,
        "seeds": len(runs),
        "metrics": summarise(runs),
        "share": None,
        "power": None,
        "control": NOT_RUN,
        "controls": (),
        "passes_with": None,
        "standing": {},
    }


def shown_by(sample: Sample) -> Shown:
    """Return what the runs of a sample show."""
    fault = sample.fault.message if sample.fault else None
    return Shown(sample.judgement, summarise(sample.judged), fault, sample.final)


def summarise(runs: Sequence[StoredRun]) -> dict[str, Measured]:
    """Return median, interval and values of each metric that all runs have."""
    if not runs:
        return {}
    names = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    return {name: Measured.of([run.metrics[name] for run in runs]) for name in names}
