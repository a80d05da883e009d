"""What the executor adds to a run, and what a second worker saves."""

import contextlib
import statistics
import subprocess
import sys
import time
from functools import partial

import claimbench
from claimbench.profiles import load_profile
from claimbench.running.workers.cluster import Cluster
from claimbench.running.workers.jobs import Outcome
from claimbench.running.workers.pool import Processes
from tests.ray_cluster import ray_cluster

CODE = """
@experiment
def nothing(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": scale * (1 + random.random())}


@experiment
def count(run: Run, *, rounds: int = 4_000_000) -> dict[str, float]:
    total = 0
    for number in range(rounds):
        total += number & 1
    return {"value": float(total)}
"""


def carry_out(pool, jobs):
    """Carry out all jobs as room allows and return the seconds that it took."""
    waiting, open_ = list(jobs), len(jobs)
    begin = time.perf_counter()
    while open_:
        while waiting and pool.room():
            pool.start(waiting.pop())
        for event in pool.wait(1.0):
            assert isinstance(event, Outcome)
            assert event.failure is None
            open_ -= 1
    return time.perf_counter() - begin


def test_runs_that_do_nothing(make_paper, make_job, shown):
    paper = make_paper(code=CODE, claims=[{"experiment": "nothing"}])
    jobs = [make_job(paper, "nothing", index) for index in range(200)]
    times = []
    with contextlib.closing(Processes(load_profile("cpu"), 1)) as pool:
        carry_out(pool, jobs[:1])
        for _ in range(5):
            times.append(carry_out(pool, jobs) / len(jobs))
    shown({"a run that does nothing, executor": times})
    assert statistics.median(times) <= 0.0005


def test_runs_that_do_nothing_from_claim_to_verdict(make_paper, shown):
    claim = {"experiment": "nothing", "seeds": {"max": 100}}
    claims = [
        {"id": "few", **claim, "seeds": {"max": 1}},
        {"id": "one", **claim},
        {"id": "two", **claim, "expect": {"value": {"below": 4}}, "experiment": "other"},
    ]
    code = CODE + CODE.replace("def nothing", "def other").replace("def count", "def count_too")
    times = []
    for number in range(5):
        paper = make_paper(f"number_{number}", code=code, claims=claims)
        paper.replace("1 + random", f"1 + {number} * 1e-9 + random")
        verify = partial(claimbench.verify, paper.folder, tier="standard", control=False)
        verify(claims=["few"])
        begin = time.perf_counter()
        results = verify(claims=["one", "two"])
        times.append((time.perf_counter() - begin) / 199)
        assert [result.record.seeds for result in results] == [100, 100]
    shown({"a run that does nothing, claim to verdict": times})
    assert statistics.median(times) <= 0.002  # with the start of template and worker


def test_two_workers_share_the_work(make_paper, make_job, shown):
    paper = make_paper(
        code=CODE, claims=[{"experiment": "count", "controls": {"without": {"rounds": 1}}}]
    )
    jobs = [make_job(paper, "count", index) for index in range(8)]
    names = ("8 CPU-bound runs, one worker", "8 CPU-bound runs, two workers")
    times: dict[str, list[float]] = {name: [] for name in names}
    profile = load_profile("cpu")
    with (
        contextlib.closing(Processes(profile, 1)) as one,
        contextlib.closing(Processes(profile, 2)) as two,
    ):
        for pool in (one, two):
            carry_out(pool, jobs[:2])
        for _ in range(5):
            for name, pool in zip(times, (one, two), strict=True):
                times[name].append(carry_out(pool, jobs))
    shown(times)
    alone, shared = (statistics.median(values) for values in times.values())
    assert shared / alone <= 0.6


SEVERAL = 100

MEASURED = """
import resource, sys
from pathlib import Path
import claimbench
results = claimbench.verify(Path(sys.argv[1]), control=False)
print(sum(result.record.seeds for result in results))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_ten_thousand_runs_keep_the_parent_small(make_paper, environment, capsys):
    head, body = CODE.split("@experiment\ndef nothing")[1].split("@experiment")[0], "@experiment\n"
    code = "\n".join(f"{body}def nothing_{number}{head}" for number in range(SEVERAL))
    claims = [
        {"id": f"claim-{number}", "experiment": f"nothing_{number}", "seeds": {"max": 100}}
        for number in range(SEVERAL)
    ]
    paper = make_paper(code=code, claims=claims)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, paper.folder],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    runs, megabytes = map(int, done.stdout.split())
    with capsys.disabled():
        sys.stdout.write(f"\n  {runs} runs, parent of {megabytes} MB\n")
    assert runs == 100 * SEVERAL
    assert megabytes < 500


def test_runs_that_do_nothing_on_a_cluster(make_paper, make_job, shown):
    paper = make_paper(code=CODE, claims=[{"experiment": "nothing"}])
    jobs = [make_job(paper, "nothing", index) for index in range(400)]
    with (
        ray_cluster(2) as nodes,
        contextlib.closing(Cluster(load_profile("cpu"), None, nodes.address)) as cluster,
    ):
        carry_out(cluster, jobs[:4])
        times = [carry_out(cluster, jobs) / len(jobs) for _ in range(5)]
    shown({"a run that does nothing, executor ray": times})
    assert statistics.median(times) <= 0.005
