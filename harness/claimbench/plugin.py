"""The pytest plugin: a claims.yaml is a test file, and each of its claims a test.

    pytest papers/ademamix                                  every claim of a paper
    pytest papers --tier standard -k rosenbrock             some claims of all papers
    pytest papers/ademamix/claims.yaml::reduces-to-adamw    one claim
    pytest papers/ademamix --benchmark-only                 what a step of its method costs

The runs happen in an item's setup, so that a crash is an error and a divergence a failure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from claimbench.errors import ClaimbenchError
from claimbench.judging.verdict import Verdict
from claimbench.showing.progress import ProgressLine
from claimbench.spec.discovery import SPEC_FILE
from claimbench.tiers import TIERS

if TYPE_CHECKING:
    from claimbench.cache import Cache
    from claimbench.judging.result import Result
    from claimbench.judging.trial import Trial
    from claimbench.running.engine import Engine
    from claimbench.settings import Settings
    from claimbench.spec import Claim, Spec


BENCHMARK_FILE = "benchmark.py"


class NotAsExpected(Exception):
    """A verdict that fails the test; its text is the claim's headline."""


class Diverged(NotAsExpected):
    """The claim was shown not to hold; a `known` divergence expects this and nothing else."""


class RunError(NotAsExpected):
    """A run gave no metrics."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add claimbench's options."""
    group = parser.getgroup("claimbench", "claimbench: the claims of papers")
    group.addoption(
        "--tier",
        default="smoke",
        choices=TIERS,
        help="smoke: seconds a paper (default); standard: minutes; full: as published",
    )
    group.addoption(
        "--profile",
        default="cpu",
        metavar="NAME",
        help="hardware profile that the runs are pinned to (default: cpu)",
    )
    group.addoption(
        "--max-seeds",
        type=int,
        metavar="N",
        help="run at most N seeds a claim; what they don't decide is inconclusive",
    )
    group.addoption("--fresh", action="store_true", help="run again what the store already has")
    group.addoption("--no-control", action="store_true", help="don't run the negative controls")
    group.addoption(
        "--method",
        action="append",
        default=[],
        metavar="NAME=MODULE:ATTR",
        help="run another implementation in the place of method.NAME; also NAME=file.py:ATTR",
    )
    group.addoption(
        "--repeat",
        action=argparse.BooleanOptionalAction,
        help="run one seed of each experiment twice and compare every bit (default: at smoke)",
    )
    group.addoption(
        "--plan", action="store_true", help="say what would run, and how long, without running it"
    )
    group.addoption(
        "--claims-json",
        type=Path,
        metavar="FILE",
        help="write the verdicts with all their numbers to FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep this session's claims in one object."""
    config.pluginmanager.register(ClaimSession(config), "claimbench-session")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect every claims.yaml, wherever it lies; with --benchmark-only the paper's benchmarks."""
    if file_path.name == SPEC_FILE:
        if not parent.config.getoption("benchmark_only", False):
            return SpecFile.from_parent(parent, path=file_path)
        if (file_path.parent / BENCHMARK_FILE).is_file():
            return BenchmarkFile.from_parent(parent, path=file_path.parent / BENCHMARK_FILE)
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a paper's claims on one xdist worker, since they share runs."""
    if config.getoption("dist", None) != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByPaper(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file, _, _ = nodeid.partition("::")
            return file if Path(file).name == SPEC_FILE else nodeid

    return ByPaper(config, log)


class BenchmarkFile(pytest.Module):
    """The benchmark.py of a paper: tests with pytest-benchmark's fixture, of the method's step."""

    def _getobj(self) -> ModuleType:
        from claimbench.running.loading import load_module, suite_first

        with suite_first(self.path.parent):
            return load_module(self.path.parent, self.path.stem)


class SpecFile(pytest.File):
    """A claims.yaml."""

    def collect(self) -> Iterator[ClaimItem]:
        """Yield its claims; a spec with problems is a collection error that lists them all."""
        from claimbench.spec import SpecError, load_spec

        session = claim_session(self.config)
        try:
            spec = load_spec(self.path.parent, session.cache())
        except SpecError as error:
            raise self.CollectError(str(error)) from None
        for claim in spec.claims:
            yield ClaimItem.from_parent(self, name=claim.id, spec=spec, claim=claim)


class ClaimItem(pytest.Item):
    """One claim: `setup` runs what it needs, `runtest` judges."""

    def __init__(self, *, spec: Spec, claim: Claim, **rest: Any) -> None:
        super().__init__(**rest)
        self.spec = spec
        self.claim = claim
        self.trial: Trial | None = None
        self.result: Result | None = None
        self.extra_keyword_matches.update({claim.kind, claim.fidelity, spec.paper.theme})
        tier = self.config.getoption("tier")
        known = claim.known_at(tier)
        if known is not None and claim.judged_at(tier):
            self.add_marker(pytest.mark.xfail(strict=True, raises=Diverged, reason=known.finding))

    def setup(self) -> None:
        """Run what the claim needs; an error in a run is an error here."""
        self.result = result = claim_session(self.config).finish(self)
        if result.verdict is Verdict.ERROR:
            if result.failure is not None and result.failure.exception is not None:
                raise result.failure.exception  # where a debugger should open
            raise RunError(result.headline)
        if result.verdict is Verdict.SKIPPED:
            pytest.skip(result.reason)

    def runtest(self) -> None:
        """Fail unless the verdict is the expected one."""
        assert self.result is not None  # set in setup
        if self.result.verdict is Verdict.DIVERGED:
            raise Diverged(self.result.headline)
        if not self.result.as_expected:
            raise NotAsExpected(self.result.headline)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a verdict in our words, and anything else as pytest does."""
        if isinstance(excinfo.value, NotAsExpected) and self.result is not None:
            from claimbench.showing.report import failure_text

            return failure_text(self.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point at the claim's line in the spec."""
        return self.path, self.claim.line - 1, f"{self.spec.slug}::{self.claim.id}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say a run's error in our words too, and put the verdict into the report."""
    report = yield
    if not isinstance(item, ClaimItem):
        return report
    if item.result is None:
        if call.excinfo is not None and isinstance(call.excinfo.value, ClaimbenchError):
            report.longrepr = str(call.excinfo.value)
        return report
    last = report.when == "call" or (report.when == "setup" and not report.passed)
    if last:
        result = item.result
        report.claimbench = {  # type: ignore[attr-defined]  # as xdist can send it
            "record": json.dumps(result.record.as_json()),
            "known": result.known,
            "repeat": result.repeat,
        }
        if report.when == "setup" and report.failed:
            from claimbench.showing.report import failure_text

            report.longrepr = failure_text(result)
    return report


def claim_session(config: pytest.Config) -> ClaimSession:
    """Return the session's claims."""
    session: ClaimSession = config.stash[_SESSION]
    return session


_SESSION = pytest.StashKey["ClaimSession"]()


class ClaimSession:
    """The claims of one pytest session: one engine, all verdicts, the table at the end."""

    def __init__(self, config: pytest.Config) -> None:
        config.stash[_SESSION] = self
        self.config = config
        self.results: list[Result] = []
        self._engine: Engine | None = None
        self._cache: Cache | None = None
        self._items: list[ClaimItem] = []
        self._progress = ProgressLine(config)

    def cache(self) -> Cache:
        """Return the cache of parsed specs."""
        if self._cache is None:
            from claimbench.cache import Cache
            from claimbench.home import home

            self._cache = Cache(home(self.config.invocation_params.dir))
        return self._cache

    def finish(self, item: ClaimItem) -> Result:
        """Return the verdict on an item; others that were selected progress meanwhile."""
        engine = self._opened_engine()
        if item.trial is None:
            coming = [item, *(other for other in self._items if other is not item)]
            if hasattr(self.config, "workerinput"):  # other files belong to other xdist workers
                coming = [other for other in coming if other.path == item.path]
            self._take_up(engine, coming)
        assert item.trial is not None  # taken up above
        result = engine.finish(item.trial)
        self._progress.clear()
        return result

    def _take_up(self, engine: Engine, items: list[ClaimItem]) -> list[Trial]:
        """Tell the engine which claims are coming, a paper at a time; return their trials."""
        taken: list[Trial] = []
        for path in dict.fromkeys(item.path for item in items):
            group = [item for item in items if item.path == path and item.trial is None]
            trials = engine.add(group[0].spec, [item.claim for item in group]) if group else []
            for item, trial in zip(group, trials, strict=True):
                item.trial = trial
            taken += trials
        return taken

    def _opened_engine(self) -> Engine:
        if self._engine is None:
            from claimbench.running.engine import Engine

            self._engine = Engine(self._settings(), self._progress.show)
        return self._engine

    def _settings(self) -> Settings:
        from claimbench.home import home
        from claimbench.identity.methods import parse
        from claimbench.settings import Settings

        option = self.config.getoption
        workers = None
        if hasattr(self.config, "workerinput"):
            from claimbench.running.workers.pool import worker_count

            workers = max(1, worker_count(None) // self.config.workerinput["workercount"])
        return Settings(
            tier=option("tier"),
            profile=option("profile"),
            executor="inline" if option("usepdb", False) else "processes",
            workers=workers,
            max_seeds=option("max_seeds"),
            fresh=option("fresh"),
            control=not option("no_control"),
            repeat=option("repeat"),
            methods=tuple(parse(text) for text in option("method")),
            home=home(self.config.invocation_params.dir),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the selected claims, and refuse options that no run could satisfy."""
        if self._cache is not None:
            self._cache.flush()
        self._items = [item for item in session.items if isinstance(item, ClaimItem)]
        if self._items:
            from claimbench.errors import UsageError
            from claimbench.profiles import load_profile

            try:
                load_profile(self._settings().profile)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> str | None:
        """Say in one line what is going to be run."""
        claims = sum(isinstance(item, ClaimItem) for item in items)
        if not claims:
            return None
        settings = self._settings()
        return (
            f"claimbench: {claims} claims at tier {settings.tier}, "
            f"profile {settings.profile}, store {settings.home}"
        )

    def pytest_runtestloop(self) -> bool | None:
        """With `--plan`, say what would run instead of running it."""
        if not self.config.getoption("plan"):
            return None
        from claimbench.commands.plan import lines
        from claimbench.running.workers.pool import worker_count

        engine = self._opened_engine()
        trials = self._take_up(engine, self._items)
        for text in lines(engine.plan(trials), worker_count(None)):
            self._write_line(text)
        return True

    def _write_line(self, text: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(text)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the verdict out of a report, which may come from an xdist worker."""
        told = getattr(report, "claimbench", None)
        if told is not None:
            from claimbench.judging.record import Record
            from claimbench.judging.result import Result

            record = Record.from_json(told["record"])
            self.results.append(Result(record, told["known"], told["repeat"]))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End the workers, write the JSON file, and turn a session that measured nothing red."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._cache is not None:
            self._cache.close()
            self._cache = None
        target = self.config.getoption("claims_json")
        if target is not None and not hasattr(self.config, "workerinput"):
            verdicts = [
                {
                    **result.record.as_json(),
                    "as_expected": result.as_expected,
                    "headline": result.headline,
                    "repeat": result.repeat,
                }
                for result in self.results
            ]
            text = json.dumps(verdicts, indent=2)
            target.write_text(f"{text}\n", encoding="utf-8")
        if self.measured_nothing() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def measured_nothing(self) -> bool:
        """Say whether there were verdicts, and no run behind any of them."""
        return bool(self.results) and not any(result.measured for result in self.results)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table of verdicts."""
        if not self.results:
            return
        from claimbench.showing.report import render

        terminalreporter.section("claims")
        color = self.config.get_terminal_writer().hasmarkup
        records = [result.record for result in self.results]
        terminalreporter.write(render(records, color=color) + "\n")
        for result in self.results:
            if not result.as_expected:
                terminalreporter.write_line(result.headline, red=True)
                terminalreporter.write_line(f"  repeat: {result.repeat}")
        if self.config.getoption("numprocesses", None):
            terminalreporter.write_line("plain pytest already uses all cores; -n gains nothing")
        if self.measured_nothing():
            terminalreporter.write_line(
                "no claim was measured, so this run shows nothing", red=True
            )
