"""What can be computed again, kept by the content that it was computed from."""

import contextlib
import hashlib
import sqlite3
from pathlib import Path

from claimbench.database import open_database

_MIGRATIONS = (
    "CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
    # values come with a checksum, so that whoever asks for one can trust it
    "DROP TABLE entries; CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, "
    "checksum TEXT NOT NULL) WITHOUT ROWID;",
)


def digest(*parts: bytes | str) -> str:
    """Return the SHA-256 of the parts, each with its length, in hexadecimal."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


class Cache:
    """A key-value store in `cache.sqlite`; where that cannot be used, a dictionary."""

    def __init__(self, folder: Path | None) -> None:
        self._memory: dict[str, str] = {}
        self._new: list[tuple[str, str]] = []
        self._connection: sqlite3.Connection | None = None
        if folder is not None:
            with contextlib.suppress(sqlite3.Error, OSError):
                self._connection = open_database(folder / "cache.sqlite", _MIGRATIONS)

    def get(self, key: str) -> str | None:
        """Return what was kept under the key; None if nothing was, or it is damaged."""
        if key in self._memory:
            return self._memory[key]
        if self._connection is None:
            return None
        with contextlib.suppress(sqlite3.Error):
            row = self._connection.execute(
                "SELECT value, checksum FROM entries WHERE key = ?", (key,)
            ).fetchone()
            if row is not None and isinstance(row[0], str) and row[1] == digest(key, row[0]):
                self._memory[key] = row[0]
        return self._memory.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep the value; it reaches the disk with `flush`."""
        self._memory[key] = value
        self._new.append((key, value))

    def flush(self) -> None:
        """Write what is new in one transaction."""
        if self._connection is None or not self._new:
            return
        with contextlib.suppress(sqlite3.Error), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)",
                [(key, value, digest(key, value)) for key, value in self._new],
            )
        self._new.clear()

    def close(self) -> None:
        """Write what is new and close the file."""
        self.flush()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
