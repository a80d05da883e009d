"""One seed of each experiment is carried out twice, and must give the same bits."""

import re

import pytest

from claimbench.running.engine import verify_papers
from claimbench.running.seeds import derive
from claimbench.settings import Settings

STEADY = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"{run.seed} {os.getpid()}")
    return {"value": scaled(1 + random.random(), scale)}
"""


def verify(paper, **settings):
    (result,) = verify_papers([paper.folder], None, Settings(workers=1, **settings))
    return result


def test_last_seed_runs_twice_in_two_workers_at_smoke(make_paper):
    paper = make_paper(code=STEADY)
    assert verify(paper).verdict == "reproduced"
    lines = [line.split() for line in paper.runs()]
    seeds = [derive("measure", index) for index in range(3)]
    pids = {seed: [pid for other, pid in lines if other == str(seed)] for seed in seeds}
    assert [len(found) for found in pids.values()] == [2, 1, 2], "the control runs the first again"
    assert len(set(pids[seeds[2]])) == 2


def test_state_that_an_earlier_seed_left_in_its_worker_is_an_error(make_paper):
    paper = make_paper(
        code='''
SEEN = []


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """A number that grows with the runs before it in this process."""
    SEEN.append(run.seed)
    return {"value": scaled(len(SEEN) + random.random(), scale)}
'''
    )
    result = verify(paper)
    assert result.verdict == "error"
    match = re.fullmatch(
        r"not deterministic: seed 2 gave value = (.*), and (.*) in a fresh worker", result.reason
    )
    assert match is not None
    assert float(match[1]) == pytest.approx(float(match[2]) + 2)


def test_second_verification_repeats_nothing(make_paper):
    paper = make_paper(code=STEADY)
    verify(paper)
    before = paper.runs()
    verify(paper)
    assert paper.runs() == before


@pytest.mark.parametrize(
    ("settings", "runs"),
    [
        ({"tier": "standard"}, 4),
        ({"tier": "standard", "repeat": True}, 5),
        ({"repeat": False}, 4),
        ({"executor": "inline"}, 4),
    ],
    ids=["standard", "standard when asked", "smoke when refused", "inline"],
)
def test_when_it_is_repeated(make_paper, settings, runs):
    paper = make_paper(code=STEADY)
    verify(paper, **settings)
    assert len(paper.runs()) == runs


def test_difference_is_an_error_with_both_values(make_paper):
    paper = make_paper(
        code='''
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """Another number in every process."""
    return {"value": scaled(1 + random.random(), scale), "pid": float(os.getpid())}
'''
    )
    result = verify(paper)
    assert result.verdict == "error"
    pattern = r"not deterministic: seed 2 gave pid = (.*), and (.*) in a fresh worker"
    match = re.fullmatch(pattern, result.reason)
    assert match is not None
    assert float(match[1]) != float(match[2])


def test_repeat_that_fails_is_an_error(make_paper):
    paper = make_paper(
        code="""
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    before = HERE / f"{run.seed}-{scale}.begun"
    again = before.exists()
    before.touch()
    if again and scale == 1.0:
        raise ValueError("not twice")
    return {"value": scaled(1 + random.random(), scale)}
"""
    )
    result = verify(paper)
    assert (result.verdict, result.reason) == ("error", "seed 2, again: ValueError: not twice")
    assert result.failure is not None
    assert "not twice" in result.failure.traceback
