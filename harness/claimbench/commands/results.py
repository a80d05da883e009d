"""`claimbench results`: the verdicts that the store holds."""

import json
from argparse import ArgumentParser, Namespace

from claimbench.commands import AS_EXPECTED, USAGE, add_examples, add_filters
from claimbench.home import home
from claimbench.running.store import Store
from claimbench.showing.output import color, error, line
from claimbench.showing.report import render


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_filters(parser)
    parser.add_argument("--json", action="store_true", help="every number, as JSON")
    add_examples(
        parser, "  claimbench results\n  claimbench results ademamix --tier standard --json"
    )


def run(options: Namespace) -> int:
    """Print the last verdict of each claim, one table a paper, tier and profile."""
    papers = options.papers
    store = Store(home())
    try:
        records = [
            record
            for record in store.verdicts()
            if (not papers or record.paper in papers)
            and options.tier in (None, record.tier)
            and options.profile in (None, record.profile)
        ]
    finally:
        store.close()
    unknown = sorted(set(papers) - {record.paper for record in records})
    if options.json:
        line(json.dumps([record.as_json() for record in records], indent=2))
    elif records:
        line(render(records, color=color()))
    if unknown or not records:
        wanted = ", ".join(f"`{paper}`" for paper in unknown) or "any paper"
        error(f"no verdict on {wanted} in {store.path}; run: claimbench verify {' '.join(unknown)}")
        return USAGE
    return AS_EXPECTED
