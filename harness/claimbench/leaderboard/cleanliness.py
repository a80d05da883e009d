"""Whether what is to be published can be found again: its code is in a commit, and still there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from claimbench.errors import GitError, UsageError
from claimbench.git import git
from claimbench.leaderboard.published import Published, PublishedResult
from claimbench.spec.discovery import SPEC_FILE

_FILE = "file "


def refuse_what_is_in_no_commit(files: Iterable[Published], papers: Path) -> None:
    """Refuse verdicts on code that no commit has.

    A run is found again by its code, not by its commit: one that was made before its code was
    committed cites no commit afterwards either, and has to be made once more.

    Args:
        files: what is to be published.
        papers: folder of the papers.

    Raises:
        UsageError: runs were made of code that was not committed, or files that a verdict depends
            on have been changed since the last commit; names claims and commands.
    """
    unclean: dict[tuple[str, str, str], list[str]] = {}
    changed: dict[str, list[str]] = {}
    under_git = is_under_git(papers)
    kept = _Kept(papers)
    for file in files:
        depends: set[str] = {SPEC_FILE}
        for claim, entry in file.entries.items():
            for result in entry.results.values():
                if under_git and not kept.has(result):
                    place = (file.paper, file.tier, file.profile)
                    unclean.setdefault(place, []).append(claim)
                depends |= _files(result)
        if under_git:
            changed[file.paper] = sorted(
                {*changed.get(file.paper, []), *_changed(papers, file.paper, depends)}
            )
    sentences = [*_of_files(changed), *_of_runs(unclean)]
    if sentences:
        raise UsageError("\n".join(sentences))


class _Kept:
    """Says whether commits have the files that verdicts depend on.

    Args:
        papers: folder of the papers, under git.
    """

    def __init__(self, papers: Path) -> None:
        self._papers = papers
        self._listed: dict[str, frozenset[str] | None] = {}

    def has(self, result: PublishedResult) -> bool:
        """Say whether the record's commit has the code of its runs; true where nothing was run.

        A file that git does not know yet makes no commit unclean: it is looked for in the commit.
        Commits that are not here, of another clone, are taken at their word.
        """
        record = result.record
        if record.run_key is None:
            return True
        if record.commit is None or record.commit.endswith("+"):
            return False
        listed = self._files_at(record.commit)
        return listed is None or all(
            f"{self._papers.name}/{record.paper}/{name}" in listed for name in _own(result)
        )

    def _files_at(self, commit: str) -> frozenset[str] | None:
        """Paths from the folder that holds the papers; None where the commit is not here."""
        if commit not in self._listed:
            try:
                words = ("ls-tree", "-r", "--name-only", commit)
                listed = git(self._papers.parent, *words).splitlines()
                self._listed[commit] = frozenset(listed)
            except GitError:
                self._listed[commit] = None
        return self._listed[commit]


def _files(result: PublishedResult) -> set[str]:
    return {name.removeprefix(_FILE) for name in result.code if name.startswith(_FILE)}


def _own(result: PublishedResult) -> set[str]:
    """Return the files of the paper itself; those of `common` may lie in the engine's package."""
    return {name for name in _files(result) if not name.startswith("common/")}


def is_under_git(papers: Path) -> bool:
    """Say whether a folder belongs to a git repository."""
    try:
        git(papers, "rev-parse", "--show-toplevel")
    except GitError:
        return False
    return True


def _changed(papers: Path, slug: str, names: Iterable[str]) -> list[str]:
    """Return the changed ones of some files, named from the paper's folder or beside it."""
    paths = [
        path
        for name in sorted(names)
        for path in (papers / slug / name, papers.parent / name)
        if path.is_file()
    ]
    listed = git(papers, "status", "--porcelain", "--untracked-files=all", "--", *map(str, paths))
    return [line[3:] for line in listed.splitlines()]


def _of_files(changed: Mapping[str, list[str]]) -> list[str]:
    return [
        f"{slug}: {', '.join(names)} differ from the last commit, and a published verdict names "
        "its code by a commit; commit them, then run: claimbench verify "
        f"{slug}"
        for slug, names in changed.items()
        if names
    ]


def _of_runs(unclean: Mapping[tuple[str, str, str], list[str]]) -> list[str]:
    return [
        f"{slug} at {tier}: runs of {', '.join(claims)} were made before their code was committed, "
        "and the store would give them again; with a clean tree run: claimbench verify "
        f"{slug} --tier {tier}{'' if profile == 'cpu' else f' --profile {profile}'} --fresh"
        + "".join(f" --claim {claim}" for claim in claims)
        for (slug, tier, profile), claims in unclean.items()
    ]
