"""`claimbench data`: which data sets there are, and getting them."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from claimbench.commands import AS_EXPECTED, USAGE, add_examples
from claimbench.identity.datasets import data_sets, provider
from claimbench.showing.output import error, line


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser(
        "list",
        help="say of each data set whether it is here, its version, licence and source",
        description="Say of each data set whether it can be read here, or else the command that "
        "gets it, with version, licence and source.",
    )
    listing.add_argument("--json", action="store_true", help="everything, checksums included")
    getting = actions.add_parser(
        "get",
        help="fetch data sets and check them",
        description="Make sure that data sets are here and are the ones that results rest on. What "
        "pip or Debian ships is read where it lies; what a hub has goes into the local cache.",
    )
    getting.add_argument("names", nargs="+", metavar="NAME", help="see claimbench data list")
    add_examples(parser, "  claimbench data list\n  claimbench data get fashion_mnist")


def run(options: Namespace) -> int:
    """Show the data sets or get some."""
    return get(options.names) if options.action == "get" else show(as_json=options.json)


def show(*, as_json: bool) -> int:
    """Print one line a data set: whether it is here, version, licence, and the way to it."""
    rows = []
    for name in data_sets():
        found = provider(name)
        about = {"missing": found.missing(), "source": found.source, **found.about()}
        rows.append({"name": name, **about})
    if as_json:
        line(json.dumps(rows, indent=2))
        return AS_EXPECTED
    widths = {key: max(len(row[key]) for row in rows) for key in ("name", "version", "licence")}
    for row in rows:
        cells = "  ".join(f"{row[key]:{width}}" for key, width in widths.items())
        line(f"{'✗' if row['missing'] else '✓'} {cells}  {row['missing'] or row['source']}")
    return AS_EXPECTED


def get(names: Sequence[str]) -> int:
    """Fetch and check data sets; say of each where it is read from."""
    code = AS_EXPECTED
    for found in [provider(name) for name in names]:
        try:
            line(f"✓ {found.name} {found.version}, checked: {found.get()}")
        except (OSError, ValueError) as trouble:  # no network, or another copy than the one wanted
            error(f"claimbench: {found.name}: {trouble}")
            code = USAGE
    return code
