"""Opening an SQLite file so that several processes may share it."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

BUSY_SECONDS = 30.0


Functions = Mapping[str, Callable[[str], str]]


def open_database(
    path: Path, migrations: Sequence[str], functions: Functions = MappingProxyType({})
) -> sqlite3.Connection:
    """Open the database at `path`; make it whole and move it into place where it is missing.

    Args:
        path: the file; its folder is made too.
        migrations: SQL scripts in order. `PRAGMA user_version` counts those that have run; each
            of the others runs in one transaction with that count.
        functions: of one text each, that the scripts may call by these names.

    Raises:
        sqlite3.Error: the file is no database, is newer than this program, or cannot be written.
        OSError: the folder cannot be made.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=path.suffix)
        os.close(handle)
        fresh = Path(name)
        try:
            connection = sqlite3.connect(fresh)
            connection.execute("PRAGMA journal_mode=WAL")
            _migrate(connection, migrations, functions)
            connection.close()
            with contextlib.suppress(FileExistsError):  # somebody else was first: take theirs
                os.link(fresh, path)
        finally:
            fresh.unlink()
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA synchronous=NORMAL")
    _migrate(connection, migrations, functions)
    return connection


def _migrate(
    connection: sqlite3.Connection, migrations: Sequence[str], functions: Functions
) -> None:
    done = _version(connection)
    if done > len(migrations):
        raise sqlite3.DatabaseError(
            f"it was written by a newer claimbench (schema {done}, this one knows "
            f"{len(migrations)}); upgrade, or set CLAIMBENCH_HOME to another folder"
        )
    for name, function in functions.items() if done < len(migrations) else ():
        connection.create_function(name, 1, function)
    for number in range(done, len(migrations)):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{migrations[number]}\n"
                f"PRAGMA user_version={number + 1};\nCOMMIT;"
            )
        except sqlite3.OperationalError:
            connection.rollback()
            if _version(connection) <= number:  # else another process was first
                raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
