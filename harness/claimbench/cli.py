"""The command line: it parses, calls one command, and turns exceptions into exit codes."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from claimbench.errors import ClaimbenchError, UsageError
from claimbench.home import home
from claimbench.settings import EXECUTORS, Settings
from claimbench.showing.output import error
from claimbench.tiers import TIERS

INTERRUPTED = 130
OUR_BUG = 3

_TOP = """\
Does the claim hold when I run it?

  claimbench verify ademamix        run a paper's claims (pytest papers/ademamix does the same)
  claimbench results ademamix       the verdicts so far
  claimbench new my_paper           a folder to begin with, which runs as it is
  claimbench check my_paper         find mistakes in a spec without running anything
"""
_EXITS = "exit codes: 0 as expected, 1 some claim is not, 2 usage or spec error"
_PAPERS = "slugs, paper folders, or folders of papers; all of the project if none is named"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    runs = words[:1] == ["run"]  # the rest is in Hydra's grammar
    options = _parser().parse_args(words[:1] if runs else words)
    try:
        code = _run_configured(words[1:]) if runs else _run(options)
        sys.stdout.flush()  # what can't be written is said below, not when Python ends
        return code
    except ClaimbenchError as mistake:
        error(f"claimbench: {mistake}")
        return 2
    except OSError as trouble:
        error(f"claimbench: {trouble}")
        _drop_output()
        return 2
    except KeyboardInterrupt:
        error("claimbench: interrupted; finished runs are kept")
        return INTERRUPTED
    except Exception:  # noqa: BLE001  our bug, whatever it is: leave something to report
        return _our_bug(words)


def _drop_output() -> None:
    """Let Python not try again, when it ends, to write what could not be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="claimbench",
        description=_TOP,
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("claimbench"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, help_: str, examples: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=help_,
            description=f"{help_[0].upper()}{help_[1:]}.",
            epilog=f"examples:\n{examples}\n\n{_EXITS}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    verify = add(
        "verify",
        "run the claims of papers and show their verdicts",
        "  claimbench verify ademamix\n"
        "  claimbench verify papers/ademamix --tier standard --claim reduces-to-adamw",
    )
    verify.add_argument("papers", nargs="*", metavar="PAPER", help=_PAPERS)
    verify.add_argument(
        "--claim", action="append", metavar="ID", help="only this claim; may be repeated"
    )
    _add_tier(verify, "smoke")
    verify.add_argument("--max-seeds", type=int, metavar="N", help="at most N seeds a claim")
    verify.add_argument("--fresh", action="store_true", help="run again what the store has")
    verify.add_argument("--no-control", action="store_true", help="leave out negative controls")
    verify.add_argument(
        "--repeat",
        action=argparse.BooleanOptionalAction,
        help="run one seed of each experiment twice and compare every bit (default: at smoke)",
    )
    verify.add_argument(
        "--plan", action="store_true", help="say what would run, and how long, without running it"
    )
    verify.add_argument(
        "--executor",
        default="processes",
        choices=EXECUTORS,
        help="processes (default); inline: in this process, nothing stored; ray: a cluster",
    )
    verify.add_argument(
        "--workers", type=int, metavar="N", help="worker processes (default: one a CPU)"
    )
    verify.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="NAME=MODULE:ATTR",
        help="run another implementation in the place of method.NAME; also NAME=file.py:ATTR",
    )
    verify.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts to FILE")

    commands.add_parser(
        "run",
        help="run a selection as configured by Hydra, in shards, on a cluster, with a tracker",
    )

    listing = add("list", "list papers", "  claimbench list\n  claimbench list --json")
    listing.add_argument("papers", nargs="*", metavar="PAPER", help=_PAPERS)
    listing.add_argument("--json", action="store_true", help="everything, claims included")

    check = add(
        "check",
        "find every problem of a spec without running it",
        "  claimbench check my_paper\n  claimbench check --against origin/main",
    )
    check.add_argument("papers", nargs="*", metavar="PAPER", help=_PAPERS)
    check.add_argument(
        "--against",
        metavar="REV",
        help="also find what was loosened since this git revision without an amendment",
    )

    new = add(
        "new",
        "write a paper folder that passes check and runs at once, to be filled in",
        "  claimbench new my_paper --arxiv 2409.03137 --theme stochastic-optimizers",
    )
    new.add_argument("slug", metavar="SLUG", help="name of the folder, such as my_paper")
    new.add_argument("--arxiv", metavar="ID", help="arXiv id of the paper, such as 2409.03137")
    new.add_argument("--title", metavar="TEXT", help="title of the paper")
    new.add_argument(
        "--theme", default="unsorted", metavar="WORDS", help="see claimbench list for those in use"
    )

    results = add(
        "results",
        "show the last verdict of each claim in the store",
        "  claimbench results\n  claimbench results ademamix --tier standard --json",
    )
    results.add_argument("papers", nargs="*", metavar="SLUG", help="only these papers")
    results.add_argument("--tier", choices=TIERS, help="only this tier")
    results.add_argument("--profile", metavar="NAME", help="only this profile")
    results.add_argument("--json", action="store_true", help="every number, as JSON")

    why = add(
        "why",
        "say what the identity of a paper's runs is made of, and what changed since they ran",
        "  claimbench why ademamix\n  claimbench why ademamix --tier standard",
    )
    why.add_argument("paper", metavar="PAPER", help="slug or folder")
    _add_tier(why, "smoke")

    _add_mutate(
        add(
            "mutate",
            "change a paper's method in small ways and see whether its claims notice",
            "  claimbench mutate ademamix\n"
            "  claimbench mutate ademamix --mutants 10 --seed 1 --json mutants.json",
        )
    )

    _add_leaderboard(
        add(
            "leaderboard",
            "publish verdicts, join and compare published ones, derive tables and site",
            "  claimbench leaderboard publish ademamix\n"
            "  claimbench leaderboard merge shard-1 shard-2\n"
            "  claimbench leaderboard diff HEAD~1 store",
        )
    )

    _add_data(
        add(
            "data",
            "list data sets and get them",
            "  claimbench data list\n  claimbench data get fashion_mnist",
        )
    )

    add(
        "doctor",
        "say what this machine can run: profiles, limits, data sets, extras",
        "  claimbench doctor",
    )

    gc = add(
        "gc",
        "remove runs that the present code can't reach, and old failures and artefacts",
        "  claimbench gc --dry-run\n  claimbench gc --older-than 7",
    )
    gc.add_argument(
        "--older-than",
        type=float,
        default=30.0,
        metavar="DAYS",
        help="age from which failures and unused artefacts go (default: 30)",
    )
    gc.add_argument("--dry-run", action="store_true", help="only say what would go")
    return parser


def _add_mutate(mutate: argparse.ArgumentParser) -> None:
    mutate.description = """\
Change a paper's method in small ways and see whether its claims notice.

Each mutant is method.py, or a module of the paper's folder that it imports, with one operator,
sign, constant, index, argument, statement or condition changed. It is made in a scratch copy, and
the claims that are as expected on the original are tried on it, the cheapest first, until one is
not: that claim has caught it. Survivors get their controls run as well. A mutant that no claim
catches shows a missing claim or too weak a check; it is shown with its diff. One that changes
nothing which a claim could notice is listed in the paper's mutants.yaml, with the reason:

  equivalent:
    - file: method.py
      function: scalar_flow
      was: "for _ in range(100):"
      now: "for _ in range(200):"
      reason: "Newton's method needs fewer than 20 steps; the limit is never met."

`--json` writes file, function, was and now of every mutant; `--publish leaderboards/mutation` how
many were caught, which tables and site show. What is known of a mutant is not run again. Defaults
of parameters, guards that raise, and text are never changed."""
    mutate.epilog = str(mutate.epilog).replace(
        _EXITS,
        "exit codes: 0 at least 90 % of the mutants that are not equivalent are caught, 1 fewer "
        "are,\n            2 usage or spec error",
    )
    mutate.add_argument("paper", metavar="PAPER", help="slug or folder")
    _add_tier(mutate, "smoke")
    mutate.add_argument(
        "--mutants", type=int, default=40, metavar="N", help="at most N mutants (default: 40)"
    )
    mutate.add_argument(
        "--seed", type=int, default=0, metavar="N", help="which mutants are chosen (default: 0)"
    )
    mutate.add_argument(
        "--workers", type=int, metavar="N", help="worker processes (default: one a CPU)"
    )
    mutate.add_argument("--json", type=Path, metavar="FILE", help="write the report to FILE")
    mutate.add_argument(
        "--publish", type=Path, metavar="DIR", help="write the score to DIR/PAPER.json"
    )


def _add_leaderboard(leaderboard: argparse.ArgumentParser) -> None:
    commands = leaderboard.add_subparsers(dest="action", required=True, metavar="ACTION")
    publish = commands.add_parser(
        "publish",
        help="write the store's verdicts to leaderboards/results",
        description="Write the store's last verdict of each claim to leaderboards/results/PROFILE/"
        "TIER/PAPER.json, keeping the history of what was published before. Nothing else is "
        "written, so that branches which publish different papers can be merged.",
    )
    publish.add_argument("papers", nargs="*", metavar="SLUG", help="only these papers")
    publish.add_argument("--tier", choices=TIERS, help="only this tier")
    publish.add_argument("--profile", metavar="NAME", help="only this profile")
    publish.add_argument(
        "--into", type=Path, metavar="DIR", help="another folder of results, to be merged later"
    )
    merge = commands.add_parser(
        "merge",
        help="join the published results of other machines or shards with the project's",
        description="Join folders of published results with the project's own. Of each claim and "
        "CPU model the newest verdict stands, and every older one stays in the history.",
    )
    merge.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of results")
    merge.add_argument("--into", type=Path, metavar="DIR", help="default: leaderboards/results")
    build = commands.add_parser(
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
    alert = commands.add_parser(
        "alert",
        help="list the claims that are worse than they were, as Markdown for an issue",
        description="List the claims whose last verdict is worse than an earlier one on the same "
        "CPU model, with values, dates and commits, as a Markdown table.",
        epilog="exit codes: 0 there is none, 1 there is one, 2 usage error",
    )
    alert.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="default: leaderboards/results"
    )
    diff = commands.add_parser(
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


def _add_data(data: argparse.ArgumentParser) -> None:
    commands = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser(
        "list",
        help="say of each data set whether it is here, its version, licence and source",
        description="Say of each data set whether it can be read here, or else the command that "
        "gets it, with version, licence and source.",
    )
    listing.add_argument("--json", action="store_true", help="everything, checksums included")
    get = commands.add_parser(
        "get",
        help="fetch data sets and check them",
        description="Make sure that data sets are here and are the ones that results rest on. What "
        "pip or Debian ships is read where it lies; what a hub has goes into the local cache.",
    )
    get.add_argument("names", nargs="+", metavar="NAME", help="see claimbench data list")


def _run_leaderboard(options: argparse.Namespace) -> int:
    from claimbench.commands import leaderboard

    if options.action == "publish":
        return leaderboard.publish(
            options.papers, tier=options.tier, profile=options.profile, into=options.into
        )
    if options.action == "alert":
        return leaderboard.alert(options.folder)
    if options.action == "merge":
        return leaderboard.merge(options.folders, into=options.into)
    if options.action == "build":
        return leaderboard.build(options.out, profile=options.profile, workers=options.workers)
    return leaderboard.diff(options.before, options.after, style=options.format)


def _add_tier(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--tier",
        default=default,
        choices=TIERS,
        help="smoke: seconds a paper (default); standard: minutes; full: as published",
    )
    parser.add_argument(
        "--profile", default="cpu", metavar="NAME", help="hardware profile (default: cpu)"
    )


def _run(options: argparse.Namespace) -> int:
    """Call the command; each is imported only when it is asked for."""
    if options.command == "list":
        from claimbench.commands import listing

        return listing.run(options.papers, as_json=options.json)
    if options.command == "check":
        from claimbench.commands import check

        return check.run(options.papers, against=options.against)
    if options.command == "new":
        from claimbench.commands import new

        return new.run(options.slug, arxiv=options.arxiv, title=options.title, theme=options.theme)
    if options.command == "results":
        from claimbench.commands import results

        return results.run(
            options.papers, tier=options.tier, profile=options.profile, as_json=options.json
        )
    if options.command == "why":
        from claimbench.commands import why

        return why.run(options.paper, settings=Settings(tier=options.tier, profile=options.profile))
    if options.command == "mutate":
        from claimbench.commands import mutate

        return mutate.run(
            options.paper,
            Settings(
                tier=options.tier, profile=options.profile, workers=options.workers, repeat=False
            ),
            most=options.mutants,
            seed=options.seed,
            json_file=options.json,
            publish=options.publish,
        )
    if options.command == "leaderboard":
        return _run_leaderboard(options)
    if options.command == "data":
        from claimbench.commands import data

        return (
            data.get(options.names) if options.action == "get" else data.show(as_json=options.json)
        )
    if options.command == "gc":
        from claimbench.commands import gc

        return gc.run(days=options.older_than, dry=options.dry_run)
    if options.command == "doctor":
        from claimbench.commands import doctor

        return doctor.run()
    from claimbench.commands import verify
    from claimbench.identity.methods import parse

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
        from claimbench.commands import plan

        return plan.run(options.papers, settings, claims=options.claim)
    return verify.run(options.papers, settings, claims=options.claim, json_file=options.json)


def _run_configured(words: Sequence[str]) -> int:
    if importlib.util.find_spec("hydra") is None:
        raise UsageError("`claimbench run` needs hydra; pip install 'claimbench[run]'")
    from claimbench.hydra.app import main as application

    return application(words)


def _our_bug(arguments: list[str]) -> int:
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "crash.log"
    log.write_text(
        f"claimbench {version('claimbench')}, Python {platform.python_version()}, "
        f"{platform.platform()}\narguments: {arguments}\n\n{traceback.format_exc()}",
        encoding="utf-8",
    )
    error(f"claimbench: this is a bug in claimbench; please report it with {log}")
    return OUR_BUG
