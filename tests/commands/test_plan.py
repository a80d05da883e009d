"""`verify --plan` says what would run, and runs nothing."""

import pytest

from claimbench import verify
from claimbench.commands import plan
from claimbench.running.engine import Planned
from claimbench.settings import Settings


@pytest.fixture
def planned(capsys):
    """Return the lines that the plan of a paper prints."""

    def lines(paper, **settings):
        assert plan.run([str(paper.folder)], Settings(workers=2, **settings), claims=None) == 0
        return capsys.readouterr().out.splitlines()

    return lines


def test_new_paper_needs_seeds_control_and_a_second_execution(make_paper, planned):
    paper = make_paper()
    assert planned(paper) == [
        "tiny::holds     5 to run,    0 stored  never ran before",
        "5 runs, about 0 s on 2 workers, not counting 5 that never ran before",
    ]
    assert paper.runs() == []


def test_stored_runs_are_not_planned(make_paper, planned):
    paper = make_paper()
    verify(paper.folder)
    assert planned(paper)[-1] == "0 runs, about 0 s on 2 workers"


def test_runs_that_two_claims_share_are_counted_once(make_paper, planned):
    paper = make_paper(claims=[{}, {"id": "again"}])
    first, second, total = planned(paper)
    assert "5 to run" in first
    assert "0 to run" in second
    assert total.startswith("5 runs")


def test_edited_experiment_is_estimated_by_how_long_the_same_call_took(make_paper, planned):
    paper = make_paper()
    verify(paper.folder)
    paper.replace("1 + random.random()", "2 + random.random()")
    first, total = planned(paper)
    assert "5 to run" in first
    assert "about 0.0 s" in first
    assert total == "5 runs, about 0 s on 2 workers"


def test_total_is_shared_by_the_workers():
    claims = [Planned("p", "a", 0, (4.0, 4.0)), Planned("p", "b", 0, (2.0, None))]
    *_, total = plan.lines(claims, 2)
    assert total == "4 runs, about 5 s on 2 workers, not counting 1 that never ran before"
