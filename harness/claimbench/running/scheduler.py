"""Getting wanted runs done: from the store, from another process, or by an executor.

A run is looked up, then locked, then looked up again, so that two processes which want the same
run carry it out once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from claimbench.profiles import Profile, cpu_model
from claimbench.running.store import Store, StoredRun
from claimbench.running.workers.environment import machine
from claimbench.running.workers.executors import open_executor
from claimbench.running.workers.jobs import Executor, Failure, Outcome, Progress
from claimbench.settings import Settings

if TYPE_CHECKING:
    from filelock import FileLock

    from claimbench.judging.sample import Sample

RunId = tuple[str, int, bool]
"""Run key, seed index, and whether it is the second time."""

_POLL_SECONDS = 0.05
_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class Status:
    """How far the runs are, for a progress display.

    Attributes:
        started: runs begun in this process so far.
        finished: those that are over.
        running: of each run that is under way, how far it is.
    """

    started: int
    finished: int
    running: tuple[Progress, ...]


class Scheduler:
    """Carries out the runs that samples want and hands them to every sample of that key."""

    def __init__(
        self,
        settings: Settings,
        profile: Profile,
        home: Path,
        hear: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self._hear = hear
        self._settings = settings
        self._profile = profile
        self._home = home
        self._store: Store | None = None
        self._executor: Executor | None = None
        self._samples: dict[str, list[Sample]] = {}
        self._running: dict[RunId, FileLock] = {}
        self._elsewhere: dict[RunId, float] = {}
        self._progress: dict[RunId, Progress] = {}
        self._started = 0

    @property
    def store(self) -> Store:
        """The store, opened when it is first needed."""
        if self._store is None:
            self._store = Store(self._home)
        return self._store

    def machine(self, papers: Path) -> str:
        """Return the CPU model that runs of the papers in a folder are carried out on."""
        if self._settings.executor == "ray":
            return self._open_executor().machine(papers)
        return cpu_model()

    def fill(self, sample: Sample) -> None:
        """Give the sample the runs that are there."""
        key = sample.identity.key
        twins = self._samples.get(key, [])
        if twins:
            sample.take(twins[0].runs, twins[0].failures)
        elif not self._settings.fresh:
            sample.take(self.store.runs(key), {})
        repeated = next((twin.repeated for twin in twins if twin.repeated is not None), None)
        if repeated is None and sample.repeats and not self._settings.fresh:
            later = len(sample.judged) > 1  # then the first seed shows too little
            found = self.store.repeats(key)
            repeated = next(((i, found[i]) for i in sorted(found) if i > 0 or not later), None)
        if repeated is not None:
            sample.take_repeat(*repeated)

    def join(self, sample: Sample) -> None:
        """Give the sample the runs that will come."""
        self._samples.setdefault(sample.identity.key, []).append(sample)

    def dispatch(self, samples: Iterable[Sample]) -> None:
        """Start wanted runs, those of the first samples first, as long as there is room."""
        for sample in samples:
            runs = [(index, False) for index in sample.wanted()]
            if sample.wants_repeat is not None:
                runs.append((sample.wants_repeat, True))
            for index, again in runs:
                if not (self._open_executor().room() and self._start(sample, index, again)):
                    return

    def collect(self) -> set[str]:
        """Wait for something to happen, for half a second at most; return the keys that moved."""
        if not self._running and not self._elsewhere:
            return set()
        moved = set()
        for event in self._open_executor().wait(
            _POLL_SECONDS if self._elsewhere else _WAIT_SECONDS
        ):
            run = (event.job.key, event.job.index, event.job.repeat)
            if isinstance(event, Progress):
                self._progress[run] = event
            else:
                self._finish(run, event)
                moved.add(event.job.key)
        return moved

    def status(self) -> Status:
        """Return how far the runs are."""
        running = tuple(self._progress[run] for run in self._running)
        return Status(self._started, self._started - len(self._running), running)

    def close(self) -> None:
        """End what still runs, free the locks, close the store."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None
        for lock in self._running.values():
            _unlock(lock)
        self._running.clear()
        if self._store is not None:
            self._store.close()
            self._store = None

    def _open_executor(self) -> Executor:
        if self._executor is None:
            self._executor = open_executor(self._settings, self._profile)
        return self._executor

    def _start(self, sample: Sample, index: int, again: bool) -> bool:
        """Start a run unless it is under way; False if it has to wait for others to end."""
        from filelock import FileLock, Timeout

        run = (sample.identity.key, index, again)
        if run in self._running or self._elsewhere.get(run, 0.0) > time.monotonic():
            return True
        job = replace(sample.job(index), repeat=again)
        if job.exclusive and self._running:
            return False
        locks = self._home / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{run[0]}-{index}{'-again' if again else ''}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            self._elsewhere[run] = time.monotonic() + _POLL_SECONDS
            return True
        self._elsewhere.pop(run, None)
        stored = None if self._settings.fresh else self._stored(run)
        if stored is not None:
            _unlock(lock)
            self._deliver(run, stored)
            return True
        self._running[run] = lock
        self._progress[run] = Progress(job, 0, 1)
        self._started += 1
        self._open_executor().start(job)
        return True

    def _stored(self, run: RunId) -> StoredRun | dict[str, float] | None:
        key, index, again = run
        return self.store.repeats(key).get(index) if again else self.store.run(key, index)

    def _finish(self, run: RunId, outcome: Outcome) -> None:
        self._hear(outcome)
        sample = self._samples[run[0]][0]
        paper = outcome.job.folder.name
        cpu = outcome.environment.get("cpu", sample.identity.machine)
        if cpu != sample.identity.machine:
            why = f"it ran on {cpu}, other seeds on {sample.identity.machine}"
            failure = Failure(f"{why}: they can't be pooled; use nodes of one kind")
            outcome = replace(outcome, failure=failure)
        if outcome.failure is not None:
            self.store.add_failure(outcome, paper)
            self._deliver(run, outcome.failure)
        elif outcome.job.repeat:
            self.store.add_repeat(outcome)
            self._deliver(run, outcome.metrics or {})
        elif self._settings.executor == "inline":  # its environment came too late to be trusted
            self._deliver(run, StoredRun.of(outcome, outcome.job.commit))
        else:
            environment = {**machine(), **outcome.environment, "commit": outcome.job.commit}
            self._deliver(run, self.store.add_run(outcome, sample.identity, paper, environment))
        _unlock(self._running.pop(run))

    def _deliver(self, run: RunId, what: StoredRun | Mapping[str, float] | Failure) -> None:
        key, index, again = run
        for sample in self._samples[key]:
            if isinstance(what, StoredRun):
                sample.take({index: what}, {})
            elif isinstance(what, Failure) and not again:
                sample.take({}, {index: what})
            else:
                sample.take_repeat(index, what)


def _unlock(lock: FileLock) -> None:
    """Remove the lock's file, then free it: whoever waits finds the run in the store."""
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
