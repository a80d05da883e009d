"""Every version of a paper, each with those it came from, whatever its folder was called."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from claimbench.errors import UsageError
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.history import REPRODUCE, History
from claimbench.spec.problems import shown
from claimbench.spec.reading import Document
from claimbench.spec.reproduce_ast import defaults_in
from claimbench.spec.versions import (
    ClaimVersion,
    PaperVersion,
    document,
    identity_of,
    paper_version,
)

State = tuple[str, str | None, str]
"""Blob of claims.yaml, blob of reproduce.py, slug."""


@dataclass(frozen=True)
class Node:
    """A version of a paper that differs from all those before it.

    Attributes:
        commit: the hash; None for the working tree.
        date: of the commit, ISO 8601; empty for the working tree.
        place: position of the commit in the history.
        slug: what the folder is called.
        parents: positions of the nodes that it came from.
        paper: what it registers.
        claims: also those of earlier nodes that are no longer in the paper, as they were last.
    """

    commit: str | None
    date: str
    place: int
    slug: str
    parents: tuple[int, ...]
    paper: PaperVersion
    claims: Mapping[str, ClaimVersion]


@dataclass(frozen=True)
class Lineage:
    """A paper's versions, parents first; the last is what the working tree has.

    Attributes:
        folder: the paper folder.
        slugs: all names that it has had, the present one first.
        nodes: the versions.
        at: of each commit of the history the node that it has, or None before the first.
        now: what the working tree has.
    """

    folder: Path
    slugs: tuple[str, ...]
    nodes: Sequence[Node]
    at: Sequence[int | None]
    now: int

    @property
    def registered(self) -> bool:
        """Whether any commit has the paper."""
        return self.nodes[0].commit is not None


class Lineages:
    """The lineages of papers in one folder.

    Raises:
        UsageError: a paper's folder or file is a symbolic link, or a claims.yaml can't be read.
    """

    def __init__(self, history: History, folders: Iterable[Path]) -> None:
        self.history = history
        self.folders = {folder.name: folder for folder in folders}
        for folder in self.folders.values():
            _refuse_links(folder)
        self._raw: dict[str, bytes] = {}
        self._documents: dict[str, Document | None] = {}
        self._defaults: dict[str, dict[str, dict[str, Any]]] = {}
        here = {SPEC_FILE, REPRODUCE}
        blobs = {
            blob
            for commit in history.commits
            for path, blob in commit.files.items()
            if path.rpartition("/")[2] in here
            and ((slug := self._slug(path)) in self.folders or slug in self.gone)
        }
        self._raw.update(history.blobs(blobs))

    def of(self, slug: str) -> Lineage:
        """Return the lineage of one of the papers."""
        folder, slugs = self.folders[slug], self.family(slug)
        states = [self._state(commit.files, slugs) for commit in self.history.commits]
        present = self._present(folder)
        first: dict[str, dict[str, Any]] = {}
        for state in [*states, present]:
            for name, defaults in self._defaults_of(state).items():
                first.setdefault(name, defaults)
        nodes: list[Node] = []
        known: list[dict[str, dict[str, Any]]] = []
        at: list[int | None] = []
        kept: list[State | None] = []
        for place, state in enumerate([*states, present]):
            working = place == len(states)
            parents = self._parents(place)
            old = [(at[p], kept[p]) for p in parents if at[p] is not None]
            same = next((node for node, before in old if state in (None, before)), None)
            read = None if state is None else self._document(state[0])
            if same is None and read is None and old:
                same = old[0][0]
            if same is not None or state is None or read is None:
                at.append(same)
                kept.append(None if same is None else next(k for n, k in old if n == same))
                continue
            above = tuple(dict.fromkeys(node for node, _ in old if node is not None))
            carried = {k: v for node in reversed(above) for k, v in known[node].items()}
            defaults = {**first, **carried, **self._defaults_of(state)}
            paper = paper_version(read, defaults)
            claims = {k: v for node in reversed(above) for k, v in nodes[node].claims.items()}
            commit = None if working else self.history.commits[place]
            at.append(len(nodes))
            kept.append(state)
            known.append(defaults)
            nodes.append(
                Node(
                    commit=commit.id if commit else None,
                    date=commit.date if commit else "",
                    place=place,
                    slug=state[2],
                    parents=above,
                    paper=paper,
                    claims={**claims, **paper.claims},
                )
            )
        now = at.pop()
        if now is None:
            raise UsageError(f"{shown(folder / SPEC_FILE)} can't be read; run: claimbench check")
        return Lineage(folder, slugs, nodes, at, now)

    @cached_property
    def gone(self) -> set[str]:
        """Slugs that the history has and the working tree has not."""
        slugs = {self._slug(path) for commit in self.history.commits for path in commit.files}
        return {slug for slug in slugs if not (self.history.root / slug / SPEC_FILE).is_file()}

    def family(self, slug: str) -> tuple[str, ...]:
        """Return what a paper is and was called: folders of the same arXiv id, url or title."""
        family = [slug]
        known = self._identities(slug)
        for other in sorted(self.gone):
            theirs = self._identities(other)
            if any(_same(mine, their) for mine in known for their in theirs):
                family.append(other)
                known += theirs
        return tuple(family)

    def line(self, slug: str) -> Document | None:
        """Return the present claims.yaml of a paper with its lines."""
        return self._document(self._present(self.folders[slug])[0])

    def _identities(self, slug: str) -> list[dict[str, str]]:
        path = f"{self.history.prefix}{slug}/{SPEC_FILE}"
        blobs = dict.fromkeys(
            commit.files[path] for commit in self.history.commits if path in commit.files
        )
        if slug in self.folders:
            blobs[self._present(self.folders[slug])[0]] = None
        read = (self._document(blob) for blob in blobs)
        return [identity_of(found.data) for found in read if found is not None]

    def _slug(self, path: str) -> str:
        return path.removeprefix(self.history.prefix).partition("/")[0]

    def _state(self, files: Mapping[str, str], slugs: Sequence[str]) -> State | None:
        for slug in slugs:
            folder = f"{self.history.prefix}{slug}"
            if (spec := files.get(f"{folder}/{SPEC_FILE}")) is not None:
                return (spec, files.get(f"{folder}/{REPRODUCE}"), slug)
        return None

    def _present(self, folder: Path) -> State:
        blobs = [self._file(folder / name) for name in (SPEC_FILE, REPRODUCE)]
        if blobs[0] is None:
            raise UsageError(f"{shown(folder / SPEC_FILE)} is not there")
        return (blobs[0], blobs[1], folder.name)

    def _file(self, path: Path) -> str | None:
        if not path.is_file():
            return None
        raw = path.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
        self._raw.setdefault(blob, raw)
        return blob

    def _parents(self, place: int) -> tuple[int, ...]:
        if place < len(self.history.commits):
            return self.history.commits[place].parents
        return () if self.history.head is None else (self.history.head,)

    def _document(self, blob: str) -> Document | None:
        if blob not in self._documents:
            self._documents[blob] = document(self._raw[blob])
        return self._documents[blob]

    def _defaults_of(self, state: State | None) -> dict[str, dict[str, Any]]:
        blob = None if state is None else state[1]
        if blob is None:
            return {}
        if blob not in self._defaults:
            self._defaults[blob] = defaults_in(self._raw[blob])
        return self._defaults[blob]


def _same(mine: Mapping[str, str], their: Mapping[str, str]) -> bool:
    """Say whether two papers are one, by the first thing that both are known by."""
    for key in ("arxiv", "url", "title"):
        if key in mine and key in their:
            return mine[key] == their[key]
    return False


def _refuse_links(folder: Path) -> None:
    for path in (folder, folder / SPEC_FILE, folder / REPRODUCE):
        if path.is_symlink():
            what = "folder" if path == folder else "file"
            raise UsageError(
                f"{shown(path)} is a symbolic link, whose history git does not keep; "
                f"put the {what} itself there"
            )
