"""`claimbench check`: every problem of a spec that can be found without running anything."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, USAGE, add_examples, add_papers
from claimbench.home import home
from claimbench.leaderboard.readmes import README, problem
from claimbench.showing.output import error, line
from claimbench.spec.discovery import find_papers, paper_folders, papers_root
from claimbench.spec.history import read_history
from claimbench.spec.lineage import Lineages
from claimbench.spec.load import load_spec
from claimbench.spec.marking import Fork, findings
from claimbench.spec.models import Spec
from claimbench.spec.problems import SpecError


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_papers(parser)
    parser.add_argument(
        "--against",
        metavar="REV",
        help="also find what was changed since this git revision and is not marked as amended",
    )
    add_examples(parser, "  claimbench check my_paper\n  claimbench check --against origin/main")


def run(options: Namespace) -> int:
    """Check the papers and print all problems of each.

    With a revision `against`, what was changed since and is not marked is a problem too.
    """
    code = AS_EXPECTED
    specs: dict[Path, Spec] = {}
    for folder in find_papers(options.papers):
        try:
            specs[folder] = load_spec(folder)
        except SpecError as problems:
            error(str(problems))
            code = USAGE
    unmarked = {} if options.against is None else _unmarked(options, [*specs])
    for folder, spec in specs.items():
        place = folder / README
        unplaced = problem(place.read_text(encoding="utf-8")) if place.is_file() else None
        messages = [*unmarked.pop(folder, ()), *([f"{place}: {unplaced}"] if unplaced else ())]
        for message in messages:
            error(message)
            code = USAGE
        if not messages:
            line(f"{spec.slug}: {len(spec.claims)} claims, no problem")
    for message in unmarked.get(None, ()):
        error(message)
        code = USAGE
    return code


def _unmarked(options: Namespace, folders: Sequence[Path]) -> dict[Path | None, list[str]]:
    """Return what is not marked since a revision: of each folder, and under None of no folder."""
    found: dict[Path | None, list[str]] = {}
    cache = Cache(home())
    for root in dict.fromkeys(folder.parent for folder in folders):
        here = [folder for folder in folders if folder.parent == root]
        lineages = Lineages(read_history(root), here, cache)
        start = Fork(lineages, options.against)
        for folder in here:
            lineage = lineages.of(folder.name)
            missing = findings(lineage, start.since(lineage))
            found[folder] = [finding.at(lineage) for finding in missing]
    if not options.papers:
        root = papers_root()
        lineages = Lineages(read_history(root), paper_folders(root), cache)
        found[None] = [
            f"paper `{slug}` is gone since {options.against}; its claims can't be dropped silently"
            for slug in Fork(lineages, options.against).gone()
        ]
    cache.close()
    return found
