"""The verdicts of a run as a Markdown table, for a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from claimbench.judging.result import Result, interval_text
from claimbench.showing.markdown import escape, table
from claimbench.showing.report import SYMBOLS, control_text, summary_line


def as_markdown(results: Sequence[Result]) -> str:
    """Return one line a claim, with what is not as expected in bold, and the totals."""
    if not results:
        return "No claim was selected.\n"
    head = ("claim", "verdict", "held", "measured, expected", "control")
    total = escape(summary_line([result.record for result in results]))
    return f"{table(head, map(_row, results))}\n\n{total}.\n"


def _row(result: Result) -> tuple[str, ...]:
    record = result.record
    verdict = f"{SYMBOLS[result.verdict]} {result.verdict}"
    if result.known is not None and result.verdict == "diverged":
        verdict += " (known)"
    return (
        escape(f"{record['paper']}::{record['claim']} ({record['tier']})"),
        verdict if result.as_expected else f"**{verdict}**: {escape(result.reason)}",
        f"{record['held']}/{record['seeds']}" if record["seeds"] else "",
        escape("; ".join(_values(record))),
        escape(control_text(record)) if record["seeds"] else "",
    )


def _values(record: Mapping[str, Any]) -> Iterator[str]:
    for name, region in record["expect_text"].items():
        summary = record["metrics"].get(name)
        if summary:
            yield f"{name} {interval_text(summary)}, {region}"
