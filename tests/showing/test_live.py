"""The live view: time left, seeds done, and words for both."""

from types import SimpleNamespace
from typing import Any

import pytest

from claimbench.running.scheduler import Status
from claimbench.showing.live import Live, current, duration, seeds_text


class Usual:
    """A store that knows how long runs under some keys took before."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[tuple[str, str]] = []

    def typical_seconds(self, identity: Any, paper: str) -> float | None:
        self.asked.append((identity.key, paper))
        return self.seconds.get(identity.key)


def sample(key: str, wanted: int, *took: float) -> Any:
    """A sample that wants so many runs, and has runs that took so many seconds."""
    return SimpleNamespace(
        identity=SimpleNamespace(key=key),
        wanted=lambda: list(range(wanted)),
        runs={index: SimpleNamespace(seconds=seconds) for index, seconds in enumerate(took)},
    )


def trial(*samples: Any, verdict: str | None = None) -> Any:
    """What the view sees of a claim with these samples, which a verdict has ended."""
    return SimpleNamespace(
        spec=SimpleNamespace(slug="lion"),
        claim=SimpleNamespace(id="holds", experiment="measure"),
        main=samples[0] if samples else None,
        active=lambda: [] if verdict else list(samples),
        result=SimpleNamespace(verdict=verdict) if verdict else None,
    )


def view(trials: Any, store: Any, workers: int = 1) -> Live:
    return Live(trials, store, workers)


def left(*claims, workers=1, **usual):
    return view(claims, Usual(**usual), workers).seconds_left()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (3600, "60 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_time_left_is_the_mean_of_the_runs_so_far_for_each_wanted_seed():
    assert left(trial(sample("a", 4, 1.0, 3.0))) == 8.0


def test_before_the_first_run_it_is_what_such_runs_took_before():
    assert left(trial(sample("a", 3)), a=5.0) == 15.0
    assert left(trial(sample("a", 3, 1.0)), a=5.0) == 3.0, "what runs now counts for more"


def test_time_left_is_that_of_all_claims_shared_by_the_workers():
    claims = [trial(sample("a", 2, 10.0)), trial(sample("b", 3, 2.0))]
    assert left(*claims) == 26.0
    assert left(*claims, workers=2) == 13.0


def test_runs_that_claims_share_are_waited_for_once():
    assert left(trial(sample("a", 2, 10.0)), trial(sample("a", 2, 10.0))) == 20.0


def test_claims_that_have_ended_or_that_nothing_is_known_of_add_nothing():
    ended = trial(sample("a", 9, 9.0), verdict="reproduced")
    assert left(ended) is None
    assert left(trial(sample("b", 2))) is None
    assert left(ended, trial(sample("b", 2)), trial(sample("c", 2, 1.5))) == 3.0
    assert left(trial(sample("c", 0, 1.5))) == 0.0


def test_store_is_asked_once_for_a_key():
    store = Usual()
    live = view([trial(sample("a", 2))], store)
    assert (live.seconds_left(), live.seconds_left()) == (None, None)
    assert store.asked == [("a", "lion")]


def test_line_says_claims_runs_time_and_what_is_running():
    ended = trial(verdict="reproduced")
    live = view([ended, trial(sample("a", 4, 50.0))], Usual())
    status = Status(8, 7, ("lion measure seed 3",))
    assert live.line(status) == (
        "1 of 2 claims, 7 runs done, about 3 min to the next looks; lion measure seed 3"
    )


def test_shown_is_the_sample_that_wants_runs():
    main: Any = sample("a", 0, 1.0, 1.0)
    control: Any = sample("b", 1)
    waiting: Any = trial(main, control)
    assert seeds_text(waiting, control) == "control 0 of 1"
    assert seeds_text(waiting, main) == "2 of 2"
    assert current(waiting) is control
    assert current(trial(main)) is main
    assert current(trial()) is None
