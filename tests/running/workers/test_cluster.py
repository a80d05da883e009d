"""The executor `ray` on a real cluster of this machine: a head and two nodes, each a process."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ray_cluster import RayCluster, ray_cluster

SEEDS = 20
CODE = """
@experiment
def slowly(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    run.curve("steps", [0.0, 1.0], [0.0, run.rng.random()])
    time.sleep(0.25)
    value = run.rng.normal()
    import torch

    matrix = torch.randn(50, 50, generator=run.torch_generator())
    return {"value": scale * value, "sum": float((matrix @ matrix).sum())}
"""
FAILING = """
@experiment
def fails(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    raise ValueError("no such luck")
"""
# holds in about half of the seeds, so that the rule takes all twenty
CLAIM = {"kind": "number", "experiment": "slowly", "expect": {"value": {"above": 0}}}


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(2) as cluster:
        yield cluster


def command(home: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "claimbench", "run", *words],
        env={**os.environ, "CLAIMBENCH_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen) -> tuple[int, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


def runs(home: Path) -> dict[int, tuple[str, str, str]]:
    """Return metrics, curves and start of each finished run, by seed index."""
    if not (home / "store.sqlite").is_file():
        return {}
    with sqlite3.connect(f"file:{home / 'store.sqlite'}?mode=ro", uri=True) as store:
        try:
            rows = store.execute("SELECT seed_index, metrics, curves, started_at FROM runs")
            return {row[0]: row[1:] for row in rows}
        except sqlite3.OperationalError:  # the table is not there yet
            return {}


def wait_for_runs(home: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while len(runs(home)) < count:
        assert time.monotonic() < deadline, f"{len(runs(home))} runs, not {count}"
        time.sleep(0.02)


def verdicts(text: str) -> list[str]:
    return re.findall(r"\d+ of \d+ seeds held[^\n]*", text)


def values(home: Path) -> dict[int, tuple[str, str]]:
    return {index: run[:2] for index, run in runs(home).items()}


def test_a_lost_node_and_a_killed_driver_change_no_bit(cluster, make_paper, tmp_path):
    paper = make_paper(code=CODE, claims=[CLAIM])
    words = (f"selection.papers={paper.folder}", "tier.repeat=false")
    on_ray = ("executor=ray", f"executor.address={cluster.address}")
    code, text = finished(command(tmp_path / "local", *words))
    assert code == 1, text  # undecided at twenty seeds
    expected = values(tmp_path / "local")
    assert sorted(expected) == list(range(SEEDS))

    first = command(tmp_path / "cluster", *words, *on_ray)
    wait_for_runs(tmp_path / "cluster", 4)
    first.kill()
    first.communicate()
    before = runs(tmp_path / "cluster")
    assert 4 <= len(before) < SEEDS

    second = command(tmp_path / "cluster", *words, *on_ray)
    wait_for_runs(tmp_path / "cluster", len(before) + 3)
    cluster.kill_node(2)
    code, other = finished(second)
    assert code == 1, other
    assert verdicts(other) == verdicts(text) != []
    assert values(tmp_path / "cluster") == expected
    after = runs(tmp_path / "cluster")
    assert {index: after[index] for index in before} == before  # nothing ran twice
    cluster.wait_for(1)


def test_an_error_on_a_node_is_the_claims_error(cluster, make_paper, tmp_path):
    paper = make_paper(code=FAILING, claims=[{"experiment": "fails"}])
    words = (f"selection.papers={paper.folder}", "executor=ray")
    code, text = finished(command(tmp_path / "home", *words, f"executor.address={cluster.address}"))
    assert code == 1
    assert "ValueError: no such luck" in text
    assert "reproduce.py" in text


def test_no_cluster_is_a_usage_error(make_paper, tmp_path):
    paper = make_paper()
    words = (f"selection.papers={paper.folder}", "executor=ray", "executor.address=127.0.0.1:1")
    code, text = finished(command(tmp_path / "home", *words))
    assert code == 2
    assert "no Ray cluster at `127.0.0.1:1`" in text
    assert "ray start --head" in text
