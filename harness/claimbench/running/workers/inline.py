"""The executor `inline`: each run in this process, for a debugger."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from claimbench.author import Choice
from claimbench.profiles import Profile, cpu_model
from claimbench.running.artefacts import ArtefactStore
from claimbench.running.loading import forget_changed, suite_first
from claimbench.running.workers.execute import execute
from claimbench.running.workers.guard import Guard
from claimbench.running.workers.jobs import Job, Outcome, Progress


class Inline:
    """Carries out a job when it is waited for. There is no time limit and no isolation.

    Args:
        profile: its environment is set here; what was imported before does not see it.
    """

    def __init__(self, profile: Profile) -> None:
        self._job: Job | None = None
        self._before = {name: os.environ.get(name) for name in profile.environment}
        os.environ.update(profile.environment)

    def room(self) -> bool:
        """Say whether the last job is over."""
        return self._job is None

    def start(self, job: Job) -> None:
        """Remember the job."""
        self._job = job

    def wait(self, seconds: float) -> list[Outcome | Progress]:
        """Carry out the job, however long it takes."""
        if self._job is None:
            return []
        job, self._job = self._job, None
        forget_changed(job.folder)
        with suite_first(job.folder):
            return [execute(job, _InlineHost(job), Guard(job, (job.home,), ()))]

    def machine(self, papers: Path) -> str:
        """Return this machine's CPU model."""
        return cpu_model()

    def close(self) -> None:
        """Give the environment back."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _InlineHost:
    """Builds artefacts here; there is nobody to report progress to."""

    def __init__(self, job: Job) -> None:
        self._store = ArtefactStore(job, self, lambda name, seconds: None)

    def progress(self, done: int, total: int) -> None:
        pass

    def artefact(
        self, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> tuple[Any, dict[str, Choice]]:
        return self._store.get(function, arguments)
