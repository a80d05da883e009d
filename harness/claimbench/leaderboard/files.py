"""Writing a text file at once, or not at all, and a folder of them by one process at a time."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from claimbench.errors import UsageError

_UNFINISHED = ".tmp"


def write_if_changed(path: Path, text: str) -> bool:
    """Write a file, its folders too, unless its content is that already; say whether it was.

    Who reads at the same time sees the old content or the new.

    Raises:
        UsageError: it can't be written.
    """
    content = text.encode()
    with _told(path):
        if path.is_file() and path.read_bytes() == content:
            return False
        _write(path, content)
    return True


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=_UNFINISHED)
    temporary = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time read, change and write the files of a folder.

    Results, `<profile>/<tier>/<slug>.json`, that a killed one had begun to write are removed.

    Raises:
        UsageError: the folder can't be made, or not be written.
    """
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    try:
        with _told(folder):
            fcntl.flock(handle, fcntl.LOCK_EX)
            for left in folder.glob(f"*/*/.*.json-*{_UNFINISHED}"):
                left.unlink()
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as trouble:
        raise UsageError(
            f"{path}: {trouble.strerror or trouble}; let it be written, or name another folder"
        ) from trouble


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
