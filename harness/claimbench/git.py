"""Asking git, the one way that all of claimbench does it."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from claimbench.errors import GitError

SECONDS = 60.0


def git(folder: Path, *words: str) -> str:
    """Return what git answers in a folder: `git(folder, "rev-parse", "HEAD")`.

    The answer is read as UTF-8 in any locale, other bytes as surrogates, and paths are not quoted.

    Raises:
        GitError: there is no git, it takes more than a minute, or it refuses.
    """
    return _answer(folder, words).decode("utf-8", errors="surrogateescape")


def git_blobs(folder: Path, ids: Iterable[str]) -> dict[str, bytes]:
    """Return the content of each blob, by its id, from one process.

    Raises:
        GitError: there is no git, it takes more than a minute, or it lacks one of them.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    answer = _answer(folder, ("cat-file", "--batch"), "\n".join(wanted).encode() + b"\n")
    blobs, start = {}, 0
    for id in wanted:
        end = answer.index(b"\n", start)
        size = answer[start:end].split()[-1]
        if not size.isdigit():
            raise GitError(f"git cat-file in {folder}: {id} is {size.decode(errors='replace')}")
        blobs[id] = answer[end + 1 : end + 1 + int(size)]
        start = end + 2 + int(size)
    return blobs


def _answer(folder: Path, words: Sequence[str], given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "core.quotePath=off", *words],
            input=given,
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
    return done.stdout
