"""The executor `processes`: worker processes forked from a template, one paper each."""

import contextlib
import itertools
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from claimbench.errors import ClaimbenchError
from claimbench.identity.methods import Replacement
from claimbench.profiles import Profile, cpu_model
from claimbench.running.workers.environment import surroundings
from claimbench.running.workers.jobs import LOADING_SECONDS, Failure, Job, Outcome, Progress
from claimbench.running.workers.log import Log
from claimbench.running.workers.wire import Reader, send
from claimbench.running.workers.worker import encode_job

_LAST_WORDS_SECONDS = 2.0


class Processes:
    """Runs jobs in at most `size` workers, each kept as long as jobs of its paper come.

    Args:
        profile: its environment is the workers'.
        size: how many workers may live at a time.
    """

    def __init__(self, profile: Profile, size: int) -> None:
        self._profile = profile
        self._size = size
        self._workers: list[_Worker] = []
        self._names = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._reader: Reader | None = None

    def room(self) -> bool:
        """Say whether a worker is idle or may be added, and no job wants to be alone."""
        if any(worker.job is not None and worker.job.exclusive for worker in self._workers):
            return False
        return len(self._busy()) < self._size

    def start(self, job: Job) -> None:
        """Give the job to an idle worker of its paper, or to a new one."""
        worker = None if job.repeat else self._idle_worker(job.folder)
        if worker is not None:
            try:
                worker.begin(job)
                return
            except OSError:  # it ended while it had nothing to do
                self._retire(worker)
        if len(self._workers) >= self._size:
            self._retire(next(w for w in self._workers if w.job is None))
        self._fork(job).begin(job)

    def wait(self, seconds: float) -> list[Outcome | Progress]:
        """Return outcomes and progress; wait for some at most so long."""
        now = time.monotonic()
        deadlines = [w.deadline for w in self._workers if w.deadline is not None]
        seconds = max(0.0, min([seconds, *(deadline - now for deadline in deadlines)]))
        events: list[Outcome | Progress] = []
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                events += self._receive_control()
            elif isinstance(key.data, Log):
                self._drain(key.data)
            elif key.data in self._workers:  # else it was retired a moment ago
                events += key.data.receive()
                if key.data.reader.closed:  # the template says in a moment how it ended
                    self._selector.unregister(key.data.sock)
                    key.data.deadline = time.monotonic() + _LAST_WORDS_SECONDS
        for worker in list(self._workers):
            if worker.deadline is not None and time.monotonic() >= worker.deadline:
                events += self._gone(worker, worker.overdue())
        return events

    def machine(self, papers: Path) -> str:
        """Return this machine's CPU model."""
        return cpu_model()

    def close(self) -> None:
        """Kill every worker with its process group, and the template."""
        for worker in list(self._workers):
            self._retire(worker)
        if self._control is not None:
            self._selector.unregister(self._control)
            self._control.close()
            self._control = None
        if self._template is not None:
            try:  # it ends by itself, once it has ended what the workers left behind
                self._template.wait(_LAST_WORDS_SECONDS)
            except subprocess.TimeoutExpired:
                self._template.terminate()
                self._template.wait()
            self._template = None
        self._selector.close()

    def _busy(self) -> "list[_Worker]":
        return [worker for worker in self._workers if worker.job is not None]

    def _idle_worker(self, folder: Path) -> "_Worker | None":
        for worker in self._workers:
            if worker.job is None and worker.folder == folder:
                return worker
        return None

    def _fork(self, job: Job) -> "_Worker":
        control = self._started_template()
        ours, theirs = socket.socketpair()
        log = Log()
        worker = _Worker(next(self._names), job.folder, ours, log)
        with theirs:
            request = {"name": worker.name, "preload": job.preload}
            send(control, request, (theirs.fileno(), log.writer))
        os.close(log.writer)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        self._selector.register(log, selectors.EVENT_READ, log)
        return worker

    def _started_template(self) -> socket.socket:
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair()
        with theirs:
            self._template = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "claimbench.running.workers.template"),
                    *(str(theirs.fileno()), str(os.getpid())),
                ],
                env=surroundings(self._profile.environment),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C reaches the parent alone, which then cleans up
            )
        self._control = ours
        self._reader = Reader(ours)
        self._selector.register(ours, selectors.EVENT_READ)
        return ours

    def _receive_control(self) -> list[Outcome | Progress]:
        assert self._reader is not None  # it is made with the socket that was selected
        events: list[Outcome | Progress] = []
        for message in self._reader.receive():
            for worker in self._workers:
                if worker.name == message["ended"]:
                    events += worker.receive()
                    events += self._gone(worker, _how_it_ended(message["status"]))
                    break
        if self._reader.closed:
            raise ClaimbenchError("the template process of the workers ended; its error is above")
        return events

    def _drain(self, log: Log) -> None:
        if log.fileno() in self._selector.get_map():  # else its worker was retired a moment ago
            log.drain()
            if log.closed:
                self._selector.unregister(log)

    def _gone(self, worker: "_Worker", why: str) -> list[Outcome | Progress]:
        events: list[Outcome | Progress] = [] if worker.job is None else [worker.fail(why)]
        self._retire(worker)
        return events

    def _retire(self, worker: "_Worker") -> None:
        self._workers.remove(worker)
        for watched in (worker.sock, worker.log):
            with contextlib.suppress(KeyError):  # what has closed is no longer watched
                self._selector.unregister(watched)
        worker.kill()


class _Worker:
    """The parent's view of a worker process."""

    def __init__(self, name: int, folder: Path, sock: socket.socket, log: Log) -> None:
        self.name = name
        self.folder = folder
        self.sock = sock
        self.reader = Reader(sock)
        self.job: Job | None = None
        self.pid: int | None = None
        self.deadline: float | None = None
        self.log = log
        self._began = False
        self._loaded: set[tuple[Replacement, ...]] = set()  # reproduce.py, with these methods
        self._building: list[tuple[str, float]] = []  # with the seconds left to what asked for it

    def begin(self, job: Job) -> None:
        self.job = job
        self._began = job.methods in self._loaded  # then the worker says nothing of it
        self._building.clear()
        self.log.restart()
        send(self.sock, encode_job(job))
        if self.pid is not None:
            seconds = job.timeout if self._began else LOADING_SECONDS
            self.deadline = time.monotonic() + seconds

    def receive(self) -> list[Outcome | Progress]:
        events: list[Outcome | Progress] = []
        for message in self.reader.receive_all():
            if "worker" in message:
                self.pid = message["worker"]
                self.deadline = time.monotonic() + LOADING_SECONDS
            elif self.job is None:
                continue
            elif "began" in message:
                self._began = True
                self._loaded.add(self.job.methods)
                self.deadline = time.monotonic() + self.job.timeout
            elif "progress" in message:
                events.append(Progress(self.job, *message["progress"]))
            elif "building" in message:
                events += self._clock(message["building"], message["seconds"])
            elif "outcome" in message:
                events.append(self._finish(self.job, message))
        return events

    def _clock(self, name: str, seconds: float | None) -> list[Progress]:
        assert self.job is not None  # artefacts are built for a job
        now = time.monotonic()
        if seconds is None:
            _, remaining = self._building.pop()
            self.deadline = now + remaining
            return []
        self._building.append((name, (self.deadline or now) - now))
        self.deadline = now + seconds
        return [Progress(self.job, 0, 1, f"building {name}")]

    def _finish(self, job: Job, message: dict[str, Any]) -> Outcome:
        self.job, self.deadline = None, None
        log = self.log.text()
        failure = message["failure"] and Failure(**message["failure"], log=log)
        fields = message["outcome"]
        curves = {name: (xs, ys) for name, (xs, ys) in fields.pop("curves").items()}
        artefacts = tuple(fields.pop("artefacts"))
        return Outcome(job, curves=curves, artefacts=artefacts, failure=failure, log=log, **fields)

    def fail(self, message: str) -> Outcome:
        assert self.job is not None  # only a busy worker fails
        job, self.job = self.job, None
        log = self.log.text()
        return Outcome(job, failure=Failure(message, log=log), log=log)

    def overdue(self) -> str:
        if self.reader.closed:
            return "the worker process closed its connection"
        if self._building:
            return f"building the artefact `{self._building[-1][0]}` took longer than its timeout"
        if not self._began:
            return f"importing reproduce.py took longer than {LOADING_SECONDS:g} s"
        limit = self.job.timeout if self.job else 0
        return f"timed out after {limit:g} s (experiment `timeout` in claims.yaml)"

    def kill(self) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.sock.close()
        self.log.close()


def _how_it_ended(status: int) -> str:
    if status < 0:
        return f"the worker process was killed by {signal.Signals(-status).name}"
    return f"the worker process exited with status {status}"
