"""The worker process: it serves the jobs of one paper, one after the other."""

import contextlib
import io
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from claimbench.identity.methods import Replacement
from claimbench.profiles import Profile
from claimbench.running.artefacts import ArtefactStore
from claimbench.running.workers.environment import computing, data_cache
from claimbench.running.workers.execute import execute
from claimbench.running.workers.guard import Guard
from claimbench.running.workers.jobs import Job, Outcome
from claimbench.running.workers.limits import cut_network, limit_memory
from claimbench.running.workers.processes import kill_children
from claimbench.running.workers.wire import Reader, send
from claimbench.spec.discovery import suite_root

_PROGRESS_EVERY = 0.1


def serve(sock: socket.socket, log: int) -> None:
    """Carry out jobs from the socket until it closes; what they print goes to `log`."""
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
    theirs = (Path.cwd(), Path.home())
    limited = False
    environment: dict[str, Any] = {}
    while not reader.closed:
        for message in reader.receive():
            job = decode_job(message)
            if not limited:
                limited = True
                sys.path.insert(0, str(suite_root(job.folder)))
                cut_network()
                limit_memory(job.profile.memory_mb)
            host = SocketHost(sock, job)
            with _own_folder() as scratch:
                guard = Guard(job, (scratch, job.home, data_cache()), theirs)
                began = partial(send, sock, {"began": True})
                outcome = execute(job, host, guard, began, apart=True)
            kill_children()
            sys.stdout.flush()
            sys.stderr.flush()
            environment = environment or computing(job.profile.environment)
            outcome = replace(outcome, artefacts=tuple(host.used), environment=environment)
            send(sock, encode_outcome(outcome))


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """Give a run an empty folder of its own as home, as working directory and for what it needs
    for a while, so that it finds nothing there that another run or the user has left."""
    with tempfile.TemporaryDirectory(prefix="claimbench-run-", ignore_cleanup_errors=True) as name:
        before = os.getcwd(), tempfile.tempdir
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = name
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before[0])
            tempfile.tempdir = before[1]


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

    def artefact(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
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
        },
        "failure": failure and {"message": failure.message, "traceback": failure.traceback},
    }
