"""How far the claims of a run are: words and numbers of the live view."""

from io import StringIO
from types import SimpleNamespace as Made
from typing import Any

import pytest
from rich.console import Console

from claimbench.judging.verdict import Verdict
from claimbench.running.scheduler import Status
from claimbench.showing.live import ClaimsProgress, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (3600, "60 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def make_trial(claim, key, *, wanted=0, seconds=(), verdict=None):
    """A trial as the view sees it: with a sample of so many runs that wants some more."""
    runs = {index: Made(seconds=taken) for index, taken in enumerate(seconds)}
    sample = Made(identity=Made(key=key), runs=runs, wanted=lambda: list(range(wanted)))
    return Made(
        spec=Made(slug="tiny"),
        claim=Made(id=claim),
        main=sample,
        result=None if verdict is None else Made(verdict=Verdict(verdict)),
        active=lambda: [sample] if verdict is None else [],
    )


def make_running(key, index, done=0):
    job = Made(key=key, index=index, folder=Made(name="tiny"), experiment="measure", repeat=False)
    return Made(job=job, done=done, total=10, doing="")


def make_progress(*trials, usual=None, workers=2):
    store: Any = Made(typical_seconds=lambda identity, slug: (usual or {}).get(identity.key))
    return ClaimsProgress(trials, store, workers)


def rendered(progress, status, most=20):
    console = Console(width=100, file=StringIO())
    with console.capture() as captured:
        console.print(progress.table(status, most))
    return captured.get()


def test_time_left_is_that_of_the_runs_to_the_next_look_shared_by_the_workers():
    own = make_trial("own", "a", wanted=4, seconds=(10, 20))
    assert make_progress(own).seconds_left() == 4 * 15 / 2
    assert make_progress(own, workers=1).seconds_left() == 60


def test_time_left_without_a_run_is_how_long_such_runs_took_before():
    fresh = make_trial("fresh", "b", wanted=3)
    assert make_progress(fresh, usual={"b": 8.0}).seconds_left() == 12
    assert make_progress(fresh).seconds_left() is None


def test_time_left_counts_runs_that_claims_share_once_and_no_decided_claim():
    trials = [
        make_trial("one", "a", wanted=2, seconds=(6,)),
        make_trial("same", "a", wanted=2, seconds=(6,)),
        make_trial("other", "b", wanted=1, seconds=(4,)),
        make_trial("unknown", "c", wanted=5),
        make_trial("done", "d", wanted=9, seconds=(100,), verdict="reproduced"),
    ]
    assert make_progress(*trials).seconds_left() == (2 * 6 + 4) / 2
    line = make_progress(*trials).line(Status(7, 5, (make_running("a", 1, 3),)))
    assert line == (
        "1 of 5 claims, 5 runs done, about 8 s to the next looks; tiny measure (seed 1) 30 %"
    )


def test_table_has_the_open_claims_and_those_with_runs_under_way_first():
    trials = [
        make_trial("waits", "a", wanted=3),
        make_trial("runs", "b", wanted=4, seconds=(2, 2)),
        make_trial("done", "c", verdict="reproduced"),
        make_trial("bad", "d", verdict="diverged"),
    ]
    progress = make_progress(*trials)
    status = Status(4, 3, (make_running("b", 2, 5),))
    both = rendered(progress, status)
    assert both.index("waits") < both.index("runs"), "the order of the spec"
    assert "2 of 6" in both
    assert "(seed 2) 50 %" in both
    assert "8 s" in both
    assert "2 of 4 claims, 3 runs done, about 4 s to the next looks ✓ 1 ✗ 1" in both
    assert "more wait" not in both
    one = rendered(progress, status, most=1)
    assert "waits" not in one
    assert "runs" in one
    assert "; 1 more wait" in one
