"""What an executor is asked to do, and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from claimbench.author import Choice
from claimbench.identity.methods import Replacement
from claimbench.profiles import Profile

LOADING_SECONDS = 120.0
"""Time that importing reproduce.py may take, before the run's own clock starts."""


@dataclass(frozen=True)
class Job:
    """One run to carry out.

    Attributes:
        key: run key, see `claimbench.identity.keys`.
        index: seed index.
        seed: the seed derived from experiment and index.
        folder: the paper folder.
        experiment: function in reproduce.py.
        arguments: its keyword arguments.
        precision: float32 or float64.
        profile: the hardware profile.
        preload: modules that the paper imports, of those worth importing once.
        timeout: seconds that the run may take.
        exclusive: nothing else may run at the same time (a speed claim).
        home: folder of the store, for artefacts.
        repeat: carry it out in a fresh worker, to compare with a run that is there.
        methods: what stands in for names of the paper's method.
        code: digests of the code that the key was made of, by file.
        packages: import names of the packages whose versions are in the key.
        data: data sets that the run may load.
        files: files beside the paper that it may read.
        commit: that the paper is at.
        fresh: time before which artefacts were built that are to be built again; 0 for none.
    """

    key: str
    index: int
    seed: int
    folder: Path
    experiment: str
    arguments: dict[str, Any]
    precision: str
    profile: Profile
    preload: tuple[str, ...]
    timeout: float
    exclusive: bool
    home: Path
    repeat: bool = False
    methods: tuple[Replacement, ...] = ()
    code: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    commit: str | None = None
    fresh: float = 0.0


@dataclass(frozen=True)
class Failure:
    """Why a run gave no metrics.

    Attributes:
        message: one line.
        traceback: the frames in the paper folder and below; empty where there are none.
        log: what the run printed, its end where it is long.
        exception: the exception itself, where the run was carried out in this process.
    """

    message: str
    traceback: str = ""
    log: str = ""
    exception: BaseException | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with metrics, or with a failure.

    Attributes:
        job: the job.
        metrics: what the experiment returned.
        curves: what it reported besides.
        started_at: time and date in UTC, ISO 8601.
        seconds: time from start to end.
        cpu_seconds: CPU time of the run and its children.
        peak_mb: largest resident memory in MB, where the system tells.
        artefacts: keys of the artefacts that it used.
        environment: what the process computed with, see `claimbench.running.workers.environment`.
        failure: why there are no metrics.
        log: what the run printed, its end where it is long; empty where it printed itself.
        chosen: what was chosen in tuning, by name.
    """

    job: Job
    metrics: dict[str, float] | None = None
    curves: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    started_at: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float | None = None
    artefacts: tuple[str, ...] = ()
    environment: dict[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    log: str = ""
    chosen: dict[str, Choice] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """A running job says how far it is, or what it is building."""

    job: Job
    done: int
    total: int
    doing: str = ""


class Executor(Protocol):
    """Carries out jobs, several at a time if it can."""

    def room(self) -> bool:
        """Say whether `start` may be called now."""

    def start(self, job: Job) -> None:
        """Begin a job."""

    def wait(self, seconds: float) -> list[Outcome | Progress]:
        """Return what has happened; wait for it at most so long."""

    def machine(self, papers: Path) -> str:
        """Return the CPU model that runs of the papers in a folder are carried out on."""

    def close(self) -> None:
        """End everything that still runs."""
