"""The files of published results are read as they were written, and tell when they are broken."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from claimbench.errors import UsageError
from claimbench.leaderboard.published import parse, read, write


def test_round_trip_and_layout(make_file, tmp_path):
    one = make_file("lion", holds={}, also={"verdict": "diverged", "known": "too\nsmall"})
    assert write(one, tmp_path)
    assert not write(one, tmp_path)  # nothing to do
    assert read(tmp_path) == [one]
    path = tmp_path / "cpu" / "smoke" / "lion.json"
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["claims"]["also"]["results"]["CPU A"]["record"]["known"] == "too\nsmall"
    # a line for each key: a diff shows what changed, and nothing else
    assert '      "verdict": "diverged"\n' in text
    other = make_file("lion", holds={}, also={"verdict": "reproduced", "known": "too\nsmall"})
    pairs = zip(text.splitlines(), other.text().splitlines(), strict=True)
    changed = [line for line, now in pairs if line != now]
    assert len(changed) == 2  # the verdict, and its event in the history
    assert list(tmp_path.rglob("*.tmp")) == []


def test_order_of_claims_does_not_matter(make_file):
    assert make_file(a={}, b={}).text() == make_file(b={}, a={}).text()


def test_newest_verdict_is_the_latest(make_entry):
    entry = make_entry(
        {"cpu": "CPU A", "judged_at": "2026-01-03T00:00:00+00:00", "held": 1},
        {"cpu": "CPU B", "judged_at": "2026-01-02T00:00:00+00:00", "held": 2},
    )
    assert entry.latest.record.held == 1
    assert sorted(entry.results) == ["CPU A", "CPU B"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 2,', "f.json:1:14: no JSON: unexpected end of data"),
        ('{"format": 3}', "f.json: format 3, and this version reads 2; update claimbench"),
        ('{"format": 2}', "f.json: no published results (KeyError: 'claims'); restore the file"),
        ("[1]", "f.json: no published results (TypeError: "),
        (
            '{"format": 2, "profile": "cpu", "tier": "tiny", "paper": "x", "claims": {}}',
            "f.json: unknown tier `tiny`; there are smoke, standard, full",
        ),
        (
            '{"format": 2, "profile": "cpu", "tier": "full", "paper": "x", "claims": {"a": '
            '{"results": {}, "history": []}}}',
            "f.json: no published results (KeyError: 'results')",
        ),
    ],
)
def test_broken_file(text: str, message: str):
    with pytest.raises(UsageError) as error:
        parse(text, "f.json")
    assert str(error.value).startswith(message)


def test_file_in_the_wrong_place(make_file, tmp_path):
    one = make_file("lion")
    write(one, tmp_path)
    (tmp_path / "cpu" / "smoke" / "lion.json").rename(tmp_path / "cpu" / "smoke" / "tiger.json")
    with pytest.raises(UsageError, match=r"tiger\.json: holds what belongs into .*lion\.json"):
        read(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(UsageError, match="run: claimbench leaderboard publish"):
        read(tmp_path / "none")


def test_infinities_come_back(make_file):
    infinite = {"median": "inf", "low": 1.0, "high": "inf", "values": [1.0, "inf", "inf"]}
    one = make_file("lion", holds={"metrics": {"value": infinite}})
    back = parse(one.text(), "f.json")
    assert back == one
    assert back.entries["holds"].history[0].medians == {"value": math.inf}
    assert '"medians":{"value":"inf"}' in one.text()


def with_changes(text: str, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> str:
    """Return the content of a file after a change of its record and of its first event."""
    data = json.loads(text)
    entry = data["claims"]["holds"]
    change(entry["results"]["CPU A"]["record"], entry["history"][0])
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record, _: record.pop("control"), "the record of `holds`: no field `control`"),
        (
            lambda record, _: record.update(mean=None, scale=None),
            "the record of `holds`: unknown field `mean`; unknown field `scale`",
        ),
        (
            lambda record, _: record.update(held="3"),
            "the record of `holds`: `held`: Input should be a valid integer",
        ),
        (lambda _, event: event.pop("date"), "history: no field `0.date`"),
        (lambda _, event: event.update(note="x"), "history: unknown field `0.note`"),
        (
            lambda _, event: event.update(verdict="perhaps"),
            "history: `0.verdict`: Input should be 'reproduced', 'diverged', 'vacuous', "
            "'inconclusive', 'error' or 'skipped'",
        ),
    ],
)
def test_record_or_event_that_is_none_is_named(make_file, change, message: str):
    with pytest.raises(UsageError) as error:
        parse(with_changes(make_file("lion").text(), change), "f.json")
    remedy = "restore the file, or remove it and publish again"
    assert str(error.value) == f"f.json: {message}; {remedy}"
