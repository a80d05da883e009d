"""Where claimbench keeps what it has run, and which commit the code is at."""

import os
from pathlib import Path

from claimbench.errors import GitError
from claimbench.git import git

_MARKS = (".claimbench", "pyproject.toml", ".git")


def home(start: Path | None = None) -> Path:
    """Return the folder of the store: `CLAIMBENCH_HOME`, or `.claimbench` of the project.

    The project is the nearest folder at or above `start` (default: the current one) with a
    `.claimbench`, a `pyproject.toml` or a `.git`; where there is none, it is `start` itself.
    """
    chosen = os.environ.get("CLAIMBENCH_HOME")
    if chosen:
        return Path(os.path.expanduser(chosen)).absolute()
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder / ".claimbench"
    return start / ".claimbench"


def users_home() -> Path:
    """Return the user's home folder; where neither `HOME` nor the system names one, it is `/`."""
    found = os.path.expanduser("~")
    return Path(found if os.path.isabs(found) else os.sep)


def commit(folder: Path) -> str | None:
    """Return the commit that `folder` is at, with `+` where files differ; None outside git."""
    try:
        said = git(folder, "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+")
    except GitError:
        return None
    return said.strip() or None
