"""The command line: it parses, calls one command, and turns exceptions into exit codes."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from claimbench.commands import EXITS, USAGE
from claimbench.errors import ClaimbenchError
from claimbench.home import home
from claimbench.showing.output import CLOSED, drop, error, line, settle

INTERRUPTED = 130
OUR_BUG = 3

COMMANDS = {
    "verify": "run the claims of papers and show their verdicts",
    "run": "run a selection as configured by Hydra, in shards, on a cluster, with a tracker",
    "list": "list papers",
    "check": "find every problem of a spec without running it",
    "new": "write a paper folder that passes check and runs at once, to be filled in",
    "results": "show the last verdict of each claim in the store",
    "ledger": "show what changed in claims since they were registered, and what marks it",
    "why": "say what the identity of a paper's runs is made of, and what changed since they ran",
    "mutate": "change a paper's method in small ways and see whether its claims notice",
    "leaderboard": "publish verdicts, join and compare published ones, derive tables and site",
    "data": "list data sets and get them",
    "doctor": "say what this machine can run: profiles, limits, data sets, extras",
    "gc": "remove runs that the present code can't reach, and old failures and artefacts",
}
"""Each is the module of its name in `claimbench.commands`; only the one asked for is imported."""

_TOP = """\
Does the claim hold when I run it?

  claimbench verify ademamix        run a paper's claims (pytest papers/ademamix does the same)
  claimbench results ademamix       the verdicts so far
  claimbench new my_paper           a folder to begin with, which runs as it is
  claimbench check my_paper         find mistakes in a spec without running anything
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    settle()
    try:
        return _told(sys.argv[1:] if arguments is None else list(arguments))
    except BrokenPipeError:  # nobody is left to be told, as after `| head`
        drop()
        return CLOSED


def _told(words: list[str]) -> int:
    """Run a command, say what is wrong, and return the exit code."""
    try:
        return _run(words)
    except BrokenPipeError:
        raise
    except ClaimbenchError as mistake:
        error(f"claimbench: {mistake}")
        return USAGE
    except OSError as trouble:
        error(f"claimbench: {trouble}")
        drop()
        return USAGE
    except KeyboardInterrupt:
        error("claimbench: interrupted; finished runs are kept")
        return INTERRUPTED
    except Exception:  # noqa: BLE001  our bug, whatever it is: leave something to report
        return _our_bug(words)


def _run(words: list[str]) -> int:
    count = 1 if words[:1] == ["run"] else len(words)  # the rest is in Hydra's grammar
    try:
        options = _parser(words).parse_args(words[:count])
        options.words = words[count:]
        code: int = options.run(options)
    finally:
        sys.stdout.flush()  # what can't be written is said above, not when Python ends
    return code


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that knows the arguments of the command among the words, if there is one."""
    parser = argparse.ArgumentParser(
        prog="claimbench",
        description=_TOP,
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="show program's version number and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == asked:
            module = importlib.import_module(f"claimbench.commands.{name}")
            module.add(command)
            command.set_defaults(run=module.run)
    return parser


class _Version(argparse.Action):
    """Prints the version, which is looked up only if it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        line(_version())
        parser.exit()


def _version() -> str:
    from importlib.metadata import version

    return version("claimbench")


def _our_bug(arguments: list[str]) -> int:
    log = home() / "crash.log"
    text = (
        f"claimbench {_version()}, Python {platform.python_version()}, "
        f"{platform.platform()}\narguments: {arguments}\n\n{traceback.format_exc()}"
    )
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
    except OSError:
        error(f"claimbench: this is a bug in claimbench; please report it with this:\n{text}")
        return OUR_BUG
    error(f"claimbench: this is a bug in claimbench; please report it with {log}")
    return OUR_BUG
