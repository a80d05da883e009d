"""The executor for debuggers: everything happens in this process."""

import os
import traceback

import pytest

from claimbench.profiles import load_profile
from claimbench.running.workers.inline import Inline
from claimbench.running.workers.jobs import Outcome

CODE = """
@artefact
def base(run: Run) -> float:
    note("built", "built.txt")
    return 0.5


@experiment
def here(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    run.progress(1, 2)
    return {
        "pid": os.getpid(),
        "threads": float(os.environ["OMP_NUM_THREADS"]),
        "base": run.artefact(base),
    }


@experiment
def breaks(run: Run) -> dict[str, float]:
    raise ZeroDivisionError("on purpose")
"""


@pytest.fixture
def paper(make_paper):
    """A paper that tells where it runs."""
    return make_paper(code=CODE, claims=[{"experiment": "here"}])


@pytest.fixture
def inline():
    """The executor; closed in the end."""
    executor = Inline(load_profile("cpu"))
    yield executor
    executor.close()


def test_run_is_carried_out_here_when_it_is_waited_for(paper, make_job, inline):
    assert inline.room()
    assert inline.wait(0.0) == []
    job = make_job(paper, "here")
    inline.start(job)
    assert not inline.room()
    (outcome,) = inline.wait(0.0)
    assert isinstance(outcome, Outcome)
    assert outcome.failure is None
    assert outcome.job is job
    assert outcome.metrics == {"pid": os.getpid(), "threads": 1, "base": 0.5}
    assert inline.room()
    assert inline.wait(0.0) == []


def test_artefact_is_built_once_here_too(paper, make_job, inline):
    for index in range(2):
        inline.start(make_job(paper, "here", index))
        assert inline.wait(0.0)[0].metrics["base"] == 0.5
    assert paper.runs("built.txt") == ["built"]


def test_failure_holds_the_exception_for_the_debugger(paper, make_job, inline):
    inline.start(make_job(paper, "breaks"))
    (outcome,) = inline.wait(0.0)
    exception = outcome.failure.exception
    assert isinstance(exception, ZeroDivisionError)
    assert traceback.extract_tb(exception.__traceback__)[-1].name == "breaks"


def test_environment_is_given_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_CBWR", raising=False)
    executor = Inline(load_profile("cpu"))
    assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_CBWR"]) == ("1", "AVX2,STRICT")
    executor.close()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_CBWR" not in os.environ
