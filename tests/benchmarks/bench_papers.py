"""What each paper's smoke tier costs from a cold store."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = sorted(path.parent.name for path in (ROOT / "papers").glob("*/claims.yaml"))
BUDGET = 15.0
"""CPU-seconds of a whole paper, with imports, seeds and controls. The second execution that looks
for determinism comes on top: it is the harness's check, not the paper's."""


def of_children() -> float:
    """Return the CPU-seconds of all processes that have ended below this one."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.benchmark(timer=of_children)
def test_smoke(benchmark, environment, paper):
    command = [sys.executable, "-m", "claimbench", "verify", paper, "--no-repeat"]
    benchmark.pedantic(
        subprocess.run,
        (command,),
        {"cwd": ROOT, "env": environment, "check": True, "stdout": subprocess.DEVNULL},
    )
    assert benchmark.stats.stats.max <= BUDGET
