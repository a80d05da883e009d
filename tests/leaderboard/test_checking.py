"""What is published has to follow from its own values, and is told from what was edited by hand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import claimbench
from claimbench.cli import main

FILE = Path("leaderboards/results/cpu/smoke/lion.json")
CONTROLS = {"quarter": {"scale": 0.25}, "half": {"scale": 0.5}}
HALF = {
    "id": "half",
    "controls": {"quarter": {"scale": 0.25}},
    "experiment": "measure",
    "expect": {"value": {"at_least": 3}},
    "reported": {"value": 4},
}
LATER = {"id": "later", "from": "standard", "controls": CONTROLS}


@pytest.fixture(scope="module")
def published(paper_writer, tmp_path_factory) -> Path:
    """A project of one paper in a clean commit, verified and published."""
    root = tmp_path_factory.mktemp("project")
    paper_writer(root / "papers" / "lion", claims=[{"controls": CONTROLS}, HALF, LATER])
    (root / ".gitignore").write_text("runs.txt\nstore\n", encoding="utf-8")
    for words in (
        ("init", "--quiet"),
        ("add", "."),
        (*("-c", "user.name=A", "-c", "user.email=a@b"), "commit", "--quiet", "-m", "Lion"),
    ):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAIMBENCH_HOME", str(root / "store"))
        patch.chdir(root)
        claimbench.verify("papers/lion")
        assert main(["leaderboard", "publish"]) == 0
    return root


@pytest.fixture
def edited(published, monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Check what is published, edited by a function of the file's data; return code and errors."""
    monkeypatch.chdir(published)
    path = published / FILE
    text = path.read_text(encoding="utf-8")

    def check(edit: Callable[[dict[str, Any]], None]) -> tuple[int, str]:
        data = json.loads(text)
        edit(data)
        path.write_text(json.dumps(data), encoding="utf-8")
        try:
            code = main(["leaderboard", "check"])
        finally:
            path.write_text(text, encoding="utf-8")
        return code, capsys.readouterr().err

    return check


def record(data: dict[str, Any], claim: str = "holds") -> dict[str, Any]:
    (result,) = data["claims"][claim]["results"].values()
    found: dict[str, Any] = result["record"]
    return found


def test_what_is_published_follows(edited, capsys):
    assert edited(lambda data: None) == (0, "")


def put(name: str, value: Any, claim: str = "holds") -> Callable[[dict[str, Any]], None]:
    """Return an edit of a field, `a/b` being within `a`."""

    def edit(data: dict[str, Any]) -> None:
        inner: Any = record(data, claim)
        *way, last = (int(step) if step.isdigit() else step for step in name.split("/"))
        for step in way:
            inner = inner[step]
        inner[last] = value

    return edit


FUTURE = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")


EDITS: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (put("verdict", "diverged"), "holds", "`verdict` is diverged, its values give reproduced"),
    (put("verdict", "reproduced", "half"), "half", "`verdict` is reproduced, its values give "),
    (put("verdict", "error"), "holds", "the history has no such verdict"),
    (put("verdict", "skipped"), "holds", "skipped has at most one seed, and shows nothing"),
    (put("verdict", "splendid"), "", "`holds`: `verdict`: Input should be 'reproduced', "),
    (put("held", 99), "holds", "99 of 3 seeds held, with at most 3, is impossible"),
    (put("held", 2), "holds", "`held` is 2, its values give 3"),
    (put("seeds", -3), "holds", "3 of -3 seeds held, with at most 3, is impossible"),
    (put("seeds", 2), "holds", "3 of 2 seeds held"),
    (put("max_seeds", 4), "holds", "its values can't be judged: no verdict follows without"),
    (put("rule", "typical"), "holds", "its values can't be judged: rule `typical` takes a "),
    (put("metrics/value/values/1", 0.5), "holds", "`verdict` is reproduced, its values give"),
    (put("metrics/value/values/1", 1.0), "holds", "`metrics` is "),
    (put("metrics/value/values", [1.5]), "holds", "`value` has 1 values and there are 3 seeds"),
    (put("metrics/value/median", 1.9), "holds", "`metrics` is "),
    (put("metrics/value/high", 3), "holds", "`metrics` is "),
    (put("metrics", {}), "holds", "there are no values of `value`"),
    (put("share", [0.6, 1]), "holds", "`share` is [0.6,1.0], its values give [0.368"),
    (put("power", "all is shown"), "holds", "`power` is all is shown, its values give 3 seeds"),
    (put("reason", "3 of 3 seeds held"), "holds", "`reason` is 3 of 3 seeds held, its values"),
    (put("expect/value/at_least", 0.5), "holds", 'the spec says {"value":{"at_least":1.0}}'),
    (put("expect_text/value", "≥ 0"), "holds", '`expect_text` is {"value":"≥ 0"}, the spec'),
    (put("reported/value", 3.5, "half"), "half", '`reported` is {"value":3.5}, the spec says'),
    (put("standing", {"value": "within"}, "half"), "half", '`standing` is {"value":"within"}'),
    (put("headline", False), "holds", "`headline` is false, the spec says true"),
    (put("controls/0/verdict", "reproduced"), "holds", "`controls` is "),
    (put("controls/1/metrics/value/values", [1.5]), "holds", "its values can't be judged"),
    (put("controls/1/metrics/value/values", [2, 2.5, 3]), "holds", "its values give vacuous"),
    (put("controls/0/name", "rejected"), "holds", "its controls are rejected, half, the spec"),
    (put("controls/0/arguments", {"scale": 0}), "holds", "its controls are quarter, half, the"),
    (put("controls", []), "holds", "reproduced without a run of its controls"),
    (put("control/verdict", "reproduced"), "holds", "`control` is "),
    (put("control/held", 7), "holds", "`control` is "),
    (put("judged_at", FUTURE), "holds", f"`judged_at` is {FUTURE}, which lies in the future"),
    (put("judged_at", "2026-01-01"), "holds", "which is no date with a time zone"),
    (put("started_at", FUTURE), "holds", f"its runs began ({FUTURE}) after it was judged"),
    (put("started_at", None), "holds", "there are seeds and no date at which their runs began"),
    (put("seconds", -1), "holds", "`seconds` is -1.0"),
    (put("commit", "abc+"), "holds", "the code of its runs was not committed (abc+)"),
    (put("commit", None), "holds", "the code of its runs was in no commit"),
    (put("extra", 1), "", "the record of `holds`: unknown field `extra`"),
    (put("verdict", "reproduced", "later"), "later", "its values can't be judged: "),
    (put("held", 1, "later"), "later", "at most one seed, and shows nothing"),
    (lambda data: data.update(paper="tiger"), "", "holds what belongs into "),
    (lambda data: data.update(tier="standard"), "", "holds what belongs into "),
    (
        lambda data: data["claims"].pop("half"),
        "half",
        "the spec judges it at smoke and nothing",
    ),
    (
        lambda data: data["claims"].update(roars=data["claims"].pop("holds")),
        *("", "the record of `holds` stands under `roars`"),
    ),
    (
        lambda data: data["claims"]["holds"].update(history=[]),
        "holds",
        "the history has no suc",
    ),
    (
        lambda data: data["claims"]["holds"]["history"].insert(
            0, {**data["claims"]["holds"]["history"][0], "date": "2027-01-01T00:00:00+00:00"}
        ),
        *("holds", "the history "),
    ),
]


@pytest.mark.parametrize(("edit", "claim", "message"), EDITS, ids=range(len(EDITS)))
def test_edit_by_hand_is_named_with_file_claim_and_remedy(edited, edit, claim, message):
    code, said = edited(edit)
    assert code == 1
    (about, *_) = [line for line in said.splitlines() if message in line]
    assert about.startswith(f"{FILE.parent.parent.parent}") or str(FILE) in about
    assert f"lion.json: {claim}: " in about if claim else "lion.json: " in about
    remedies = ("restore the file", "publish", "move it")
    assert any(remedy in about for remedy in remedies)


def test_claim_that_the_spec_does_not_have_is_named_unless_it_was_removed(edited, published):
    spec = published / "papers" / "lion" / "claims.yaml"
    text = spec.read_text(encoding="utf-8")
    try:
        spec.write_text(text.replace("id: half", "id: third"), encoding="utf-8")
        code, said = edited(lambda data: None)
        assert code == 1
        assert "lion.json: half: the spec has no such claim; list it under `removed`" in said
        assert "lion.json: third: the spec judges it at smoke and nothing is published" in said
        removed = "removed: [{id: half, date: 2026-12-01, reason: replaced}]\n"
        spec.write_text(f"{text.replace('id: half', 'id: third')}{removed}", encoding="utf-8")
        _, said = edited(lambda data: None)
        assert "lion.json: half" not in said
    finally:
        spec.write_text(text, encoding="utf-8")


def test_record_of_an_earlier_spec_is_held_to_itself_alone(edited):
    def stale(data: dict[str, Any]) -> None:
        record(data)["spec_hash"] = data["claims"]["holds"]["history"][0]["spec_hash"] = "0" * 64
        record(data)["expect"] = {"value": {"at_least": 0.9}}
        record(data)["expect_text"] = {"value": "≥ 0.9"}

    assert edited(stale) == (0, "")


def test_file_of_another_format_is_named(edited):
    code, said = edited(lambda data: data.update(format=1))
    assert code == 1
    assert "lion.json: format 1, and this version reads 2; remove it and publish again" in said
