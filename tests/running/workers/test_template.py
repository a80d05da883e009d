"""The process that workers are forked from: what it imports, and that it ends with its parent."""

import contextlib
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from claimbench.profiles import load_profile
from claimbench.running.workers.jobs import Outcome
from claimbench.running.workers.pool import Processes

FRAMEWORKS = """
import jax
import jax.numpy as jnp
import numpy as np
import torch


@experiment
def compute(run: Run) -> dict[str, float]:
    x = torch.randn(64, 64)
    return {
        "randn": x[0, 0].item(),
        "product": (x @ x).sum().item(),
        "numpy": np.random.standard_normal(),  # noqa: NPY002  what is tested
        "jax": jax.random.normal(run.jax_key(), ()),
        "jax_sum": jnp.sin(jnp.arange(1000.0)).sum(),
        "jax_bytes": jnp.ones(()).dtype.itemsize,
        "torch_bytes": torch.ones(()).element_size(),
        "dtype_is_torchs": run.dtype == torch.float64,
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }
"""

LAZY = """
@experiment
def lazy(run: Run) -> dict[str, float]:
    import no_such_framework

    return {"value": no_such_framework.one}
"""

HANG = """
import subprocess


@experiment
def hang(run: Run) -> dict[str, float]:
    child = subprocess.Popen(["sleep", "1000"])
    note(f"{os.getpid()} {child.pid} {os.getppid()}", "pids.txt")
    child.wait()
    return {"value": 1.0}
"""

PARENT = textwrap.dedent("""
    import sys
    from pathlib import Path
    from claimbench.cache import Cache
    from claimbench.identity.closure import closure
    from claimbench.profiles import load_profile
    from claimbench.running.workers.jobs import Job
    from claimbench.running.workers.pool import Processes

    folder, home = map(Path, sys.argv[1:])
    profile = load_profile("cpu")
    pool = Processes(profile, 1)
    code = closure(folder, "hang", Cache(None)).files
    job = Job("key", 0, 0, folder, "hang", {}, "float32", profile, (), 60.0, False, home, code=code)
    pool.start(job)
    while True:
        pool.wait(1.0)
""")


@pytest.fixture
def pool():
    """A pool of one worker."""
    with contextlib.closing(Processes(load_profile("cpu"), 1)) as processes:
        yield processes


def next_outcome(pool):
    """Wait until the job that was started is over."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for event in pool.wait(0.5):
            if isinstance(event, Outcome):
                return event
    raise AssertionError("the job did not come back")


def test_torch_and_jax_are_seeded_pinned_and_bit_identical_in_fresh_pools(
    pool, make_paper, make_job
):
    paper = make_paper("both", code=FRAMEWORKS, claims=[{"experiment": "compute"}])
    preload = ("numpy", "torch", "jax")
    job = make_job(paper, "compute", 0, preload=preload, precision="float64")
    with contextlib.closing(Processes(load_profile("cpu"), 1)) as second_pool:
        for each in (pool, second_pool):  # both import at the same time
            each.start(job)
        first, again = next_outcome(pool), next_outcome(second_pool)
    pool.start(make_job(paper, "compute", 1, preload=preload))
    other = next_outcome(pool)
    assert [outcome.failure for outcome in (first, again, other)] == [None, None, None]
    assert first.metrics == again.metrics
    assert all(first.metrics[name] != other.metrics[name] for name in ("randn", "numpy", "jax"))
    pinned = ("jax_bytes", "torch_bytes", "dtype_is_torchs", "threads", "deterministic")
    assert [first.metrics[name] for name in pinned] == [8, 8, 1, 1, 1]
    assert other.metrics["torch_bytes"] == 4, "float32 is what that run asked for"
    generator = torch.Generator().manual_seed(job.seed)
    x = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    assert first.metrics["randn"] == pytest.approx(x[0, 0].item(), rel=1e-12)
    assert first.metrics["numpy"] == np.random.RandomState(job.seed).standard_normal()


def test_framework_that_is_not_installed_fails_its_run_alone(pool, make_paper, make_job):
    lazy = make_paper("lazy", code=LAZY, claims=[{"experiment": "lazy"}])
    pool.start(make_job(lazy, "lazy", preload=("no_such_framework",)))
    failed = next_outcome(pool)
    assert failed.failure.message == "ModuleNotFoundError: No module named 'no_such_framework'"
    pool.start(make_job(make_paper()))
    assert next_outcome(pool).failure is None


def test_killed_parent_leaves_no_orphan(make_paper, store_home, alive, wait_until):
    """kill -9 of the parent → no worker is left"""
    paper = make_paper("hangs", code=HANG, claims=[{"experiment": "hang"}])
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(paper.folder), str(store_home)])
    wait_until(lambda: paper.runs("pids.txt"), "the run has begun")
    parent.kill()
    parent.wait()
    (line,) = paper.runs("pids.txt")
    worker, child, template = map(int, line.split())
    pids = (worker, child, template)
    wait_until(lambda: not any(map(alive, pids)), "all three end with the parent")
