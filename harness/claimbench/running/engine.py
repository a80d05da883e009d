"""The engine: it takes claims, gets their runs done, and gives each its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimbench.cache import Cache, digest
from claimbench.errors import UsageError
from claimbench.home import commit, home
from claimbench.identity.datasets import missing
from claimbench.identity.keys import Identity, is_timed, run_identity
from claimbench.identity.methods import check
from claimbench.judging.sample import Sample
from claimbench.judging.trial import Trial
from claimbench.judging.verdict import Verdict
from claimbench.profiles import load_profile
from claimbench.running.scheduler import Scheduler, Status
from claimbench.running.seeds import derive
from claimbench.running.store import Store
from claimbench.running.workers.jobs import Job, Outcome
from claimbench.settings import Settings
from claimbench.spec.discovery import find_papers, tell_apart
from claimbench.spec.load import load_spec
from claimbench.spec.models import Claim, Spec
from claimbench.tiers import Tier

if TYPE_CHECKING:
    from claimbench.judging.result import Result

PRELOAD = ("numpy", "scipy", "sklearn", "torch", "jax")
"""Of what a paper imports, the packages that a template process imports before it forks.

Importing them is slow and computes nothing, so that forking afterwards is safe.
"""

SEEDED = {"numpy", "torch", "jax"}
"""What is loaded before a run even if only a function imports it, so that it finds it seeded."""

ON_FIRST_USE = {"torch": "torch._dynamo"}
"""What a package imports when it is first used (by the first torch optimizer), likewise slow."""


_AGAIN = -1
"""Stands for the second execution of the first seed where runs are counted."""


@dataclass(frozen=True)
class Planned:
    """What a claim would run.

    Attributes:
        paper: slug of the paper.
        claim: id of the claim.
        stored: runs that are there.
        seconds: of each run that is not, how long such a run took before; None if none did.
    """

    paper: str
    claim: str
    stored: int
    seconds: tuple[float | None, ...]


class Engine:
    """Tries claims. Use it as a context manager: leaving it ends every worker.

    Args:
        settings: how claims are run.
        watch: called whenever something happened, and at least twice a second.
        hear: called with the outcome of each run that is carried out.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Callable[[Status], None] = lambda status: None,
        hear: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self.settings = settings
        self.profile = load_profile(settings.profile)
        self.home = settings.home or home()
        self.cache = Cache(self.home)
        self._watch = watch
        self._scheduler = Scheduler(settings, self.profile, self.home, hear)
        self._open: list[Trial] = []
        self._methods = {str(method): method.digest() for method in settings.methods}
        self._commits: dict[Path, str | None] = {}
        self._started = time.time()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs, and close the files."""
        self._scheduler.close()
        self.cache.close()

    def add(self, spec: Spec, claims: Iterable[Claim] | None = None) -> list[Trial]:
        """Take up claims of a paper (default: all); nothing runs before `finish`.

        Raises:
            UsageError: a replaced name of the method is one that the experiments don't use.
        """
        for method in self.settings.methods:
            check(method, spec.folder)
        if spec.folder.parent not in self._commits:
            self._commits[spec.folder.parent] = commit(spec.folder.parent)
        trials = []
        for claim in spec.claims if claims is None else claims:
            trial = Trial(
                spec=spec,
                claim=claim,
                settings=self.settings,
                commit=self._commits[spec.folder.parent],
                cpu=self._scheduler.machine(spec.folder.parent),
                make_sample=partial(self._make_sample, spec, claim),
                join=self._scheduler.join,
                elsewhere=self._elsewhere(spec, claim),
            )
            self._begin(trial)
            trials.append(trial)
        self.cache.flush()
        return trials

    def add_papers(
        self, names: Iterable[str | Path], claims: Iterable[str] | None = None
    ) -> list[Trial]:
        """Take up the claims of several papers, all or those of some ids.

        Raises:
            SpecError: a claims.yaml has problems.
            UsageError: no such paper, two of one name, or a claim that none of the papers has.
        """
        folders = find_papers(names)
        tell_apart(folders)
        specs = [load_spec(folder, self.cache) for folder in folders]
        known = {claim.id for spec in specs for claim in spec.claims}
        wanted = known if claims is None else set(claims)
        if not wanted <= known:
            unknown = ", ".join(sorted(wanted - known))
            raise UsageError(f"no claim `{unknown}`; there are: {', '.join(sorted(known))}")
        return [
            trial
            for spec in specs
            for trial in self.add(spec, [claim for claim in spec.claims if claim.id in wanted])
        ]

    def plan(self, trials: Iterable[Trial]) -> list[Planned]:
        """Return, for each claim, what would run if it comes out as expected at its first look.

        Runs that several claims share are counted with the first of them.
        """
        counted: set[tuple[str, int]] = set()
        planned = []
        for trial in trials:
            samples = trial.expected_samples()
            new = {
                (sample.identity.key, index): self.store.typical_seconds(
                    sample.identity, trial.spec.slug
                )
                for sample in samples
                for index in [*sample.wanted(), *([_AGAIN] if sample.repeats_later else [])]
                if (sample.identity.key, index) not in counted
            }
            counted |= new.keys()
            stored = sum(len(sample.runs) for sample in samples)
            planned.append(Planned(trial.spec.slug, trial.claim.id, stored, tuple(new.values())))
        return planned

    @property
    def store(self) -> Store:
        """The store of runs and verdicts."""
        return self._scheduler.store

    def finish(self, trial: Trial) -> Result:
        """Run what is needed until the claim has its verdict; other claims progress meanwhile."""
        while trial.result is None:
            self._open = [other for other in self._open if other.result is None]
            wanting = (sample for other in (trial, *self._open) for sample in other.active())
            self._scheduler.dispatch(wanting)
            if self._scheduler.collect():
                for other in self._open:
                    other.advance()
            trial.advance()
            self._watch(self._scheduler.status())
        self._keep(trial.result)
        return trial.result

    def _elsewhere(self, spec: Spec, claim: Claim) -> Verdict | None:
        """Return the last verdict at the tier from which a claim is judged, if that is higher."""
        if claim.judged_at(self.settings.tier):
            return None
        return self.store.verdict(spec.slug, claim.id, claim.from_, self.profile.name)

    def _begin(self, trial: Trial) -> None:
        obstacle = self.profile.unmet()
        try:
            for name in trial.spec.experiments[trial.claim.experiment].data:
                obstacle = obstacle or missing(name)
            trial.begin(obstacle)
        except UsageError as error:
            trial.end(Verdict.ERROR, str(error))
        except SyntaxError as error:
            trial.end(Verdict.ERROR, f"{error.filename}:{error.lineno}: {error.msg}")
        if trial.result is None:
            self._open.append(trial)

    def _make_sample(self, spec: Spec, claim: Claim, override: Mapping[str, Any]) -> Sample:
        tier = self.settings.tier
        experiment = spec.experiments[claim.experiment]
        timed = is_timed(spec, claim.experiment)
        arguments = {**experiment.arguments(tier), **override}
        identity = run_identity(
            spec,
            claim.experiment,
            arguments,
            profile=self.profile,
            cache=self.cache,
            methods=self._methods,
            machine=self._scheduler.machine(spec.folder.parent),
        )

        def job(index: int) -> Job:
            return Job(
                key=identity.key,
                index=index,
                seed=derive(claim.experiment, index),
                folder=spec.folder,
                experiment=claim.experiment,
                arguments=arguments,
                precision=experiment.precision,
                profile=self.profile,
                preload=_preload(identity),
                timeout=experiment.timeout_at(tier),
                exclusive=timed,
                home=self.home,
                methods=self.settings.methods,
                code=identity.files,
                packages=tuple(identity.packages),
                data=tuple(experiment.data),
                files=tuple(experiment.files),
                commit=self._commits[spec.folder.parent],
                fresh=self._started if self.settings.fresh else 0.0,
            )

        sample = Sample(
            identity=identity,
            job=job,
            regions=claim.expect_at(tier),
            rule=claim.rule if claim.judged_at(tier) else "probe",
            max_seeds=claim.max_seeds,
            cap=min(claim.max_seeds, self.settings.max_seeds or claim.max_seeds),
            deterministic=experiment.deterministic,
            constant=experiment.constant,
            control=dict(override) in map(dict, claim.controls.values()),
            repeats=self.settings.repeats and not timed and not override,
        )
        self._scheduler.fill(sample)
        return sample

    def _keep(self, result: Result) -> None:
        if not self.settings.complete:
            return
        record = result.record
        parts = (record.run_key, record.spec_hash, record.verdict, record.reason, record.commit)
        fingerprint = digest(repr((*parts, record.held, record.seeds, record.controls)))
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.store.add_verdict(replace(record, judged_at=now), fingerprint)


def _preload(identity: Identity) -> tuple[str, ...]:
    """Return the modules to import before a run: slow ones, and all that have to be seeded."""
    slow = {name for name in identity.eager if name.partition(".")[0] in PRELOAD}
    wanted = slow | (SEEDED & identity.packages.keys())
    return (*sorted(wanted), *(late for name, late in ON_FIRST_USE.items() if name in wanted))


def verify(
    path: str | Path | None = None,
    *,
    tier: Tier = "smoke",
    claims: Iterable[str] | None = None,
    profile: str = "cpu",
    max_seeds: int | None = None,
    fresh: bool = False,
    control: bool = True,
    executor: str = "processes",
) -> list[Result]:
    """Run the claims of a paper and return their verdicts, in the order of the spec.

    Args:
        path: a paper folder, its slug, or a folder of papers; None for all of the project.
        tier: smoke, standard or full.
        claims: ids of the claims; None for all.
        profile: name of a hardware profile.
        max_seeds: limit on the seeds of a claim.
        fresh: run again what the store has.
        control: run negative controls.
        executor: processes or inline.

    Raises:
        SpecError: a claims.yaml has problems.
        UsageError: no such paper, claim, tier, profile or executor.
    """
    settings = Settings(
        tier=tier,
        profile=profile,
        executor=executor,
        max_seeds=max_seeds,
        fresh=fresh,
        control=control,
    )
    return verify_papers([] if path is None else [path], claims, settings)


def verify_papers(
    names: Iterable[str | Path],
    claims: Iterable[str] | None,
    settings: Settings,
    *,
    watch: Callable[[Status], None] = lambda status: None,
    report: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Like `verify`, for several papers, telling of progress and of each verdict as it comes.

    Raises:
        SpecError: a claims.yaml has problems.
        UsageError: no such paper, or a claim that none of the papers has.
    """
    with Engine(settings, watch) as engine:
        results = []
        for trial in engine.add_papers(names, claims):
            results.append(engine.finish(trial))
            report(results[-1])
    return results
