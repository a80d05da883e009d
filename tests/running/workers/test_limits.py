"""Runs that misbehave end with a clear failure, and leave nothing behind."""

import contextlib
import subprocess
import sys

import pytest

from claimbench.profiles import load_profile
from claimbench.running.workers.limits import memory_limit, network_limit
from claimbench.running.workers.pool import Processes

CODE = '''
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from claimbench import Run, experiment

HERE = Path(__file__).parent


@experiment
def fine(run: Run) -> dict[str, float]:
    return {"x": 1.0}


@experiment
def greedy(run: Run) -> dict[str, float]:
    return {"x": len(bytearray(6 * 1024**3))}


@experiment
def greedy_torch(run: Run) -> dict[str, float]:
    import torch

    return {"x": torch.zeros(6 * 1024**3, dtype=torch.uint8).sum()}


@experiment
def leaky(run: Run) -> dict[str, float]:
    kept = []
    while True:
        kept.append(bytearray(64 * 1024**2))


@experiment
def calls_home(run: Run) -> dict[str, float]:
    socket.create_connection(("127.0.0.1", 9), timeout=5)
    return {"x": 1.0}


@experiment
def daemon(run: Run) -> dict[str, float]:
    """Leave a process in a session of its own, whose parent has ended."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            (HERE / "daemon.txt").write_text(str(os.getpid()))
            time.sleep(1000)
        os._exit(0)
    os.wait()
    while not (HERE / "daemon.txt").exists() or not (HERE / "daemon.txt").stat().st_size:
        time.sleep(0.01)
    return {"x": 1.0}


@experiment
def deaf(run: Run) -> dict[str, float]:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1000)


@experiment
def hangs_in_c(run: Run) -> dict[str, float]:
    ctypes.PyDLL(None).pause()  # holds the interpreter lock while it waits


@experiment
def endless(run: Run) -> dict[str, float]:
    while True:
        sys.stdout.write("x" * 99 + "\\n")


@experiment
def vanishes(run: Run) -> dict[str, float]:
    os._exit(0)


@experiment
def crashes(run: Run) -> dict[str, float]:
    ctypes.string_at(0)
'''


@pytest.fixture
def pool():
    """One worker of the profile `cpu`."""
    with contextlib.closing(Processes(load_profile("cpu"), 1)) as pool:
        yield pool


@pytest.fixture
def wild(make_paper):
    names = [line[4:].split("(")[0] for line in CODE.splitlines() if line.startswith("def ")]
    return make_paper("wild", code=CODE, claims=[{"experiment": name} for name in names])


def outcome(pool, job):
    pool.start(job)
    while True:
        for event in pool.wait(10):
            if hasattr(event, "failure"):
                return event


@pytest.mark.parametrize("name", ["greedy", "greedy_torch", "leaky"])
def test_memory_beyond_the_profiles_is_an_error_of_that_run(pool, wild, make_job, name):
    """a run that takes all memory → its error; other runs go on"""
    preload = ("torch",) if name == "greedy_torch" else ()
    failed = outcome(pool, make_job(wild, name, preload=preload))
    assert failed.failure.message == "out of memory: the profile `cpu` allows 4096 MB a run"
    assert outcome(pool, make_job(wild, "fine", preload=preload)).failure is None


def test_run_has_no_network(pool, wild, make_job):
    """a run that asks for the network → there is none"""
    code = "from claimbench.running.workers import limits; print(limits._own_namespace())"
    words = [sys.executable, "-c", code]  # in a process of its own: it loses its network
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    refused = {
        "True\n": "OSError: [Errno 101] Network is unreachable",
        "False\n": "NoNetwork: a run has no network",  # not root: the audit hook
    }
    failed = outcome(pool, make_job(wild, "calls_home"))
    told = f"workers have no network; make what is fetched a data set ({refused[done.stdout]}"
    assert failed.failure.message.startswith(told)


def test_without_root_an_audit_hook_refuses_the_network():
    """a run that asks for the network, without root → refused"""
    code = (
        "import socket\n"
        "from claimbench.running.workers import limits\n"
        "limits._own_namespace = lambda: False\n"
        "limits.cut_network()\n"
        "one, other = socket.socketpair()\n"
        "one.sendall(b'x')\n"
        "try: socket.create_connection(('127.0.0.1', 9))\n"
        "except PermissionError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "a run has no network" in done.stdout


def test_daemon_of_a_run_ends_with_the_run(pool, wild, make_job, alive):
    """a fork that stays, in a session of its own → ends with its run"""
    assert outcome(pool, make_job(wild, "daemon")).failure is None
    (pid,) = wild.runs("daemon.txt")
    assert not alive(int(pid))


@pytest.mark.parametrize("name", ["deaf", "hangs_in_c", "endless"])
def test_run_that_cannot_be_asked_to_stop_is_killed(pool, wild, make_job, name):
    """a run that ignores every signal, or hangs in C → killed when its time is over"""
    failed = outcome(pool, make_job(wild, name, timeout=0.5))
    assert failed.failure.message.startswith("timed out after 0.5 s")
    assert outcome(pool, make_job(wild, "fine")).failure is None


def test_endless_output_keeps_a_log_of_a_stated_size(pool, wild, make_job):
    """endless output of a run → a log of a stated size; the run ends in time"""
    log = outcome(pool, make_job(wild, "endless", timeout=0.5)).failure.log
    assert log.startswith("[cut: ")
    assert "bytes before the last 65536]" in log.splitlines()[0]
    assert len(log) < 66_000


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vanishes", "the worker process exited with status 0"),
        ("crashes", "the worker process was killed by SIGSEGV"),
    ],
)
def test_worker_that_ends_in_the_middle_says_how(pool, wild, make_job, name, message):
    """a segfault, or an exit in the middle of a run → its error says which"""
    assert outcome(pool, make_job(wild, name)).failure.message == message
    assert outcome(pool, make_job(wild, "fine")).failure is None


def test_doctor_says_which_limits_hold():
    assert "RLIMIT_DATA" in memory_limit()
    assert "network" in network_limit()
