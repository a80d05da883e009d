"""`claimbench leaderboard`: publish verdicts, check, join and compare published ones, build pages.

Publishing and joining write a paper's files and README, and nothing that papers share, so that two
branches that each publish something can be merged. Tables and site are derived from these files.
"""

from __future__ import annotations

import importlib.util
import random
import tempfile
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, NOT_AS_EXPECTED, add_examples, add_filters
from claimbench.errors import UsageError
from claimbench.home import home
from claimbench.judging.words import counted
from claimbench.leaderboard import audit as auditing
from claimbench.leaderboard import diffing, mutation, readmes, tables
from claimbench.leaderboard.alert import alerts
from claimbench.leaderboard.alert import as_markdown as alerts_as_markdown
from claimbench.leaderboard.board import Board, make_board
from claimbench.leaderboard.checking import problems
from claimbench.leaderboard.files import alone
from claimbench.leaderboard.ledger import ledgers_of
from claimbench.leaderboard.merging import merge as merged
from claimbench.leaderboard.merging import no_collection
from claimbench.leaderboard.published import RESULTS, Published, read, read_file, results_in
from claimbench.leaderboard.published import write as write_results
from claimbench.leaderboard.publishing import publish as publish_store
from claimbench.leaderboard.site import build as site_builder
from claimbench.leaderboard.staleness import marked
from claimbench.profiles import cpu_model
from claimbench.running.engine import verify_papers
from claimbench.running.store import Store
from claimbench.settings import Settings
from claimbench.showing.output import error, line
from claimbench.showing.progress import View
from claimbench.showing.targets import check_folder
from claimbench.spec.discovery import paper_folders, papers_root, project_papers
from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec
from claimbench.tiers import TIERS

_Actions: TypeAlias = "_SubParsersAction[ArgumentParser]"
_SITE_PACKAGES = ("jinja2", "latex2mathml", "markdown_it", "matplotlib", "mdit_py_plugins")


def add(parser: ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    add_examples(
        parser,
        "  claimbench leaderboard publish ademamix\n"
        "  claimbench leaderboard merge shard-1 shard-2\n"
        "  claimbench leaderboard diff HEAD~1 store",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    publish = actions.add_parser(
        "publish",
        help="write the store's verdicts to leaderboards/results",
        description="Write the store's last verdict of each claim to leaderboards/results/PROFILE/"
        "TIER/PAPER.json, keeping the history of what was published before, and the table of "
        "results in the paper's README. Nothing else is written, so that branches which publish "
        "different papers can be merged. Only runs of a clean commit are published.",
    )
    add_filters(publish)
    publish.add_argument(
        "--into", type=Path, metavar="DIR", help="another folder of results, to be merged later"
    )
    merge = actions.add_parser(
        "merge",
        help="join the published results of other machines or shards with the project's",
        description="Join folders of published results with the project's own. Of each claim and "
        "CPU model the newest verdict stands, and every older one stays in the history.",
    )
    merge.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of results")
    merge.add_argument("--into", type=Path, metavar="DIR", help="default: leaderboards/results")
    build = actions.add_parser(
        "build",
        help="derive tables and site: static files that any browser shows without a server",
        description="Derive from the published results the tables in leaderboards/ (Markdown, JSON "
        "and CSV) and the site: static files that need no server and no other host. Plots are "
        "kept, so that the next time only new ones are drawn. This is done on main and at night, "
        "never in a pull request.",
    )
    build.add_argument(
        "--out", type=Path, metavar="DIR", help="the site alone, there (default: leaderboards/site)"
    )
    build.add_argument(
        "--profile", default="cpu", metavar="NAME", help="whose results (default: cpu)"
    )
    build.add_argument(
        "--workers", type=int, metavar="N", help="processes that draw (default: one a CPU)"
    )
    _add_checking(actions)
    _add_comparing(actions)


def _add_checking(actions: _Actions) -> None:
    check = actions.add_parser(
        "check",
        help="judge every published record again from its own values, without running anything",
        description="Judge every published record again from its own values and regions, and "
        "compare it with the spec that it names, its history and its place. What does not follow "
        "is named, with file, claim and remedy.",
        epilog="exit codes: 0 all of it follows, 1 something does not, 2 usage or spec error",
    )
    check.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="default: leaderboards/results"
    )
    again = actions.add_parser(
        "audit",
        help="run a few published claims again, chosen at random, and compare the values",
        description="Run published claims again in a store of their own, chosen at random and "
        "spread over papers. On the CPU model that published them every value has to be the same, "
        "bit for bit; elsewhere, and for claims about speed, the verdict.",
        epilog="exit codes: 0 all that could be compared agrees, 1 something does not, 2 usage or "
        "spec error",
    )
    again.add_argument(
        "--sample", type=int, default=10, metavar="N", help="how many claims (default: 10)"
    )
    again.add_argument(
        "--seed", type=int, metavar="N", help="of the choice (default: another each time)"
    )
    again.add_argument("--tier", choices=TIERS, help="only this tier")
    again.add_argument(
        "--profile", default="cpu", metavar="NAME", help="hardware profile (default: cpu)"
    )


def _add_comparing(actions: _Actions) -> None:
    alert = actions.add_parser(
        "alert",
        help="list the claims that are worse than they were, as Markdown for an issue",
        description="List the claims whose last verdict is worse than an earlier one on the same "
        "CPU model, with values, dates and commits, as a Markdown table.",
        epilog="exit codes: 0 there is none, 1 there is one, 2 usage error",
    )
    alert.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="default: leaderboards/results"
    )
    diff = actions.add_parser(
        "diff",
        help="say which verdicts flipped, moved, are new, gone or stale",
        description="Compare two states of the results.",
        epilog="exit codes: 0 nothing got worse, 1 some claim did, 2 usage error",
    )
    state = "a git revision, a folder of results, or `store`"
    diff.add_argument("before", metavar="A", help=state)
    diff.add_argument("after", metavar="B", help=state)
    diff.add_argument(
        "--format", default="text", choices=("text", "json", "markdown"), help="default: text"
    )


def run(options: Namespace) -> int:
    """Carry out the action.

    Raises:
        UsageError: what it asks for is not there, or cannot be written.
    """
    for option in ("into", "out"):
        folder = getattr(options, option, None)
        if folder is not None:
            check_folder(f"--{option}", folder)
    if options.action == "publish":
        return publish(
            options.papers, tier=options.tier, profile=options.profile, into=options.into
        )
    if options.action == "alert":
        return alert(options.folder)
    if options.action == "audit":
        return audit(options.sample, options.seed, tier=options.tier, profile=options.profile)
    if options.action == "check":
        return check(options.folder)
    if options.action == "merge":
        return merge(options.folders, into=options.into)
    if options.action == "build":
        return build(options.out, profile=options.profile, workers=options.workers)
    return diff(options.before, options.after, style=options.format)


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
        if into is None:
            _write_readmes(folder, papers, cache, {file.paper for file in files})
        claims = sum(len(file.entries) for file in files)
        line(f"{claims} claims in {len(files)} files below {folder}, {written} written")
    finally:
        cache.close()
        store.close()
    return AS_EXPECTED


def _write_readmes(folder: Path, papers: Path, cache: Cache, slugs: Collection[str]) -> None:
    files = [
        read_file(path, folder)
        for slug in slugs
        for path in sorted(folder.glob(f"*/*/{slug}.json"))
    ]
    for path in readmes.write(files, papers, cache, slugs):
        error(f"wrote {path}")


def merge(sources: Sequence[Path], *, into: Path | None) -> int:
    """Join folders of published results with the project's own."""
    papers = papers_root()
    folder = into or results_folder()
    cache = Cache(home())
    try:
        with no_collection(), alone(folder):
            parts = read(folder) if folder.is_dir() else []
            for source in sources:
                parts += read(results_in(source))
            files = [marked(file, papers, cache) for file in merged(parts)]
            written = sum(write_results(file, folder) for file in files)
        if into is None:
            _write_readmes(folder, papers, cache, {file.paper for file in files})
        line(f"{len(files)} files below {folder}, {written} written")
    finally:
        cache.close()
    return AS_EXPECTED


def check(folder: Path | None) -> int:
    """Print what in the published results does not follow from their own values; 1 if anything."""
    papers = papers_root()
    results = results_in(folder) if folder else results_folder()
    cache = Cache(home())
    try:
        found = list(problems(results, papers, cache, datetime.now(UTC)))
    finally:
        cache.close()
    for problem in found:
        error(problem)
    count = len(list(results.rglob("*.json")))
    line(f"{counted(len(found), 'problem')} in {counted(count, 'file')} below {results}")
    return NOT_AS_EXPECTED if found else AS_EXPECTED


def audit(count: int, seed: int | None, *, tier: str | None, profile: str) -> int:
    """Run published claims again, with progress, and say of each what differs; 1 if anything."""
    if count < 1:
        raise UsageError(f"--sample: at least one claim is needed, not {count}")
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    papers = papers_root()
    cache = Cache(home())
    try:
        files = [marked(file, papers, cache) for file in read(results_folder())]
    finally:
        cache.close()
    found = auditing.candidates(files, tier=tier, profile=profile, cpu=cpu_model())
    chosen = auditing.sample(found, count, seed)
    if not chosen:
        raise UsageError("no published record is of the present code; publish, then audit")
    line(f"{len(chosen)} of {len(found)} records, --seed {seed}:")
    audited = []
    with tempfile.TemporaryDirectory(prefix="claimbench-audit-") as place, View() as view:
        for record in chosen:
            settings = Settings(tier=record.tier, profile=profile, home=Path(place))
            folder = papers / record.paper
            (result,) = verify_papers([folder], [record.claim], settings, watch=view.status)
            audited.append(auditing.compare(record, result.record))
            view.say(audited[-1].line)
    for one in audited:
        line(one.line)
    differ = sum(bool(one.differences) for one in audited)
    compared = sum(one.compared for one in audited)
    line(f"{compared} compared, {differ} of them differ")
    return NOT_AS_EXPECTED if differ or not compared else AS_EXPECTED


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
        specs, ledgers = load_specs(papers, cache), ledgers_of(paper_folders(papers), cache)
        site = site_builder.Site(files, specs, readmes, profile, scores, ledgers)
    finally:
        cache.close()
    if out is None:
        for path in tables.write(make_boards(files, site.specs, scores), folder.parent):
            line(f"wrote {path}")
    count = site_builder.build(
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
