"""A live view of a run: each paper's claims, seeds done, time left."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from claimbench.judging.verdict import Verdict
from claimbench.showing.output import error
from claimbench.showing.progress import PLAIN_SECONDS

if TYPE_CHECKING:
    from rich.table import Table

    from claimbench.judging.result import Result
    from claimbench.judging.sample import Sample
    from claimbench.judging.trial import Trial
    from claimbench.running.scheduler import Status
    from claimbench.running.store import Store

_REFRESH_SECONDS = 0.25
_FRAME = 4  # lines of the view besides its rows


class Live:
    """Shows what is under way on a terminal; elsewhere a line a verdict and one now and then.

    Args:
        trials: all claims of the run.
        store: knows how long runs took before.
        workers: how many runs go at a time.
    """

    def __init__(self, trials: Sequence[Trial], store: Store, workers: int) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._trials = trials
        self._store = store
        self._workers = workers
        self._usual: dict[str, float | None] = {}
        self._last = time.monotonic()
        self._console = Console(stderr=True)
        self._live = RichLive(console=self._console, auto_refresh=False, transient=True)
        self._on_terminal = sys.stderr.isatty()

    def __enter__(self) -> Live:
        if self._on_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._on_terminal:
            self._live.stop()

    def status(self, status: Status) -> None:
        """Show how far the claims are, at most four times a second."""
        now = time.monotonic()
        if now - self._last < (_REFRESH_SECONDS if self._on_terminal else PLAIN_SECONDS):
            return
        self._last = now
        if self._on_terminal:
            self._live.update(self.table(status, self._console.height - _FRAME), refresh=True)
        else:
            error(self.line(status))

    def verdict(self, result: Result) -> None:
        """Show a verdict that has just been reached."""
        if self._on_terminal:
            self._console.print(result.headline, highlight=False, markup=False)
        else:
            error(result.headline)

    def line(self, status: Status) -> str:
        """Return how far the run is in one line."""
        done = sum(trial.result is not None for trial in self._trials)
        left = self.seconds_left()
        time_left = "" if left is None else f", about {duration(left)} to the next looks"
        return (
            f"{done} of {len(self._trials)} claims, {status.finished} runs done{time_left}; "
            f"{', '.join(status.running)}"
        )

    def table(self, status: Status, most: int) -> Table:
        """Return the view: the open claims, those with runs under way first, at most so many."""
        from rich.table import Table
        from rich.text import Text

        running = " ".join(status.running)
        opened = [trial for trial in self._trials if trial.result is None]
        opened.sort(key=lambda trial: not self._is_running(trial, running))
        shown = opened[: max(most, 1)]
        table = Table(
            "paper", "claim", "seeds", "now", "left", box=None, caption_justify="left", expand=True
        )
        for trial in sorted(shown, key=self._trials.index):
            sample = current(trial)
            if sample is None:
                continue
            name = f"{trial.spec.slug} {trial.claim.experiment} "
            now = next((text for text in status.running if text.startswith(name)), "")
            left = self._left(trial, sample)
            table.add_row(
                Text(trial.spec.slug, overflow="ellipsis", no_wrap=True),
                Text(trial.claim.id, overflow="ellipsis", no_wrap=True),
                seeds_text(trial, sample),
                Text(now.removeprefix(name)),
                "" if left is None else duration(left),
            )
        hidden = len(opened) - len(shown)
        counts = self._counts()
        table.caption = Text(f"{self.line(status).partition(';')[0]}{counts}", style="dim")
        if hidden > 0:
            table.caption.append(f"; {hidden} more wait")
        return table

    def _counts(self) -> str:
        words = [trial.result.verdict for trial in self._trials if trial.result is not None]
        return "".join(f" {word.symbol} {words.count(word)}" for word in Verdict if word in words)

    def _is_running(self, trial: Trial, running: str) -> bool:
        return f"{trial.spec.slug} {trial.claim.experiment} " in running

    def seconds_left(self) -> float | None:
        """Return the time to the next look of every open claim; None where it can't be told."""
        keys = set()
        total, known = 0.0, False
        for trial in self._trials:
            sample = current(trial)
            if sample is None or sample.identity.key in keys:
                continue
            keys.add(sample.identity.key)
            left = self._left(trial, sample)
            if left is not None:
                total, known = total + left, True
        return total / self._workers if known else None

    def _left(self, trial: Trial, sample: Sample) -> float | None:
        wanted = len(sample.wanted())
        if sample.runs:
            return wanted * statistics.fmean(run.seconds for run in sample.runs.values())
        key = sample.identity.key
        if key not in self._usual:
            self._usual[key] = self._store.typical_seconds(sample.identity, trial.spec.slug)
        usual = self._usual[key]
        return None if usual is None else wanted * usual


def current(trial: Trial) -> Sample | None:
    """Return the sample of an open claim that still wants runs, or else its last."""
    active = trial.active()
    return next((sample for sample in active if sample.wanted()), active[-1] if active else None)


def seeds_text(trial: Trial, sample: Sample) -> str:
    """Return `4 of 6`, the seeds done and those of the next look; a control says so."""
    have = len(sample.runs)
    text = f"{have} of {have + len(sample.wanted())}"
    return text if sample is trial.main else f"control {text}"


def duration(seconds: float) -> str:
    """Return a time for a reader: 40 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
