"""The commits that touched the files of papers, and what stood in these files then.

Everything comes from one `git log` and one `git cat-file`, for all papers at once.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimbench.cache import Cache, digest
from claimbench.errors import GitError
from claimbench.git import git, git_blobs
from claimbench.spec.discovery import SPEC_FILE

REPRODUCE = "reproduce.py"
PATHS = (f":(glob)*/{SPEC_FILE}", f":(glob)*/{REPRODUCE}")
"""What is registered, as git is asked for it in the folder of papers."""

_LOG = (
    *("log", "--full-history", "--parents", "--topo-order", "--reverse", "--no-show-signature"),
    *("--raw", "--no-abbrev", "--no-renames", "--diff-merges=first-parent", "--no-color"),
    "--format=@%H %cs %P",
)
_LINK = "120000"


@dataclass(frozen=True)
class Commit:
    """A commit that touched one of the files, or is a merge of such.

    Attributes:
        id: its hash.
        date: of the committer, ISO 8601.
        parents: positions in the history of the nearest earlier commits of this kind.
        files: path from the top of the repository to blob, for all the files that were there.
        changed: paths that differ from the first parent.
    """

    id: str
    date: str
    parents: tuple[int, ...]
    files: Mapping[str, str]
    changed: frozenset[str]


@dataclass(frozen=True)
class History:
    """The commits behind HEAD, and behind another revision if one was named.

    Attributes:
        root: the folder of papers.
        prefix: path from the top of the repository to this folder, with a slash at its end.
        commits: parents before children.
        head: position of the last commit behind HEAD; None if there is none.
    """

    root: Path
    prefix: str
    commits: Sequence[Commit]
    head: int | None

    def parsed(
        self, blobs: Collection[str], read: Callable[[bytes], Any], form: str, cache: Cache
    ) -> dict[str, Any]:
        """Return what is read from each blob, as JSON data; git is asked for what is new alone.

        Args:
            blobs: their ids.
            read: makes JSON data of a content.
            form: of these data; another one is read anew.
            cache: what was read before.
        """
        keys = {blob: digest("history", form, blob) for blob in blobs}
        kept = {blob: text for blob, key in keys.items() if (text := cache.get(key)) is not None}
        for blob, content in git_blobs(self.root, [b for b in blobs if b not in kept]).items():
            kept[blob] = json.dumps(read(content))
            cache.put(keys[blob], kept[blob])
        return {blob: json.loads(text) for blob, text in kept.items()}


def read_history(root: Path, paths: Sequence[str] = PATHS) -> History:
    """Return the history of files below HEAD.

    Args:
        root: the folder of papers.
        paths: what git is asked for, as pathspecs from that folder.

    Raises:
        GitError: there is no git or no repository, or its history was cut off.
    """
    where = git(root, "rev-parse", "--show-prefix", "--is-shallow-repository")
    prefix, shallow = where.split("\n")[:2]
    if shallow == "true":
        raise GitError(
            f"{root} lies in a shallow clone, which lacks the commits that registered the claims; "
            "get the rest: git fetch --unshallow"
        )
    commits: list[Commit] = []
    if not _has_head(root):
        return History(root, prefix, commits, None)
    places: dict[str, int] = {}
    text = git(root, "-c", "log.showRoot=true", *_LOG, "HEAD", "--", *paths)
    for block in text.split("\n@") if text else []:
        head, *changes = block.removeprefix("@").split("\n")
        id, date, *parents = head.split(" ")
        known = tuple(places[parent] for parent in parents if parent in places)
        files = dict(commits[known[0]].files) if known else {}
        changed = frozenset(_apply(change, files) for change in changes if change[:1] == ":")
        places[id] = len(commits)
        commits.append(Commit(id, date, known, files, changed))
    return History(root, prefix, commits, len(commits) - 1 if commits else None)


def fork(root: Path, revision: str) -> str:
    """Return the last commit that HEAD shares with a revision; the revision if there is none.

    Raises:
        GitError: git does not know the revision.
    """
    id = git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    try:
        return git(root, "merge-base", id, "HEAD").split()[0]
    except GitError:
        return id


def files_at(history: History, revision: str) -> dict[str, str]:
    """Return path to blob of what is registered at a revision."""
    listed = git(history.root, "ls-tree", "-r", "--full-name", revision, "./").split("\n")
    files = {}
    for line in filter(None, listed):
        kind, path = line.split("\t", 1)
        mode, _, blob = kind.split()
        if mode != _LINK and path.rpartition("/")[2] in (SPEC_FILE, REPRODUCE):
            files[path] = blob
    return files


def before(history: History, revision: str) -> set[str]:
    """Return the hashes of a revision and of all commits behind it."""
    return set(git(history.root, "rev-list", revision).split())


def _apply(change: str, files: dict[str, str]) -> str:
    """Follow one line of `--raw`, `:100644 100644 <old> <new> M<TAB>path`; return the path."""
    kind, path = change.split("\t", 1)
    _, mode, _, blob, letter = kind.split(" ")
    if letter == "D" or mode == _LINK:
        files.pop(path, None)
    else:
        files[path] = blob
    return path


def _has_head(root: Path) -> bool:
    try:
        git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        return False
    return True
