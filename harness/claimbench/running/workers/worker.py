"""The worker process: it serves the jobs of one paper, one after the other."""

import contextlib
import functools
import io
import os
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from claimbench.author import Choice
from claimbench.home import users_home
from claimbench.identity.methods import Replacement
from claimbench.profiles import Profile
from claimbench.running.artefacts import ArtefactStore
from claimbench.running.workers.environment import computing, data_cache
from claimbench.running.workers.execute import execute
from claimbench.running.workers.guard import Bounds, Guard
from claimbench.running.workers.jobs import Job, Outcome
from claimbench.running.workers.limits import cut_network, limit_memory
from claimbench.running.workers.processes import kill_children
from claimbench.running.workers.wire import Reader, send
from claimbench.spec.discovery import suite_root

_PROGRESS_EVERY = 0.1


def serve(sock: socket.socket, log: int, place: str) -> None:
    """Carry out jobs from the socket until it closes.

    Args:
        sock: where jobs come from and outcomes go.
        log: where goes what they print.
        place: folder for the folders of runs, which somebody else removes.
    """
    sys.dont_write_bytecode = True  # a compiled file misses an edit of its second and size
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):  # a run that is killed has its last lines in the log
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    send(sock, {"worker": os.getpid()})
    reader = Reader(sock)
    theirs = (Path.cwd(), users_home())
    limited = False
    folders = _Folders(os.path.realpath(place))
    bounds = functools.cache(Bounds.of)
    environment: dict[str, Any] = {}
    data = data_cache()
    loaded: set[tuple[Replacement, ...]] = set()

    def began(job: Job) -> None:
        if job.methods not in loaded:  # else importing reproduce.py has taken no time
            loaded.add(job.methods)
            send(sock, {"began": True})

    while not reader.closed:
        for message in reader.receive():
            job = decode_job(message)
            if not limited:
                limited = True
                sys.path.insert(0, str(suite_root(job.folder)))
                cut_network()
                limit_memory(job.profile.memory_mb)
            host = SocketHost(sock, job)
            with folders.own() as own:
                guard = Guard(job, (job.home, data), theirs, bounds, own)
                outcome = execute(job, host, guard, functools.partial(began, job), apart=True)
            kill_children()
            sys.stdout.flush()
            sys.stderr.flush()
            environment = environment or computing(job.profile.environment)
            outcome = replace(outcome, artefacts=tuple(host.used), environment=environment)
            send(sock, encode_outcome(outcome))


class _Folders:
    """Gives each run an empty folder of its own as home, as working directory and for what it
    needs for a while, so that it finds nothing there that another run or the user has left.

    A folder in which a run has left nothing is the next run's too.

    Args:
        place: where to make them, a real path.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._kept: str | None = None

    @contextlib.contextmanager
    def own(self) -> Iterator[Path]:
        """Be in such a folder, within."""
        before = os.getcwd(), tempfile.tempdir
        name = self._kept if self._kept and _is_new(self._kept) else self._make()
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = self._kept = name
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before[0])
            tempfile.tempdir = before[1]
            if not _is_new(name):
                self._remove()

    def _make(self) -> str:
        self._remove()
        return tempfile.mkdtemp(prefix="run-", dir=self._place)

    def _remove(self) -> None:
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)
            self._kept = None


def _is_new(folder: str) -> bool:
    """Say whether a folder is as `mkdtemp` makes it."""
    try:
        return os.lstat(folder).st_mode == stat.S_IFDIR | 0o700 and not os.listdir(folder)
    except OSError:
        return False


class SocketHost:
    """Reports a run's progress to the parent, and hands it its artefacts."""

    def __init__(self, sock: socket.socket, job: Job) -> None:
        self._sock = sock
        self._store = ArtefactStore(job, self, self.building)
        self._last = 0.0

    @property
    def used(self) -> list[str]:
        """Keys of the artefacts that the run has asked for."""
        return self._store.used

    def progress(self, done: int, total: int) -> None:
        """See `claimbench.author.Host`; at most ten messages a second."""
        now = time.monotonic()
        if now - self._last >= _PROGRESS_EVERY:
            self._last = now
            send(self._sock, {"progress": [done, total]})

    def artefact(
        self, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> tuple[Any, dict[str, Choice]]:
        """See `claimbench.author.Host`."""
        return self._store.get(function, arguments)

    def building(self, name: str, seconds: float | None) -> None:
        """Stop the run's clock while an artefact is built; `None` starts it again."""
        send(self._sock, {"building": name, "seconds": seconds})


def encode_job(job: Job) -> dict[str, Any]:
    """Return a job as JSON data."""
    return {
        **vars(job),
        "folder": str(job.folder),
        "home": str(job.home),
        "profile": {one.name: getattr(job.profile, one.name) for one in fields(Profile)},
        "methods": [vars(replacement) for replacement in job.methods],
    }


def decode_job(message: dict[str, Any]) -> Job:
    """Return the job that `encode_job` made the message of."""
    profile = {**message["profile"], "requires": tuple(message["profile"]["requires"])}
    return Job(
        **{
            **message,
            "folder": Path(message["folder"]),
            "home": Path(message["home"]),
            "profile": Profile(**profile),
            **{name: tuple(message[name]) for name in ("preload", "packages", "data", "files")},
            "methods": tuple(Replacement(**words) for words in message["methods"]),
        }
    )


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON data, its job left out."""
    failure = outcome.failure
    return {
        "outcome": {
            "metrics": outcome.metrics,
            "curves": outcome.curves,
            "started_at": outcome.started_at,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
            "peak_mb": outcome.peak_mb,
            "artefacts": outcome.artefacts,
            "environment": outcome.environment,
            "chosen": outcome.chosen,
        },
        "failure": failure and {"message": failure.message, "traceback": failure.traceback},
    }
