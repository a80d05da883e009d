"""Database files are made whole, and migrated in order."""

import sqlite3
from multiprocessing import get_context
from pathlib import Path

import pytest

from claimbench.database import open_database

FIRST = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"
SECOND = "ALTER TABLE a ADD COLUMN y INTEGER;"


def columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(a)")]


def test_new_file_has_every_migration_and_a_write_ahead_log(tmp_path: Path):
    connection = open_database(tmp_path / "below" / "s.sqlite", [FIRST, SECOND])
    assert columns(connection) == ["x", "y"]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert [path.name for path in (tmp_path / "below").glob(".new-*")] == []


def test_old_file_gets_what_it_lacks_and_keeps_its_rows(tmp_path: Path):
    open_database(tmp_path / "s.sqlite", [FIRST]).close()
    connection = open_database(tmp_path / "s.sqlite", [FIRST, SECOND])
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, None)]


def test_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path):
    open_database(tmp_path / "s.sqlite", [FIRST]).close()
    with pytest.raises(sqlite3.Error):
        open_database(tmp_path / "s.sqlite", [FIRST, f"{SECOND} NONSENSE;"])
    connection = open_database(tmp_path / "s.sqlite", [FIRST])
    assert columns(connection) == ["x"]


def test_file_of_a_newer_program_is_refused(tmp_path: Path):
    open_database(tmp_path / "s.sqlite", [FIRST, SECOND]).close()
    with pytest.raises(sqlite3.DatabaseError, match="newer claimbench"):
        open_database(tmp_path / "s.sqlite", [FIRST])


def open_and_count(path: Path) -> int:
    connection = open_database(path, [FIRST])
    (rows,) = connection.execute("SELECT COUNT(*) FROM a").fetchone()
    return int(rows)


def test_many_processes_may_make_it_at_once(tmp_path: Path):
    with get_context("spawn").Pool(4) as pool:
        assert pool.map(open_and_count, [tmp_path / "s.sqlite"] * 12) == [1] * 12
