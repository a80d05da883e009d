"""`claimbench ledger`: what changed in claims since they were registered, and what marks it."""

import json
import shutil
import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, NOT_AS_EXPECTED, add_examples
from claimbench.errors import UsageError
from claimbench.home import home
from claimbench.judging.words import counted
from claimbench.leaderboard.ledger import ClaimLedger, Event, Ledgers, PaperLedger
from claimbench.showing.output import color, line
from claimbench.spec.discovery import find_papers
from claimbench.spec.wording import Told, shortened

ABOUT = """\
A claim is registered by the first commit that has it. Whatever its verdict depends on and that
differs today must be named in the `fields` of an `amended` entry that came with the change or
after it. The ledger shows, from git, each change, the entry that marks it or NOT MARKED, and the
verdicts published before and after.
"""
RED, GREEN, DIM = 31, 32, 2
LEAST, MOST = 60, 160


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = f"{parser.description}\n\n{ABOUT}"
    parser.add_argument(
        "papers",
        nargs="*",
        metavar="PAPER[::CLAIM]",
        help="slugs, paper folders or folders of papers, or one claim; all of the project if none",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text (default) or json"
    )
    add_examples(
        parser,
        "  claimbench ledger ademamix\n  claimbench ledger ademamix::slower-forgetting\n"
        "  claimbench ledger --format json > ledger.json",
        "exit codes: 0 all is marked, 1 something is not, 2 usage or spec error, or no git history",
    )


def run(options: Namespace) -> int:
    """Print the timeline of each claim, and what is not marked."""
    columns = min(MOST, max(LEAST, shutil.get_terminal_size((100, 24)).columns))
    papers = _papers(options.papers, max(24, (columns - 40) // 2))
    if options.format == "json":
        line(json.dumps([claim for paper in papers for claim in _json(paper)], indent=2))
    else:
        for text in _text(papers, columns, colored=color()):
            line(text)
    missing = any(claim.findings for paper in papers for claim in paper.claims)
    return NOT_AS_EXPECTED if missing else AS_EXPECTED


def _papers(words: Sequence[str], width: int) -> list[PaperLedger]:
    """Return the ledgers that the words ask for.

    Raises:
        UsageError: a word means no paper, or a paper never had the claim.
    """
    asked: dict[Path, set[str]] = {}
    for word in words or [""]:
        name, _, claim = word.partition("::")
        for folder in find_papers([name] if name else []):
            asked.setdefault(folder, set()).update({claim} if claim else ())
    cache, found = Cache(home()), []
    for root in dict.fromkeys(folder.parent for folder in asked):
        ledgers = Ledgers(root, [f for f in asked if f.parent == root], cache, width)
        for folder, claims in asked.items():
            if folder.parent == root:
                found.append(_of(ledgers.of(folder.name), claims))
    cache.close()
    return found


def _of(paper: PaperLedger, claims: set[str]) -> PaperLedger:
    for claim in sorted(claims - {ledger.id for ledger in paper.claims}):
        ids = ", ".join(ledger.id for ledger in paper.claims)
        raise UsageError(f"{paper.slug} never had a claim `{claim}`; its claims are {ids}")
    kept = [ledger for ledger in paper.claims if not claims or ledger.id in claims]
    return replace(paper, claims=kept)


def _json(paper: PaperLedger) -> list[dict[str, Any]]:
    """Return the timelines of a paper as JSON data."""
    return [
        {
            "paper": paper.slug,
            "claim": claim.id,
            "present": claim.present,
            "registered": claim.registered,
            "events": [_event_json(event) for event in claim.events],
            "not_marked": [
                {
                    "field": f.field,
                    "was": f.was,
                    "now": f.now,
                    "steps": f.steps,
                    "message": f.message,
                }
                for f in claim.findings
            ],
        }
        for claim in paper.claims
    ]


def _event_json(event: Event) -> dict[str, Any]:
    keys = ("date", "was", "now", "reason")
    return {
        **{key: getattr(event, key) for key in ("date", "commit", "kind", "text")},
        "changes": [
            {
                **{key: getattr(change, key) for key in ("field", "what", "was", "now", "tiers")},
                "must_be_marked": change.needed,
                "marked_by": dict(zip(keys, change.entry, strict=True)) if change.entry else None,
            }
            for change in event.changes
        ],
        "verdicts": {tier: list(words) for tier, words in event.verdicts.items()},
        "verdict_before": dict(event.before),
        "verdict_after": dict(event.after),
    }


def _text(papers: Sequence[PaperLedger], columns: int, *, colored: bool) -> Iterator[str]:
    for paper in papers:
        if paper.former:
            yield f"{paper.slug}, formerly {', '.join(paper.former)}\n"
        if not paper.registered:
            yield f"{paper.slug}: not registered yet: commit claims.yaml\n"
            continue
        for claim in paper.claims:
            yield from _claim(paper.slug, claim, columns, colored)
            yield ""
    claims = [claim for paper in papers for claim in paper.claims]
    missing = sum(len(claim.findings) for claim in claims)
    if missing:
        where = counted(sum(bool(claim.findings) for claim in claims), "claim")
        yield f"{counted(len(claims), 'claim')}: {missing} NOT MARKED, in {where}"
    else:
        yield f"{counted(len(claims), 'claim')}: all is marked"


def _claim(slug: str, claim: ClaimLedger, columns: int, colored: bool) -> Iterator[str]:
    state = "" if claim.present else "  (no longer a claim)"
    yield f"{slug}::{claim.id}{state}"
    if claim.present and not claim.registered:
        yield "  not registered yet: commit claims.yaml"
    for event in claim.events:
        yield from _event(event, columns, colored, owed=claim.owed)
    for finding in claim.findings:
        text = textwrap.wrap(f"NOT MARKED: {finding.message}", columns - 4)
        yield from (f"  {_in(RED, row, colored)}" for row in text)


def _event(event: Event, columns: int, colored: bool, *, owed: bool) -> Iterator[str]:
    place = f"{event.date or 'not committed':10}  {(event.commit or '')[:7]:7}"
    indent = " " * 23
    rows = [f"{event.kind}{_published(event)}"] if event.kind in ("registered", "published") else []
    if event.text:
        rows.append(shortened(event.text, columns - 23))
    for change in event.changes:
        rows += _change(change, columns - 23, colored, owed=owed)
    if event.kind not in ("registered", "published"):
        before, after = _words(event.before, "nothing"), _words(event.after, "nothing yet")
        rows.append(f"published before: {before}; since: {after}")
    for number, row in enumerate(rows):
        head = f"  {_in(DIM, place, colored)}  " if number == 0 else indent
        yield f"{head}{row}"


def _published(event: Event) -> str:
    if event.kind == "registered":
        return f"; first published: {_words(event.after, 'nothing yet')}"
    return ": " + ", ".join(
        f"{tier} {now}" if was == "none" else f"{tier} {was} → {now}"
        for tier, (was, now) in event.verdicts.items()
    )


def _change(change: Told, columns: int, colored: bool, *, owed: bool) -> Iterator[str]:
    yield f"{change.what}{change.where}: {change.was} → {change.now}"
    if not change.needed:
        yield _in(DIM, "  undone since", colored)
    elif change.entry is None:
        yield _in(RED, "  NOT MARKED", colored) if owed else _in(DIM, "  no entry", colored)
    else:
        date, _, _, reason = change.entry
        text = shortened(f"  marked {date}: {reason}", columns)
        yield _in(GREEN, text, colored)


def _words(words: Mapping[str, str], none: str) -> str:
    return ", ".join(f"{tier} {word}" for tier, word in words.items()) or none


def _in(code: int, text: str, colored: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colored else text
