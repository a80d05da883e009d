"""Which claims a configured run takes up."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from claimbench.cache import Cache
from claimbench.errors import GitError, UsageError
from claimbench.git import git
from claimbench.guessing import meant
from claimbench.hydra.config import SelectionConfig
from claimbench.hydra.dependence import changes_everything, depends_on
from claimbench.hydra.sharding import place
from claimbench.judging.record import cpu_seconds
from claimbench.leaderboard.published import RESULTS, read_file
from claimbench.running.store import Store
from claimbench.settings import Settings
from claimbench.spec.discovery import find_papers, paper_folders, tell_apart
from claimbench.spec.load import load_spec
from claimbench.spec.models import Claim, Kind, Spec


@dataclass(frozen=True)
class Selected:
    """A paper and those of its claims that are to be run."""

    spec: Spec
    claims: tuple[Claim, ...]


def select(
    selection: SelectionConfig, settings: Settings, cache: Cache, store: Store
) -> list[Selected]:
    """Return the papers and claims that meet all conditions, in order of paper and spec.

    Raises:
        SpecError: a claims.yaml has problems.
        UsageError: a paper, theme, claim, kind, revision or shard that there is not.
    """
    found = find_papers(selection.papers)
    tell_apart(found)
    specs = [load_spec(folder, cache) for folder in found]
    _check("theme", selection.themes, {spec.paper.theme for spec in specs})
    _check("kind", selection.kinds, get_args(Kind))
    ids = {name for spec in specs for claim in spec.claims for name in _names(spec, claim)}
    _check("claim", selection.claims, ids)
    part = selection.part()
    if part is not None:
        number, shards = part
        folders = paper_folders(specs[0].folder.parent)  # all, so that a choice moves no paper
        placed = place(costs({f.name for f in folders}, specs[0].folder.parent, settings), shards)
        specs = [spec for spec in specs if placed.get(spec.slug, 0) == number]
    if selection.changed is not None:
        touched = changed_files(selection.changed)
        if not changes_everything(touched, specs[0].folder.parents[1], settings.profile):
            specs = [spec for spec in specs if depends_on(spec, touched, cache)]
    failed = _failed(store, settings) if selection.failed else None

    def wanted(spec: Spec, claim: Claim) -> bool:
        return (
            (not selection.themes or spec.paper.theme in selection.themes)
            and (not selection.kinds or claim.kind in selection.kinds)
            and (not selection.claims or bool(_names(spec, claim) & set(selection.claims)))
            and (failed is None or (spec.slug, claim.id) in failed)
        )

    chosen = [
        Selected(spec, tuple(claim for claim in spec.claims if wanted(spec, claim)))
        for spec in specs
    ]
    return [one for one in chosen if one.claims]


def _names(spec: Spec, claim: Claim) -> set[str]:
    return {claim.id, f"{spec.slug}::{claim.id}"}


def _check(what: str, wanted: Iterable[str], known: Collection[str]) -> None:
    for word in wanted:
        if word not in known:
            near = meant(word, known)
            few = ", ".join(sorted(known)) if len(known) <= 20 else f"{len(known)} of them"
            guess = f"did you mean `{near}`?" if near else f"there are: {few}"
            raise UsageError(f"selection.{what}s: no {what} `{word}`; {guess}")


def _failed(store: Store, settings: Settings) -> set[tuple[str, str]]:
    """Return the claims whose last verdict in the store was not as expected."""
    return {
        (record.paper, record.claim)
        for record in store.verdicts()
        if (record.tier, record.profile) == (settings.tier, settings.profile)
        and not record.as_expected
    }


def costs(slugs: Collection[str], papers: Path, settings: Settings) -> dict[str, float]:
    """Return the CPU-seconds of each paper by the published results, which all machines share.

    Whole ones, so that papers of equal cost keep their order, and with it their shard, from night
    to night. One that was never published counts as the median of those that were.
    """
    folder = papers.parent / RESULTS / settings.profile / settings.tier
    known = {}
    for path in sorted(folder.glob("*.json")):
        published = read_file(path, papers.parent / RESULTS)
        if published.paper in slugs:
            known[published.paper] = 1.0 + round(cpu_seconds(published.records()))
    usual = statistics.median(known.values()) if known else 1.0
    return {slug: known.get(slug, usual) for slug in sorted(slugs)}


def changed_files(revision: str) -> set[Path]:
    """Return the files of this git repository that differ from a revision, new ones too.

    Raises:
        UsageError: this is no git repository, or it has no such revision.
    """
    root = Path(_git("rev-parse", "--show-toplevel").strip())
    base = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
    names = _git("diff", "--name-only", "--no-renames", "-z", base, "--").split("\0")
    names += _git("-C", str(root), "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    return {(root / name).resolve() for name in names if name}


def _git(*words: str) -> str:
    try:
        return git(Path(), *words)
    except GitError as trouble:
        raise UsageError(f"selection.changed: {trouble}") from None
