"""The store: every finished run and every verdict, in one SQLite file."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

from claimbench.author import Choice
from claimbench.cache import digest
from claimbench.database import open_database
from claimbench.errors import RecordError, StoreError
from claimbench.identity.keys import Identity
from claimbench.judging.record import Record
from claimbench.judging.verdict import Verdict
from claimbench.running import rows
from claimbench.running.workers.jobs import Outcome

_MIGRATIONS = (
    """
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
    """,
    # records had other fields then; runs are there still and are judged again
    "DELETE FROM verdicts;",
    """
    ALTER TABLE identities ADD COLUMN call TEXT NOT NULL DEFAULT '';
    UPDATE identities SET call = call_in(parts);
    CREATE INDEX identities_by_call ON identities (paper, call);
    CREATE INDEX runs_seconds ON runs (run_key, seconds);
    CREATE INDEX runs_with_artefacts ON runs (run_key, artefacts) WHERE artefacts != '[]';
    """,
    # records had other fields then
    "ALTER TABLE runs ADD COLUMN chosen TEXT NOT NULL DEFAULT '{}'; DELETE FROM verdicts;",
)


@dataclass(frozen=True)
class StoredRun:
    """A finished run as the store has it."""

    index: int
    metrics: dict[str, float]
    started_at: str
    seconds: float
    cpu_seconds: float
    peak_mb: float | None
    commit: str | None = None
    chosen: Mapping[str, Choice] = field(default_factory=dict)

    @classmethod
    def read(cls, row: Sequence[Any]) -> "StoredRun":
        """Return the run of a row that has these columns in this order.

        Raises:
            RecordError: one of them holds something else.
        """
        index, metrics, started_at, seconds, cpu_seconds, peak_mb, commit, chosen = row
        return cls(
            rows.plain(index, "seed_index", int),
            rows.numbers(metrics, "metrics"),
            rows.plain(started_at, "started_at", str),
            rows.plain(seconds, "seconds", float),
            rows.plain(cpu_seconds, "cpu_seconds", float),
            rows.plain(peak_mb, "peak_mb", float, NoneType),
            rows.plain(commit, "commit", str, NoneType),
            rows.choices(chosen, "chosen"),
        )

    @classmethod
    def of(cls, outcome: Outcome, commit: str | None) -> "StoredRun":
        """Return a run that has just ended well, as the store would give it."""
        return cls(
            outcome.job.index,
            outcome.metrics or {},
            outcome.started_at,
            outcome.seconds,
            outcome.cpu_seconds,
            outcome.peak_mb,
            commit,
            outcome.chosen,
        )


class Store:
    """The runs and verdicts kept in a folder; several processes may write at once.

    Raises:
        StoreError: by the constructor and all methods, where the file can't be used.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "store.sqlite"
        with self._explained():
            self._connection = open_database(self.path, _MIGRATIONS, {"call_in": _call_in})
            self._place = self._inode()
        self._identified: set[str] = set()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def runs(self, run_key: str) -> dict[int, StoredRun]:
        """Return the finished runs of a key, by seed index."""
        return {run.index: run for run in self._runs("run_key = ?", run_key)}

    def run(self, run_key: str, index: int) -> StoredRun | None:
        """Return one finished run."""
        return next(iter(self._runs("run_key = ? AND seed_index = ?", run_key, index)), None)

    def _runs(self, which: str, *values: str | int) -> list[StoredRun]:
        with self._explained():
            found = self._connection.execute(
                "SELECT seed_index, metrics, started_at, seconds, cpu_seconds, peak_mb, "
                "json_extract(content, '$.commit'), chosen "
                f"FROM runs LEFT JOIN environments ON id = environment WHERE {which}",
                values,
            ).fetchall()
            return [StoredRun.read(row) for row in found]

    def curves(self, run_key: str, index: int) -> rows.Curves:
        """Return the curves of a finished run; none if it is not there."""
        with self._explained():
            row = self._connection.execute(
                "SELECT curves FROM runs WHERE run_key = ? AND seed_index = ?", (run_key, index)
            ).fetchone()
            return {} if row is None else rows.curves(row[0], "curves")

    def add_run(
        self, outcome: Outcome, identity: Identity, paper: str, environment: dict[str, Any]
    ) -> StoredRun:
        """Write a finished run, once; a run of the same key and seed is replaced."""
        job = outcome.job
        surroundings = json.dumps(environment, sort_keys=True)
        row = (
            *(job.key, job.index, job.seed, paper, job.experiment),
            *(json.dumps(outcome.metrics), json.dumps(outcome.curves), digest(surroundings)),
            *(outcome.started_at, outcome.seconds, outcome.cpu_seconds, outcome.peak_mb),
            *(json.dumps(outcome.artefacts), json.dumps(outcome.chosen)),
        )
        with self._writing():
            if job.key not in self._identified:
                self._connection.execute(
                    "INSERT OR IGNORE INTO identities VALUES (?, ?, ?, ?, ?)",
                    (
                        *(job.key, paper, json.dumps(identity.parts())),
                        *(json.dumps(identity.packages), _call(identity.parts())),
                    ),
                )
            self._connection.execute(
                "INSERT OR IGNORE INTO environments VALUES (?, ?)", (row[7], surroundings)
            )
            self._connection.execute(
                f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * len(row))})", row
            )
        self._identified.add(job.key)
        return StoredRun.of(outcome, environment.get("commit"))

    def environment(self, run_key: str, index: int) -> dict[str, Any]:
        """Return what was recorded of the machine that carried out a run; empty if unknown."""
        with self._explained():
            row = self._connection.execute(
                "SELECT content FROM environments JOIN runs ON id = environment "
                "WHERE run_key = ? AND seed_index = ?",
                (run_key, index),
            ).fetchone()
            return {} if row is None else rows.mapping(row[0], "content")

    def machines(self) -> set[str]:
        """Return the CPU models whose runs are here."""
        with self._explained():
            found = self._connection.execute(
                "SELECT DISTINCT json_extract(parts, '$.machine') FROM identities"
            ).fetchall()
            return {rows.plain(row[0], "parts", str) for row in found if row[0]}

    def repeats(self, run_key: str) -> dict[int, dict[str, float]]:
        """Return what runs of a key gave a second time, in a fresh worker, by seed index."""
        with self._explained():
            found = self._connection.execute(
                "SELECT seed_index, metrics FROM repeats WHERE run_key = ?", (run_key,)
            ).fetchall()
            return {
                rows.plain(index, "seed_index", int): rows.numbers(metrics, "metrics")
                for index, metrics in found
            }

    def add_repeat(self, outcome: Outcome) -> None:
        """Write the metrics of a run's second execution."""
        job = outcome.job
        row = (job.key, job.index, json.dumps(outcome.metrics), outcome.started_at)
        with self._writing():
            self._connection.execute("INSERT OR REPLACE INTO repeats VALUES (?, ?, ?, ?)", row)

    def add_failure(self, outcome: Outcome, paper: str) -> None:
        """Record a run that failed; it is never reused."""
        job, failure = outcome.job, outcome.failure
        if failure is None:
            raise ValueError("the run did not fail")
        row = (
            *(job.key, job.index, paper, job.experiment),
            *(failure.message, failure.traceback, failure.log, outcome.started_at),
        )
        with self._writing():
            self._connection.execute(
                "INSERT INTO failures (run_key, seed_index, paper, experiment, message, "
                "traceback, log, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def add_verdict(self, record: Record, fingerprint: str) -> None:
        """Write a verdict, unless the last one of the claim has the same fingerprint."""
        claim = (record.paper, record.claim, record.tier, record.profile)
        with self._writing():
            last = self._connection.execute(
                "SELECT fingerprint FROM verdicts WHERE paper = ? AND claim = ? AND tier = ? "
                "AND profile = ? ORDER BY id DESC LIMIT 1",
                claim,
            ).fetchone()
            if last is None or last[0] != fingerprint:
                self._connection.execute(
                    "INSERT INTO verdicts (paper, claim, tier, profile, fingerprint, record) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (*claim, fingerprint, json.dumps(record.as_json())),
                )

    def verdict(self, paper: str, claim: str, tier: str, profile: str) -> Verdict | None:
        """Return the last verdict of a claim at a tier and profile."""
        with self._explained():
            row = self._connection.execute(
                "SELECT record FROM verdicts WHERE paper = ? AND claim = ? AND tier = ? "
                "AND profile = ? ORDER BY id DESC LIMIT 1",
                (paper, claim, tier, profile),
            ).fetchone()
            return (
                None if row is None else Record.from_json(rows.plain(row[0], "record", str)).verdict
            )

    def verdicts(self) -> list[Record]:
        """Return the last verdict of each (paper, claim, tier, profile), in that order."""
        with self._explained():
            found = self._connection.execute(
                "SELECT record FROM verdicts WHERE id IN (SELECT MAX(id) FROM verdicts "
                "GROUP BY paper, claim, tier, profile) ORDER BY paper, tier, profile, id"
            ).fetchall()
            return [Record.from_json(rows.plain(row[0], "record", str)) for row in found]

    def typical_seconds(self, identity: Identity, paper: str) -> float | None:
        """Return how long such a run took: of this key, else of the same call by earlier code."""
        with self._explained():
            row = self._connection.execute(
                "SELECT AVG(seconds) FROM identities JOIN runs USING (run_key) "
                "WHERE identities.paper = ? AND call = ? GROUP BY run_key "
                "ORDER BY run_key = ? DESC, MAX(runs.rowid) DESC LIMIT 1",
                (paper, _call(identity.parts()), identity.key),
            ).fetchone()
            return None if row is None else float(rows.plain(row[0], "seconds", float))

    def parts(self, run_key: str) -> dict[str, Any]:
        """Return the parts of the identity behind a run key; empty if it never ran."""
        with self._explained():
            row = self._connection.execute(
                "SELECT parts FROM identities WHERE run_key = ?", (run_key,)
            ).fetchone()
            return {} if row is None else rows.mapping(row[0], "parts")

    def identities(self, paper: str, function: str) -> list[dict[str, Any]]:
        """Return the parts of each identity under which a function of a paper ran, latest first."""
        with self._explained():
            found = self._connection.execute(
                "SELECT parts FROM identities JOIN runs USING (run_key) WHERE runs.paper = ? "
                "AND experiment = ? GROUP BY run_key ORDER BY MAX(runs.rowid) DESC",
                (paper, function),
            ).fetchall()
            return [rows.mapping(row[0], "parts") for row in found]

    def run_keys(self) -> dict[str, tuple[str, set[str]]]:
        """Return for each run key its paper and the artefacts that its runs used."""
        with self._explained():
            keys = self._connection.execute("SELECT run_key, paper FROM identities").fetchall()
            used = self._connection.execute(
                "SELECT DISTINCT run_key, artefacts FROM runs WHERE artefacts != '[]'"
            ).fetchall()
            found: dict[str, tuple[str, set[str]]] = {
                rows.plain(key, "run_key", str): (rows.plain(paper, "paper", str), set())
                for key, paper in keys
            }
            for key, artefacts in used:
                if key not in found:
                    raise RecordError(f"the run key {key!r} has runs and no identity")
                found[key][1].update(rows.texts(artefacts, "artefacts"))
            return found

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with self._explained():
            return {
                table: self._connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
                for table in ("runs", "repeats", "failures", "verdicts")
            }

    def forget(self, run_keys: set[str], failures_before: str) -> None:
        """Remove all runs of some keys, and the failures that began before a time (ISO 8601)."""
        keys = [(key,) for key in sorted(run_keys)]
        with self._writing():
            for table in ("runs", "repeats", "identities"):
                self._connection.executemany(f"DELETE FROM {table} WHERE run_key = ?", keys)
            self._connection.execute(
                "DELETE FROM failures WHERE started_at < ?", (failures_before,)
            )
        with self._explained():
            self._connection.execute("VACUUM")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Commit what is written inside; SQLite itself writes into a file that is gone."""
        with self._explained():
            with self._connection:
                yield
            if self._inode() != self._place:
                raise StoreError(
                    f"{self.path}: it was removed while it was in use, and with it the runs; "
                    "run them again"
                )

    def _inode(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{error.filename or self.path}: {error.strerror or error}; set CLAIMBENCH_HOME to "
                "a folder that can be written"
            ) from error
        except (sqlite3.Error, RecordError) as error:
            raise StoreError(
                f"{self.path}: {error}; set CLAIMBENCH_HOME to a folder that can be written, or "
                "move this file away to start anew"
            ) from error


def _call(parts: dict[str, Any]) -> str:
    """What an identity calls with which arguments, whatever its code is."""
    return json.dumps([parts["function"], parts["arguments"]], sort_keys=True)


def _call_in(parts: str) -> str:
    return _call(json.loads(parts))
