"""Published claims run again: which ones, and what counts as a difference."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import claimbench
from claimbench.cli import main
from claimbench.leaderboard.audit import candidates, compare, sample
from tests.records import RECORD, make_record


def names(records):
    return [record.name for record in records]


def test_choice_is_spread_over_papers_and_follows_from_its_seed():
    records = [
        make_record(paper=f"p{paper}", claim=f"c{claim}")
        for paper in range(5)
        for claim in range(4 if paper else 1)
    ]
    assert Counter(one.paper for one in sample(records, 5, 3)) == {f"p{i}": 1 for i in range(5)}
    twelve = sample(records, 12, 3)
    assert Counter(one.paper for one in twelve)["p0"] == 1
    assert set(Counter(one.paper for one in twelve).values()) <= {1, 2, 3}
    assert len(set(names(twelve))) == 12
    assert names(sample(records, 12, 3)) == names(twelve)
    assert names(sample(records, 12, 4)) != names(twelve)
    assert len(sample(records, 99, 3)) == 17
    assert sample([], 3, 1) == []


def test_what_is_stale_skipped_or_elsewhere_is_no_candidate(make_file):
    files = [
        make_file("lion", a={}, b={"verdict": "skipped"}, c={"verdict": "error"}),
        make_file("lion", tier="standard", a={}),
        make_file("lion", profile="gpu", a={}),
    ]
    found = candidates(files, tier=None, profile="cpu", cpu="CPU A")
    assert [(one.claim, one.tier) for one in found] == [("a", "smoke"), ("a", "standard")]
    assert [one.tier for one in candidates(files, tier="standard", profile="cpu", cpu="x")] == [
        "standard"
    ]


VALUES = {"median": 1.5, "low": 1.25, "high": 1.75, "values": [1.25, 1.5, 1.75]}
OTHER = {**VALUES, "values": [1.25, 1.5000000000000002, 1.75]}
CONTROL = {**RECORD["controls"][0], "metrics": {"value": {**VALUES, "values": [0.25]}}}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "✓ tiny::holds (smoke): reproduced again, all 4 values the same"),
        (
            {"metrics": {"value": OTHER}},
            "✗ tiny::holds (smoke): value of seed 1 was 1.5 and is 1.5000000000000002",
        ),
        (
            {"metrics": {"value": {**VALUES, "values": [1.25, 1.5]}}},
            "✗ tiny::holds (smoke): value of seed 2 was 1.75 and is None",
        ),
        (
            {"controls": [CONTROL]},
            "✗ tiny::holds (smoke): control quarter, value of seed 0 was 0.3 and is 0.25",
        ),
        (
            {"metrics": {"value": OTHER}, "cpu": "CPU B"},
            "✓ tiny::holds (smoke): reproduced again, on CPU B",
        ),
        (
            {"verdict": "diverged", "reason": "too low", "cpu": "CPU B"},
            "✗ tiny::holds (smoke): reproduced is published, diverged here: too low",
        ),
        (
            {"metrics": {"value": OTHER}, "kind": "speed"},
            "✓ tiny::holds (smoke): reproduced again; times differ",
        ),
        (
            {"verdict": "skipped", "reason": "no data"},
            "– tiny::holds (smoke): could not be run here: no data",
        ),
    ],
)
def test_difference_is_of_bits_on_the_same_machine_and_of_verdicts_else(changes, line):
    published = make_record(kind=changes.get("kind", "exact"))
    assert compare(published, make_record(**changes)).line == line


def test_audit_runs_again_from_nothing(make_paper, tmp_path, monkeypatch, capsys):
    paper = make_paper("lion")
    monkeypatch.chdir(tmp_path)
    claimbench.verify("papers/lion")
    assert main(["leaderboard", "publish"]) == 0
    before = len(paper.runs())
    capsys.readouterr()
    assert main(["leaderboard", "audit", "--seed", "7"]) == 0
    assert len(paper.runs()) == 2 * before
    out = capsys.readouterr().out
    assert out.startswith("1 of 1 records, --seed 7:\n✓ lion::holds (smoke): reproduced again, all")
    assert out.endswith("1 compared, 0 of them differ\n")
    results = tmp_path / "leaderboards" / "results"
    path = Path(results, "cpu", "smoke", "lion.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    (result,) = data["claims"]["holds"]["results"].values()
    result["record"]["metrics"]["value"]["values"][2] = 1.125
    path.write_text(json.dumps(data), encoding="utf-8")
    assert main(["leaderboard", "audit", "--tier", "smoke"]) == 1
    assert "✗ lion::holds (smoke): value of seed 2 was 1.125 and is" in capsys.readouterr().out
    paper.replace("1 + random", "1.0 + random")
    assert main(["leaderboard", "audit"]) == 2
    assert "no published record is of the present code" in capsys.readouterr().err
