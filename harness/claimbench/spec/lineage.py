"""Every version of a paper, each with those it came from, whatever its folder was called."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from claimbench.cache import Cache
from claimbench.errors import UsageError
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.history import REPRODUCE, History
from claimbench.spec.problems import shown
from claimbench.spec.reproduce_ast import defaults_in
from claimbench.spec.versions import (
    ClaimVersion,
    Defaults,
    PaperVersion,
    Read,
    identity_of,
    paper_version,
    read_claims,
)

_FORM = "1"  # of what the cache keeps

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
        states: of each node, the blobs that it was read from.
        at: of each commit of the history the node that it has, or None before the first.
        defaults: of each function as they were when it first was there.
        now: what the working tree has.
    """

    folder: Path
    slugs: tuple[str, ...]
    nodes: Sequence[Node]
    states: Sequence[State]
    at: Sequence[int | None]
    defaults: Defaults
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

    def __init__(
        self, history: History, folders: Iterable[Path], cache: Cache | None = None
    ) -> None:
        self.history = history
        self.folders = {folder.name: folder for folder in folders}
        for folder in self.folders.values():
            _refuse_links(folder)
        self._cache = Cache(None) if cache is None else cache
        self._seen: dict[str, ClaimVersion] = {}
        wanted = {*self.folders, *self.gone}
        self._read: dict[str, dict[str, Any]] = {SPEC_FILE: {}, REPRODUCE: {}}
        for name in self._read:
            self._load(name, self._blobs(name, wanted))

    def of(self, slug: str) -> Lineage:
        """Return the lineage of one of the papers."""
        folder, slugs = self.folders[slug], self.family(slug)
        states = [self._state(commit.files, slugs) for commit in self.history.commits]
        states.append(self._present(folder))
        first: dict[str, dict[str, Any]] = {}
        for state in states:
            for name, defaults in self._defaults_of(state).items():
                first.setdefault(name, defaults)
        nodes: list[Node] = []
        read: list[State] = []
        known: list[Defaults] = []
        at: list[int | None] = []
        for place, state in enumerate(states):
            above = tuple(
                dict.fromkeys(n for p in self._parents(place) if (n := at[p]) is not None)
            )
            found = None if state is None else self._read[SPEC_FILE][state[0]]
            same = next((n for n in above if state == read[n]), None)
            if state is None or found is None or same is not None:  # gone, unreadable or the same
                at.append(above[0] if same is None and above else same)
                continue
            before = {k: v for n in reversed(above) for k, v in known[n].items()}
            known.append({**first, **before, **self._defaults_of(state)})
            paper = paper_version(Read(**found), known[-1], self._seen)
            at.append(len(nodes))
            read.append(state)
            nodes.append(self._node(place, state[2], above, paper, nodes))
        now = at.pop()
        if now is None or read[now] != states[-1]:
            raise UsageError(f"{shown(folder / SPEC_FILE)} can't be read; run: claimbench check")
        return Lineage(folder, slugs, nodes, read, at, first, now)

    def _node(
        self,
        place: int,
        slug: str,
        parents: tuple[int, ...],
        paper: PaperVersion,
        nodes: Sequence[Node],
    ) -> Node:
        working = place == len(self.history.commits)
        commit = None if working else self.history.commits[place]
        carried = {k: v for n in reversed(parents) for k, v in nodes[n].claims.items()}
        return Node(
            commit=commit.id if commit else None,
            date=commit.date if commit else "",
            place=place,
            slug=slug,
            parents=parents,
            paper=paper,
            claims={**carried, **paper.claims},
        )

    def paper_at(self, files: Mapping[str, str], lineage: Lineage) -> PaperVersion | None:
        """Return what a paper registers with other files; None if it is not among them."""
        state = self._state(files, lineage.slugs)
        if state is None:
            return None
        if state in lineage.states:
            return lineage.nodes[lineage.states.index(state)].paper
        for name, blob in zip((SPEC_FILE, REPRODUCE), state, strict=False):
            self._load(name, {blob} if blob else set())
        found = self._read[SPEC_FILE][state[0]]
        defaults = {**lineage.defaults, **self._defaults_of(state)}
        return None if found is None else paper_version(Read(**found), defaults, self._seen)

    @cached_property
    def gone(self) -> set[str]:
        """Slugs that the history has and the working tree has not."""
        slugs = {self._slug(path) for commit in self.history.commits for path in commit.files}
        return {slug for slug in slugs if not (self.history.root / slug / SPEC_FILE).is_file()}

    def family(self, slug: str) -> tuple[str, ...]:
        """Return what a paper is and was called: folders of the same arXiv id, url or title."""
        family = [slug]
        if not self.gone:
            return (slug,)
        known = self._identities(slug)
        for other in sorted(self.gone):
            theirs = self._identities(other)
            if any(_same(mine, their) for mine in known for their in theirs):
                family.append(other)
                known += theirs
        return tuple(family)

    def _identities(self, slug: str) -> list[dict[str, str]]:
        path = f"{self.history.prefix}{slug}/{SPEC_FILE}"
        blobs = dict.fromkeys(
            commit.files[path] for commit in self.history.commits if path in commit.files
        )
        if slug in self.folders:
            blobs[self._present(self.folders[slug])[0]] = None
        read = (self._read[SPEC_FILE][blob] for blob in blobs)
        return [identity_of(found["data"]) for found in read if found is not None]

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
        if blob not in self._read[path.name]:
            self._read[path.name][blob] = _READERS[path.name](raw)
        return blob

    def _parents(self, place: int) -> tuple[int, ...]:
        if place < len(self.history.commits):
            return self.history.commits[place].parents
        return () if self.history.head is None else (self.history.head,)

    def _defaults_of(self, state: State | None) -> dict[str, dict[str, Any]]:
        blob = None if state is None else state[1]
        defaults: dict[str, dict[str, Any]] = self._read[REPRODUCE][blob] if blob else {}
        return defaults

    def _blobs(self, name: str, slugs: Collection[str]) -> set[str]:
        return {
            blob
            for commit in self.history.commits
            for path, blob in commit.files.items()
            if path.endswith(f"/{name}") and self._slug(path) in slugs
        }

    def _load(self, name: str, blobs: set[str]) -> None:
        new = blobs - {*self._read[name]}
        self._read[name].update(
            self.history.parsed(new, _READERS[name], f"{name} {_FORM}", self._cache)
        )


def _claims_as_json(raw: bytes) -> dict[str, Any] | None:
    read = read_claims(raw)
    return None if read is None else vars(read)


_READERS: dict[str, Callable[[bytes], Any]] = {SPEC_FILE: _claims_as_json, REPRODUCE: defaults_in}


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
