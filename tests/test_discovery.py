"""Which folders a name means."""

from pathlib import Path

import pytest

from harness.discovery import find_papers, paper_folders, spec_location
from harness.errors import UsageError


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


def test_project_without_papers_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"no paper in {tmp_path / 'papers'}"):
        find_papers([])


def test_location_is_relative_below_the_current_folder_only(root: Path, tmp_path_factory):
    assert spec_location(root / "beta") == "papers/beta/claims.yaml"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert spec_location(elsewhere) == str(elsewhere / "claims.yaml")
