"""What these tests share: a project with one verified paper, copied to each, and the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from claimbench.cli import main
from tests.conftest import TinyPaper

CLAIMBENCH = (sys.executable, "-m", "claimbench")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def says(self, *parts: str) -> bool:
        """Whether it ended as a mistake of the user's, in one line that has all these parts."""
        lines = [line for line in self.err.splitlines() if line.startswith("claimbench: ")]
        return self.code == 2 and len(lines) == 1 and all(part in lines[0] for part in parts)


def project(folder: Path, paper_writer: Callable[..., TinyPaper]) -> TinyPaper:
    """Write a project with one paper, `tiny`."""
    (folder / "common").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    return paper_writer(folder / "papers" / "tiny")


@pytest.fixture(scope="session")
def _verified(tmp_path_factory, paper_writer) -> Path:
    """A project whose paper has been verified, for copies."""
    folder: Path = tmp_path_factory.mktemp("verified") / "project"
    project(folder, paper_writer)
    environment = {**os.environ, "CLAIMBENCH_HOME": str(folder / ".claimbench")}
    command = [*CLAIMBENCH, "verify", "tiny"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def verified(_verified: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project of the test's own whose paper `tiny` has been verified.

    It is the current folder, and its store is the one that is used.
    """
    folder = tmp_path / "project"
    shutil.copytree(_verified, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CLAIMBENCH_HOME", str(folder / ".claimbench"))
    return folder


@pytest.fixture
def new_project(
    tmp_path: Path, paper_writer: Callable[..., TinyPaper], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., TinyPaper]:
    """Write a project, make it the current folder, and use its own store."""

    def make(name: str = "project") -> TinyPaper:
        paper = project(tmp_path / name, paper_writer)
        monkeypatch.chdir(tmp_path / name)
        monkeypatch.delenv("CLAIMBENCH_HOME")
        return paper

    return make


@pytest.fixture
def command() -> Callable[..., Done]:
    """Run claimbench: `command("verify", "tiny", before=["setpriv", …], env={…})`."""

    def run(*words: str | Path, before: tuple[str, ...] = (), **more: object) -> Done:
        done = subprocess.run(
            [*before, *CLAIMBENCH, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **more,  # type: ignore[call-overload]
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run claimbench in this process: `said("results")`; a tenth of what `command` takes."""

    def run(*words: str) -> Done:
        code = main(words)
        return Done(code, *capsys.readouterr())

    return run
