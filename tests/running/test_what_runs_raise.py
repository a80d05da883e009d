"""Whatever a run raises, names or prints ends in a verdict that says so."""

import subprocess
import sys
from typing import Any

import pytest

from claimbench import verify
from claimbench.profiles import load_profile
from claimbench.running.workers.limits import lacked_network
from claimbench.running.workers.pool import Processes

RAISES = """
import asyncio
import urllib.request


class Mine(BaseException):
    pass


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    print("printed before the end")
    {body}
    return {{"value": 1.0 + run.rng.random()}}
"""


def paper_that(make_paper, body, **parts):
    return make_paper(code=RAISES.format(body=body), claims=[{}], **parts)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise Mine('not an Exception')", "Mine: not an Exception"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise asyncio.CancelledError('late')", "CancelledError: late"),
        ("raise Mute", "Mute: (its text raises RuntimeError)"),
        ("raise ValueError('a\\udc80b')", "ValueError: a\\udc80b"),
    ],
)
def test_whatever_is_raised_is_an_error_with_its_traceback(make_paper, body, reason):
    (result,) = verify(paper_that(make_paper, body).folder)
    assert result.verdict == "error"
    assert result.reason == f"seed 0: {reason}"
    assert result.failure is not None
    assert "reproduce.py" in result.failure.traceback
    assert "in measure" in result.failure.traceback
    assert "printed before the end" in result.failure.log


@pytest.mark.parametrize(
    "body", ["raise Mine('x')", "raise GeneratorExit", "raise Mute", "raise ValueError('a\\udc80')"]
)
def test_so_it_is_in_this_process(make_paper, body):
    (result,) = verify(paper_that(make_paper, body).folder, executor="inline")
    assert result.verdict == "error"


def test_the_worker_lives_on(make_paper, make_job, wait_until):
    paper = make_paper(
        code=RAISES.format(body="raise KeyboardInterrupt")
        + "\n\n@experiment\ndef pid(run: Run) -> dict[str, float]:\n"
        "    return {'pid': os.getpid()}\n",
        claims=[{}, {"id": "pid", "experiment": "pid", "controls": None}],
    )
    pool = Processes(load_profile("cpu"), 1)
    try:
        found: list[Any] = []
        for experiment in ("pid", "measure", "pid"):
            pool.start(make_job(paper, experiment))
            while not (events := pool.wait(5.0)):
                pass
            found.append(events[-1])
        assert found[1].failure.message == "KeyboardInterrupt"
        assert found[0].metrics == found[2].metrics
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "return {'value\\ud800': 1.0}",
            r"metric name 'value\ud800' has half a character (a surrogate); rename it",
        ),
        (
            "run.curve('loss\\ud800', [0], [1])",
            r"curve name 'loss\ud800' has half a character (a surrogate); rename it",
        ),
        ("run.curve(3, [0], [1])", "curve name 3 is not text"),
    ],
)
@pytest.mark.parametrize("executor", ["processes", "inline"])
def test_name_that_cannot_be_stored(make_paper, body, reason, executor):
    (result,) = verify(paper_that(make_paper, body).folder, executor=executor)
    assert result.verdict == "error"
    assert result.reason == f"seed 0: AuthorError: {reason}"


@pytest.mark.parametrize(
    "body",
    [
        "urllib.request.urlopen('http://example.org')",
        "__import__('socket').create_connection(('127.0.0.1', 9), timeout=5)",
        "__import__('socket').getaddrinfo('example.org', 80)",
    ],
)
def test_run_that_wants_the_network_is_told_that_there_is_none(make_paper, body):
    (result,) = verify(paper_that(make_paper, body).folder)
    assert result.verdict == "error"
    told = "seed 0: workers have no network; make what is fetched a data set ("
    assert result.reason.startswith(told)


def test_other_errors_are_not_about_the_network():
    assert not lacked_network(FileNotFoundError(2, "no such file"))
    assert not lacked_network(PermissionError(13, "denied"))
    circle: Any = ValueError("a")
    circle.__context__ = KeyError("b")
    circle.__context__.__context__ = circle
    assert not lacked_network(circle)


@pytest.mark.parametrize(("option", "times"), [("-s", 7), ("--capture=fd", 0)])
def test_prints_of_runs_are_passed_on_with_s(make_paper, option, times):
    paper = paper_that(make_paper, "print('second line', run.seed)")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", option, str(paper.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines.count("printed before the end") == times
    for name in ("(seed 1)", "(seed 2)", "scale=0.25 (seed 1)"):
        assert lines.count(f"log of tiny measure {name}:") == min(times, 1)
    for place, line in enumerate(lines):
        if line.startswith("log of tiny"):
            assert lines[place + 1] == "printed before the end"
            assert lines[place + 2].startswith("second line ")
