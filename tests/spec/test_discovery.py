"""Which folders a name means."""

from pathlib import Path

import pytest

from claimbench import suite
from claimbench.errors import UsageError
from claimbench.spec.discovery import (
    find_papers,
    paper_folders,
    papers_root,
    project_papers,
    spec_location,
    suite_root,
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for slug in ("beta", "alpha"):
        (tmp_path / "papers" / slug).mkdir(parents=True)
        (tmp_path / "papers" / slug / "claims.yaml").write_text("", encoding="utf-8")
    (tmp_path / "papers" / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "papers"


def test_papers_are_folders_with_a_spec_in_order(root: Path):
    assert [folder.name for folder in paper_folders(root)] == ["alpha", "beta"]
    assert paper_folders(root / "missing") == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["alpha", "beta"]),
        (["beta"], ["beta"]),
        (["papers"], ["alpha", "beta"]),
        (["papers/beta", "alpha"], ["beta", "alpha"]),
        (["papers/beta/claims.yaml"], ["beta"]),
    ],
)
def test_names_mean_folders(root: Path, names: list[str], expected: list[str]):
    assert [folder.name for folder in find_papers(names)] == expected


def test_slug_is_found_from_below_the_project(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(root / "notes")
    assert find_papers(["beta"]) == [root / "beta"]


def test_unknown_name_gets_the_nearest_one(root: Path):
    with pytest.raises(UsageError, match="did you mean `alpha`"):
        find_papers(["alhpa"])


def test_project_without_papers_has_those_that_claimbench_brings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "papers" / "of_another_kind").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert papers_root() == suite.ROOT / "papers"
    assert project_papers() == tmp_path / "papers"
    assert find_papers([]) == paper_folders(suite.ROOT / "papers")
    assert find_papers(["teng"]) == [suite.ROOT / "papers" / "teng"]


def test_paper_of_claimbench_is_found_from_a_project_with_papers_of_its_own(root: Path):
    assert find_papers(["teng", "beta"]) == [suite.ROOT / "papers" / "teng", root / "beta"]


def test_common_of_a_paper_is_that_of_its_suite(tmp_path: Path):
    paper = tmp_path / "papers" / "mine"
    paper.mkdir(parents=True)
    assert suite_root(paper) == suite.ROOT
    (tmp_path / "common").mkdir()
    assert suite_root(paper) == suite.ROOT, "a folder of that name is no package"
    (tmp_path / "common" / "__init__.py").touch()
    assert suite_root(paper) == tmp_path


def test_location_is_relative_below_the_current_folder_only(root: Path, tmp_path_factory):
    assert spec_location(root / "beta") == "papers/beta/claims.yaml"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert spec_location(elsewhere) == str(elsewhere / "claims.yaml")
