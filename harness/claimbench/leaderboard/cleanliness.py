"""Whether what is to be published can be found again: its code is in a commit, and still there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from claimbench.errors import GitError, UsageError
from claimbench.git import git
from claimbench.judging.record import Record
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
    under_git = _top(papers) is not None
    for file in files:
        depends: set[str] = {SPEC_FILE}
        for claim, entry in file.entries.items():
            for result in entry.results.values():
                if _is_unclean(result.record, under_git=under_git):
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


def _is_unclean(record: Record, *, under_git: bool) -> bool:
    if record.run_key is None:  # nothing was run
        return False
    return under_git if record.commit is None else record.commit.endswith("+")


def _files(result: PublishedResult) -> set[str]:
    return {name.removeprefix(_FILE) for name in result.code if name.startswith(_FILE)}


def _top(papers: Path) -> Path | None:
    try:
        return Path(git(papers, "rev-parse", "--show-toplevel").strip())
    except GitError:
        return None


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
