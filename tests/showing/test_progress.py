"""What is shown of runs under way."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from claimbench.profiles import load_profile
from claimbench.running.scheduler import Status
from claimbench.running.workers.jobs import Job, Progress
from claimbench.showing.progress import View, progress_text, status_text

JOB = Job(
    key="k",
    index=3,
    seed=0,
    folder=Path("papers/tiny"),
    experiment="measure",
    arguments={},
    precision="float32",
    profile=load_profile("cpu"),
    preload=(),
    timeout=1.0,
    exclusive=False,
    home=Path("store"),
)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (Progress(JOB, 0, 1), "tiny measure (seed 3) 0 %"),
        (Progress(JOB, 2, 5), "tiny measure (seed 3) 40 %"),
        (Progress(JOB, 2, 0), "tiny measure (seed 3) 200 %"),
        (Progress(JOB, 0, 1, "builds prior"), "tiny measure (seed 3) builds prior"),
        (Progress(replace(JOB, repeat=True), 1, 2), "tiny measure (seed 3, again) 50 %"),
    ],
)
def test_run_under_way(told, text):
    assert progress_text(told) == text


def test_status_in_one_line():
    status = Status(5, 3, (Progress(JOB, 1, 4), Progress(replace(JOB, index=4), 0, 1)))
    text = "3 runs done; tiny measure (seed 3) 25 %, tiny measure (seed 4) 0 %"
    assert status_text(status) == text


def test_without_a_terminal_a_line_comes_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 29.0, 31.0, 32.0, 62.0, 93.0])
    fake = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr("claimbench.showing.progress.time", fake)
    status = Status(1, 0, (Progress(JOB, 0, 1),))
    with View(lambda status: f"{status.started} begun") as view:
        for _ in range(4):
            view.status(status)
        view.say("tiny::holds reproduced")
        view.status(Status(1, 1, ()))
    assert capsys.readouterr().err.splitlines() == ["1 begun", "1 begun", "tiny::holds reproduced"]
