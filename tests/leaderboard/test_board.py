"""Standings: which verdict counts, headlines, order, and what the suite's figures say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from claimbench.leaderboard.board import Figure, day, make_board
from claimbench.leaderboard.merging import merge
from claimbench.leaderboard.tables import chance_text
from tests.records import RECORD

KNOWN = {"known": "why", "known_verdict": "diverged"}
NOT_RUN = {"verdict": "not run", "held": 0, "seeds": 0}


def claims(reproduced: int, diverged: int = 0, **more: Any) -> dict[str, dict[str, Any]]:
    verdicts = ["reproduced"] * reproduced + ["diverged"] * diverged
    return {f"c{i}": {"verdict": verdict, **more} for i, verdict in enumerate(verdicts)}


def test_papers_are_in_the_order_of_theme_and_title_whatever_holds(make_file):
    places = {"poor": ("a", "Zebra"), "good": ("b", "ant"), "fair": ("b", "Bee")}
    specs: dict[str, Any] = {
        slug: SimpleNamespace(
            paper=SimpleNamespace(title=title, theme=theme, year=2024, arxiv=None), claims=[]
        )
        for slug, (theme, title) in places.items()
    }
    files = [
        make_file("fair", **claims(5, 4)),
        make_file("good", **claims(9)),
        make_file("poor", **claims(0, 9)),
    ]
    board = make_board(files, specs, "cpu")
    assert [row.paper for row in board.papers] == ["poor", "good", "fair"]
    by_name = {row.paper: row for row in board.papers}
    # Clopper-Pearson, 5 % a side: 9 of 9 from 0.05^(1/9)
    assert by_name["good"].low == pytest.approx(0.05 ** (1 / 9))
    assert by_name["good"].high == 1
    assert by_name["fair"].share == 5 / 9


def test_paper_without_a_decided_claim_has_no_share(make_file):
    (row,) = make_board([make_file("open", c={"verdict": "inconclusive"})], {}, "cpu").papers
    assert (row.share, row.low, row.high) == (None, 0, 1)


def test_headlines_come_first_and_are_counted_with_their_numbers(make_file):
    files = [
        make_file(
            "lion",
            a={},
            b={
                "headline": True,
                "reported": {"value": 1.95},
                "standing": {"value": "direction only"},
            },
        ),
        make_file("tiger", a={"verdict": "diverged"}, c={"verdict": "diverged", "headline": True}),
    ]
    board = make_board(files, {}, "cpu")
    lion, tiger = board.papers
    assert [claim.claim for claim in lion.claims] == ["b", "a"]
    assert [claim.claim for claim in tiger.claims] == ["c", "a"]
    assert (lion.headlines, tiger.headlines) == ({"reproduced": 1}, {"diverged": 1})
    assert board.suite.headlines == {"reproduced": 1, "diverged": 1}
    assert board.suite.verdicts == {"reproduced": 2, "diverged": 2}
    assert lion.claims[0].figures == [
        Figure("value", 1.5, 1.25, 1.75, "1.5 [1.25, 1.75]", "≥ 1", 1.95, "direction only")
    ]
    assert lion.claims[1].figures[0].reported is None
    assert lion.claims[0].controls == {"quarter": "rejected 0/1"}


def test_highest_tier_that_judged_counts(make_file):
    files = [
        make_file("lion", tier="standard", a={"verdict": "diverged"}, b={"verdict": "skipped"}),
        make_file("lion", tier="smoke", a={}, b={}, c={"verdict": "skipped"}),
    ]
    (row,) = make_board(files, {}, "cpu").papers
    assert [(c.claim, c.tier, c.verdict) for c in row.claims] == [
        ("a", "standard", "diverged"),
        ("b", "smoke", "reproduced"),
        ("c", "smoke", "skipped"),
    ]
    assert row.verdicts == {"reproduced": 1, "diverged": 1, "skipped": 1}
    assert row.share == 0.5


def test_runs_that_claims_share_count_once(make_file):
    shared = {"run_key": "same", "cpu_seconds": 10.0}
    files = [
        make_file("lion", a=shared, b=shared, c={"cpu_seconds": 5.0}),
        make_file("lion", tier="standard", a={"cpu_seconds": 100.0}),
    ]
    board = make_board(files, {}, "cpu")
    assert board.papers[0].cpu_seconds == {"smoke": 15.0, "standard": 100.0}
    assert board.suite.cpu_seconds == {"smoke": 15.0, "standard": 100.0}


def test_suite_figures(make_file):
    sampled: dict[str, Any] = {"rule": "typical", "max_seeds": 20, "held": 6, "seeds": 6}
    controls = [{**RECORD["controls"][0], "held": 0, "seeds": 6}]
    files = [
        make_file("lion", **claims(2)),
        make_file("puma", **claims(3, 0, controls=controls, **sampled)),
        make_file("tiger", a={"verdict": "diverged", **KNOWN, "control": NOT_RUN}),
        make_file(
            "bear", a={"verdict": "vacuous", "control": {**NOT_RUN, "verdict": "reproduced"}}
        ),
    ]
    board = make_board(files, {}, "cpu")
    assert (board.suite.decided, board.suite.sampled) == (7, 3)
    assert (board.suite.expected_wrong, board.suite.expected_wrong_controls) == (0.15, 0.15)
    assert board.suite.survive == 3  # p = 1/32 each
    assert {row.paper: {c.survives for c in row.claims} for row in board.papers} == {
        "bear": {None},
        "lion": {None},
        "puma": {True},
        "tiger": {None},
    }
    assert board.suite.known == {"diverged": 1}
    assert (board.suite.controls_rejected, board.suite.controls_not_run) == (5, 1)
    assert board.suite.verdicts == {"reproduced": 5, "diverged": 1, "vacuous": 1}
    assert chance_text(board.suite) == (
        "3 of the 7 decided verdicts rest on a sample of seeds, so that chance can make them "
        "wrong: at most 0.3 of them are expected to be, and 3 stand when they are corrected for "
        "being many (false-discovery rate 5 %); the other 4 are about every seed, and one seed "
        "refutes them."
    )


def test_other_profiles_are_another_board(make_file):
    files = [make_file("lion"), make_file("lion", profile="gpu", a={"verdict": "diverged"})]
    assert make_board(files, {}, "cpu").suite.verdicts == {"reproduced": 1}
    assert make_board(files, {}, "gpu").suite.verdicts == {"diverged": 1}


def test_changes_are_the_flips_newest_first(make_file):
    days = [f"2026-01-0{day}T00:00:00+00:00" for day in range(1, 5)]
    verdicts = ["reproduced", "diverged", "diverged", "reproduced"]
    files = merge(
        make_file("lion", a={"verdict": verdict, "judged_at": day, "run_key": day})
        for day, verdict in zip(days, verdicts, strict=True)
    )
    found = [(c.date, c.before, c.verdict) for c in make_board(files, {}, "cpu").changes]
    assert found == [
        (days[3], "diverged", "reproduced"),
        (days[1], "reproduced", "diverged"),
    ]


def test_another_cpu_is_told_not_mixed(make_file):
    later = {"cpu": "CPU B", "judged_at": "2026-02-01T00:00:00+00:00", "verdict": "diverged"}
    (file,) = merge([make_file("lion", a={}), make_file("lion", a=later)])
    (row,) = make_board([file], {}, "cpu").papers
    assert (row.claims[0].verdict, row.claims[0].cpu) == ("diverged", "CPU B")
    assert row.claims[0].other_verdicts == {"CPU A": "reproduced"}


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("diverged", "rejected"), ("reproduced", "passes"), ("not run", "not run")],
)
def test_control_in_words(make_file, verdict: str, word: str):
    file = make_file("lion", a={"control": {**NOT_RUN, "verdict": verdict}})
    assert make_board([file], {}, "cpu").papers[0].claims[0].control == word


def test_day():
    assert (day("2026-01-02T03:04:05+00:00"), day(None)) == ("2026-01-02", "–")


def test_overview_shows_what_the_paper_prints_else_the_first_metric_of_the_spec(make_file):
    measured = RECORD["metrics"]["value"]
    record = {
        "metrics": dict.fromkeys(("a", "b", "z"), measured),
        "expect_text": {"a": "≥ 1", "b": "≥ 1", "z": "≥ 0"},  # files have them in this order
    }
    spec: Any = SimpleNamespace(
        paper=SimpleNamespace(title="Lion", theme="x", year=2024, arxiv=None),
        claims=[
            SimpleNamespace(
                id=name, statement="", source="", expect_at=lambda tier: dict.fromkeys("zab")
            )
            for name in ("plain", "printed", "skipped")
        ],
    )
    file = make_file(
        "lion",
        plain=record,
        printed={**record, "reported": {"b": 2.0, "a": 3.0}},
        skipped={**record, "verdict": "skipped"},
    )
    (row,) = make_board([file], {"lion": spec}, "cpu").papers
    plain, printed, skipped = row.claims
    assert [figure.metric for figure in plain.figures] == ["z", "a", "b"]
    assert [figure.metric for figure in plain.leading] == ["z"]
    assert [figure.metric for figure in printed.leading] == ["a", "b"]
    assert skipped.leading == []
