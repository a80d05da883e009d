"""Where claimbench keeps what it has run, and which commit the code is at."""

import os
import subprocess
from pathlib import Path

_MARKS = (".claimbench", "pyproject.toml", ".git")


def home(start: Path | None = None) -> Path:
    """Return the folder of the store: `CLAIMBENCH_HOME`, or `.claimbench` of the project.

    The project is the nearest folder at or above `start` (default: the current one) with a
    `.claimbench`, a `pyproject.toml` or a `.git`; where there is none, it is `start` itself.
    """
    chosen = os.environ.get("CLAIMBENCH_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder / ".claimbench"
    return start / ".claimbench"


def commit(folder: Path) -> str | None:
    """Return the commit that `folder` is at, with `+` where files differ; None outside git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(
            [*command, "--dirty=+"], capture_output=True, text=True, check=False, timeout=20
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
