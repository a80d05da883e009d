"""Runs are carried out once: whoever asks, however often, and whatever happened in between."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

import claimbench
from claimbench.profiles import load_profile
from claimbench.running.engine import verify_papers
from claimbench.running.scheduler import Scheduler, Status
from claimbench.settings import Settings
from claimbench.showing.progress import progress_text

TWO = '''
def low() -> float:
    return 1.0


def high() -> float:
    return 2.0


@experiment
def first(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """What the first one measures."""
    note(f"first {scale:g}")
    return {"value": scaled(low() + random.random(), scale)}


@experiment
def second(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"second {scale:g}")
    return {"value": scaled(high() + random.random(), scale)}
'''

PAUSE = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"{scale:g} {run.seed}")
    time.sleep(0.1)
    return {"value": scaled(1 + random.random(), scale)}
"""

SCRIPT = """
import sys
import claimbench

for result in claimbench.verify(sys.argv[1], tier='standard'):
    print(result.verdict, result.reason)
"""


@pytest.fixture
def two(make_paper):
    """A paper of two experiments with a claim each."""
    claims = [{"id": "one", "experiment": "first"}, {"id": "two", "experiment": "second"}]
    return make_paper(code=TWO, claims=claims)


@pytest.fixture
def rows(store_home):
    """Return a function that reads rows of the store."""

    def read(query):
        connection = sqlite3.connect(store_home / "store.sqlite")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    return read


def verify(folder, **options):
    """Verify at a tier at which nothing is carried out a second time to compare its bits."""
    return claimbench.verify(folder, tier="standard", **options)


def verdicts(results):
    """The verdicts, in order."""
    return [result.verdict for result in results]


ONCE = [*["first 0.25"] * 3, *["first 1"] * 3, *["second 0.25"] * 3, *["second 1"] * 3]


def test_second_verification_runs_nothing(two, store_home):
    assert verdicts(verify(two.folder)) == ["reproduced", "reproduced"]
    before = sorted(two.runs())
    assert set(before) == set(ONCE)
    assert before.count("first 1") == before.count("second 1") == 3
    again = verify(two.folder)
    assert verdicts(again) == ["reproduced", "reproduced"]
    assert sorted(two.runs()) == before
    assert list((store_home / "locks").iterdir()) == []


def test_second_verification_gives_the_same_records(two):
    first, second = verify(two.folder), verify(two.folder)
    assert first == second


def test_fresh_runs_again(two):
    verify(two.folder, claims=["one"])
    before = two.runs()
    verify(two.folder, claims=["one"], fresh=True)
    assert two.runs().count("first 1") == 2 * before.count("first 1") == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What the first one measures.", "Something else is said here."),
        ("def low()", "# a comment\n\n\ndef low()"),
        ("return 1.0", "return  1.0  # the same"),
    ],
)
def test_comment_docstring_or_layout_runs_nothing_again(two, old, new):
    verify(two.folder)
    before = two.runs()
    two.replace(old, new)
    assert verdicts(verify(two.folder)) == ["reproduced", "reproduced"]
    assert two.runs() == before


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("low() + random", "low() + 0.5 * random", "first"),
        ("return 1.0", "return 1.5", "first"),
        ("return 2.0", "return 2.5", "second"),
    ],
)
def test_changed_experiment_runs_again_alone(two, old, new, name):
    verify(two.folder)
    before = two.runs()
    two.replace(old, new)
    verify(two.folder)
    added = two.runs()[len(before) :]
    assert added.count(f"{name} 1") == 3
    assert {line.split()[0] for line in added} == {name}


def test_edit_of_the_same_second_and_size_is_what_runs(make_paper, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    paper = make_paper()
    source = paper.folder / "reproduce.py"
    for number in (2, 7):
        paper.replace("1 + random" if number == 2 else "2 + random", f"{number} + random")
        os.utime(source, (1_700_000_000, 1_700_000_000))
        (result,) = verify(paper.folder, control=False)
        assert all(number <= x < number + 1 for x in result.record.metrics["value"].values)


def test_changed_method_runs_all_again(two):
    verify(two.folder)
    two.replace("return scale * x", "return x * scale", "method.py")
    verify(two.folder)
    assert two.runs().count("first 1") == two.runs().count("second 1") == 6


def test_claims_that_share_an_experiment_share_its_runs(make_paper):
    claims = [
        {"id": "one"},
        {"id": "two", "expect": {"value": {"below": 2}}, "controls": {"without": {"scale": 4}}},
        {"id": "quarter", "experiment": "measure", "controls": {"without": {"scale": 0.125}}},
    ]
    paper = make_paper(claims=claims)
    results = verify(paper.folder)
    assert verdicts(results) == ["reproduced"] * 3
    scales = [line.split()[1] for line in paper.runs()]
    assert scales.count("1") == 3
    assert len({result.record.run_key for result in results}) == 1


def test_two_processes_at_once_carry_out_each_run_once(make_paper):
    paper = make_paper(code=PAUSE, claims=[{"seeds": {"max": 8}}])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(paper.folder)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert outputs == ["reproduced 8 of 8 seeds held; control rejected\n"] * 2
    method = [line for line in paper.runs() if line.startswith("1 ")]
    assert len(method) == len(set(method)) == 8


def test_killed_verification_is_resumed(make_paper, wait_until, rows):
    paper = make_paper(code=PAUSE, claims=[{"seeds": {"max": 12}}])
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(paper.folder)])
    wait_until(lambda: len(paper.runs()) >= 6, "half of the runs have begun")
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = rows("SELECT COUNT(*) FROM runs")[0][0]
    begun = len(paper.runs())
    assert 2 <= kept <= begun < 12
    assert verdicts(verify(paper.folder, control=False)) == ["reproduced"]
    assert len(paper.runs()) == begun + 12 - kept


def test_failed_run_is_recorded_and_never_reused(make_paper, rows):
    paper = make_paper()
    paper.replace("return {", "print('in vain')\n    raise ValueError('no luck')\n    return {")
    for _ in range(2):
        (result,) = verify(paper.folder)
        assert result.verdict == "error"
    messages = rows("SELECT seed_index, message, log FROM failures WHERE seed_index = 0")
    assert messages == [(0, "ValueError: no luck", "in vain\n")] * 2
    assert rows("SELECT COUNT(*) FROM runs") == [(0,)]
    paper.replace("raise ValueError('no luck')", "pass")
    assert verdicts(verify(paper.folder)) == ["reproduced"]


def test_what_ran_inline_is_not_kept(make_paper):
    paper = make_paper()
    assert verdicts(verify(paper.folder, executor="inline")) == ["reproduced"]
    inline = len(paper.runs())
    assert verdicts(verify(paper.folder)) == ["reproduced"]
    assert [line for line in paper.runs()[inline:] if line.startswith("measure 1 ")] != []


def test_inline_and_workers_measure_the_same(make_paper):
    paper = make_paper()
    inline = verify(paper.folder, executor="inline")
    workers = verify(paper.folder)
    assert inline[0].record.metrics == workers[0].record.metrics


def test_speed_runs_have_the_machine_to_themselves(make_paper):
    code = """
@experiment
def timed(run: Run, *, slow: bool = False) -> dict[str, float]:
    note(f"timed {time.monotonic()}", "times.txt")
    time.sleep(0.05)
    note(f"timed {time.monotonic()}", "times.txt")
    return {"ratio": 2.0 + random.random() - 2 * slow}


@experiment
def other(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"other {time.monotonic()}", "times.txt")
    time.sleep(0.05)
    note(f"other {time.monotonic()}", "times.txt")
    return {"value": scale + random.random()}
"""
    speed = {
        "kind": "speed",
        "expect": {"ratio": {"above": 1.5}},
        "controls": {"without": {"slow": True}},
    }
    paper = make_paper(
        code=code,
        claims=[
            {"id": "plain", "experiment": "other", "controls": {"without": {"scale": -1.0}}},
            {"id": "speed", "experiment": "timed", **speed},
            {"id": "plain-too", "experiment": "other", "controls": {"without": {"scale": -2.0}}},
        ],
    )
    settings = Settings(tier="standard", workers=2)
    assert verdicts(verify_papers([paper.folder], None, settings)) == ["reproduced"] * 3
    times = [line.split()[0] for line in sorted(paper.runs("times.txt"), key=_time_of)]
    runs = len(times) // 2
    assert times.count("timed") >= 24
    alone = [i for i in range(0, len(times), 2) if times[i] == "timed"]
    assert all(times[i + 1] == "timed" for i in alone)
    assert len(alone) == times.count("timed") // 2 <= runs


def _time_of(line):
    return float(line.split()[1])


def test_verification_in_a_thread(make_paper):
    paper, results = make_paper(), []
    thread = threading.Thread(target=lambda: results.extend(verify(paper.folder)))
    thread.start()
    thread.join(30)
    assert verdicts(results) == ["reproduced"]


def test_status_counts_runs(make_paper):
    paper = make_paper(code=PAUSE)
    seen: list[Status] = []
    verify_papers([paper.folder], None, Settings(tier="standard", workers=1), watch=seen.append)
    last = seen[-1]
    assert last.started == len(paper.runs())
    assert last.finished >= 4
    texts = {progress_text(progress) for status in seen for progress in status.running}
    assert "tiny measure (seed 0) 0 %" in texts
    assert all(len(status.running) <= 1 for status in seen)
    assert all(status.finished <= status.started for status in seen)


def test_nothing_to_wait_for(store_home):
    scheduler = Scheduler(Settings(), load_profile("cpu"), store_home)
    assert scheduler.collect() == set()
    assert scheduler.status() == Status(0, 0, ())
    scheduler.close()
    assert not store_home.exists(), "nothing was opened"
