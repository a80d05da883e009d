"""Fixtures that write the paper folder of `lion` and load it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec
from claimbench.spec.problems import Problem, SpecError
from tests.spec.lion import CLAIMS, README, REPRODUCE, edited

Write = Callable[..., Path]
Problems = Callable[..., list[Problem]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write papers/lion below the working directory; bytes or text, None leaves a file out."""
    monkeypatch.chdir(tmp_path)
    folder = Path("papers/lion")
    folder.mkdir(parents=True)

    def write(
        claims: str | bytes | None = CLAIMS,
        reproduce: str | None = REPRODUCE,
        readme: str = README,
    ) -> Path:
        files = {"claims.yaml": claims, "reproduce.py": reproduce, "method.py": ""}
        files["README.md"] = readme
        for name, content in files.items():
            if content is not None:
                data = content if isinstance(content, bytes) else content.encode()
                (folder / name).write_bytes(data)
        return folder

    return write


@pytest.fixture
def problems(write: Write) -> Problems:
    """Return the problems of a folder, none if it is valid."""

    def problems(*args: str | bytes | None, **files: str | None) -> list[Problem]:
        folder = write(*args, **files)
        try:
            load_spec(folder)
        except SpecError as error:
            return list(error.problems)
        return []

    return problems


@pytest.fixture
def spec(write: Write) -> Callable[..., Spec]:
    """Return the spec after edits (old, new) of claims.yaml."""
    return lambda *edits: load_spec(write(edited(*edits)))
