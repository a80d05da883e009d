"""The verdicts that were published at each commit, read from git.

The form of published files has changed over time; the words alone are read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from claimbench.cache import Cache
from claimbench.git import git
from claimbench.leaderboard.published import RESULTS
from claimbench.spec.history import PATHS, Commit, History, read_history

Words = Mapping[str, str]
"""Of each tier the verdict; of another profile than cpu with its name, as `gpu full`."""

_USUAL = "cpu"


def history_with_verdicts(root: Path) -> tuple[History, str]:
    """Return the history of papers and published files, and the path of these in git.

    Args:
        root: the folder of papers.

    Raises:
        GitError: there is no git or no repository, or its history was cut off.
    """
    prefix = git(root, "rev-parse", "--show-prefix").strip()
    if not prefix:  # the folder of papers is the top, so that nothing lies beside it
        return read_history(root), ""
    history = read_history(root, (*PATHS, f":(glob)../{RESULTS.as_posix()}/*/*/*.json"))
    return history, f"{prefix.removesuffix(f'{root.name}/')}{RESULTS.as_posix()}/"


class Published:
    """The words of one paper's published verdicts, at every commit of a history.

    Args:
        history: with the published files.
        files: of the paper, whatever it was called.
        words: of each blob the verdicts by claim.
    """

    def __init__(
        self, history: History, files: Iterable[Files], words: Mapping[str, dict[str, str]]
    ) -> None:
        self._commits, self._words = history.commits, words
        tiers = {path: tier for file in files for path, tier in file.tiers.items()}
        self._touched = sorted({place for file in files for place in file.places})
        touched = {*self._touched}
        self._files: list[dict[str, str]] = []
        for place, commit in enumerate(history.commits):
            if place in touched:
                there = {t: commit.files[path] for path, t in tiers.items() if path in commit.files}
            else:
                there = self._files[commit.parents[0]] if commit.parents else {}
            self._files.append(there)

    def at(self, place: int, ids: Collection[str]) -> Words:
        """Return the verdicts that stand at a commit on a claim, or one that it supersedes."""
        found = {}
        for tier, blob in sorted(self._files[place].items()):
            words = self._words[blob]
            word = next((words[id] for id in ids if id in words), None)
            if word is not None:
                found[tier] = word
        return found

    def before(self, place: int, ids: Collection[str]) -> Words:
        """Return the verdicts that stood before a commit; one more is the working tree."""
        last = place == len(self._commits)
        parents = (place - 1,)[:place] if last else self._commits[place].parents
        return self.at(parents[0], ids) if parents else {}

    def after(self, place: int, ids: Collection[str]) -> Words:
        """Return the verdicts that were first published with a commit or since."""
        found: dict[str, str] = {}
        for later in self._touched[bisect_left(self._touched, place) :]:
            old = [self._files[parent] for parent in self._commits[later].parents]
            for tier, word in self.at(later, ids).items():
                blob = self._files[later][tier]
                if tier not in found and all(files.get(tier) != blob for files in old):
                    found[tier] = word
        return found

    def changes(self, ids: Collection[str]) -> list[tuple[int, Commit, dict[str, tuple[str, str]]]]:
        """Return each commit that changed a word: by tier, the word before and the one since."""
        found = []
        for place in self._touched:
            commit = self._commits[place]
            before = [self.at(parent, ids) for parent in commit.parents]
            changed = {
                tier: (before[0].get(tier, "none") if before else "none", word)
                for tier, word in self.at(place, ids).items()
                if all(old.get(tier) != word for old in before)
            }
            if changed:
                found.append((place, commit, changed))
        return found


@dataclass
class Files:
    """The published files of one folder's name.

    Attributes:
        tiers: of each path the tier, with the profile unless it is the usual one.
        places: positions of the commits that touched one of them.
    """

    tiers: dict[str, str] = field(default_factory=dict)
    places: set[int] = field(default_factory=set)


def published_files(history: History, results: str) -> dict[str, Files]:
    """Return the published files by the name of the paper's folder."""
    found: defaultdict[str, Files] = defaultdict(Files)
    for place, commit in enumerate(history.commits):
        for path in commit.changed if results else ():
            if path.startswith(results):
                profile, tier, name = path.removeprefix(results).split("/")
                files = found[name.removesuffix(".json")]
                files.tiers[path] = tier if profile == _USUAL else f"{profile} {tier}"
                files.places.add(place)
    return dict(found)


def words_in(raw: bytes) -> dict[str, str]:
    """Return the verdict of each claim in a published file; where machines differ, all of them."""
    try:
        data = orjson.loads(raw)
    except ValueError:
        return {}
    claims = data.get("claims") if isinstance(data, dict) else None
    found = {}
    for id, entry in claims.items() if isinstance(claims, dict) else ():
        results = entry.get("results") if isinstance(entry, dict) else None
        words = {_word(result) for result in (results or {}).values()} - {None}
        if words:
            found[id] = " or ".join(sorted(map(str, words)))
    return found


def published_words(
    history: History, files: Iterable[Files], cache: Cache
) -> dict[str, dict[str, str]]:
    """Return the verdicts by claim of each version of published files."""
    blobs = {
        blob
        for file in files
        for place in file.places
        for path in file.tiers
        if (blob := history.commits[place].files.get(path)) is not None
    }
    return history.parsed(blobs, words_in, "verdicts 1", cache)


def _word(result: Any) -> Any:
    record = result.get("record") if isinstance(result, dict) else None
    return record.get("verdict") if isinstance(record, dict) else None
