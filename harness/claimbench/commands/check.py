"""`claimbench check`: every problem of a spec that can be found without running anything."""

from argparse import ArgumentParser, Namespace

from claimbench.commands import AS_EXPECTED, USAGE, add_examples, add_papers
from claimbench.leaderboard.readmes import README, problem
from claimbench.showing.output import error, line
from claimbench.spec.amendments import papers_at, spec_at, unamended
from claimbench.spec.discovery import find_papers, paper_folders, papers_root
from claimbench.spec.load import load_spec
from claimbench.spec.problems import SpecError


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_papers(parser)
    parser.add_argument(
        "--against",
        metavar="REV",
        help="also find what was loosened since this git revision without an amendment",
    )
    add_examples(parser, "  claimbench check my_paper\n  claimbench check --against origin/main")


def run(options: Namespace) -> int:
    """Check the papers and print all problems of each.

    With a revision `against`, what was loosened since without an amendment is a problem too.
    """
    code, against = AS_EXPECTED, options.against
    if against is not None and not options.papers:
        root = papers_root()
        gone = papers_at(against, root) - {folder.name for folder in paper_folders(root)}
        for slug in sorted(gone):
            error(f"paper `{slug}` is gone since {against}; its claims can't be dropped silently")
            code = USAGE
    for folder in find_papers(options.papers):
        try:
            spec = load_spec(folder)
        except SpecError as problems:
            error(str(problems))
            code = USAGE
            continue
        old = None if against is None else spec_at(against, folder)
        changes = [] if old is None else unamended(old, spec)
        for change in changes:
            error(change)
            code = USAGE
        place = folder / README
        unplaced = problem(place.read_text(encoding="utf-8")) if place.is_file() else None
        if unplaced:
            error(f"{place}: {unplaced}")
            code = USAGE
        if not changes and not unplaced:
            line(f"{spec.slug}: {len(spec.claims)} claims, no problem")
    return code
