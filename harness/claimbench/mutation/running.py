"""Trying the claims of a paper on mutants of its method, the cheapest claim first.

The original runs in the project's own store. Mutants run in scratch copies, with a store that is
thrown away; only what came of a claim on a mutant is kept, under the identity of its runs.
"""

from __future__ import annotations

import json
import resource
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from claimbench.cache import Cache, digest
from claimbench.errors import UsageError
from claimbench.home import home
from claimbench.identity.keys import run_identity
from claimbench.judging.result import Result
from claimbench.judging.trial import Trial
from claimbench.judging.verdict import Verdict
from claimbench.mutation.reach import is_reached, reachable
from claimbench.mutation.rewriting import Mutant, method_files, own_files
from claimbench.running.engine import Engine
from claimbench.running.scheduler import Status
from claimbench.settings import Settings
from claimbench.spec.discovery import suite_root
from claimbench.spec.load import load_spec
from claimbench.spec.models import Claim, Spec
from claimbench.tiers import TIERS

LEAST_SECONDS = 10.0
PATIENCE = 5.0
"""A mutant's run may take so many times as long as the longest of the original's."""

_FORMAT = "mutation 2"


@dataclass(frozen=True)
class Check:
    """A claim that can catch mutants, since it is as expected on the original.

    Attributes:
        claim: its id.
        cpu_seconds: of its own seeds on the original.
        timeout: seconds that a run of a mutant may take.
    """

    claim: str
    cpu_seconds: float
    timeout: float


@dataclass(frozen=True)
class Original:
    """What the claims say of the method as it is.

    Attributes:
        checks: the claims that can catch mutants, the cheapest first.
        left_out: why each of the others cannot, by claim.
    """

    checks: tuple[Check, ...]
    left_out: dict[str, str]


@dataclass(frozen=True)
class Fate:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        claim: the claim that caught it; None if it survived.
        verdict: the claim's verdict.
        reason: and what that rests on.
        control: it took the controls to catch it.
    """

    mutant: Mutant
    claim: str | None = None
    verdict: str = ""
    reason: str = ""
    control: bool = False


Watch = Callable[[Status], None]
Report = Callable[[Fate], None]


def try_original(spec: Spec, settings: Settings, watch: Watch) -> Original:
    """Run the claims that are judged at the tier, and say which can catch a mutant.

    Claims of kind speed cannot: a busy machine would catch everything.

    Raises:
        UsageError: none can.
    """
    tier = settings.tier
    left_out, able = {}, []
    for claim in spec.claims:
        if not claim.judged_at(tier):
            left_out[claim.id] = f"judged from {claim.from_}"
        elif claim.kind == "speed":
            left_out[claim.id] = "a ratio of times catches by chance"
        else:
            able.append(claim)
    checks = []
    with Engine(settings, watch) as engine:
        for trial in engine.add(spec, able):
            result = engine.finish(trial)
            if result.verdict is Verdict.SKIPPED or not result.as_expected:
                left_out[trial.claim.id] = f"{result.verdict}: {result.reason}"
            else:
                checks.append(_check(trial))
    if not checks:
        reasons = "\n".join(f"  {claim}: {reason}" for claim, reason in left_out.items())
        raise UsageError(f"{spec.slug}: no claim at {tier} can catch a mutant\n{reasons}")
    return Original(tuple(sorted(checks, key=lambda check: check.cpu_seconds)), left_out)


def _check(trial: Trial) -> Check:
    own = trial.main.judged if trial.main else []
    longest = max(run.seconds for sample in trial.samples() for run in sample.judged)
    return Check(
        trial.claim.id,
        sum(run.cpu_seconds for run in own),
        max(LEAST_SECONDS, PATIENCE * longest),
    )


def within_reach(
    spec: Spec, mutants: Sequence[Mutant], original: Original
) -> tuple[list[Mutant], list[str]]:
    """Return the mutants that a claim might meet, and the functions and classes of the others.

    No claim that can catch a mutant at this tier reaches the others: it would be run in vain.
    """
    files = {*method_files(spec.folder), *own_files(spec.folder, "reproduce.py")}
    tried = {check.claim for check in original.checks}
    reached = reachable(files, {c.experiment for c in spec.claims if c.id in tried})
    near: list[Mutant] = []
    beyond: dict[str, None] = {}
    for mutant in mutants:
        if is_reached(mutant.function, reached):
            near.append(mutant)
        else:
            beyond[mutant.function.partition(".")[0]] = None
    return near, list(beyond)


@dataclass
class _Pursuit:
    """A mutant, and the claims still to be tried on it."""

    mutant: Mutant
    folder: Path
    waiting: Iterator[Check]
    spec: Spec | None = None
    trial: Trial | None = None
    key: str = ""


@dataclass
class Hunt:
    """Tries claims on mutants.

    Attributes:
        spec: the paper.
        original: the claims to try.
        settings: how; `home` is where fates are kept, or None for the project's.
        watch: told of progress.
        ran: how many claims had to be run, on any mutant.
    """

    spec: Spec
    original: Original
    settings: Settings
    watch: Watch = lambda status: None
    ran: int = field(default=0, init=False)

    def run(
        self, mutants: Sequence[Mutant], report: Report, *, controls: bool = True
    ) -> list[Fate]:
        """Return what became of each mutant, in their order, telling of each as it is known.

        First no controls are run. They are then, for the survivors: a mutant for which the control
        passes too is caught as well.
        """
        with tempfile.TemporaryDirectory(prefix="claimbench-") as scratch:
            Path(scratch, "common").symlink_to(suite_root(self.spec.folder) / "common")
            fates = {}
            for fate in self._pass(mutants, Path(scratch), control=False):
                fates[fate.mutant] = fate
                if fate.claim is not None or not controls:
                    report(fate)
            left = [mutant for mutant in mutants if fates[mutant].claim is None]
            for fate in self._pass(left if controls else [], Path(scratch), control=True):
                fates[fate.mutant] = fate
                report(fate)
        return [fates[mutant] for mutant in mutants]

    def _pass(self, mutants: Iterable[Mutant], scratch: Path, *, control: bool) -> Iterator[Fate]:
        """Yield the fates in order; one mutant's next claim goes before another's first."""
        settings = replace(
            self.settings, home=scratch / "store", repeat=False, control=control, fresh=False
        )
        cache = closing(Cache(self.settings.home or home()))
        with cache as kept, Engine(settings, self.watch) as engine:
            pursuits = deque(
                _Pursuit(
                    mutant,
                    scratch / f"{number}-{control}" / self.spec.folder.name,
                    iter(self.original.checks),
                )
                for number, mutant in enumerate(mutants)
            )
            ended: deque[tuple[_Pursuit, Fate | None]] = deque(
                (pursuit, self._advance(pursuit, engine, kept)) for pursuit in pursuits
            )
            while ended:
                pursuit, fate = ended.popleft()
                while fate is None:
                    fate = self._take(pursuit, engine, kept)
                yield fate

    def _take(self, pursuit: _Pursuit, engine: Engine, kept: Cache) -> Fate | None:
        """Wait for the claim that is being tried; return the fate, or begin the next claim."""
        assert pursuit.trial is not None  # the mutant is not through yet
        result = engine.finish(pursuit.trial)
        expected = _as_expected(result, control=engine.settings.control)
        kept.put(pursuit.key, json.dumps([expected, result.verdict, result.reason]))
        kept.flush()
        self.ran += 1
        if expected:
            return self._advance(pursuit, engine, kept)
        return Fate(
            pursuit.mutant, result.claim, result.verdict, result.reason, engine.settings.control
        )

    def _advance(self, pursuit: _Pursuit, engine: Engine, kept: Cache) -> Fate | None:
        """Begin the next claim whose fate is not known; or return the mutant's fate."""
        if pursuit.spec is None:
            pursuit.mutant.write(self.spec.folder, pursuit.folder)
            pursuit.spec = load_spec(pursuit.folder, engine.cache)
        for check in pursuit.waiting:
            claim = pursuit.spec.claim(check.claim)
            pursuit.key = self._key(pursuit.spec, claim, engine)
            known = kept.get(pursuit.key)
            if known is None:
                (pursuit.trial,) = engine.add(_limited(pursuit.spec, check), [claim])
                return None
            expected, verdict, reason = json.loads(known)
            if not expected:
                control = engine.settings.control
                return Fate(pursuit.mutant, check.claim, verdict, reason, control)
        return Fate(pursuit.mutant)

    def _key(self, spec: Spec, claim: Claim, engine: Engine) -> str:
        tier, control = engine.settings.tier, engine.settings.control
        arguments = spec.experiments[claim.experiment].arguments(tier)
        identity = run_identity(
            spec, claim.experiment, arguments, profile=engine.profile, cache=engine.cache
        )
        return digest(_FORMAT, identity.key, spec.claim_hash(claim), tier, str(control))


def _as_expected(result: Result, *, control: bool) -> bool:
    """Say whether a claim came out as on the original; without its controls none is vacuous."""
    if result.record.known_verdict is Verdict.VACUOUS and not control:
        return result.verdict in (Verdict.REPRODUCED, Verdict.SKIPPED)
    return result.as_expected


def _limited(spec: Spec, check: Check) -> Spec:
    """Return the spec with a short time limit for the experiment of a claim."""
    name = spec.claim(check.claim).experiment
    experiment = spec.experiments[name]
    limit = dict.fromkeys(TIERS, check.timeout)
    short = experiment.model_copy(update={"timeout": limit})
    return spec.model_copy(update={"experiments": {**spec.experiments, name: short}})


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the children that have ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
