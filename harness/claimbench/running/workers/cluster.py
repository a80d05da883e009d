"""The executor `ray`: the same isolated workers as `processes`, on the nodes of a cluster.

Code travels as Ray's working directory, in a wheel's layout: claimbench with its suite in it. Each
of Ray's own workers keeps a pool of one worker process as it is kept locally, and a run comes back
to the driver as soon as it is over, which puts it into its store. So a lost node loses what was
under way there, and a killed driver goes on where it was.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import socket
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from claimbench.errors import UsageError
from claimbench.profiles import Profile, cpu_model
from claimbench.running.workers.environment import machine
from claimbench.running.workers.jobs import Failure, Job, Outcome, Progress
from claimbench.running.workers.pool import Processes
from claimbench.spec.discovery import paper_folders, suite_root

RETRIES = 2
"""A run whose node or worker is lost is begun anew so many times at most."""

_ENGINE = Path(__file__).parents[2]
_SUITE = Path("claimbench", "suite")
_HOME = "claimbench-artefacts"
_COUNT_SECONDS = 2.0
_KNOCK_SECONDS = 10.0
_NO_CODE = shutil.ignore_patterns("__pycache__", ".*", "node_modules")
_NO_SUITE = shutil.ignore_patterns("__pycache__", "papers", "common")


class Cluster:
    """Runs jobs as Ray tasks, as many at a time as the cluster has room for.

    Args:
        profile: its threads, memory and device are what a task asks of a node.
        size: limit on runs at a time; None for the cluster's own.
        address: of the cluster's head, as HOST:PORT; None or `auto` for the one running here.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at that address.
    """

    def __init__(self, profile: Profile, size: int | None, address: str | None) -> None:
        if importlib.util.find_spec("ray") is None:
            raise UsageError("the executor `ray` needs ray; pip install 'claimbench[cluster]'")
        self._profile = profile
        self._size = size
        self._address = address or "auto"
        self._folder: Path | None = None
        self._machine: str | None = None
        self._running: dict[Any, Job] = {}
        self._counted = -_COUNT_SECONDS
        self._slots = 1
        self._task: Any = None

    def room(self) -> bool:
        """Say whether the cluster has room for another run, and none wants to be alone."""
        if any(job.exclusive for job in self._running.values()):
            return False
        return len(self._running) < self._room_at_all()

    def start(self, job: Job) -> None:
        """Send a job to the cluster.

        Raises:
            UsageError: the job is of a paper elsewhere than the first one's, or needs a file that
                only this machine has.
        """
        if any(method.source.endswith(".py") for method in job.methods):
            raise UsageError("--method takes a module, not a file, on the executor `ray`")
        self._connect(job.folder.parent)
        if job.folder.parent != self._folder:
            raise UsageError(
                f"the executor `ray` runs papers of one folder at a time: {self._folder}, not "
                f"{job.folder.parent}"
            )
        self._running[
            self._task.remote(replace(job, folder=_SUITE / "papers" / job.folder.name))
        ] = job

    def wait(self, seconds: float) -> list[Outcome | Progress]:
        """Return the outcomes of runs that are over; wait for one at most so long."""
        import ray

        if not self._running:
            return []
        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=seconds)
        if ready:  # more may be over
            ready, _ = ray.wait(
                list(self._running), num_returns=len(self._running), timeout=0, fetch_local=False
            )
        return [self._outcome(reference, self._running.pop(reference)) for reference in ready]

    def machine(self, papers: Path) -> str:
        """Return the CPU model of a node; runs on another one are refused later.

        Raises:
            UsageError: there is no cluster at the address.
        """
        if self._machine is None:
            self._connect(papers)
            import ray

            ask = ray.remote(_cpu_of_node).options(num_cpus=0)  # however busy the cluster is
            self._machine = str(ray.get(ask.remote()))
        return self._machine

    def close(self) -> None:
        """Give up what still runs, and leave the cluster."""
        import ray

        if self._folder is not None:
            for reference in self._running:
                ray.cancel(reference, force=True)
            ray.shutdown()
            self._folder = None
        self._running.clear()

    def _outcome(self, reference: Any, job: Job) -> Outcome:
        import ray

        try:
            fields = ray.get(reference)
        except ray.exceptions.RayTaskError as trouble:
            return Outcome(job, failure=Failure(f"on the cluster: {trouble.cause}", str(trouble)))
        except ray.exceptions.RayError as trouble:
            first = str(trouble).strip().partition("\n")[0]
            message = f"the node that carried it out was lost {RETRIES + 1} times: {first}"
            return Outcome(job, failure=Failure(message))
        return Outcome(job, **fields)

    def _room_at_all(self) -> int:
        """Return how many runs the cluster has room for, counted now and then."""
        import ray

        now = time.monotonic()
        if self._folder is not None and now - self._counted > _COUNT_SECONDS:
            resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
            threads = resources.get("CPU", 0) // self._profile.threads
            self._slots = max(1, int(threads))
            self._counted = now
        return min(self._slots, self._size or self._slots)

    def _connect(self, papers: Path) -> None:
        if self._folder is not None:
            return
        import ray

        with tempfile.TemporaryDirectory(prefix="claimbench-") as copy:
            _copy_code(Path(copy), papers)
            try:
                address = _found(self._address)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", FutureWarning)  # Ray's, about accelerators
                    ray.init(
                        address=address,
                        runtime_env={"working_dir": copy},
                        log_to_driver=False,
                        logging_level=logging.ERROR,
                    )
            except OSError as trouble:
                raise UsageError(
                    f"no Ray cluster at `{self._address}` ({trouble}); start one: ray start --head"
                ) from None
        self._folder = papers
        needs: dict[str, Any] = {
            "num_cpus": self._profile.threads,
            "memory": self._profile.memory_mb * 2**20,
            "num_gpus": 1 if self._profile.device == "cuda" else 0,
        }
        self._task = ray.remote(_carry_out).options(max_retries=RETRIES, **needs)


def _found(address: str) -> str:
    """Return the address of a head that listens; Ray itself would try for minutes.

    Raises:
        OSError: nobody listens there, or no cluster was started on this machine.
    """
    if address == "auto":
        noted = Path(tempfile.gettempdir(), "ray", "ray_current_cluster")  # by `ray start`
        address = os.environ.get("RAY_ADDRESS") or noted.read_text(encoding="utf-8").strip()
    host, _, port = address.rpartition(":")
    if host and port.isdigit():  # else one of Ray's other forms, such as ray://
        socket.create_connection((host, int(port)), _KNOCK_SECONDS).close()
    return address


def _copy_code(target: Path, papers: Path) -> None:
    """Copy what runs need: the engine, the papers, and what they share."""
    shutil.copytree(_ENGINE, target / "claimbench", ignore=_NO_SUITE)
    suite = target / _SUITE
    for folder in paper_folders(papers):
        shutil.copytree(folder, suite / "papers" / folder.name, ignore=_NO_CODE)
    shutil.copytree(suite_root(papers / "any") / "common", suite / "common", ignore=_NO_CODE)


_pools: dict[str, Processes] = {}
"""This process's pools, one a profile: they live as long as Ray keeps the process."""


def _cpu_of_node() -> str:
    return cpu_model()


def _carry_out(job: Job) -> dict[str, Any]:
    """Carry out a job on a node, in a worker process as on the driver's machine.

    Returns:
        The outcome's fields but for the job, which the driver has.
    """
    home = Path(tempfile.gettempdir(), _HOME)
    job = replace(job, folder=Path.cwd() / job.folder, home=home)
    unmet = job.profile.unmet()
    if unmet is not None:
        return {"failure": Failure(f"this node can't run it: {unmet}")}
    pool = _pools.setdefault(job.profile.digest, Processes(job.profile, 1))
    pool.start(job)
    while True:
        for event in pool.wait(1.0):
            if isinstance(event, Outcome):
                fields = {key: value for key, value in vars(event).items() if key != "job"}
                return {**fields, "environment": {**machine(), **event.environment}}
