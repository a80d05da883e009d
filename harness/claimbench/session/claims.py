"""The claims of one pytest session: one engine, all verdicts, the table at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Generator, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from claimbench.cache import Cache
from claimbench.errors import ClaimbenchError, UsageError
from claimbench.guessing import guess
from claimbench.home import home
from claimbench.identity.methods import parse
from claimbench.judging.result import Result
from claimbench.profiles import load_profile
from claimbench.session import options
from claimbench.session.items import BenchmarkFile, ClaimItem, SpecFile
from claimbench.settings import Settings, worker_count
from claimbench.showing.output import escape_what_cannot_be_encoded
from claimbench.showing.progress import ProgressLine
from claimbench.showing.targets import check_file
from claimbench.spec.discovery import SPEC_FILE, find_papers, is_brought, tell_apart
from claimbench.spec.outline import outline
from claimbench.spec.problems import SpecError

if TYPE_CHECKING:
    from claimbench.judging.trial import Trial
    from claimbench.running.engine import Engine
    from claimbench.running.workers.jobs import Outcome
    from claimbench.session.judging import Judging

BENCHMARK_FILE = "benchmark.py"


class ClaimSession:
    """A plugin of its own, which is registered once a session has to do with claims.

    Raises:
        UsageError: of pytest; `--claims` names no paper, or `--claims-json` can't be written.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.results: list[Result] = []
        self._engine: Engine | None = None
        self._items: list[ClaimItem] = []
        self._progress = ProgressLine(config)
        self._folders: dict[str, Path] = {}
        if config.getoption("dist", "no") != "no":  # where no claims are collected here
            self._check_settings()
        # pytest's own way with what can't be encoded escapes line ends too
        escape_what_cannot_be_encoded(sys.__stdout__)
        self._wanted = _wanted(options.read(config, "claims"))
        if (target := options.read(config, "claims-json")) is not None:
            try:
                check_file("--claims-json", target)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None

    @cached_property
    def cache(self) -> Cache:
        """The cache of parsed specs."""
        return Cache(home(self.config.invocation_params.dir))

    @cached_property
    def judging(self) -> Judging:
        """What judges claims and shows verdicts."""
        # pydantic and the engine take longer to import than the claims of all papers to collect
        from claimbench.session.judging import Judging

        return Judging()

    def collector(
        self, path: Path, parent: pytest.Collector, only: Collection[str] | None = None
    ) -> pytest.Collector | None:
        """Return what collects a claims.yaml, or with --benchmark-only its paper's benchmarks.

        Args:
            path: the claims.yaml.
            parent: the folder, or the session.
            only: ids of the claims that are wanted; None for all.
        """
        benchmarks = self.config.getoption("benchmark_only", False)
        if benchmarks:
            path = path.parent / BENCHMARK_FILE
            if not path.is_file():
                return None
        near = path.is_relative_to(self.config.rootpath) and not is_brought(path.parent)
        nodeid = None if near else f"{path.parent.name}/{path.name}"
        if benchmarks:
            return BenchmarkFile.from_parent(parent, path=path, nodeid=nodeid)
        return SpecFile.from_parent(parent, path=path, nodeid=nodeid, claims=self, only=only)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """With `--claims`, collect those papers; and nothing else but what was named besides."""
        report = yield
        if self._wanted and isinstance(collector, pytest.Session):
            named = self.config.args_source is pytest.Config.ArgsSource.ARGS
            report.result = [*(report.result if named else []), *self._asked_for(collector)]
        return report

    def tell_apart(self, folder: Path) -> None:
        """Refuse a second paper of the same name.

        Raises:
            UsageError: there was one before.
        """
        tell_apart((self._folders.setdefault(folder.name, folder), folder))

    def _asked_for(self, session: pytest.Session) -> Iterator[pytest.Collector]:
        for folder, ids in self._wanted.items():
            if ids is not None:
                self._check_ids(folder, ids)
            found = self.collector(folder / SPEC_FILE, session, ids)
            if found is not None:
                yield found

    def _check_ids(self, folder: Path, ids: set[str]) -> None:
        try:
            known = [claim.id for claim in outline(folder, self.cache).claims]
        except SpecError:
            return  # which is what collecting it will say
        for claim in sorted(ids - set(known)):
            advice = guess(claim, known, "there are:")
            raise pytest.UsageError(f"--claims: {folder.name} has no claim `{claim}`; {advice}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep a paper's claims on one xdist worker, since they share runs."""
        if config.getoption("dist") != "load":
            return None
        from xdist.scheduler import LoadScopeScheduling

        class ByPaper(LoadScopeScheduling):  # type: ignore[misc]
            def _split_scope(self, nodeid: str) -> str:
                file, _, _ = nodeid.partition("::")
                return file if Path(file).name == SPEC_FILE else nodeid

        return ByPaper(config, log)

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
        respelled = options.respelled(self.config)
        words = (respelled.get(word, word) for word in result.repeat.split(" "))
        return replace(result, repeat=" ".join(words))

    def _take_up(self, engine: Engine, items: list[ClaimItem]) -> list[Trial]:
        """Tell the engine which claims are coming, a paper at a time; return their trials."""
        taken: list[Trial] = []
        for path in dict.fromkeys(item.path for item in items):
            group = [item for item in items if item.path == path and item.trial is None]
            if not group:
                continue
            spec = self.judging.spec_of(group[0].paper, self.cache)
            trials = engine.add(spec, [spec.claim(item.claim.id) for item in group])
            for item, trial in zip(group, trials, strict=True):
                item.trial = trial
            taken += trials
        return taken

    def _opened_engine(self) -> Engine:
        if self._engine is None:
            settings = self._settings()
            self._engine = self.judging.engine(settings, self._progress.show, self._hear)
        return self._engine

    def _hear(self, outcome: Outcome) -> None:
        """With `-s`, pass on what a run has printed, once it is over."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if self.config.getoption("capture") != "no" or not outcome.log or reporter is None:
            return
        self._progress.clear()
        job = outcome.job
        words = [job.folder.name, job.experiment]
        words += [f"{name}={value}" for name, value in job.arguments.items()]
        again = ", again" if job.repeat else ""
        reporter.ensure_newline()
        reporter.write_line(f"log of {' '.join(words)} (seed {job.index}{again}):")
        for text in outcome.log.splitlines():
            reporter.write_line(text)

    def _settings(self) -> Settings:
        workers = None
        if hasattr(self.config, "workerinput"):
            workers = max(1, worker_count(None) // self.config.workerinput["workercount"])
        return Settings(
            tier=options.read(self.config, "tier"),
            profile=options.read(self.config, "profile"),
            executor="inline" if self.config.getoption("usepdb", False) else "processes",
            workers=workers,
            max_seeds=options.read(self.config, "max-seeds"),
            fresh=options.read(self.config, "fresh"),
            control=not options.read(self.config, "no-control"),
            repeat=options.read(self.config, "repeat"),
            methods=tuple(parse(text) for text in options.read(self.config, "method")),
            home=home(self.config.invocation_params.dir),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the selected claims, and refuse options that no run could satisfy."""
        self.cache.flush()
        self._items = [item for item in session.items if isinstance(item, ClaimItem)]
        if self._items:
            self._check_settings()

    def _check_settings(self) -> None:
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
        if not options.read(self.config, "plan"):
            return None
        engine = self._opened_engine()
        trials = self._take_up(engine, self._items)
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for text in self.judging.plan_lines(engine.plan(trials), worker_count(None)):
                reporter.write_line(text)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
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
            report.claimbench = result  # type: ignore[attr-defined]
            if hasattr(self.config, "workerinput"):
                report.claimbench = {  # type: ignore[attr-defined]  # as xdist can send it
                    "record": json.dumps(result.record.as_json()),
                    "repeat": result.repeat,
                }
            if report.when == "setup" and report.failed:
                report.longrepr = self.judging.failure_text(result)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the verdict out of a report, which may come from an xdist worker."""
        told = getattr(report, "claimbench", None)
        if isinstance(told, Result):
            self.results.append(told)
        elif told is not None:
            record = self.judging.record(told["record"])
            self.results.append(Result(record, told["repeat"]))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End the workers, write the JSON file, and turn a session that measured nothing red."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self.cache.close()
        target = options.read(self.config, "claims-json")
        if target is not None and not hasattr(self.config, "workerinput"):
            verdicts = [
                {
                    **result.record.as_json(),
                    "as_expected": result.as_expected,
                    "line": result.line,
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
        terminalreporter.section("claims")
        color = self.config.get_terminal_writer().hasmarkup
        records = [result.record for result in self.results]
        terminalreporter.write(self.judging.render(records, color=color) + "\n")
        for result in self.results:
            if not result.as_expected:
                terminalreporter.write_line(result.line, red=True)
                terminalreporter.write_line(f"  repeat: {result.repeat}")
        if self.config.getoption("numprocesses", None):
            terminalreporter.write_line("plain pytest already uses all cores; -n gains nothing")
        if self.measured_nothing():
            terminalreporter.write_line(
                "no claim was measured, so this run shows nothing", red=True
            )


def _wanted(words: list[str]) -> dict[Path, set[str] | None]:
    """Return the paper folders that `--claims` names, each with ids of claims or None for all."""
    wanted: dict[Path, set[str] | None] = {}
    for word in words:
        paper, _, claim = word.partition("::")
        try:
            folders = find_papers([paper])
        except UsageError as error:
            raise pytest.UsageError(f"--claims: {error}") from None
        for folder in folders:
            ids = wanted.get(folder, set())
            wanted[folder] = None if not claim or ids is None else ids | {claim}
    return wanted
