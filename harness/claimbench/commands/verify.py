"""`claimbench verify`: run claims and show their verdicts."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from claimbench.commands import (
    AS_EXPECTED,
    NOT_AS_EXPECTED,
    add_examples,
    add_papers,
    add_tier,
    plan,
)
from claimbench.identity.methods import parse
from claimbench.judging.result import Result
from claimbench.running.engine import verify_papers
from claimbench.settings import EXECUTORS, Settings
from claimbench.showing.output import color, error, line
from claimbench.showing.progress import View
from claimbench.showing.report import failure_text, render
from claimbench.showing.targets import check_file


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_papers(parser)
    parser.add_argument(
        "--claim", action="append", metavar="ID", help="only this claim; may be repeated"
    )
    add_tier(parser)
    parser.add_argument("--max-seeds", type=int, metavar="N", help="at most N seeds a claim")
    parser.add_argument("--fresh", action="store_true", help="run again what the store has")
    parser.add_argument("--no-control", action="store_true", help="leave out negative controls")
    parser.add_argument(
        "--repeat",
        action=argparse.BooleanOptionalAction,
        help="run one seed of each experiment twice and compare every bit (default: at smoke)",
    )
    parser.add_argument(
        "--plan", action="store_true", help="say what would run, and how long, without running it"
    )
    parser.add_argument(
        "--executor",
        default="processes",
        choices=EXECUTORS,
        help="processes (default); inline: in this process, nothing stored; ray: a cluster",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="worker processes (default: one a CPU)"
    )
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="NAME=MODULE:ATTR",
        help="run another implementation in the place of method.NAME; also NAME=file.py:ATTR",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts to FILE")
    add_examples(
        parser,
        "  claimbench verify ademamix\n"
        "  claimbench verify papers/ademamix --tier standard --claim reduces-to-adamw",
    )


def run(options: argparse.Namespace) -> int:
    """Run the claims, with progress on standard error and the table on standard output."""
    settings = Settings(
        tier=options.tier,
        profile=options.profile,
        executor=options.executor,
        workers=options.workers,
        max_seeds=options.max_seeds,
        fresh=options.fresh,
        control=not options.no_control,
        repeat=options.repeat,
        methods=tuple(parse(text) for text in options.method),
    )
    if options.plan:
        return plan.run(options.papers, settings, claims=options.claim)
    target = options.json
    if target is not None:
        check_file("--json", target)
    with View() as view:
        results = verify_papers(
            options.papers,
            options.claim,
            settings,
            watch=view.status,
            report=lambda result: view.say(result.line),
        )
    if target is not None:
        records = [result.record.as_json() for result in results]
        target.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return conclude(results)


def conclude(results: Sequence[Result]) -> int:
    """Show the table, and what there is to say of claims that are not as expected; return the code.

    A run that measured nothing shows nothing, and is not as expected.
    """
    line(render([result.record for result in results], color=color()))
    for result in results:
        if not result.as_expected:
            error(f"\n{failure_text(result)}")
    if not any(result.measured for result in results):
        error("no claim was measured, so this run shows nothing")
        return NOT_AS_EXPECTED
    return AS_EXPECTED if all(r.as_expected for r in results) else NOT_AS_EXPECTED
