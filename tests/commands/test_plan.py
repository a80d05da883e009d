"""`verify --plan` says what would run, and runs nothing."""

import json

import pytest

from claimbench import verify
from claimbench.commands import plan
from claimbench.running.engine import Planned
from claimbench.settings import Settings
from claimbench.showing.planned import lines
from tests.records import RECORD, make_record


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
        "5 runs, none of which ever ran before",
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
    *_, total = lines(claims, 2)
    assert total == "4 runs, about 5 s on 2 workers, not counting 1 that never ran before"


def publish(paper, **changes):
    """Publish a verdict of the paper as its suite would."""
    controls = [{**RECORD["controls"][0], "seeds": seeds} for seeds in (1, 2)]
    record = make_record(**{"seconds": 12.0, "controls": controls, **changes}).as_json()
    root = paper.folder.parents[1]
    (root / "common").mkdir(exist_ok=True)
    (root / "common" / "__init__.py").touch()
    path = root / "leaderboards" / "results" / "cpu" / "smoke" / "tiny.json"
    path.parent.mkdir(parents=True)
    entry = {"results": {"CPU A": {"record": record, "code": {}}}, "history": []}
    head = {"format": 2, "paper": "tiny", "profile": "cpu", "tier": "smoke"}
    path.write_text(json.dumps({**head, "claims": {"holds": entry}}), encoding="utf-8")


def test_what_never_ran_here_is_estimated_by_what_is_published(make_paper, planned):
    paper = make_paper()
    publish(paper)
    assert planned(paper) == [
        "tiny::holds     5 to run,    0 stored  about 10.0 s",  # 12 s for 6 runs
        "5 runs, about 5 s on 2 workers",
    ]
    assert planned(paper, tier="standard")[-1].endswith("none of which ever ran before")


def test_own_runs_count_for_more_than_published_ones(make_paper, planned):
    paper = make_paper()
    publish(paper, seconds=6000.0)
    verify(paper.folder)
    paper.replace("1 + random.random()", "2 + random.random()")
    assert planned(paper)[-1] == "5 runs, about 0 s on 2 workers"


@pytest.mark.parametrize(
    "changes", [{"seeds": 0, "controls": []}, {"seeds": 0, "controls": [], "seconds": 0.0}]
)
def test_published_claim_that_never_ran_says_nothing(make_paper, planned, changes):
    paper = make_paper()
    publish(paper, **changes)
    assert planned(paper)[-1] == "5 runs, none of which ever ran before"
