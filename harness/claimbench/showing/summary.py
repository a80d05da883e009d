"""The verdicts of a run as a Markdown table, for a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claimbench.judging.record import Record
from claimbench.judging.result import Result
from claimbench.judging.words import interval_text
from claimbench.showing.markdown import escape, table
from claimbench.showing.report import control_text, summary_line


def as_markdown(results: Sequence[Result]) -> str:
    """Return one line a claim, with what is not as expected in bold, and the totals."""
    if not results:
        return "No claim was selected.\n"
    head = ("claim", "verdict", "held", "measured, expected", "control")
    total = escape(summary_line([result.record for result in results]))
    return f"{table(head, map(_row, results))}\n\n{total}.\n"


def _row(result: Result) -> tuple[str, ...]:
    record = result.record
    verdict = record.verdict.marked + (" (known)" if record.explained else "")
    return (
        escape(f"{record.name} ({record.tier})"),
        verdict if result.as_expected else f"**{verdict}**: {escape(result.reason)}",
        f"{record.held}/{record.seeds}" if record.seeds else "",
        escape("; ".join(_values(record))),
        escape(control_text(record)) if record.seeds else "",
    )


def _values(record: Record) -> Iterator[str]:
    for name, region in record.expect_text.items():
        measured = record.metrics.get(name)
        if measured:
            yield f"{name} {interval_text(measured)}, {region}"
