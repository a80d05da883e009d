"""Markdown, JSON and CSV say the same; what comes from papers and runs stays text."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace

import jsonschema
import pytest

from claimbench.leaderboard import tables
from claimbench.leaderboard.board import make_board
from claimbench.leaderboard.mutation import Score

HOSTILE = "<script>alert(1)</script> | [x](javascript:1) `$x$` *b*\n# head\n=1+1"
SHOWN = r"&lt;script&gt;alert(1)&lt;/script&gt; \| \[x\](javascript:1) \`\$x\$\` \*b\* \# head =1+1"


@pytest.fixture
def boards(make_file):
    diverging = {
        "verdict": "diverged",
        "known": HOSTILE,
        "known_verdict": "diverged",
        "reason": "=cmd()",
        "amended": 1,
        "headline": True,
        "reported": {"value": 1.95},
        "standing": {"value": "neither"},
    }
    files = [
        make_file("lion", fine={}, bad=diverging, open={"verdict": "inconclusive"}),
        make_file("lion", tier="standard", fine={}),
        make_file("lion", profile="gpu", fine={"verdict": "error", "reason": HOSTILE}),
    ]
    paper = SimpleNamespace(title=HOSTILE, theme="x", year=2024, arxiv="2401.00001")
    spec = SimpleNamespace(paper=paper, claims=[])
    scores = {"lion": Score("cpu", "smoke", 36, 40, 2, "2026-12-01T02:30:00+00:00", "abc")}
    return [
        make_board(files, {"lion": spec}, profile, scores)  # type: ignore[dict-item]
        for profile in ("cpu", "gpu")
    ]


def test_json_meets_its_schema_and_holds_every_claim(boards):
    data = json.loads(tables.as_json(boards))
    jsonschema.validate(data, json.loads(tables.schema()))
    claims = [c for board in data["boards"] for paper in board["papers"] for c in paper["claims"]]
    assert [(c["claim"], c["tier"], c["verdict"]) for c in claims] == [
        ("bad", "smoke", "diverged"),
        ("fine", "standard", "reproduced"),
        ("open", "smoke", "inconclusive"),
        ("fine", "smoke", "error"),
    ]
    data["boards"][0]["papers"][0]["share"] = "first"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads(tables.schema()))


def test_csv_holds_every_claim_and_no_formula(boards):
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(boards))))
    assert [row["claim"] for row in rows] == ["bad", "fine", "open", "fine"]
    assert rows[0]["reason"] == "'=cmd()"
    assert rows[0]["finding"] == HOSTILE
    assert rows[-1]["profile"] == "gpu"


def test_markdown_shows_text_as_text(boards):
    text = tables.markdown(boards)
    assert f"[{SHOWN}](../papers/lion/README.md) (1 amended)" in text
    assert f"Finding: {SHOWN}" in text
    assert "<script" not in text
    assert "javascript:1) `" not in text
    assert "- ? `lion::open` (smoke) inconclusive:" in text
    assert "## Profile `gpu`" in text
    # every row of a table has the same number of cells
    for part in text.split("\n\n"):
        rows = [line for line in part.splitlines() if line.startswith("| ")]
        assert len({line.replace(r"\|", "").count("|") for line in rows}) <= 1


def test_headlines_stand_first_with_the_papers_numbers(boards):
    text = tables.markdown(boards)
    row = "| ✗ diverged (known) | `lion::bad` | value 1.5 [1.25, 1.75] | ≥ 1 | 1.95, neither |"
    assert text.count(row) == 1
    assert text.index("- 1 headline of 1 paper: 1 diverged") < text.index("- 3 claims: ")
    assert text.index("### Headlines") < text.index(row) < text.index("### Papers")
    assert text.index("### Papers") < text.index("decided verdicts rest on a sample of seeds")
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(boards))))
    assert [row["headline"] for row in rows] == ["True", "False", "False", "False"]
    assert rows[0]["figures"] == "value 1.5 [1.25, 1.75], expected ≥ 1, the paper's 1.95, neither"
    assert rows[0]["controls"] == "quarter rejected 0/1"


def test_write_tells_what_changed(boards, tmp_path):
    assert {path.name for path in tables.write(boards, tmp_path)} == set(tables.FILES)
    assert tables.write(boards, tmp_path) == []
    (tmp_path / "leaderboard.csv").write_text("old", encoding="utf-8")
    assert [path.name for path in tables.write(boards, tmp_path)] == ["leaderboard.csv"]


def test_nothing_published():
    assert "Nothing has been published yet" in tables.markdown([])
