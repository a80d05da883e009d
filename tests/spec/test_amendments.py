"""What must carry an amendment, and what need not."""

import subprocess
from pathlib import Path

import pytest

from claimbench.cli import main
from claimbench.errors import UsageError
from claimbench.spec.amendments import changes, papers_at, spec_at, unamended, within
from claimbench.spec.load import load_spec
from claimbench.spec.models import Seeds, Spec
from claimbench.spec.region import Region

SPEC = """\
paper: {title: T, year: 2024, authors: [A], theme: t}
experiments:
  f: {}
claims:
  - id: first
    statement: It holds.
    source: Sec. 1
    kind: number
    fidelity: exact
    experiment: f
    expect: {x: {between: [0.5, 2]}, y: {above: 0}}
    controls: {without: {n: 0}}
    seeds: {max: 12}
  - id: second
    statement: It holds too.
    source: Sec. 2
    kind: exact
    fidelity: exact
    experiment: f
    expect: {x: {at_most: 2}}
    controls: {without: {n: 0}}
"""
REPRODUCE = '''"""R."""
from claimbench import Run, experiment


@experiment
def f(run: Run, *, n: int = 1, m: int = 1) -> dict[str, float]:
    """F."""
    return {"x": n, "y": m}
'''
AMENDED = "    amended: [{date: 2026-12-01, was: a, now: b, reason: c}]\n"


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)


def write(root: Path, text: str) -> Path:
    folder = root / "papers" / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "claims.yaml").write_text(text, encoding="utf-8")
    (folder / "reproduce.py").write_text(REPRODUCE, encoding="utf-8")
    (folder / "method.py").write_text('"""M."""\n', encoding="utf-8")
    (folder / "README.md").write_text("# T\n", encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A paper in a repository, committed once."""
    folder = write(tmp_path, SPEC)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    monkeypatch.chdir(tmp_path)
    return folder


def edited(folder: Path, old: str, new: str) -> Spec:
    assert old in SPEC
    write(folder.parents[1], SPEC.replace(old, new))
    return load_spec(folder)


LOOSENED = [
    ("between: [0.5, 2]", "between: [0.4, 2]", "x at smoke was in [0.5, 2] and is in [0.4, 2]"),
    ("between: [0.5, 2]", "at_least: 0.5", "x at smoke was in [0.5, 2] and is ≥ 0.5"),
    ("{above: 0}", "{at_least: 0}", "y at smoke was > 0 and is ≥ 0"),
    (", y: {above: 0}", "", "y is no longer expected at smoke"),
    (
        "controls: {without: {n: 0}}\n    seeds",
        "controls: {without: {m: 0}}\n    seeds",
        "the control was [{'n': 0}]",
    ),
    ("max: 12", "max: 20", "the largest number of seeds was 12 and is 20"),
    ("{max: 12}", "{max: 12}\n    from: standard", "it is no longer judged at smoke"),
    ("kind: exact", "kind: number", "the rule was every and is typical"),
]


def test_another_rule_is_a_change_in_both_directions(folder: Path):
    claim = load_spec(folder).claims[1]
    every, typical = (
        claim.model_copy(update={"declared_rule": rule, "seeds": Seeds(max=12)})
        for rule in ("every", "typical")
    )
    assert list(changes(every, typical)) == ["the rule was every and is typical"]
    assert list(changes(typical, every)) == ["the rule was typical and is every"]


@pytest.mark.parametrize(("old", "new", "message"), LOOSENED, ids=[case[2] for case in LOOSENED])
def test_loosening_is_found_and_an_amendment_heals_it(
    folder: Path, old: str, new: str, message: str
):
    before = load_spec(folder)
    lines = unamended(before, edited(folder, old, new))
    assert any(message in line and "add `amended`" in line for line in lines)
    healed = SPEC.replace(old, new).replace("  - id: second", f"{AMENDED}  - id: second") + AMENDED
    write(folder.parents[1], healed)
    assert unamended(before, load_spec(folder)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("between: [0.5, 2]", "between: [0.6, 1.9]"),
        ("{above: 0}", "{above: 0, below: 9}"),
        ("expect: {x: {at_most: 2}}", "expect: {x: {below: 2}, y: {above: 1}}"),
        ("It holds.", "It really holds."),
    ],
)
def test_tightening_and_wording_need_no_amendment(folder: Path, old: str, new: str):
    before = load_spec(folder)
    assert unamended(before, edited(folder, old, new)) == []


def test_old_amendment_does_not_cover_a_new_change(folder: Path):
    write(folder.parents[1], SPEC + AMENDED)
    before = load_spec(folder)
    write(folder.parents[1], SPEC.replace("at_most: 2}", "at_most: 3}") + AMENDED)
    assert len(unamended(before, load_spec(folder))) == len(["smoke", "standard", "full"])


def test_removed_claim_must_be_listed(folder: Path):
    before = load_spec(folder)
    without = SPEC[: SPEC.index("  - id: second")]
    write(folder.parents[1], without)
    assert unamended(before, load_spec(folder)) == [
        "claim `second` is gone; add it to `removed` with date and reason"
    ]
    listed = without + "removed: [{id: second, date: 2026-12-01, reason: ill-posed}]\n"
    write(folder.parents[1], listed)
    assert unamended(before, load_spec(folder)) == []


def test_within_compares_open_and_closed_ends():
    closed, open_ = Region(at_least=0.0), Region(above=0.0)
    assert within(open_, closed)
    assert not within(closed, open_)
    assert within(Region(equals=1.0, abs=0.1), Region(between=(0.5, 1.5)))


def test_spec_at_a_revision(folder: Path):
    edited(folder, "max: 12", "max: 20")
    old = spec_at("HEAD", folder)
    assert old is not None
    assert old.claim("first").max_seeds == 12
    assert list(changes(old.claim("first"), load_spec(folder).claim("first")))
    assert papers_at("HEAD", folder.parent) == {"paper"}
    assert spec_at("HEAD", folder.with_name("other")) is None
    with pytest.raises(UsageError, match="no such revision: nowhere"):
        spec_at("nowhere", folder)


def test_command_fails_on_what_is_not_amended(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "paper", "--against", "HEAD"]) == 0
    edited(folder, "at_most: 2}", "at_most: 3}")
    assert main(["check", "paper", "--against", "HEAD"]) == 2
    assert "x at smoke was ≤ 2 and is ≤ 3" in capsys.readouterr().err


def test_readme_of_an_old_revision_need_not_name_the_paper(folder: Path):
    (folder / "README.md").write_text("# Another\n", encoding="utf-8")
    git(folder, "commit", "--quiet", "--all", "-m", "another")
    (folder / "README.md").write_text("# T\n", encoding="utf-8")
    old = spec_at("HEAD", folder)
    assert old is not None
    assert old.claims == load_spec(folder).claims


def test_command_finds_a_paper_that_is_gone(folder: Path, capsys: pytest.CaptureFixture[str]):
    folder.rename(folder.with_name("renamed"))
    assert main(["check", "--against", "HEAD"]) == 2
    assert "paper `paper` is gone since HEAD" in capsys.readouterr().err
