"""Standings: which verdict counts, ranks and ties, and what the suite's figures say."""

from __future__ import annotations

from typing import Any

import pytest

from claimbench.judging.multiplicity import expected_errors
from claimbench.leaderboard.board import day, make_board
from claimbench.leaderboard.merging import merge

KNOWN = {"known": "why", "known_verdict": "diverged"}
NOT_RUN = {"verdict": "not run", "held": 0, "seeds": 0}


def claims(reproduced: int, diverged: int = 0, **more: Any) -> dict[str, dict[str, Any]]:
    verdicts = ["reproduced"] * reproduced + ["diverged"] * diverged
    return {f"c{i}": {"verdict": verdict, **more} for i, verdict in enumerate(verdicts)}


def test_ranks_are_shared_by_papers_that_cannot_be_told_apart(make_file):
    files = [
        make_file("poor", **claims(0, 9)),
        make_file("good", **claims(9)),
        make_file("fair", **claims(5, 4)),
        make_file("better", **claims(30)),
        make_file("open", c={"verdict": "inconclusive"}),
    ]
    board = make_board(files, {}, "cpu")
    assert [(row.rank, row.paper) for row in board.papers] == [
        (1, "better"),
        (1, "good"),
        (1, "open"),
        (2, "fair"),  # better's interval begins at 0.905, fair's ends at 0.83
        (3, "poor"),
    ]
    by_name = {row.paper: row for row in board.papers}
    # Clopper-Pearson, 5 % a side: 9 of 9 from 0.05^(1/9)
    assert by_name["good"].low == pytest.approx(0.05 ** (1 / 9))
    assert by_name["good"].high == 1
    assert (by_name["open"].share, by_name["open"].low, by_name["open"].high) == (None, 0, 1)


@pytest.mark.parametrize(
    ("other_high", "ranks"),
    [(0.5, {"first": 1, "other": 1, "last": 3}), (0.499, {"first": 1, "other": 2, "last": 3})],
)
def test_papers_whose_intervals_touch_share_a_rank(make_file, monkeypatch, other_high, ranks):
    intervals = {9: (0.5, 0.9), 8: (0.3, other_high), 1: (0.0, 0.1)}
    monkeypatch.setattr(
        "claimbench.leaderboard.board.binomial_interval",
        lambda decided, reproduced, level: intervals[reproduced],
    )
    files = [
        make_file("first", **claims(9)),
        make_file("other", **claims(8)),
        make_file("last", **claims(1)),
    ]
    board = make_board(files, {}, "cpu")
    assert {row.paper: row.rank for row in board.papers} == ranks
    assert [row.paper for row in board.papers] == ["first", "other", "last"]


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
    files = [
        make_file("lion", **claims(2)),
        make_file("tiger", a={"verdict": "diverged", **KNOWN, "control": NOT_RUN}),
        make_file(
            "bear", a={"verdict": "vacuous", "control": {**NOT_RUN, "verdict": "reproduced"}}
        ),
    ]
    board = make_board(files, {}, "cpu")
    records = [record for file in files for record in file.records()]
    assert board.suite.expected_wrong == round(expected_errors(records).claims, 3) > 0
    assert (board.suite.decided, board.suite.known) == (4, {"diverged": 1})
    assert (board.suite.controls_rejected, board.suite.controls_not_run) == (2, 1)
    assert board.suite.verdicts == {"reproduced": 2, "diverged": 1, "vacuous": 1}
    # a diverged claim on every seed is a counterexample; 3 seeds of 3 are not enough at 5 %
    assert board.suite.survive == 1


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
