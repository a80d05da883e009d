"""The live view: time left, seeds done, and words for both."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from claimbench.running.scheduler import Status
from claimbench.showing.live import Live, current, duration, seeds_text


class Usual:
    """A store that knows how long runs under some keys took before."""

    def __init__(self, **seconds):
        self.seconds = seconds
        self.asked = []

    def typical_seconds(self, identity, paper):
        self.asked.append((identity.key, paper))
        return self.seconds.get(identity.key)


def sample(key, wanted, *took):
    """A sample that wants so many runs, and has runs that took so many seconds."""
    return SimpleNamespace(
        identity=SimpleNamespace(key=key),
        wanted=lambda: list(range(wanted)),
        runs={index: SimpleNamespace(seconds=seconds) for index, seconds in enumerate(took)},
    )


@dataclass
class Claim:
    """What the view sees of a trial."""

    samples: list = field(default_factory=list)
    result: object = None
    paper: str = "lion"
    claim_id: str = "holds"

    @property
    def spec(self):
        return SimpleNamespace(slug=self.paper)

    @property
    def claim(self):
        return SimpleNamespace(id=self.claim_id, experiment="measure")

    @property
    def main(self):
        return self.samples[0] if self.samples else None

    def active(self):
        return [] if self.result else self.samples


def left(*claims, workers=1, **usual):
    return Live(claims, Usual(**usual), workers).seconds_left()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (100, "2 min"), (3600, "60 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_time_left_is_the_mean_of_the_runs_so_far_for_each_wanted_seed():
    assert left(Claim([sample("a", 4, 1.0, 3.0)])) == 8.0


def test_before_the_first_run_it_is_what_such_runs_took_before():
    assert left(Claim([sample("a", 3)]), a=5.0) == 15.0
    assert left(Claim([sample("a", 3, 1.0)]), a=5.0) == 3.0, "what runs now counts for more"


def test_time_left_is_that_of_all_claims_shared_by_the_workers():
    claims = [Claim([sample("a", 2, 10.0)]), Claim([sample("b", 3, 2.0)])]
    assert left(*claims) == 26.0
    assert left(*claims, workers=2) == 13.0


def test_runs_that_claims_share_are_waited_for_once():
    assert left(Claim([sample("a", 2, 10.0)]), Claim([sample("a", 2, 10.0)])) == 20.0


def test_claims_that_have_ended_or_that_nothing_is_known_of_add_nothing():
    ended = Claim([sample("a", 9, 9.0)], result=SimpleNamespace(verdict="reproduced"))
    assert left(ended) is None
    assert left(Claim([sample("b", 2)])) is None
    assert left(ended, Claim([sample("b", 2)]), Claim([sample("c", 2, 1.5)])) == 3.0
    assert left(Claim([sample("c", 0, 1.5)])) == 0.0


def test_store_is_asked_once_for_a_key():
    store = Usual()
    live = Live([Claim([sample("a", 2)])], store, 1)
    assert (live.seconds_left(), live.seconds_left()) == (None, None)
    assert store.asked == [("a", "lion")]


def test_line_says_claims_runs_time_and_what_is_running():
    ended = Claim([], result=SimpleNamespace(verdict="reproduced"))
    live = Live([ended, Claim([sample("a", 4, 50.0)])], Usual(), 1)
    status = Status(8, 7, ("lion measure seed 3",))
    assert live.line(status) == (
        "1 of 2 claims, 7 runs done, about 3 min to the next looks; lion measure seed 3"
    )


def test_shown_is_the_sample_that_wants_runs():
    main, control = sample("a", 0, 1.0, 1.0), sample("b", 1)
    waiting = Claim([main, control])
    assert current(waiting) is control
    assert seeds_text(waiting, control) == "control 0 of 1"
    assert seeds_text(waiting, main) == "2 of 2"
    assert current(Claim([main])) is main
    assert current(Claim([])) is None
