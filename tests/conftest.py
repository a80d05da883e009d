"""What tests share: tiny papers to run, a store of their own, and golden files."""

from __future__ import annotations

import copy
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: two cores, two workers

import pytest
import yaml

from claimbench.cache import Cache
from claimbench.identity.closure import closure
from claimbench.profiles import load_profile
from claimbench.running.workers.jobs import Job

pytest_plugins = ["pytester"]

METHOD = '''"""A method that scales a number."""


def scaled(x: float, scale: float) -> float:
    return scale * x
'''

HEAD = '''"""A tiny paper."""

import os
import random
import time
from pathlib import Path

from claimbench import Run, artefact, experiment

from .method import scaled

HERE = Path(__file__).parent


def note(text: str, file: str = "runs.txt") -> None:
    with open(HERE / file, "a", encoding="utf-8") as notes:
        notes.write(f"{text}\\n")


'''

README = """# Tiny

<!-- results: begin -->
Nothing is published yet.
<!-- results: end -->
"""

MEASURE = '''@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """A number in [scale, 2 scale)."""
    note(f"measure {scale:g} {run.seed}")
    return {"value": scaled(1 + random.random(), scale)}
'''

CLAIM: dict[str, Any] = {
    "id": "holds",
    "statement": "The value is at least one.",
    "source": "Sec. 1",
    "headline": True,
    "kind": "exact",
    "fidelity": "exact",
    "experiment": "measure",
    "expect": {"value": {"at_least": 1}},
    "controls": {"without": {"scale": 0.25}},
}


@dataclass(frozen=True)
class TinyPaper:
    """A paper folder that a test has written."""

    folder: Path

    def runs(self, file: str = "runs.txt") -> list[str]:
        """Return the lines that experiments noted, in order."""
        path = self.folder / file
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def replace(self, old: str, new: str, file: str = "reproduce.py") -> None:
        """Edit a file; `old` must be there."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def write_paper(
    folder: Path,
    *,
    code: str = MEASURE,
    claims: Sequence[Mapping[str, Any]] = ({},),
    experiments: Mapping[str, Any] | None = None,
) -> TinyPaper:
    """Write a paper folder.

    Args:
        folder: where; its name is the slug.
        code: the experiments, to stand below `HEAD`.
        claims: of each claim what differs from `CLAIM`.
        experiments: entries of the spec; those that claims name are added with defaults.
    """
    folder.mkdir(parents=True)
    whole = [copy.deepcopy({**CLAIM, **claim}) for claim in claims]  # YAML aliases are errors
    spec = {
        "paper": {"title": "Tiny", "year": 2024, "authors": ["A. Author"], "theme": "tests"},
        "experiments": {
            **{claim["experiment"]: {} for claim in whole},
            **(experiments or {}),
        },
        "claims": whole,
    }
    (folder / "claims.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    (folder / "reproduce.py").write_text(HEAD + code, encoding="utf-8")
    (folder / "method.py").write_text(METHOD, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    return TinyPaper(folder)


@pytest.fixture
def on_terminal() -> Callable[..., tuple[int, bytes, bytes]]:
    """Run claimbench with a terminal as its standard error: `on_terminal("verify", folder)`.

    Returns the exit code, standard output, and what the terminal showed.
    """

    def run(*arguments: str | Path, timeout: float = 60) -> tuple[int, bytes, bytes]:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "claimbench", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        )
        os.close(slave)
        shown = b""
        while True:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the command has closed its side
                break
        os.close(master)
        out, _ = process.communicate(timeout=timeout)
        return process.returncode, out, shown

    return run


@pytest.fixture(scope="session")
def paper_writer() -> Callable[..., TinyPaper]:
    """`write_paper`, for fixtures that live longer than a test."""
    return write_paper


@pytest.fixture
def make_paper(tmp_path: Path) -> Callable[..., TinyPaper]:
    """Write a paper folder below the test's own folder: `make_paper("slug", code=…, claims=…)`."""

    def make(slug: str = "tiny", **parts: Any) -> TinyPaper:
        return write_paper(tmp_path / "papers" / slug, **parts)

    return make


@pytest.fixture
def run_claimbench(tmp_path: Path, store_home: Path) -> Callable[..., tuple[int, str, str]]:
    """Run `claimbench run` in the test's folder: `run_claimbench("tier=full", NAME="value")`.

    Keyword arguments are environment variables. Returns code, standard output and error.
    """

    def run(*words: str, **environment: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "claimbench", "run", *words],
            cwd=tmp_path,
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def make_job(store_home: Path) -> Callable[..., Job]:
    """Return a maker of jobs: `make_job(paper, "measure", 3, timeout=1.0, scale=2.0)`."""

    def make(
        paper: TinyPaper,
        experiment: str = "measure",
        index: int = 0,
        *,
        timeout: float = 30.0,
        preload: tuple[str, ...] = (),
        exclusive: bool = False,
        precision: str = "float32",
        data: tuple[str, ...] = (),
        files: tuple[str, ...] = (),
        **arguments: Any,
    ) -> Job:
        code = closure(paper.folder, experiment, Cache(None))
        return Job(
            key=f"{paper.folder.name}-{experiment}",
            index=index,
            seed=1000 + index,
            folder=paper.folder,
            experiment=experiment,
            arguments=arguments,
            precision=precision,
            profile=load_profile("cpu"),
            preload=preload,
            timeout=timeout,
            exclusive=exclusive,
            home=store_home,
            code=code.files,
            packages=tuple(code.modules),
            data=data,
            files=files,
        )

    return make


@pytest.fixture(scope="session", autouse=True)
def _no_default_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever asks for a store outside a test's own gets an error that says so."""
    wall = tmp_path_factory.mktemp("wall") / "a-test-used-a-store-that-is-not-its-own"
    wall.write_text("", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAIMBENCH_HOME", str(wall / "store"))
        # tests edit a paper twice in a second, which its compiled files would not notice
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        patch.setattr(sys, "dont_write_bytecode", True)
        yield


@pytest.fixture(autouse=True)
def store_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the test's own store; processes that the test starts use it too."""
    home = tmp_path / "store"
    monkeypatch.setenv("CLAIMBENCH_HOME", str(home))
    return home


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Say whether a process runs; one that has ended and waits for its parent does not."""

    def is_alive(pid: int) -> bool:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}

    return is_alive


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until a condition holds, at most 20 s."""

    def wait(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain: {what}"
            time.sleep(0.01)

    return wait


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/*")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with `tests/golden/<name>`; a missing file is written, and fails.

    What differs is put beside the file as `<name>.obtained`.
    """
    folder = Path(__file__).parent / "golden"

    def compare(name: str, text: str) -> None:
        path, obtained = folder / name, folder / f"{name}.obtained"
        if request.config.getoption("update_golden"):
            path.write_text(text, encoding="utf-8")
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            pytest.fail(f"{path} was missing and has been written: read it, then run again")
        if path.read_text(encoding="utf-8") != text:
            obtained.write_text(text, encoding="utf-8")
        else:
            obtained.unlink(missing_ok=True)
        assert text == path.read_text(encoding="utf-8")

    return compare


os.environ.setdefault("NO_COLOR", "1")  # argparse and rich colour their output on some terminals
