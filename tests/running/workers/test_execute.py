"""One run in this process: what it is given, and what may come back."""

import math
import random
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from claimbench.errors import AuthorError
from claimbench.running.workers.execute import (
    checked_metrics,
    describe,
    execute,
    load_function,
    trimmed,
)
from claimbench.running.workers.guard import Guard

CODE = """
import numpy as np


@experiment
def draw(run: Run, *, factor: float = 1.0) -> dict[str, float]:
    return {
        "python": random.random(),
        "numpy": np.random.random(),  # noqa: NPY002  the global generator is what is tested
        "own": run.rng.random(),
        "factor": factor,
        "double": float(run.dtype == np.float64),
    }


def unmarked(run: Run) -> dict[str, float]:
    return {"value": 1.0}


@artefact
def prior(run: Run) -> float:
    return 1.0


@experiment
def quits(run: Run) -> dict[str, float]:
    raise SystemExit(4)


@experiment
def stops(run: Run) -> dict[str, float]:
    raise KeyboardInterrupt


@experiment
def text(run: Run) -> dict[str, float]:
    return {"value": "high"}


@experiment
def deep(run: Run) -> dict[str, float]:
    try:
        scaled(1.0, None)
    except TypeError as error:
        raise LookupError("nothing scaled") from error
    return {"value": 1.0}


@experiment
def sums(run: Run) -> dict[str, float]:
    return {"value": float(sum(range(2_000_000)))}
"""


@pytest.fixture
def paper(make_paper):
    """A paper whose experiments need NumPy alone."""
    return make_paper(
        code=CODE, claims=[{"experiment": "draw", "controls": {"without": {"factor": 0}}}]
    )


def run(job, began=lambda: None) -> Any:
    """Carry out a job without a host."""
    return execute(job, None, Guard(job, (job.home,), ()), began)


def test_generators_are_seeded_before_the_call(paper, make_job):
    job = make_job(paper, "draw", 5, preload=("numpy",), factor=3.0, precision="float64")
    outcome = run(job)
    random.seed(job.seed)
    assert outcome.metrics == {
        "python": random.random(),
        "numpy": np.random.RandomState(job.seed).random(),
        "own": np.random.default_rng(job.seed).random(),
        "factor": 3.0,
        "double": 1.0,
    }
    assert run(job).metrics == outcome.metrics
    assert run(make_job(paper, "draw", 6)).metrics["python"] != outcome.metrics["python"]


def test_control_sees_the_same_draws(paper, make_job):
    method = run(make_job(paper, "draw")).metrics
    control = run(make_job(paper, "draw", factor=0.0)).metrics
    assert {**method, "factor": 0.0} == control


def test_clock_starts_when_the_paper_is_imported(paper, make_job):
    paper.replace("import numpy as np", "import numpy as np\n\ntime.sleep(1)")
    began = []
    outcome = run(make_job(paper, "sums"), lambda: began.append(True))
    assert began == [True]
    assert 0 < outcome.seconds < 1
    assert 0 < outcome.cpu_seconds < 1


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2, 2.0),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(3), 3.0),
        (np.bool_(False), 0.0),
        (np.array(0.25), 0.25),
        (np.array([[0.25]]), 0.25),
        (torch.tensor(1.5), 1.5),
        (torch.tensor([7]), 7.0),
        (torch.tensor(1.5, requires_grad=True), 1.5),
        (jnp.asarray(2.5), 2.5),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (np.float32("nan"), pytest.approx(math.nan, nan_ok=True)),
        (torch.tensor(math.nan), pytest.approx(math.nan, nan_ok=True)),
    ],
)
def test_one_number_in_whatever_form_is_a_metric(value, number):
    metrics = checked_metrics({"value": value})
    assert metrics == {"value": number}
    assert type(metrics["value"]) is float


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "the experiment returned NoneType None; return a dict of metric name to number"),
        ({}, "the experiment returned dict {}; return a dict of metric name to number"),
        ([1.0], "the experiment returned list [1.0]; return a dict of metric name to number"),
        ({3: 1.0}, "metric name 3 is not text"),
        ({"a": "high"}, "metric `a` is str 'high'; return one number"),
        ({"a": None}, "metric `a` is NoneType None; return one number"),
        ({"a": 10**400}, "metric `a` is an integer too large for a float"),
        ({"a": 1j}, "metric `a` is complex 1j; return one number"),
        ({"a": np.array([1.0, 2.0])}, "metric `a` is ndarray array([1., 2.]); return one number"),
        ({"a": torch.ones(2)}, "metric `a` is Tensor tensor([1., 1.]); return one number"),
        ({"a": "x" * 100}, f"metric `a` is str '{'x' * 56}...; return one number"),
    ],
)
def test_what_is_no_metric_is_refused(returned, message):
    with pytest.raises(AuthorError) as refused:
        checked_metrics(returned)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ("quits", "SystemExit: 4"),
        ("text", "AuthorError: metric `value` is str 'high'; return one number"),
        ("deep", "LookupError: nothing scaled"),
        ("unmarked", "AuthorError: tiny/reproduce.py: no `unmarked` marked with @experiment"),
        ("prior", "AuthorError: tiny/reproduce.py: no `prior` marked with @experiment"),
        ("absent", "AuthorError: tiny/reproduce.py: no `absent` marked with @experiment"),
    ],
)
def test_failure_is_one_line(paper, make_job, experiment, message):
    outcome = run(make_job(paper, experiment))
    assert outcome.metrics is None
    assert outcome.failure.message == message
    assert isinstance(outcome.failure.exception, BaseException)


def test_ctrl_c_is_no_failure_of_the_run(paper, make_job):
    with pytest.raises(KeyboardInterrupt):
        run(make_job(paper, "stops"))


def test_traceback_keeps_causes_and_frames_of_the_paper(paper, make_job):
    text = run(make_job(paper, "deep")).failure.traceback
    assert text.count("Traceback (most recent call last):") == 2
    assert "in scaled" in text
    assert "direct cause" in text
    assert text.rstrip().endswith("LookupError: nothing scaled")
    assert "execute.py" not in text


def test_traceback_without_a_frame_of_the_paper_stays_whole(tmp_path):
    with pytest.raises(ZeroDivisionError) as raised:
        divmod(1, 0)
    assert "test_execute.py" in trimmed(raised.value, tmp_path)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one"), "ValueError: one"),
        (ValueError("one\ntwo"), "ValueError: one […]"),
        (ValueError(), "ValueError"),
        (ValueError("  \n"), "ValueError"),
    ],
)
def test_description_of_an_error(error, line):
    assert describe(error) == line


def test_function_of_the_other_kind_is_found_under_its_kind(paper):
    assert load_function(paper.folder, "prior", "artefact").__name__ == "prior"
