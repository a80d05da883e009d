"""Carrying out one run in this process: seed, call, measure, check what came back."""

import contextlib
import importlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claimbench.author import Host, Run
from claimbench.errors import AuthorError
from claimbench.identity.methods import Replacement
from claimbench.running.loading import changed, load_module
from claimbench.running.seeds import seed_everything
from claimbench.running.workers.guard import Guard
from claimbench.running.workers.jobs import Failure, Job, Outcome
from claimbench.running.workers.limits import lacked_network, ran_out_of_memory, text_of


def load_function(
    folder: Path, name: str, kind: str, methods: tuple[Replacement, ...] = ()
) -> Callable[..., Any]:
    """Import reproduce.py and return one of its marked functions.

    Raises:
        AuthorError: there is no such function, or it is not marked as `kind`.
    """
    function = getattr(load_module(folder, methods=methods), name, None)
    if getattr(function, "claimbench", None) != kind or function is None:
        raise AuthorError(f"{folder.name}/reproduce.py: no `{name}` marked with @{kind}")
    return function  # type: ignore[no-any-return]


def execute(
    job: Job,
    host: Host | None,
    guard: Guard,
    began: Callable[[], None] = lambda: None,
    *,
    apart: bool = False,
) -> Outcome:
    """Carry out a job here and now.

    Args:
        job: the run.
        host: what `Run` reports to.
        guard: sees to it that the run uses what its key knows, and nothing else.
        began: called once reproduce.py is imported, when the run's clock starts.
        apart: this is a worker, which has no network and hears no Ctrl-C: whatever is raised here
            is the author's.
    """
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    begin, cpu = time.perf_counter(), _cpu_seconds()
    try:
        with guard.watching():
            function = load_function(job.folder, job.experiment, "experiment", job.methods)
            began()
            for framework in job.preload:  # an import inside the function must find it seeded
                importlib.import_module(framework)
            torch = "torch" in job.preload
            run = make_run(job.seed, job.precision, job.profile.device, torch, host)
            _reset_peak()
            begin, cpu = time.perf_counter(), _cpu_seconds()
            metrics = checked_metrics(function(run, **job.arguments))
            for name in run.curves:
                _check_name("curve", name)
            for name in run.choices:
                _check_name("choice", name)
        _refuse_what_the_key_does_not_know(job, guard)
    except BaseException as error:  # the author's code may raise anything
        if not apart and _is_the_users(error):
            raise
        return Outcome(
            job,
            started_at=started_at,
            seconds=time.perf_counter() - begin,
            cpu_seconds=_cpu_seconds() - cpu,
            failure=Failure(
                _storable(_message(error, job, apart)),
                _storable(trimmed(error, job.folder)),
                exception=error,
            ),
        )
    return Outcome(
        job,
        metrics,
        run.curves,
        started_at,
        time.perf_counter() - begin,
        _cpu_seconds() - cpu,
        _peak_mb(),
        chosen=run.choices,
    )


def _refuse_what_the_key_does_not_know(job: Job, guard: Guard) -> None:
    if guard.trespass is not None:  # the experiment caught the error
        raise AuthorError(guard.trespass)
    other = changed(job.folder, job.experiment, job.code)
    if other:
        raise AuthorError(f"changed while it ran: {', '.join(other)}; run it again")


def make_run(seed: int, precision: str, device: str, torch: bool, host: Host | None) -> Run:
    """Seed every global generator, set torch's defaults, and return the run."""
    seed_everything(seed)
    if torch:
        import torch as loaded

        loaded.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        loaded.use_deterministic_algorithms(True)
        loaded.set_default_dtype(getattr(loaded, precision))
    return Run(seed, device=device, precision=precision, torch_dtype=torch, host=host)


def checked_metrics(returned: Any) -> dict[str, float]:
    """Return an experiment's metrics as floats.

    Raises:
        AuthorError: it is no dict of name to number.
    """
    if not isinstance(returned, dict) or not returned:
        raise AuthorError(
            f"the experiment returned {_shown(returned)}; return a dict of metric name to number"
        )
    metrics = {}
    for name, value in returned.items():
        _check_name("metric", name)
        metrics[name] = _number(name, value)
    return metrics


def _check_name(what: str, name: Any) -> None:
    if not isinstance(name, str):
        raise AuthorError(f"{what} name {name!r} is not text")
    if _storable(name) != name:
        raise AuthorError(f"{what} name {name!r} has half a character (a surrogate); rename it")


def _storable(text: str) -> str:
    """Return a text that can be stored: what is no character by itself is escaped."""
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")


def _number(name: str, value: Any) -> float:
    if hasattr(value, "item") and getattr(value, "size", None) is not None:
        size = value.numel() if hasattr(value, "numel") else value.size
        if size == 1:
            value = value.item()
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:
            raise AuthorError(f"metric `{name}` is an integer too large for a float") from None
        return number
    raise AuthorError(f"metric `{name}` is {_shown(value)}; return one number")


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def _is_the_users(error: BaseException) -> bool:
    """Say whether the user ends the session: by Ctrl-C, or in pytest's debugger."""
    pytest = sys.modules.get("pytest")
    return isinstance(error, KeyboardInterrupt) or (
        pytest is not None and isinstance(error, pytest.exit.Exception)
    )


def _message(error: BaseException, job: Job, apart: bool) -> str:
    if ran_out_of_memory(error):
        profile = job.profile
        return f"out of memory: the profile `{profile.name}` allows {profile.memory_mb} MB a run"
    if apart and lacked_network(error):
        return f"workers have no network; make what is fetched a data set ({describe(error)})"
    return describe(error)


def describe(error: BaseException) -> str:
    """Return an error as one line: type and message."""
    lines = text_of(error).strip().splitlines() or [""]
    more = " […]" if len(lines) > 1 else ""
    return f"{type(error).__name__}: {lines[0]}{more}" if lines[0] else type(error).__name__


def trimmed(error: BaseException, folder: Path) -> str:
    """Return the traceback from the first frame in the paper folder on; all of it if none is."""
    summary = traceback.TracebackException.from_exception(error)
    inside = str(folder.resolve()) + os.sep
    for number, frame in enumerate(summary.stack):
        if frame.filename.startswith(inside):
            summary.stack = traceback.StackSummary.from_list(summary.stack[number:])
            break
    return "".join(summary.format())


def _cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _reset_peak() -> None:
    with contextlib.suppress(FileNotFoundError), open("/proc/self/clear_refs", "wb") as refs:
        refs.write(b"5")


def _peak_mb() -> float | None:
    with contextlib.suppress(FileNotFoundError), open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) / 1024
    divisor = 1024 if sys.platform != "darwin" else 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / divisor
