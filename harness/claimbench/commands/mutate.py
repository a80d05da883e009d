"""`claimbench mutate`: change a paper's method in small ways, and see whether its claims notice."""

from __future__ import annotations

import datetime
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from claimbench.commands import AS_EXPECTED, NOT_AS_EXPECTED
from claimbench.errors import UsageError
from claimbench.home import commit
from claimbench.leaderboard.mutation import Score, write
from claimbench.settings import Settings
from claimbench.showing.output import error, line
from claimbench.spec import load_spec
from claimbench.spec.discovery import find_papers

if TYPE_CHECKING:
    from claimbench.mutation.report import Report
    from claimbench.mutation.running import Outcome
    from claimbench.running.scheduler import Status


def run(
    paper: str,
    settings: Settings,
    *,
    most: int,
    seed: int,
    json_file: Path | None,
    publish: Path | None = None,
) -> int:
    """Print which mutants the claims caught, and every survivor with its diff.

    Args:
        paper: slug or folder.
        settings: tier, profile and workers.
        most: how many mutants at most.
        seed: chooses which.
        json_file: where the report is written too.
        publish: folder in which the score is written.
    """
    if importlib.util.find_spec("libcst") is None:
        raise UsageError("mutate needs libcst; pip install 'claimbench[mutation]'")
    if most < 1:
        raise UsageError(f"at least one mutant is needed, not {most}")
    if json_file is not None and not json_file.parent.is_dir():
        raise UsageError(f"--json {json_file}: there is no folder {json_file.parent}")
    folder, *others = find_papers([paper])
    if others:
        raise UsageError(f"`{paper}` holds several papers; name one of them")
    from claimbench.mutation.equivalents import read_equivalents, stale
    from claimbench.mutation.report import Report
    from claimbench.mutation.rewriting import all_mutants, choose
    from claimbench.mutation.running import Hunt, cpu_seconds, try_original, within_reach

    before = cpu_seconds()
    spec = load_spec(folder)
    equivalents = read_equivalents(folder)
    every = all_mutants(folder)
    with Display() as display:
        original = try_original(spec, settings, display.status)
        near, beyond = within_reach(spec, every, original)
        mutants = choose(near, most, seed)
        display.begin(len(mutants))
        hunt = Hunt(spec, original, settings, display.status)
        outcomes = hunt.run(mutants, display.outcome)
    report = Report(
        paper=spec.slug,
        tier=settings.tier,
        profile=settings.profile,
        seed=seed,
        possible=len(near),
        outcomes=outcomes,
        equivalents={entry.description: entry for entry in equivalents},
        stale=stale(equivalents, every),
        beyond=beyond,
        left_out=original.left_out,
        cpu_seconds=cpu_seconds() - before,
    )
    line(report.text())
    if json_file is not None:
        text = json.dumps(report.record(), indent=2, ensure_ascii=False)
        json_file.write_text(f"{text}\n", encoding="utf-8")
    if publish is not None:
        line(f"wrote {write(spec.slug, score(report, commit(folder)), publish)}")
    return AS_EXPECTED if report.enough else NOT_AS_EXPECTED


def score(report: Report, commit: str | None) -> Score:
    """Return what is published of a report."""
    return Score(
        profile=report.profile,
        tier=report.tier,
        caught=len(report.caught),
        mutants=len(report.caught) + len(report.survivors),
        equivalent=len(report.equivalent),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        commit=commit,
    )


class Display:
    """A bar on a terminal; elsewhere a line a mutant. Both go to standard error."""

    def __init__(self) -> None:
        self._bar = None
        self._total = self._done = self._caught = 0
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("the original", total=None)

    def __enter__(self) -> Display:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, total: int) -> None:
        """Say that the original has been run, and how many mutants follow."""
        self._total = total
        if self._bar is not None:
            self._bar.update(self._task, description="mutants", total=total)

    def status(self, status: Status) -> None:
        """Show what is under way, on a terminal."""
        if self._bar is not None:
            running = ", ".join(status.running) or "starting"
            what = f"{self._caught} caught; {running}" if self._total else f"original; {running}"
            self._bar.update(self._task, description=what)

    def outcome(self, outcome: Outcome) -> None:
        """Show what became of a mutant."""
        self._done += 1
        self._caught += outcome.claim is not None
        mutant = outcome.mutant
        word = "survived" if outcome.claim is None else f"caught by {outcome.claim}"
        text = f"{self._done}/{self._total} {mutant.file}:{mutant.line} {mutant.function} "
        text += f"{mutant.kind}: {word}"
        if self._bar is None:
            error(text)
            return
        self._bar.update(self._task, completed=self._done)
        if outcome.claim is None:
            self._bar.console.print(text, highlight=False, markup=False)
