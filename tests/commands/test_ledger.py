"""`claimbench ledger` and `claimbench check --against` on a paper in a small repository."""

import json
from pathlib import Path

import pytest

from claimbench.cli import main
from tests.spec.repository import Repository, entry

WEAKER = ("at_most: 2}", "at_most: 3}")
CHECK = ["check", "paper", "--against", "HEAD"]


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A paper with two claims, committed once, in the current folder."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "100")
    return Repository(root)


def publish(paper: Repository, **words: str) -> None:
    """Commit published verdicts at smoke."""
    file = paper.root / "leaderboards" / "results" / "cpu" / "smoke" / "paper.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    results = {id: {"results": {"cpu": {"record": {"verdict": w}}}} for id, w in words.items()}
    file.write_text(json.dumps({"claims": results}), encoding="utf-8")
    paper.commit()


def test_check_says_where_what_was_and_is_and_how_to_mark_it(
    paper: Repository, capsys: pytest.CaptureFixture[str]
):
    assert main(CHECK) == 0
    assert capsys.readouterr().out == "paper: 2 claims, no problem\n"
    paper.edit(WEAKER)
    assert main(CHECK) == 2
    assert capsys.readouterr().err == (
        "papers/paper/claims.yaml:19: claim `second`: `expect` was {x: {at_most: 2}} and is "
        "{x: {at_most: 3}}; name it in the `fields` of a new `amended` entry, or restore it\n"
    )


def test_check_does_not_count_entries_that_the_revision_has(paper: Repository):
    paper.amend(entry("seeds"))
    paper.commit()
    paper.edit(("max: 12", "max: 15"))
    paper.amend(entry("controls"))
    assert main(CHECK) == 2
    paper.amend(entry("seeds", "again"))
    assert main(CHECK) == 0


def test_check_against_a_commit_of_claims_alone(paper: Repository):
    reproduce = paper.reproduce.read_text(encoding="utf-8")
    paper.git("rm", "--quiet", "papers/paper/reproduce.py", "papers/paper/method.py")
    paper.git("commit", "--quiet", "--amend", "-m", "m")
    paper.reproduce.write_text(reproduce, encoding="utf-8")
    (paper.folder / "method.py").write_text('"""M."""\n', encoding="utf-8")
    assert main(CHECK) == 0
    paper.edit(WEAKER)
    assert main(CHECK) == 2


def test_check_finds_what_each_commit_since_then_did(
    paper: Repository, capsys: pytest.CaptureFixture[str]
):
    """A claim that is new since the revision was weakened before the branch was done."""
    first = paper.git("rev-parse", "HEAD")
    text = paper.claims.read_text(encoding="utf-8")
    third = text[text.index("  - id: second") :].replace("second", "third")
    paper.claims.write_text(text + third, encoding="utf-8")
    paper.commit()
    paper.claims.write_text(text + third.replace(*WEAKER), encoding="utf-8")
    paper.commit()
    assert main(["check", "paper", "--against", first]) == 2
    assert "claim `third`: `expect` was" in capsys.readouterr().err


def test_check_leaves_alone_what_the_other_branch_did(paper: Repository):
    """Main went on: an amended claim, a new paper; the branch knows of neither."""
    paper.git("checkout", "--quiet", "-b", "branch")
    paper.git("checkout", "--quiet", "main")
    paper.edit(("max: 12", "max: 15"), ("id: second", "id: other"))
    paper.amend(entry("seeds"))
    other = paper.papers / "other"
    other.mkdir()
    (other / "claims.yaml").write_text("paper: {title: Other}\n", encoding="utf-8")
    paper.commit()
    paper.git("checkout", "--quiet", "branch")
    assert main(["check", "--against", "main"]) == 0


def test_check_takes_what_was_registered_at_first_without_a_word(paper: Repository):
    """The revision has a marked change, and it is undone."""
    paper.edit(("max: 12", "max: 15"))
    paper.amend(entry("seeds"))
    paper.commit()
    paper.edit(("max: 15", "max: 12"))
    assert main(CHECK) == 0


def test_check_finds_a_paper_that_is_gone_but_not_one_renamed(
    paper: Repository, capsys: pytest.CaptureFixture[str]
):
    paper.git("mv", "papers/paper", "papers/renamed")
    assert main(["check", "--against", "HEAD"]) == 0
    claims = paper.papers / "renamed" / "claims.yaml"
    text = claims.read_text(encoding="utf-8").replace("2401.00001", "2402.00002")
    claims.write_text(text, encoding="utf-8")
    assert main(["check", "--against", "HEAD"]) == 2
    assert "paper `paper` is gone since HEAD" in capsys.readouterr().err


def test_ledger_tells_changes_entries_and_verdicts_before_and_since(
    paper: Repository, capsys: pytest.CaptureFixture[str]
):
    publish(paper, first="inconclusive", second="diverged")
    paper.edit(("max: 12", "max: 15"), (", half: {n: 2}", ", third: {n: 3}"), WEAKER)
    paper.amend(entry("seeds, controls", "twelve are too few"))
    changed = paper.commit()[:7]
    publish(paper, first="reproduced", second="diverged")
    assert main(["ledger", "paper"]) == 1
    text = capsys.readouterr().out
    first, second = text.split("\npaper::second\n")
    assert f"{changed}  seeds: 12 → 15\n" in first
    assert "  controls: half {n: 2} → third {n: 3}\n" in first
    assert first.count("marked 2026-12-01: twelve are too few") == 2
    assert "published before: smoke inconclusive; since: smoke reproduced" in first
    assert "published: smoke inconclusive → reproduced" in first
    assert "NOT MARKED" not in first
    assert f"{changed}  expect: {{x: {{at_most: 2}}}} → {{x: {{at_most: 3}}}}\n" in second
    assert "published before: smoke diverged; since: nothing yet" not in second
    assert text.endswith("2 claims: 1 NOT MARKED, in 1 claim\n")
    assert max(map(len, text.splitlines())) <= 100
    assert main(["ledger", "paper::first"]) == 0
    assert capsys.readouterr().out.endswith("1 claim: all is marked\n")


def test_ledger_shows_entries_of_code_and_what_was_undone(
    paper: Repository, capsys: pytest.CaptureFixture[str]
):
    paper.edit(WEAKER)
    paper.amend(entry("code", "a sign was wrong"))
    paper.commit()
    paper.edit(WEAKER[::-1])
    paper.commit()
    assert main(["ledger", "paper"]) == 0
    text = capsys.readouterr().out
    assert "amended (code): a → b: a sign was wrong" in text
    assert text.count("undone since") == 2


def test_ledger_as_json_has_removed_and_superseded_claims(
    paper: Repository, capsys: pytest.CaptureFixture[str]
):
    publish(paper, first="reproduced", second="vacuous")
    paper.edit(
        ("id: first", "id: primary\n    supersedes: [first]"),
        ("It holds.", "It holds still."),
    )
    head, _, _ = paper.claims.read_text(encoding="utf-8").partition("  - id: second")
    removed = "removed: [{id: second, date: 2026-12-01, reason: ill-posed}]\n"
    paper.claims.write_text(head + removed, encoding="utf-8")
    paper.commit()
    assert main(["ledger", "paper", "--format", "json"]) == 1
    claims = {claim["claim"]: claim for claim in json.loads(capsys.readouterr().out)}
    assert [field["field"] for field in claims["primary"]["not_marked"]] == ["statement"]
    taken_over = next(e for e in claims["primary"]["events"] if e["kind"] == "superseded")
    assert taken_over["changes"][0]["was"] == "It holds."
    assert taken_over["verdict_before"] == {"smoke": "reproduced"}
    gone = claims["second"]["events"][-1]
    assert (gone["kind"], gone["text"]) == ("removed", "removed: ill-posed")
    assert gone["verdict_before"] == {"smoke": "vacuous"}
    assert claims["first"]["events"][-1]["text"] == "superseded by primary"


def test_ledger_of_what_is_not_committed(paper: Repository, capsys: pytest.CaptureFixture[str]):
    paper.git("rm", "-r", "--quiet", "--cached", "papers")
    paper.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "m")
    assert main(["ledger", "paper"]) == 0
    assert "paper: not registered yet: commit claims.yaml" in capsys.readouterr().out
    assert main(["ledger", "paper::third"]) == 2
    assert "never had a claim `third`; its claims are first, second" in capsys.readouterr().err


def test_ledger_without_git_history_says_so(paper: Repository, capsys: pytest.CaptureFixture[str]):
    (paper.root / ".git").rename(paper.root / "gone")
    assert main(["ledger", "paper"]) == 2
    assert "not a git repository" in capsys.readouterr().err
    assert main(["check", "paper"]) == 0


def test_colours_are_for_terminals(
    paper: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    paper.edit(WEAKER)
    monkeypatch.setattr("claimbench.commands.ledger.color", lambda: True)
    main(["ledger", "paper"])
    colored = capsys.readouterr().out
    assert "\x1b[31m  NOT MARKED\x1b[0m" in colored
    monkeypatch.undo()
    monkeypatch.chdir(paper.root)
    main(["ledger", "paper"])
    assert "\x1b" not in capsys.readouterr().out
