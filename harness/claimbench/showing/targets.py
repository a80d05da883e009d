"""Files and folders that a command is asked to write, looked at before the work begins."""

import os
from pathlib import Path

from claimbench.errors import UsageError


def check_file(option: str, path: Path) -> None:
    """Refuse a file that could not be written; nothing is touched.

    Raises:
        UsageError: its folder is not there, it is a folder itself, or writing is not allowed.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise UsageError(f"{option} {path}: this is a folder; name a file in it")
    _check_access(option, path, path if path.exists() else path.parent)


def check_folder(option: str, path: Path) -> None:
    """Refuse a folder that could neither be made nor be written in; nothing is touched.

    Raises:
        UsageError: there is a file in its place or above it, or writing is not allowed.
    """
    there = next(place for place in (path, *path.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        raise UsageError(f"{option} {path}: {there} is no folder; choose another place")
    _check_access(option, path, there)


def _check_access(option: str, path: Path, place: Path) -> None:
    if not os.access(place, os.W_OK):
        raise UsageError(f"{option} {path}: {place} cannot be written to; choose another place")
