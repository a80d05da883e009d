"""The verdicts that were published at each commit, read from git.

The form of published files has changed over time; the words alone are read.
"""

from collections.abc import Collection, Mapping, Sequence
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
        results: path of their folder from the top of the repository, with a slash.
        slugs: what the paper is and was called.
        words: of each blob the verdicts by claim.
    """

    def __init__(
        self,
        history: History,
        results: str,
        slugs: Sequence[str],
        words: Mapping[str, dict[str, str]],
    ) -> None:
        self._commits, self._words = history.commits, words
        self._files: list[dict[str, str]] = []
        for commit in history.commits:
            files: dict[str, str] = {}
            for path, blob in commit.files.items() if results else ():
                if not path.startswith(results):
                    continue
                profile, tier, name = path.removeprefix(results).split("/")
                if name.removesuffix(".json") in slugs:
                    files[tier if profile == _USUAL else f"{profile} {tier}"] = blob
            self._files.append(files)

    def at(self, place: int, ids: Collection[str]) -> Words:
        """Return the verdicts that stand at a commit on a claim, or one that it supersedes."""
        found = {}
        for tier, blob in sorted(self._files[place].items()):
            word = next((w for id in ids if (w := self._words[blob].get(id))), None)
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
        for later in range(place, len(self._commits)):
            parents = self._commits[later].parents
            for tier, word in self.at(later, ids).items():
                blob = self._files[later].get(tier)
                new = all(self._files[parent].get(tier) != blob for parent in parents)
                if new and tier not in found:
                    found[tier] = word
        return found

    def changes(self, ids: Collection[str]) -> list[tuple[int, Commit, dict[str, tuple[str, str]]]]:
        """Return each commit that changed a word: by tier, the word before and the one since."""
        found = []
        for place, commit in enumerate(self._commits):
            words = self.at(place, ids)
            before = [self.at(parent, ids) for parent in commit.parents]
            changed = {
                tier: (before[0].get(tier, "none") if before else "none", word)
                for tier, word in words.items()
                if all(old.get(tier) != word for old in before)
            }
            if changed:
                found.append((place, commit, changed))
        return found


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
    history: History, results: str, slugs: Collection[str], cache: Cache
) -> dict[str, dict[str, str]]:
    """Return the verdicts by claim of each published blob of some papers."""
    blobs = {
        blob
        for commit in history.commits
        for path, blob in commit.files.items()
        if results
        and path.startswith(results)
        and path.rpartition("/")[2].removesuffix(".json") in slugs
    }
    return history.parsed(blobs, words_in, "verdicts 1", cache)


def _word(result: Any) -> Any:
    record = result.get("record") if isinstance(result, dict) else None
    return record.get("verdict") if isinstance(record, dict) else None
