"""Asking git, the one way that all of claimbench does it."""

import subprocess
from pathlib import Path

from claimbench.errors import GitError

SECONDS = 60.0


def git(folder: Path, *words: str) -> str:
    """Return what git answers in a folder: `git(folder, "rev-parse", "HEAD")`.

    The answer is read as UTF-8 in any locale, other bytes as surrogates, and paths are not quoted.

    Raises:
        GitError: there is no git, it takes more than a minute, or it refuses.
    """
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "core.quotePath=off", *words],
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except FileNotFoundError:
        raise GitError("git is not installed; install it, or do without history") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {words[0]} in {folder}: no answer in {SECONDS:g} s") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", errors="replace").strip()
        reason = said or f"no such revision: {words[-1].removesuffix('^{commit}')}"
        raise GitError(f"git {words[0]} in {folder}: {reason}")
    return done.stdout.decode("utf-8", errors="surrogateescape")
