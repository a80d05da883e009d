"""`claimbench mutate`: change a paper's method in small ways, and see whether its claims notice."""

from __future__ import annotations

import datetime
import importlib.util
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from claimbench.commands import AS_EXPECTED, NOT_AS_EXPECTED, add_examples, add_tier
from claimbench.errors import UsageError
from claimbench.home import commit
from claimbench.leaderboard.mutation import Score, write
from claimbench.settings import Settings
from claimbench.showing.output import line
from claimbench.showing.progress import View, running_text
from claimbench.showing.targets import check_file, check_folder
from claimbench.spec.discovery import find_papers

if TYPE_CHECKING:
    from rich.table import Table

    from claimbench.mutation.report import Report
    from claimbench.mutation.running import Fate
    from claimbench.running.scheduler import Status

_ABOUT = """\
Change a paper's method in small ways and see whether its claims notice.

Each mutant is method.py, or a module of the paper's folder that it imports, with one change:

  argument    two neighbouring arguments in the other order
  arithmetic  another operator
  comparison  another comparison
  condition   its opposite; `or` for `and`
  constant    twice the number; 1 for 0, 0 for 1; False for True
  dtype       half the precision, or the default one
  index       the next one
  loop        one turn fewer, or one more
  name        another name of the same scope and kind: a parameter with the same annotation, a
              name of the same tuple, a field of the same class, a key of the same mapping
  sign        the opposite one
  statement   left out
  transpose   one left out or put in; factors of `@` in the other order
  update      of state, in place or by assignment: left out, in whole or in part, or made twice

It is made in a scratch copy, and the claims that are as expected on the original are tried on it,
the cheapest first, until one is not: that claim has caught it. Survivors get their controls run as
well. A mutant that no claim catches shows a missing claim or too weak a check; it is shown with its
diff. So does a function that no such claim reaches, by the names in the source: it is named, counts
as a mutant that is not caught, and none are made of it. A mutant that changes nothing which a claim
could notice is listed in the paper's mutants.yaml, with the reason:

  equivalent:
    - file: method.py
      function: scalar_flow
      was: "for _ in range(100):"
      now: "for _ in range(200):"
      reason: "Newton's method needs fewer than 20 steps; the limit is never met."

`--json` writes file, function, was and now of every mutant; `--publish leaderboards/mutation` how
many were caught, which tables and site show. What is known of a mutant is not run again. Defaults
of parameters, guards that raise, and text are never changed."""

_EXITS = """\
exit codes: 0 at least 90 % of the mutants that are not equivalent are caught, and claims reach
            every function, 1 neither or one of them, 2 usage or spec error"""


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = _ABOUT
    parser.add_argument("paper", metavar="PAPER", help="slug or folder")
    add_tier(parser)
    parser.add_argument(
        "--mutants", type=int, default=40, metavar="N", help="at most N mutants (default: 40)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="which mutants are chosen (default: 0)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="worker processes (default: one a CPU)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to FILE")
    parser.add_argument(
        "--publish", type=Path, metavar="DIR", help="write the score to DIR/PAPER.json"
    )
    add_examples(
        parser,
        "  claimbench mutate ademamix\n"
        "  claimbench mutate ademamix --mutants 10 --seed 1 --json mutants.json",
        _EXITS,
    )


def run(options: Namespace) -> int:
    """Print which mutants the claims caught, and every survivor with its diff.

    Raises:
        UsageError: libcst is not installed, or the arguments don't fit.
    """
    if importlib.util.find_spec("libcst") is None:
        raise UsageError("mutate needs libcst; pip install 'claimbench[mutation]'")
    if options.mutants < 1:
        raise UsageError(f"at least one mutant is needed, not {options.mutants}")
    target = options.json
    if target is not None:
        check_file("--json", target)
    if options.publish is not None:
        check_folder("--publish", options.publish)
    settings = Settings(
        tier=options.tier, profile=options.profile, workers=options.workers, repeat=False
    )
    folder, *others = find_papers([options.paper])
    if others:
        raise UsageError(f"`{options.paper}` holds several papers; name one of them")
    # an extra, without which the help is to be shown all the same
    from claimbench.mutation.study import study

    progress = HuntProgress()
    with progress.view as view:
        report = study(
            folder,
            settings,
            most=options.mutants,
            seed=options.seed,
            watch=view.status,
            begin=progress.begin,
            tell=progress.tell,
        )
    line(report.text())
    if target is not None:
        text = json.dumps(report.record(), indent=2, ensure_ascii=False)
        target.write_text(f"{text}\n", encoding="utf-8")
    if options.publish is not None:
        line(f"wrote {write(report.paper, score(report, commit(folder)), options.publish)}")
    return AS_EXPECTED if report.enough else NOT_AS_EXPECTED


def score(report: Report, commit: str | None) -> Score:
    """Return what is published of a report."""
    return Score(
        profile=report.profile,
        tier=report.tier,
        caught=len(report.caught),
        mutants=report.counted,
        equivalent=len(report.equivalent),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        commit=commit,
    )


class HuntProgress:
    """What a view shows of a hunt: a bar on a terminal; elsewhere a line a mutant."""

    def __init__(self) -> None:
        self.view = View(self.line, self.bar)
        self._total = self._done = self._caught = 0

    def begin(self, total: int) -> None:
        """Take note that the original has been run, and how many mutants follow."""
        self._total = total

    def line(self, status: Status) -> str:
        """Return how many are caught, and what is under way."""
        return f"{f'{self._caught} caught' if self._total else 'original'}; {running_text(status)}"

    def bar(self, status: Status, most: int) -> Table:
        """Return the same behind a bar."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        bar = ProgressBar(self._total or None, self._done, width=40, pulse=not self._total)
        table = Table.grid(padding=(0, 1))
        table.add_row(bar, self.line(status))
        return table

    def tell(self, fate: Fate) -> None:
        """Show what became of a mutant; on a terminal only if it survived."""
        self._done += 1
        self._caught += fate.claim is not None
        mutant = fate.mutant
        word = "survived" if fate.claim is None else f"caught by {fate.claim}"
        if fate.claim is None or not self.view.on_terminal:
            self.view.say(
                f"{self._done}/{self._total} {mutant.file}:{mutant.line} {mutant.function} "
                f"{mutant.kind}: {word}"
            )
