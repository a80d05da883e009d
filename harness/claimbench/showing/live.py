"""How far the claims of a run are: seeds done, what is under way, time left."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from claimbench.judging.verdict import Verdict
from claimbench.showing.progress import running_text, seed_text

if TYPE_CHECKING:
    from rich.table import Table

    from claimbench.judging.sample import Sample
    from claimbench.judging.trial import Trial
    from claimbench.running.scheduler import Status
    from claimbench.running.store import Store


class ClaimsProgress:
    """What a view shows of a run: a line, and a table for a terminal.

    Args:
        trials: all claims of the run.
        store: knows how long runs took before.
        workers: how many runs go at a time.
    """

    def __init__(self, trials: Sequence[Trial], store: Store, workers: int) -> None:
        self._trials = trials
        self._store = store
        self._workers = workers
        self._usual: dict[str, float | None] = {}

    def line(self, status: Status) -> str:
        """Return how far the run is in one line."""
        return f"{self._summary(status)}; {running_text(status)}"

    def table(self, status: Status, most: int) -> Table:
        """Return the open claims, those with runs under way first, at most so many."""
        from rich.table import Table
        from rich.text import Text

        running = {progress.job.key: progress for progress in reversed(status.running)}
        rows = [(trial, current(trial)) for trial in self._trials if trial.result is None]
        waits = [sample is None or sample.identity.key not in running for _, sample in rows]
        shown = sorted(range(len(rows)), key=waits.__getitem__)[:most]
        table = Table(
            "paper", "claim", "seeds", "now", "left", box=None, caption_justify="left", expand=True
        )
        for trial, sample in (rows[number] for number in sorted(shown)):
            if sample is None:
                continue
            now = running.get(sample.identity.key)
            left = self._left(trial, sample)
            table.add_row(
                Text(trial.spec.slug, overflow="ellipsis", no_wrap=True),
                Text(trial.claim.id, overflow="ellipsis", no_wrap=True),
                seeds_text(trial, sample),
                Text("" if now is None else seed_text(now)),
                "" if left is None else duration(left),
            )
        table.caption = Text(f"{self._summary(status)}{self._counts()}", style="dim")
        if len(rows) > len(shown):
            table.caption.append(f"; {len(rows) - len(shown)} more wait")
        return table

    def _summary(self, status: Status) -> str:
        done = sum(trial.result is not None for trial in self._trials)
        left = self.seconds_left()
        time_left = "" if left is None else f", about {duration(left)} to the next looks"
        return f"{done} of {len(self._trials)} claims, {status.finished} runs done{time_left}"

    def _counts(self) -> str:
        words = [trial.result.verdict for trial in self._trials if trial.result is not None]
        return "".join(f" {word.symbol} {words.count(word)}" for word in Verdict if word in words)

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
