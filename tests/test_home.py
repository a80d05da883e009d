"""Where the store is, and which commit the code is at."""

import subprocess
from pathlib import Path

import pytest

from claimbench.home import commit, home


def test_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CLAIMBENCH_HOME", str(tmp_path / "here"))
    assert home(Path("/")) == tmp_path / "here"


@pytest.mark.parametrize("mark", [".claimbench", "pyproject.toml", ".git"])
def test_project_is_the_nearest_marked_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
):
    monkeypatch.delenv("CLAIMBENCH_HOME", raising=False)
    (tmp_path / mark).mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert home(tmp_path / "a" / "b") == tmp_path / ".claimbench"


def test_commit_is_marked_when_files_differ(tmp_path: Path):
    def git(*words: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True)

    assert commit(tmp_path) is None
    git("init", "--quiet")
    (tmp_path / "file").write_text("1", encoding="utf-8")
    git("add", "file")
    git("commit", "--quiet", "-m", "first")
    clean = commit(tmp_path)
    assert clean is not None
    assert len(clean) == 12
    (tmp_path / "file").write_text("2", encoding="utf-8")
    assert commit(tmp_path) == f"{clean}+"
