"""Two states compared: what flipped, moved, is new, gone or stale, and what got worse."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from claimbench.errors import UsageError
from claimbench.leaderboard import diffing
from claimbench.leaderboard.diffing import differences, load
from claimbench.leaderboard.published import RESULTS, Entry, write


def moved_to(value: float) -> dict[str, object]:
    return {"metrics": {"value": {"median": value, "low": value, "high": value, "values": [value]}}}


@pytest.fixture
def found(make_file):
    before = make_file("lion", same={}, worse={}, better={"verdict": "error"}, moved={}, gone={})
    after = make_file(
        "lion", same={}, worse={"verdict": "diverged"}, better={}, moved=moved_to(2.0), new={}
    )
    return differences([before], [after])


def test_kinds_and_order(found):
    assert [(one.what, one.claim, one.before, one.after, one.worse) for one in found] == [
        ("flipped", "worse", "reproduced", "diverged", True),
        ("flipped", "better", "error", "reproduced", False),
        ("gone", "gone", "reproduced", None, False),
        ("new", "new", None, "reproduced", False),
        ("moved", "moved", "reproduced", "reproduced", False),
    ]


def test_text(found):
    assert diffing.as_text(found).splitlines() == [
        "▼ flipped: lion::worse (smoke) reproduced → diverged",
        "· flipped: lion::better (smoke) error → reproduced",
        "· gone: lion::gone (smoke) reproduced → nothing",
        "· new: lion::new (smoke) nothing → reproduced",
        "· moved: lion::moved (smoke) value 1.5 → 2",
    ]
    assert diffing.as_text([]) == "no difference"


def test_markdown_and_json(found):
    table = diffing.as_markdown(found).splitlines()
    assert table[2] == (
        "| `lion::worse (smoke)` | **flipped, worse** | ✓ reproduced | ✗ diverged |  |"
    )
    assert len(table) == 2 + len(found)
    assert diffing.as_markdown([]) == "No verdict changed.\n"
    assert json.loads(diffing.as_json(found))[4]["moved"] == {"value": [1.5, 2.0]}


def test_stale_is_told_once(make_file):
    fresh = make_file("lion")
    entry = fresh.entries["holds"]
    results = {"CPU A": replace(entry.latest, stale=("method.py has changed",))}
    stale = replace(fresh, entries={"holds": Entry(results, entry.history)})
    (one,) = differences([fresh], [stale])
    assert (one.what, one.reasons, one.worse) == ("stale", ("method.py has changed",), False)
    assert differences([stale], [stale]) == []


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("reproduced", "inconclusive", True),
        ("inconclusive", "diverged", True),
        ("diverged", "error", True),
        ("diverged", "vacuous", False),
        ("error", "inconclusive", False),
    ],
)
def test_what_counts_as_worse(make_file, before: str, after: str, worse: bool):
    (one,) = differences(
        [make_file("lion", a={"verdict": before})], [make_file("lion", a={"verdict": after})]
    )
    assert one.worse is worse


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_revisions_and_folders(make_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    for message, verdict in (("one", "reproduced"), ("two", "diverged")):
        write(make_file("lion", a={"verdict": verdict}), tmp_path / RESULTS)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", message)
    assert load("HEAD") == load(str(RESULTS)) == load(".") == load("leaderboards")
    (one,) = differences(load("HEAD~1"), load("HEAD"))
    assert (one.before, one.after) == ("reproduced", "diverged")
    old = RESULTS / "cpu" / "smoke" / "lion.json"
    text = old.read_text(encoding="utf-8").replace('"format": 2', '"format": 1')
    old.write_text(text, encoding="utf-8")
    write(make_file("tiger"), tmp_path / RESULTS)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "older")
    capsys.readouterr()
    assert [file.paper for file in load("HEAD")] == ["tiger"]
    assert capsys.readouterr().err == (
        f"left out: HEAD:{old}, whose format this version does not read\n"
    )
    for name in ("no-such-thing", "--output=x"):
        with pytest.raises(UsageError, match="is no"):
            load(name)
