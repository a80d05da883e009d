"""Worker processes: what comes back, what is killed, and what survives nothing."""

import os
import signal
import time
from typing import Any

import pytest

import claimbench
from claimbench.identity.methods import parse
from claimbench.profiles import load_profile
from claimbench.running.engine import verify_papers
from claimbench.running.workers.jobs import Outcome, Progress
from claimbench.running.workers.pool import Processes
from claimbench.settings import Settings, worker_count

ZOO = """
import subprocess
import sys

import numpy as np


@experiment
def who(run: Run, *, curve: int = 0) -> dict[str, float]:
    if curve:
        run.curve("line", range(curve), range(curve))
    return {"pid": os.getpid(), "template": os.getppid(), "group": os.getpgrp()}


@experiment
def burn(run: Run, *, seconds: float = 0.2) -> dict[str, float]:
    end = time.process_time() + seconds
    block = np.ones(4_000_000)
    while time.process_time() < end:
        block *= 1.0
    return {"sum": block.sum()}


def overheat(degrees: float) -> None:
    raise ValueError(f"{degrees} degrees are too hot\\nand this is the second line")


@experiment
def hot(run: Run) -> dict[str, float]:
    print("to standard output")
    print("to standard error", file=sys.stderr)
    os.write(1, b"past python\\n")
    overheat(90)
    return {"value": 1.0}


@experiment
def chatty(run: Run, *, lines: int = 20_000) -> dict[str, float]:
    for line in range(lines):
        print(f"line {line}")
    raise RuntimeError("enough")


@experiment
def hang(run: Run) -> dict[str, float]:
    print("about to hang")
    child = subprocess.Popen(["sleep", "1000"])
    note(f"{os.getpid()} {child.pid} {os.getppid()}", "pids.txt")
    child.wait()
    return {"value": 1.0}


@experiment
def litter(run: Run) -> dict[str, float]:
    assert os.listdir() == []
    assert os.getcwd() == os.environ["HOME"] == os.environ["TMPDIR"]
    note(os.getcwd(), "folders.txt")
    Path("left").mkdir()
    Path("left", "behind").write_text("x")
    return {"value": 1.0}


@experiment
def leave(run: Run, *, status: int = -1) -> dict[str, float]:
    print("last words")
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


@experiment
def abandon(run: Run) -> dict[str, float]:
    child = os.fork()
    if child == 0:
        time.sleep(1000)
    note(child, "pids.txt")
    os._exit(3)


@experiment
def meet(run: Run, *, other: str = "", me: str = "") -> dict[str, float]:
    note("here", me)
    end = time.monotonic() + 10
    while not (HERE / other).exists():
        if time.monotonic() > end:
            raise TimeoutError("the other run never came")
        time.sleep(0.01)
    return {"value": 1.0}


@experiment
def steps(run: Run) -> dict[str, float]:
    for step in range(5):
        run.progress(step, 5)
        time.sleep(0.12)
    return {"value": 1.0}


@experiment
def surroundings(run: Run) -> dict[str, float]:
    names = ("OMP_NUM_THREADS", "JAX_ENABLE_X64", "PYTHONHASHSEED")
    return {name: float(os.environ[name]) for name in names}


@experiment
def draws(run: Run) -> dict[str, float]:
    return {
        "random": random.random(),
        "numpy": np.random.random(),  # noqa: NPY002  the global generator is what is tested
        "own": run.rng.random(),
    }


@artefact
def slow(run: Run, *, seconds: float = 1.0) -> dict[str, float]:
    note("built", "built.txt")
    time.sleep(seconds)
    return {"value": run.rng.random()}


@artefact(timeout=0.3)
def endless(run: Run) -> float:
    time.sleep(60)
    return 1.0


@artefact
def outer(run: Run) -> float:
    inner = run.artefact(slow, seconds=0.1)["value"]
    time.sleep(0.9)
    return inner + 1


@experiment
def uses(run: Run, *, what: str = "slow", after: float = 0.0) -> dict[str, float]:
    value = run.artefact({"slow": slow, "endless": endless, "outer": outer}[what])
    time.sleep(after)
    return value if isinstance(value, dict) else {"value": value}
"""


@pytest.fixture
def zoo(make_paper):
    """A paper with one experiment for each way in which a run can go."""
    return make_paper(
        "zoo", code=ZOO, claims=[{"experiment": "who", "controls": {"without": {"curve": 1}}}]
    )


@pytest.fixture
def open_pool():
    """Return a maker of pools; all of them are closed in the end."""
    pools = []

    def make(size=1):
        pools.append(Processes(load_profile("cpu"), size))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def pool(open_pool):
    """A pool of one worker."""
    return open_pool()


def events_of(pool, *jobs):
    """Carry out jobs as room allows and return all events."""
    waiting, events = list(jobs), list[Any]()
    end = time.monotonic() + 30
    while sum(isinstance(event, Outcome) for event in events) < len(jobs):
        assert time.monotonic() < end, f"not all jobs came back; so far: {events}"
        while waiting and pool.room():
            pool.start(waiting.pop(0))
        events += pool.wait(0.5)
    return events


def next_outcome(pool):
    """Wait until one of the started jobs is over."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for event in pool.wait(0.5):
            if isinstance(event, Outcome):
                return event
    raise AssertionError("no job came back")


def outcomes_of(pool, *jobs):
    """Carry out jobs and return their outcomes, in the order of the jobs."""
    outcomes = {
        id(event.job): event for event in events_of(pool, *jobs) if isinstance(event, Outcome)
    }
    return [outcomes[id(job)] for job in jobs]


def test_metrics_curves_and_costs_come_back(pool, zoo, make_job):
    burnt, curved = outcomes_of(
        pool, make_job(zoo, "burn"), make_job(zoo, "who", index=7, curve=2000)
    )
    assert burnt.failure is None
    assert burnt.metrics == {"sum": 4_000_000.0}
    assert burnt.seconds >= burnt.cpu_seconds * 0.9
    assert 0.2 <= burnt.cpu_seconds < 2
    assert 32 < burnt.peak_mb < 300, "the block takes 32 MB"
    assert curved.peak_mb < burnt.peak_mb - 20, "the peak is that of one run"
    assert burnt.started_at.endswith("+00:00")
    assert curved.job.index == 7
    assert curved.curves == {"line": ([*map(float, range(2000))],) * 2}


def test_raising_run_shows_the_authors_frames_and_its_log(pool, zoo, make_job):
    (outcome,) = outcomes_of(pool, make_job(zoo, "hot"))
    failure = outcome.failure
    assert outcome.metrics is None
    assert failure.message == "ValueError: 90 degrees are too hot […]"
    first, frame, *_ = failure.traceback.splitlines()
    assert first == "Traceback (most recent call last):"
    assert frame.startswith(f'  File "{zoo.folder / "reproduce.py"}", line ')
    assert frame.endswith("in hot")
    assert "in overheat" in failure.traceback
    assert "execute.py" not in failure.traceback
    assert sorted(failure.log.splitlines()) == [
        "past python",
        "to standard error",
        "to standard output",
    ]


def test_a_failing_run_leaves_the_worker_and_the_next_log_is_its_own(pool, zoo, make_job):
    first, failed, again, last = outcomes_of(
        pool,
        make_job(zoo, "who"),
        make_job(zoo, "hot"),
        make_job(zoo, "hot"),
        make_job(zoo, "who"),
    )
    assert first.metrics == last.metrics
    assert failed.failure.log == again.failure.log


def test_long_log_keeps_its_end(pool, zoo, make_job):
    (outcome,) = outcomes_of(pool, make_job(zoo, "chatty"))
    lines = outcome.failure.log.splitlines()
    assert lines[0] == "[cut: 143354 bytes before the last 65536]"
    assert lines[-1] == "line 19999"
    assert len(outcome.failure.log) < 66_000


def test_run_over_its_time_is_killed_with_its_children(pool, zoo, make_job, alive, wait_until):
    """a run over its time → killed, with all its children"""
    before = time.monotonic()
    hung, after = outcomes_of(pool, make_job(zoo, "hang", timeout=0.5), make_job(zoo, "who"))
    assert 0.5 <= time.monotonic() - before < 10
    assert hung.failure.message == "timed out after 0.5 s (experiment `timeout` in claims.yaml)"
    assert hung.failure.log == "about to hang\n"
    (pids,) = zoo.runs("pids.txt")
    worker, child, template = map(int, pids.split())
    wait_until(lambda: not alive(worker) and not alive(child), "worker and child are killed")
    assert after.metrics["template"] == template, "the template goes on"
    assert after.metrics["pid"] != worker


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (0, "the worker process exited with status 0"),
        (3, "the worker process exited with status 3"),
        (-signal.SIGKILL, "the worker process was killed by SIGKILL"),
        (-signal.SIGSEGV, "the worker process was killed by SIGSEGV"),
    ],
)
def test_worker_that_ends_says_how_and_the_pool_goes_on(pool, zoo, make_job, status, message):
    """a worker that exits or is killed → its run's error says how; other runs go on"""
    gone, after = outcomes_of(pool, make_job(zoo, "leave", status=status), make_job(zoo, "who"))
    assert gone.failure.message == message
    assert gone.failure.log == "last words\n"
    assert after.failure is None


def test_child_that_was_forked_does_not_outlive_its_worker(pool, zoo, make_job, alive, wait_until):
    """a forked child when its worker ends → ends with it"""
    (gone,) = outcomes_of(pool, make_job(zoo, "abandon"))
    assert gone.failure.message == "the worker process exited with status 3"
    (child,) = zoo.runs("pids.txt")
    wait_until(lambda: not alive(int(child)), "the child is killed")


def test_worker_that_ended_before_anybody_looked_still_says_how(pool, zoo, make_job):
    pool.start(make_job(zoo, "leave", status=3))
    time.sleep(0.8)
    assert next_outcome(pool).failure.message == "the worker process exited with status 3"


def test_many_ends_at_once_are_all_told(open_pool, zoo, make_job):
    jobs = [make_job(zoo, "leave", index, status=index + 1) for index in range(20)]
    outcomes = outcomes_of(open_pool(3), *jobs)
    assert [outcome.failure.message for outcome in outcomes] == [
        f"the worker process exited with status {index + 1}" for index in range(20)
    ]


def test_idle_worker_that_was_killed_is_replaced(pool, zoo, make_job, alive, wait_until):
    """an idle worker is killed → replaced"""
    (first,) = outcomes_of(pool, make_job(zoo, "who"))
    pid = int(first.metrics["pid"])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), "the worker is dead")
    (second,) = outcomes_of(pool, make_job(zoo, "who"))
    assert second.failure is None
    assert second.metrics["pid"] != pid


def test_close_leaves_nobody(open_pool, zoo, make_job, alive, wait_until):
    pool = open_pool()
    pool.start(make_job(zoo, "hang"))
    while not zoo.runs("pids.txt"):
        pool.wait(0.05)
    (pids,) = zoo.runs("pids.txt")
    pool.close()
    wait_until(lambda: not any(alive(int(pid)) for pid in pids.split()), "all are killed")


def test_workers_are_kept_for_a_paper_and_forked_from_one_template(
    open_pool, zoo, make_paper, make_job
):
    other = make_paper(
        "other", code=ZOO, claims=[{"experiment": "who", "controls": {"without": {"curve": 1}}}]
    )
    pool = open_pool(1)
    jobs = [make_job(paper, "who") for paper in (zoo, zoo, other, other, zoo)]
    places = [outcome.metrics for outcome in outcomes_of(pool, *jobs)]
    pids = [place["pid"] for place in places]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    assert pids[4] != pids[0], "one worker at a time: the first was retired"
    assert len({place["template"] for place in places}) == 1
    assert all(place["group"] == place["pid"] for place in places)


def test_two_papers_keep_a_worker_each_where_there_is_room(open_pool, zoo, make_paper, make_job):
    other = make_paper(
        "other", code=ZOO, claims=[{"experiment": "who", "controls": {"without": {"curve": 1}}}]
    )
    jobs = [make_job(paper, "who") for paper in (zoo, other, zoo, other)]
    pool = open_pool(2)
    pids = [outcomes_of(pool, job)[0].metrics["pid"] for job in jobs]
    assert pids[0] == pids[2] != pids[1] == pids[3]


def test_two_runs_overlap(open_pool, zoo, make_job):
    outcomes = outcomes_of(
        open_pool(2),
        make_job(zoo, "meet", 0, me="a", other="b"),
        make_job(zoo, "meet", 1, me="b", other="a"),
    )
    assert [outcome.failure for outcome in outcomes] == [None, None]


def test_room_for_so_many_runs_and_none_beside_an_exclusive_one(open_pool, zoo, make_job):
    pool = open_pool(2)
    pool.start(make_job(zoo, "burn", 0))
    assert pool.room()
    pool.start(make_job(zoo, "burn", 1))
    assert not pool.room()
    while not pool.room():
        pool.wait(0.5)
    outcomes_of(pool)
    alone = open_pool(2)
    alone.start(make_job(zoo, "burn", 2, exclusive=True))
    assert not alone.room()
    while not alone.room():
        alone.wait(0.5)


def test_artefact_is_built_once_by_two_workers_and_not_on_the_runs_clock(open_pool, zoo, make_job):
    jobs = [make_job(zoo, "uses", index, timeout=0.5) for index in range(2)]
    first, second = outcomes_of(open_pool(2), *jobs)
    assert first.failure is None
    assert second.failure is None
    assert first.metrics == second.metrics
    assert zoo.runs("built.txt") == ["built"]


def test_clock_goes_on_after_an_artefact(pool, zoo, make_job):
    (outcome,) = outcomes_of(pool, make_job(zoo, "uses", timeout=0.5, after=30.0))
    assert outcome.failure.message.startswith("timed out after 0.5 s")


def test_artefact_of_an_artefact_does_not_start_the_runs_clock(pool, zoo, make_job):
    (outcome,) = outcomes_of(pool, make_job(zoo, "uses", timeout=0.5, what="outer"))
    assert outcome.failure is None
    assert 1 <= outcome.metrics["value"] < 2


def test_artefact_over_its_own_time(pool, zoo, make_job):
    failed, after = outcomes_of(pool, make_job(zoo, "uses", what="endless"), make_job(zoo, "who"))
    assert failed.failure.message == (
        "building the artefact `endless` took longer than its timeout"
    )
    assert after.failure is None


def test_time_of_a_later_run_is_its_own_where_nothing_is_imported_anew(pool, zoo, make_job):
    jobs = [make_job(zoo, "who"), make_job(zoo, "hang", timeout=0.5)]
    first, hung = (outcomes_of(pool, job)[0] for job in jobs)
    assert first.failure is None
    assert hung.failure.message.startswith("timed out after 0.5 s")


def test_each_run_has_an_empty_folder_of_its_own_and_nothing_of_them_stays(
    open_pool, zoo, make_job, alive, wait_until, tmp_path, monkeypatch
):
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    pool = open_pool(1)
    *littering, hung, _ = outcomes_of(
        pool,
        *(make_job(zoo, "litter", index) for index in range(3)),
        make_job(zoo, "hang", timeout=0.5),
        make_job(zoo, "litter", 4),
    )
    assert [outcome.failure for outcome in littering] == [None] * 3
    assert hung.failure is not None
    folders = zoo.runs("folders.txt")
    assert len(folders) == len(set(folders)) == 4
    (parent,) = {line.rpartition("/")[0] for line in folders}
    assert parent.startswith(str(place))
    pool.close()
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("change", ["pass", "os.chmod('.', 0o500)", "os.mkdir('x')"])
def test_folder_is_the_next_runs_only_where_it_is_as_new(pool, make_paper, make_job, change):
    code = f"""
@experiment
def changes(run: Run) -> dict[str, float]:
    assert os.listdir() == []
    assert os.stat(".").st_mode & 0o777 == 0o700
    {change}
    return {{"folder": float(os.stat(".").st_ino)}}
"""
    paper = make_paper("changing", code=code, claims=[{"experiment": "changes"}])
    for index in range(3):
        (outcome,) = outcomes_of(pool, make_job(paper, "changes", index))
        assert outcome.failure is None


def test_progress_arrives_and_so_does_what_is_built(pool, zoo, make_job):
    events = [e for e in events_of(pool, make_job(zoo, "steps")) if isinstance(e, Progress)]
    assert [(event.done, event.total) for event in events] == [(step, 5) for step in range(5)]
    building = [e for e in events_of(pool, make_job(zoo, "uses")) if isinstance(e, Progress)]
    assert [event.doing for event in building] == ["building slow"]


def test_environment_of_the_profile_is_the_workers(pool, zoo, make_job, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    (outcome,) = outcomes_of(pool, make_job(zoo, "surroundings"))
    assert outcome.metrics == {"OMP_NUM_THREADS": 1, "JAX_ENABLE_X64": 1, "PYTHONHASHSEED": 0}
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_seed_decides_the_draws_whatever_ran_before(open_pool, zoo, make_job):
    preload = ("numpy",)
    first, other, again = outcomes_of(
        open_pool(), *(make_job(zoo, "draws", index, preload=preload) for index in (0, 1, 0))
    )
    (fresh,) = outcomes_of(open_pool(), make_job(zoo, "draws", 0, preload=preload))
    assert first.metrics == again.metrics == fresh.metrics
    assert all(first.metrics[name] != other.metrics[name] for name in first.metrics)


def test_paper_that_cannot_be_imported_says_where(pool, make_paper, make_job):
    paper = make_paper("broken", code="\n1 / 0\n" + "\n\n@experiment\ndef measure(run): ...\n")
    (outcome,) = outcomes_of(pool, make_job(paper))
    assert outcome.failure.message == "ZeroDivisionError: division by zero"
    assert outcome.failure.traceback.splitlines()[2] == "    1 / 0"


def test_worker_count_is_what_was_asked_for_or_the_cpus():
    assert worker_count(5) == 5
    assert worker_count(None) == len(os.sched_getaffinity(0))


def test_modules_of_the_current_folder_are_in_nobodys_way(make_paper, tmp_path, monkeypatch):
    """They can be imported, but a worker takes what is installed where both are there."""
    for name in ("selectors", "yaml", "random"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('never asked for')\n")
    (tmp_path / "only_in_this_folder.py").write_text("def double(x, scale): return 2 * scale * x\n")
    paper = make_paper()
    monkeypatch.chdir(tmp_path)
    settings = Settings(methods=(parse("scaled=only_in_this_folder:double"),))
    (result,) = verify_papers([paper.folder], None, settings)
    assert result.verdict == "reproduced"
    assert result.record.metrics["value"].low >= 2


def test_paper_that_imports_a_module_of_the_current_folder_is_an_error(
    make_paper, tmp_path, monkeypatch
):
    """No version of it could be told, so nobody could say what the run depended on."""
    (tmp_path / "only_in_this_folder.py").write_text("VALUE = 1\n")
    paper = make_paper()
    paper.replace("import time\n", "import time\n\nimport only_in_this_folder as helper\n")
    monkeypatch.chdir(tmp_path)
    (result,) = claimbench.verify(paper.folder)
    assert result.verdict == "error"
    assert result.reason == (
        "seed 0: AuthorError: reproduce.py:7 imports `only_in_this_folder`, which belongs to no "
        "installed package; put it beside the paper"
    )
