"""What benchmarks share: synthetic papers, and medians of commands that take turns.

`make bench` runs `bench_*.py`; plain `pytest tests` does not collect them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

REPETITIONS = 7
PROJECT = """\
[tool.pytest]
addopts = [
    "-p", "no:hydra_pytest", "-p", "no:anyio", "-p", "no:jaxtyping", "-p", "no:cacheprovider",
]
"""

FIVE_EXPERIMENTS = '''
import torch


def helper(x: float) -> float:
    return x / 2


@experiment
def first(run: Run, *, steps: int = 100, damped: bool = True) -> dict[str, float]:
    """The first of two experiments."""
    value = helper(torch.rand(()).item())
    return {"ratio": value, "gap": value - 1}


@experiment
def second(run: Run, *, width: int = 64, scale: float = 1.0) -> dict[str, float]:
    """The second."""
    return {"error": scaled(run.rng.random(), scale)}
'''

FIVE_CLAIMS: list[dict[str, Any]] = [
    {
        "id": f"claim-{number}",
        "statement": "One side needs at least a tenth more steps than the other.",
        "source": "abstract; Fig. 1",
        "kind": "comparison",
        "fidelity": "reduced",
        "deviation": "A small model instead of a large one.",
        "experiment": "first",
        "expect": {"ratio": {"at_least": 1.1}, "gap": {"above": 0.0}},
        "reported": {"ratio": 1.95},
        "controls": {"without": {"damped": False}},
    }
    for number in range(3)
] + [
    {
        "id": f"exact-{number}",
        "experiment": "second",
        "expect": {"error": {"at_most": 1e-12 * (number + 1)}},
        "controls": {"twice": {"scale": 2.0}, "narrow": {"width": 1}},
    }
    for number in range(2)
]


@pytest.fixture(scope="session")
def project(
    tmp_path_factory: pytest.TempPathFactory, paper_writer: Callable[..., object]
) -> Callable[[int], Path]:
    """Return a maker of projects: a folder with so many papers of five claims in `papers`."""
    made: dict[int, Path] = {}

    def make(count: int) -> Path:
        if count not in made:
            root = tmp_path_factory.mktemp(f"project-{count}")
            (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
            for number in range(count):
                code = FIVE_EXPERIMENTS.replace("x / 2", f"x / {number + 2}")
                paper_writer(root / "papers" / f"paper_{number:04d}", code=code, claims=FIVE_CLAIMS)
            made[count] = root
        return made[count]

    return make


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables of a user's shell: own store, compiled files are kept, one thread."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "CLAIMBENCH_HOME": str(tmp_path / "bench-store")}


@pytest.fixture
def medians(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, float]]:
    """Time commands in turns and return the median of each, in seconds; the table is printed.

    `medians({"list": [...]}, cwd=…, before={"list": reset})`; each runs once to warm up.
    """

    def measure(
        commands: Mapping[str, Sequence[object]],
        *,
        cwd: Path,
        before: Mapping[str, Callable[[], object]] | None = None,
        codes: Sequence[int] = (0,),
    ) -> dict[str, float]:
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(REPETITIONS + 1):
            for name, command in commands.items():
                (before or {}).get(name, lambda: None)()
                begin = time.perf_counter()
                done = subprocess.run(
                    [str(word) for word in command],
                    cwd=cwd,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                times[name].append(time.perf_counter() - begin)
                assert done.returncode in codes, done.stdout + done.stderr
        for values in times.values():
            values.pop(0)
        with capsys.disabled():
            show(times)
        return {name: statistics.median(values) for name, values in times.items()}

    return measure


def show(times: Mapping[str, Sequence[float]]) -> None:
    """Print one line a measurement: median, smallest, largest, in milliseconds."""
    sys.stdout.write("\n")
    for name, values in times.items():
        low, middle, high = (1000 * f(values) for f in (min, statistics.median, max))
        sys.stdout.write(f"  {name:44} {middle:8.1f} ms  [{low:.1f}, {high:.1f}]\n")


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[[Mapping[str, Sequence[float]]], None]:
    """Print times that a benchmark took itself."""

    def show_now(times: Mapping[str, Sequence[float]]) -> None:
        with capsys.disabled():
            show(times)

    return show_now
