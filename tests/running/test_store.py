"""The store: rows written once, read back as they were, by several processes."""

import json
import math
import sqlite3
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from claimbench.database import open_database
from claimbench.errors import StoreError
from claimbench.identity.keys import Identity
from claimbench.judging.record import Record
from claimbench.judging.verdict import Verdict
from claimbench.profiles import load_profile
from claimbench.running import store as store_module
from claimbench.running.store import Store
from claimbench.running.workers.jobs import Failure, Job, Outcome
from tests.records import make_record


def identity(**changes: Any) -> Identity:
    words = {
        "function": "f",
        "files": {"reproduce.py": "abc"},
        "arguments": {"n": 1},
        "precision": "float32",
        "profile": "cpu",
        "profile_digest": "def",
        "packages": {"python": "3.11"},
        **changes,
    }
    return Identity(**words)


def outcome(index: int = 0, *, key: str | None = None, **changes: Any) -> Outcome:
    job = Job(
        key=key or identity().key,
        index=index,
        seed=7,
        folder=Path("paper"),
        experiment="f",
        arguments={"n": 1},
        precision="float32",
        profile=load_profile("cpu"),
        preload=(),
        timeout=1.0,
        exclusive=False,
        home=Path("home"),
    )
    words = {
        "metrics": {"x": 0.1, "worst": float("inf")},
        "curves": {"loss": ([0.0, 1.0], [2.0, 1.0])},
        "started_at": f"2026-01-0{index + 1}",
        "seconds": 1.5,
        "cpu_seconds": 1.25,
        "peak_mb": 10.0,
        "chosen": {
            "SGD": {"setting": {"lr": 0.1}, "grid": {"lr": [0.1, 1.0]}, "at_end": ["lr"]},
        },
        **changes,
    }
    return Outcome(job, **words)


def record(**changes: Any) -> Record:
    return make_record(**{"paper": "p", "claim": "c", "held": 1, **changes})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_run_comes_back_as_it_was_written(store: Store, tmp_path: Path):
    written = store.add_run(outcome(), identity(), "paper", {"cpu": "x"})
    assert written == Store(tmp_path).run(identity().key, 0)
    assert written.metrics == {"x": 0.1, "worst": float("inf")}
    assert written.chosen == outcome().chosen != {}
    assert store.curves(identity().key, 0) == {"loss": ([0.0, 1.0], [2.0, 1.0])}


def test_environment_is_kept_once_and_comes_back(store: Store, tmp_path: Path):
    for index in range(3):
        store.add_run(outcome(index), identity(), "paper", {"cpu": "x", "flags": "avx2"})
    assert store.environment(identity().key, 1) == {"cpu": "x", "flags": "avx2"}
    assert store.environment("nothing", 0) == {}
    rows = sqlite3.connect(tmp_path / "store.sqlite").execute("SELECT COUNT(*) FROM environments")
    assert rows.fetchone() == (1,)


def test_runs_of_a_key_come_by_seed_index(store: Store):
    for index in (2, 0):
        store.add_run(outcome(index), identity(), "paper", {})
    store.add_run(outcome(1, key="other"), identity(), "paper", {})
    assert sorted(store.runs(identity().key)) == [0, 2]


def test_what_is_not_there_is_none(store: Store):
    assert store.run("nothing", 0) is None
    assert store.curves("nothing", 0) == {}
    assert store.identities("paper", "f") == []


def test_failure_is_recorded_and_is_no_run(store: Store, tmp_path: Path):
    failed = outcome(metrics=None, failure=Failure("boom", "trace", "log"))
    store.add_failure(failed, "paper")
    assert store.runs(identity().key) == {}
    rows = sqlite3.connect(tmp_path / "store.sqlite").execute(
        "SELECT run_key, message, traceback, log FROM failures"
    )
    assert rows.fetchall() == [(identity().key, "boom", "trace", "log")]


def test_verdict_is_added_only_when_it_changed(store: Store, tmp_path: Path):
    for held, fingerprint in ((1, "a"), (2, "a"), (3, "b")):
        store.add_verdict(record(held=held), fingerprint)
    rows = sqlite3.connect(tmp_path / "store.sqlite").execute("SELECT COUNT(*) FROM verdicts")
    assert rows.fetchone() == (2,)
    assert [verdict.held for verdict in store.verdicts()] == [3]


def test_verdicts_are_the_last_of_each_claim_tier_and_profile(store: Store):
    store.add_verdict(record(tier="standard"), "a")
    store.add_verdict(record(claim="d"), "a")
    store.add_verdict(record(), "a")
    store.add_verdict(record(held=5), "b")
    found = [(v.claim, v.tier, v.held) for v in store.verdicts()]
    assert found == [("d", "smoke", 1), ("c", "smoke", 5), ("c", "standard", 1)]


def test_verdict_comes_back_as_a_record(store: Store):
    infinite = {"median": "inf", "low": "inf", "high": "inf", "values": ["inf"]}
    written = record(metrics={"value": infinite})
    store.add_verdict(written, "a")
    assert store.verdicts() == [written]
    assert store.verdict("p", "c", "smoke", "cpu") is Verdict.REPRODUCED
    assert store.verdict("p", "c", "standard", "cpu") is None


def test_verdicts_of_an_earlier_form_go_and_runs_stay(tmp_path: Path):
    old = open_database(tmp_path / "store.sqlite", store_module._MIGRATIONS[:1])
    with old:
        old.execute(
            "INSERT INTO verdicts (paper, claim, tier, profile, fingerprint, record) "
            """VALUES ('p', 'c', 'smoke', 'cpu', 'a', '{"claim": "c", "mean": Infinity}')"""
        )
        old.execute(
            "INSERT INTO runs VALUES ('k', 0, 7, 'p', 'f', '{\"x\": 0.1}', '{}', 'e', "
            "'2026-01-01', 1.5, 1.25, 10.0, '[]')"
        )
    old.close()
    store = Store(tmp_path)
    assert store.verdicts() == []
    assert store.runs("k")[0].metrics == {"x": 0.1}


def test_record_that_cannot_be_read_is_one_clear_message(store: Store, tmp_path: Path):
    store.add_verdict(record(), "a")
    with sqlite3.connect(tmp_path / "store.sqlite") as other:
        other.execute("UPDATE verdicts SET record = replace(record, '\"paper\"', '\"slug\"')")
    message = r"store\.sqlite: no field `paper`; unknown field `slug`; set CLAIMBENCH_HOME"
    with pytest.raises(StoreError, match=message):
        store.verdicts()
    with pytest.raises(StoreError, match=message):
        store.verdict("p", "c", "smoke", "cpu")


def test_identities_come_latest_first_even_if_the_clock_was_set_back(store: Store):
    newer = identity(arguments={"n": 2})
    store.add_run(outcome(0, started_at="2026-01-02"), identity(), "paper", {})
    store.add_run(outcome(1, key=newer.key, started_at="2019-01-01"), newer, "paper", {})
    found = [parts["arguments"] for parts in store.identities("paper", "f")]
    assert found == [{"n": 2}, {"n": 1}]


def test_unusable_file_is_one_clear_message(tmp_path: Path):
    (tmp_path / "store.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"store\.sqlite: .*; set CLAIMBENCH_HOME to a folder"):
        Store(tmp_path)


def write_many(home: Path, first: int) -> None:
    store = Store(home)
    for index in range(first, first + 20):
        store.add_run(outcome(index, started_at="2026-01-01"), identity(), "paper", {})
        store.add_verdict(record(claim=f"c{index}"), "a")
    store.close()


def test_parallel_writers_lose_nothing(tmp_path: Path):
    with get_context("spawn").Pool(4) as pool:
        pool.starmap(write_many, [(tmp_path, first) for first in (0, 20, 40, 60)])
    store = Store(tmp_path)
    assert sorted(store.runs(identity().key)) == list(range(80))
    assert len(store.verdicts()) == 80


# how long runs took

FIRST_SCHEMA = """
CREATE TABLE identities (
    run_key TEXT PRIMARY KEY, paper TEXT NOT NULL, parts TEXT NOT NULL, packages TEXT NOT NULL
);
CREATE TABLE runs (
    run_key TEXT NOT NULL, seed_index INTEGER NOT NULL, seed INTEGER NOT NULL,
    paper TEXT NOT NULL, experiment TEXT NOT NULL, metrics TEXT NOT NULL,
    curves TEXT NOT NULL, environment TEXT NOT NULL, started_at TEXT NOT NULL,
    seconds REAL NOT NULL, cpu_seconds REAL NOT NULL, peak_mb REAL,
    artefacts TEXT NOT NULL, PRIMARY KEY (run_key, seed_index)
);
CREATE TABLE environments (id TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE repeats (
    run_key TEXT NOT NULL, seed_index INTEGER NOT NULL, metrics TEXT NOT NULL,
    started_at TEXT NOT NULL, PRIMARY KEY (run_key, seed_index)
);
CREATE TABLE failures (
    id INTEGER PRIMARY KEY, run_key TEXT NOT NULL, seed_index INTEGER NOT NULL,
    paper TEXT NOT NULL, experiment TEXT NOT NULL, message TEXT NOT NULL,
    traceback TEXT NOT NULL, log TEXT NOT NULL, started_at TEXT NOT NULL
);
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY, paper TEXT NOT NULL, claim TEXT NOT NULL, tier TEXT NOT NULL,
    profile TEXT NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL
);
CREATE INDEX verdicts_by_claim ON verdicts (paper, claim, tier, profile);
PRAGMA user_version=1;
"""


def add(store: Store, one: Identity, seconds: float, index: int = 0, **more: Any) -> None:
    store.add_run(outcome(index, key=one.key, seconds=seconds, **more), one, "paper", {})


def test_usual_time_is_the_mean_of_this_key_else_of_the_latest_same_call(store: Store):
    now, before, long_ago = (identity(files={"a.py": text}) for text in "abc")
    assert store.typical_seconds(now, "paper") is None
    add(store, long_ago, 9.0)
    add(store, before, 2.0)
    add(store, before, 4.0, 1)
    assert store.typical_seconds(now, "paper") == 3.0
    add(store, now, 1.0)
    add(store, before, 6.0, 2)
    assert store.typical_seconds(now, "paper") == 1.0


@pytest.mark.parametrize(
    "other",
    [{"arguments": {"n": 2}}, {"arguments": {"n": 1.0}}, {"arguments": {}}, {"function": "g"}],
)
def test_another_call_says_nothing_of_the_time(store: Store, other: dict[str, Any]):
    add(store, identity(), 9.0)
    assert store.typical_seconds(identity(**other), "paper") is None
    assert store.typical_seconds(identity(), "another paper") is None


def test_order_of_arguments_and_infinite_ones_make_no_other_call(store: Store):
    one = identity(arguments={"a": [1, 2], "b": math.inf}, files={"a.py": "old"})
    add(store, one, 9.0)
    assert store.typical_seconds(identity(arguments={"b": math.inf, "a": [1, 2]}), "paper") == 9.0


def old_store(home: Path) -> Identity:
    """Write a store of the first schema with one run, and return its identity."""
    old = identity(arguments={"b": math.inf, "a": 0.1})
    home.mkdir()
    connection = sqlite3.connect(home / "store.sqlite")
    connection.executescript(FIRST_SCHEMA)
    parts = (json.dumps(old.parts()), json.dumps(old.packages))
    connection.execute("INSERT INTO identities VALUES (?, ?, ?, ?)", (old.key, "paper", *parts))
    row = (old.key, 0, 7, "paper", "f", '{"x": 1.0}', "{}", "e", "2026", 2.5, 2.0, 9.0, '["art"]')
    connection.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(row))})", row)
    connection.commit()
    connection.close()
    return old


def test_store_of_the_first_schema_is_brought_up_to_date(tmp_path: Path):
    old = old_store(tmp_path / "home")
    store = Store(tmp_path / "home")
    assert store.runs(old.key)[0].metrics == {"x": 1.0}
    again = identity(arguments={"a": 0.1, "b": math.inf}, files={"a.py": "new"})
    assert store.typical_seconds(again, "paper") == 2.5
    assert store.run_keys() == {old.key: ("paper", {"art"})}
    add(store, again, 5.0)
    assert store.typical_seconds(again, "paper") == 5.0


def open_and_ask(home: Path, one: Identity) -> float | None:
    return Store(home).typical_seconds(one, "paper")


def test_many_processes_may_bring_it_up_to_date_at_once(tmp_path: Path):
    old = old_store(tmp_path / "home")
    with get_context("spawn").Pool(4) as pool:
        assert pool.starmap(open_and_ask, [(tmp_path / "home", old)] * 12) == [2.5] * 12


def test_run_keys_have_their_paper_and_all_artefacts_of_their_runs(store: Store):
    other = identity(arguments={"n": 2})
    store.add_run(outcome(0, artefacts=("a", "b")), identity(), "paper", {})
    store.add_run(outcome(1, artefacts=("b", "c")), identity(), "paper", {})
    store.add_run(outcome(0, key=other.key), other, "another", {})
    assert store.run_keys() == {
        identity().key: ("paper", {"a", "b", "c"}),
        other.key: ("another", set()),
    }


def test_what_is_forgotten_has_no_key_and_no_time(store: Store):
    other = identity(arguments={"n": 2})
    add(store, identity(), 1.0)
    add(store, other, 2.0)
    store.forget({identity().key}, "2020")
    assert list(store.run_keys()) == [other.key]
    assert store.typical_seconds(identity(), "paper") is None
    assert store.typical_seconds(other, "paper") == 2.0
