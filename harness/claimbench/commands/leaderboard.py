"""`claimbench leaderboard`: publish verdicts, join and compare published ones, build their pages.

Publishing and joining write one file a paper and nothing that papers share, so that two branches
that each publish something can be merged. Tables and site are derived from these files.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, NOT_AS_EXPECTED
from claimbench.errors import UsageError
from claimbench.home import home
from claimbench.leaderboard import diffing, mutation, tables
from claimbench.leaderboard.alert import alerts
from claimbench.leaderboard.alert import as_markdown as alerts_as_markdown
from claimbench.leaderboard.board import Board, make_board
from claimbench.leaderboard.merging import merge as merged
from claimbench.leaderboard.merging import no_collection
from claimbench.leaderboard.published import RESULTS, Published, read, results_in
from claimbench.leaderboard.published import write as write_results
from claimbench.leaderboard.publishing import publish as publish_store
from claimbench.leaderboard.staleness import marked
from claimbench.running.store import Store
from claimbench.showing.output import error, line
from claimbench.spec import Spec, load_spec
from claimbench.spec.discovery import paper_folders, papers_root, project_papers

_SITE_PACKAGES = ("jinja2", "latex2mathml", "markdown_it", "matplotlib", "mdit_py_plugins")


def results_folder() -> Path:
    """Return the project's folder of published results, beside its papers."""
    return project_papers().parent / RESULTS


def publish(
    slugs: Sequence[str], *, tier: str | None, profile: str | None, into: Path | None
) -> int:
    """Write the store's verdicts into the project's published results, or to be merged later."""
    papers = papers_root()
    folder = into or results_folder()
    cache, store = Cache(home()), Store(home())
    try:
        files, written = publish_store(
            store, folder, papers, cache, only=slugs, tier=tier, profile=profile
        )
        missing = sorted(set(slugs) - {file.paper for file in files})
        if missing or not files:
            names = ", ".join(f"`{slug}`" for slug in missing) or "any paper"
            raise UsageError(
                f"no verdict on {names} in {store.path}; run: claimbench verify "
                f"{' '.join(missing)}".rstrip()
            )
        claims = sum(len(file.entries) for file in files)
        line(f"{claims} claims in {len(files)} files below {folder}, {written} written")
    finally:
        cache.close()
        store.close()
    return AS_EXPECTED


def merge(sources: Sequence[Path], *, into: Path | None) -> int:
    """Join folders of published results with the project's own."""
    papers = papers_root()
    folder = into or results_folder()
    cache = Cache(home())
    try:
        with no_collection():
            parts = read(folder) if folder.is_dir() else []
            for source in sources:
                parts += read(results_in(source))
            files = [marked(file, papers, cache) for file in merged(parts)]
            written = sum(write_results(file, folder) for file in files)
        line(f"{len(files)} files below {folder}, {written} written")
    finally:
        cache.close()
    return AS_EXPECTED


def alert(folder: Path | None) -> int:
    """Print the claims that are worse than they were, as Markdown; 1 if there is one."""
    found = alerts(read(results_in(folder) if folder else results_folder()))
    line(alerts_as_markdown(found).rstrip("\n"))
    return NOT_AS_EXPECTED if found else AS_EXPECTED


def diff(before: str, after: str, *, style: str) -> int:
    """Print what differs between two states; 1 if a claim got worse."""
    found = diffing.differences(diffing.load(before), diffing.load(after))
    shown = {"text": diffing.as_text, "json": diffing.as_json, "markdown": diffing.as_markdown}
    line(shown[style](found).rstrip("\n"))
    return NOT_AS_EXPECTED if any(one.worse for one in found) else AS_EXPECTED


def build(out: Path | None, *, profile: str, workers: int | None) -> int:
    """Write the tables and the site; plots that were drawn before are taken from the store.

    Args:
        out: folder for the site, which alone is written then; default: beside the tables.
        profile: whose results the site shows; the tables show all.
        workers: processes that draw.
    """
    lacking = [name for name in _SITE_PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        raise UsageError(f"the site needs {', '.join(lacking)}; pip install 'claimbench[site]'")
    from claimbench.leaderboard.site.build import Site
    from claimbench.leaderboard.site.build import build as build_site

    papers = papers_root()
    folder = results_folder()
    target = out or folder.parent / "site"
    cache = Cache(home())
    try:
        files = [marked(file, papers, cache) for file in read(folder)]
        if profile not in {file.profile for file in files}:
            known = ", ".join(sorted({file.profile for file in files})) or "nothing"
            raise UsageError(f"nothing is published for the profile `{profile}`; there is {known}")
        readmes = {
            paper.name: (paper / "README.md").read_text(encoding="utf-8")
            for paper in paper_folders(papers)
            if (paper / "README.md").is_file()
        }
        scores = mutation.read(folder.parent / mutation.FOLDER)
        site = Site(files, load_specs(papers, cache), readmes, profile, scores)
    finally:
        cache.close()
    if out is None:
        for path in tables.write(make_boards(files, site.specs, scores), folder.parent):
            line(f"wrote {path}")
    count = build_site(
        site, target, home() / "plots", workers=workers, watch=lambda what: error(f"… {what}")
    )
    line(f"{count} files in {target}; open {target / 'index.html'}")
    return AS_EXPECTED


def make_boards(
    files: Sequence[Published], specs: Mapping[str, Spec], scores: Mapping[str, mutation.Score]
) -> list[Board]:
    """Return the board of each profile that has results."""
    profiles = sorted({file.profile for file in files})
    return [make_board(files, specs, profile, scores) for profile in profiles]


def load_specs(papers: Path, cache: Cache) -> dict[str, Spec]:
    """Return the specs of all papers of the project, by slug."""
    return {folder.name: load_spec(folder, cache) for folder in paper_folders(papers)}
