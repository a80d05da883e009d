"""The commands of `claimbench`, a module each: `add` declares its arguments, `run` carries it out.

What several of them say or declare stands here.
"""

from argparse import ArgumentParser

from claimbench.tiers import TIERS

AS_EXPECTED = 0
NOT_AS_EXPECTED = 1
USAGE = 2

EXITS = "exit codes: 0 as expected, 1 some claim is not, 2 usage or spec error"


def add_examples(parser: ArgumentParser, examples: str, exits: str = EXITS) -> None:
    """End the help with examples, a line each, and what the exit codes mean."""
    parser.epilog = f"examples:\n{examples}\n\n{exits}"


def add_papers(parser: ArgumentParser) -> None:
    """Declare the papers that a command is about."""
    parser.add_argument(
        "papers",
        nargs="*",
        metavar="PAPER",
        help="slugs, paper folders, or folders of papers; all of the project if none is named",
    )


def add_tier(parser: ArgumentParser) -> None:
    """Declare `--tier` and `--profile` of runs."""
    parser.add_argument(
        "--tier",
        default="smoke",
        choices=TIERS,
        help="smoke: seconds a paper (default); standard: minutes; full: as published",
    )
    parser.add_argument(
        "--profile", default="cpu", metavar="NAME", help="hardware profile (default: cpu)"
    )


def add_filters(parser: ArgumentParser) -> None:
    """Declare which stored verdicts a command is about."""
    parser.add_argument("papers", nargs="*", metavar="SLUG", help="only these papers")
    parser.add_argument("--tier", choices=TIERS, help="only this tier")
    parser.add_argument("--profile", metavar="NAME", help="only this profile")
