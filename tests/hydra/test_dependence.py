"""Which files' changes may change a paper's verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.hydra.dependence import ENGINE, changes_everything, depends_on
from claimbench.spec.discovery import suite_root
from claimbench.spec.load import load_spec

LOADING = """from common.data import load


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    load("wine")
    return {"value": scaled(1.0, scale)}
"""


def changes(path: Path, profile: str = "cpu") -> bool:
    assert path.exists(), "a test of a file that is gone shows nothing"
    return changes_everything({path.resolve()}, Path("/nowhere"), profile)


@pytest.mark.parametrize(
    "name",
    [
        *("running/engine.py", "running/workers/limits.py", "running/workers/__init__.py"),
        *("judging/rules.py", "identity/keys.py", "spec/load.py", "author.py", "profiles.py"),
    ],
)
def test_what_runs_and_judges_changes_everything(name):
    assert changes(ENGINE / name)


@pytest.mark.parametrize(
    "name",
    [
        *("cli.py", "plugin.py", "showing/report.py", "leaderboard/board.py"),
        *("commands/new.py", "hydra/app.py", "mutation/sites.py", "scaffold/method.py.txt"),
    ],
)
def test_what_shows_changes_no_verdict(name):
    assert not changes(ENGINE / name)


def test_a_profile_changes_what_runs_under_it():
    file = ENGINE / "profile_files" / "baseline.toml"
    assert changes(file, "baseline")
    assert not changes(file, "cpu")
    assert changes(file.with_name("cpu.toml"), "cpu")


def test_versions_are_those_of_the_papers_project(tmp_path):
    assert changes_everything({tmp_path / "requirements.lock"}, tmp_path, "cpu")
    assert not changes_everything({tmp_path / "docs" / "requirements.lock"}, tmp_path, "cpu")


@pytest.fixture
def data_papers(make_paper):
    """Papers that declare a data set, load one by name, and use none."""
    experiments = {"measure": {"data": ["digits"]}}
    papers = {
        "declares": make_paper("declares", experiments=experiments),
        "loads": make_paper("loads", code=LOADING),
        "neither": make_paper("neither"),
    }
    return {slug: load_spec(paper.folder) for slug, paper in papers.items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits.py", {"declares"}),
        ("tabular.py", {"loads"}),  # wine is one of its data sets
        ("kjv.py", set()),
        ("__init__.py", {"declares", "loads"}),
        ("a_new_helper.py", {"declares", "loads"}),
    ],
)
def test_data_changes_the_papers_that_use_it(data_papers, name, expected):
    root = suite_root(data_papers["loads"].folder)
    files = {(root / "common" / "data" / name).resolve()}
    found = {slug for slug, spec in data_papers.items() if depends_on(spec, files, Cache(None))}
    assert found == expected


def test_shared_code_changes_the_papers_that_import_it(make_paper):
    importing = make_paper("importing", code=f"from common import text\n\n\n{LOADING}")
    spec, other = load_spec(importing.folder), load_spec(make_paper("other").folder)
    files = {(suite_root(spec.folder) / "common" / "text.py").resolve()}
    assert depends_on(spec, files, Cache(None))
    assert not depends_on(other, files, Cache(None))
