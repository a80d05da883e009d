"""What it costs to plan and to clean up where many papers have run for long."""

import json
import resource
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.keys import run_identity
from claimbench.profiles import load_profile
from claimbench.running.store import Store, _call
from claimbench.spec.discovery import paper_folders
from claimbench.spec.load import load_spec

PAPERS, VERSIONS, SEEDS = 119, 13, 20
BUDGET = 3.0
"""CPU-seconds, warm."""


@pytest.fixture
def lived_in(project, environment):
    """A project of 119 papers whose store holds the runs of 13 versions of their code."""
    root, home = project(PAPERS), Path(environment["CLAIMBENCH_HOME"])
    Store(home).close()
    cache, profile, index = Cache(None), load_profile("cpu"), range(SEEDS)
    identities, runs = [], []
    for folder in paper_folders(root / "papers"):
        spec = load_spec(folder, cache)
        for claim in spec.claims:
            for override in ({}, *claim.controls.values()):
                arguments = {**spec.experiments[claim.experiment].arguments("smoke"), **override}
                now = run_identity(spec, claim.experiment, arguments, profile=profile, cache=cache)
                for version in range(VERSIONS):
                    old = replace(now, files={**now.files, "old": str(version)})
                    parts = json.dumps(old.parts())
                    identities.append((old.key, spec.slug, parts, "{}", _call(old.parts())))
                    row = (spec.slug, claim.experiment, "{}", "{}", "e", "2026", 0.5, 0.5, 9.0)
                    runs += [(old.key, seed, seed, *row, "[]") for seed in index]
    with sqlite3.connect(home / "store.sqlite") as store:
        store.executemany("INSERT OR IGNORE INTO identities VALUES (?, ?, ?, ?, ?)", identities)
        store.executemany(f"INSERT OR IGNORE INTO runs VALUES ({', '.join('?' * 13)})", runs)
    return root


def of_children() -> float:
    """Return the CPU-seconds of all processes that have ended below this one."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


@pytest.mark.parametrize("words", [["verify", "--plan"], ["gc", "--dry-run"]], ids=" ".join)
@pytest.mark.benchmark(timer=of_children)
def test_long_history(benchmark, lived_in, environment, words):
    benchmark.pedantic(
        subprocess.run,
        ([sys.executable, "-m", "claimbench", *words],),
        {"cwd": lived_in, "env": environment, "check": True, "stdout": subprocess.DEVNULL},
        warmup_rounds=1,
        rounds=3,
    )
    assert benchmark.stats.stats.min <= BUDGET
