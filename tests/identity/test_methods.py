"""Another implementation in the place of a name of method.py."""

import re
import sys
from pathlib import Path

import pytest

from claimbench.errors import AuthorError, UsageError
from claimbench.identity.methods import Replacement, check, parse
from claimbench.running.engine import verify_papers
from claimbench.settings import Settings

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "tests" / "adapters"
EXACT = ("reduces-to-adamw", "slow-average-not-bias-corrected")


@pytest.fixture
def halved(tmp_path: Path) -> str:
    """A replacement for `scaled` of the tiny paper that gives half of it."""
    file = tmp_path / "mine.py"
    file.write_text("def scaled(x, scale):\n    return scale * x / 2\n", encoding="utf-8")
    return f"scaled={file}:scaled"


def verify(folder, *methods, claims=None, **settings):
    replacements = tuple(parse(text) for text in methods)
    return verify_papers([folder], claims, Settings(methods=replacements, **settings))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AdEMAMix", "write NAME=module:attribute or NAME=file.py:attribute"),
        ("AdEMAMix=torch.optim", "write NAME=module:attribute"),
        ("AdEMAMix=no_such_module:X", "there is no module `no_such_module`"),
        ("AdEMAMix=no_such_file.py:X", "there is no file"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(text: str, message: str):
    with pytest.raises(UsageError, match=re.escape(message)):
        parse(text)


def test_module_and_file_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine.py").write_text("class A:\n    b = 3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert parse("X=math:pi").load() == pytest.approx(3.14159, abs=1e-5)
    replacement = parse("X=mine.py:A.b")
    assert replacement == Replacement("X", str(tmp_path / "mine.py"), "A.b")
    assert str(replacement) == "X=mine.py:A.b", "no path of this machine is published"
    assert replacement.load() == 3
    with pytest.raises(AuthorError, match=r"mine\.py` has no `B`"):
        parse("X=mine.py:B").load()


def test_module_of_the_current_folder_comes_behind_what_is_installed(tmp_path, monkeypatch):
    """A worker, which has the current folder first, takes what was found when it was asked for."""
    installed, here = tmp_path / "installed", tmp_path / "here"
    for folder in (installed, here):
        folder.mkdir()
        (folder / "twin_of_two.py").write_text(f"WHERE = {folder.name!r}\n", encoding="utf-8")
    (here / "only_here.py").write_text("WHERE = 'only here'\n", encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path, str(installed)])
    twin, only = parse("X=twin_of_two:WHERE"), parse("X=only_here:WHERE")
    assert (twin.place, only.place) == (str(installed), str(here))
    assert sys.path[-1] == str(here)
    monkeypatch.setattr(sys, "path", [str(here), *sys.path[:-1]])
    before = list(sys.path)
    assert twin.load() == "installed"
    assert only.load() == "only here"
    assert sys.path == before


def test_name_that_the_experiments_do_not_use_is_refused(make_paper):
    paper = make_paper()
    check(parse("scaled=math:pi"), paper.folder)
    with pytest.raises(UsageError, match=r"don't import `scale` from \.method; did you mean `scal"):
        check(parse("scale=math:pi"), paper.folder)


def test_replacement_is_what_runs_and_is_never_mixed_with_the_papers_own(make_paper, halved):
    paper = make_paper()
    (own,) = verify(paper.folder)
    (other,) = verify(paper.folder, halved)
    (again,) = verify(paper.folder)
    assert [r.verdict for r in (own, other, again)] == ["reproduced", "diverged", "reproduced"]
    assert other.record.run_key != own.record.run_key == again.record.run_key
    assert other.record.method == "scaled=mine.py:scaled"
    assert own.record.method is None


def test_verdict_on_another_implementation_is_not_kept_as_the_papers(
    make_paper, halved, store_home
):
    from claimbench.running.store import Store

    paper = make_paper()
    verify(paper.folder, halved)
    assert Store(store_home).verdicts() == []


def test_edited_implementation_runs_again(make_paper, halved, tmp_path: Path):
    paper = make_paper()
    verify(paper.folder, halved)
    before = len(paper.runs())
    verify(paper.folder, halved)
    assert len(paper.runs()) == before
    (tmp_path / "mine.py").write_text("def scaled(x, scale):\n    return scale * x\n", "utf-8")
    (result,) = verify(paper.folder, halved)
    assert result.verdict == "reproduced"
    assert len(paper.runs()) > before


def test_command_to_repeat_names_the_implementation(make_paper, halved):
    (result,) = verify(make_paper().folder, halved)
    assert f"--method {halved}" in result.repeat


@pytest.mark.parametrize(
    ("method", "verdicts"),
    [
        ("loop_ademamix.py:Loop", ["reproduced", "reproduced"]),
        ("loop_ademamix.py:Debiased", ["reproduced", "diverged"]),
        ("optax_ademamix.py:make", ["reproduced", "reproduced"]),
    ],
)
def test_exact_claims_of_ademamix_tell_implementations_apart(method: str, verdicts: list[str]):
    results = verify(
        ROOT / "papers" / "ademamix", f"AdEMAMix={ADAPTERS / method}", claims=EXACT, repeat=False
    )
    assert [result.verdict for result in results] == verdicts
