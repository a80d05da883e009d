"""The table of verdicts and what is said about a claim that is not as expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimbench.judging.result import cpu_seconds, interval_text, number

if TYPE_CHECKING:
    from claimbench.judging.result import Result

SYMBOLS = {
    "reproduced": "✓",
    "diverged": "✗",
    "inconclusive": "?",
    "vacuous": "∅",
    "skipped": "–",
    "error": "!",
}
_COLORS = {
    "reproduced": 32,
    "diverged": 31,
    "inconclusive": 33,
    "vacuous": 35,
    "skipped": 36,
    "error": 31,
}
_CONTROL = {"diverged": "rejected", "reproduced": "passes"}


def render(records: Sequence[Mapping[str, Any]], *, color: bool) -> str:
    """Return the table of verdicts as text, one block a paper, tier and profile.

    A claim's line has verdict, seeds held, what became of its control, and the time of its runs;
    below it stands a line for each expected metric. It fits into 100 columns for most papers, and
    is never cut.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        words = (record.get(key) or "" for key in ("paper", "tier", "profile", "method"))
        groups.setdefault(tuple(words), []).append(record)
    lines = []
    for (paper, tier, profile, method), group in groups.items():
        title = f"{paper} · tier {tier} · profile {profile}" + (f" · {method}" if method else "")
        lines += [title, *_block(group, color), ""]
    return "\n".join([*lines, summary_line(records)])


def summary_line(records: Iterable[Mapping[str, Any]]) -> str:
    """Return how many claims have which verdict, and the time that their runs took."""
    records = list(records)
    counts = dict.fromkeys(SYMBOLS, 0)
    for record in records:
        counts[record["verdict"]] += 1
    known = sum(1 for r in records if r["verdict"] == "diverged" and r["known"])
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    if known:
        parts = [f"{p} ({known} known)" if p.endswith("diverged") else p for p in parts]
    return f"{', '.join(parts) or 'no claim'}; runs of {cpu_seconds(records):.1f} CPU-seconds"


def failure_text(result: Result) -> str:
    """Return what is said of a claim that is not as expected: one line, then the remedy.

    An error also shows the traceback in the paper folder and what the run printed.
    """
    parts = [result.headline, f"repeat: {result.repeat}"]
    if result.failure is not None:
        if result.failure.traceback:
            parts += ["", result.failure.traceback.rstrip()]
        if result.failure.log.strip():
            parts += ["", "log of the run:", result.failure.log.rstrip()]
    return "\n".join(parts)


def _block(records: Sequence[Mapping[str, Any]], color: bool) -> list[str]:
    titles = ("claim", "verdict", "held", "control", "time")
    claims = _aligned([titles, *(_claim_cells(record) for record in records)])
    metrics = [_metric_rows(record) for record in records]
    labels = ("metric", "median [interval]", "expected", "the paper's")
    details = _aligned([labels, *(row for rows in metrics for row in rows)])
    lines = [f"  {claims[0]}", f"      {details.pop(0)}"]
    for record, line, rows in zip(records, claims[1:], metrics, strict=True):
        text = f"  {line}"
        if color:
            text = f"\x1b[{_COLORS[record['verdict']]}m{text}\x1b[0m"
        lines.append(text)
        lines += [f"      {details.pop(0)}" for _ in rows]
    return lines


def _claim_cells(record: Mapping[str, Any]) -> tuple[str, ...]:
    verdict = record["verdict"]
    known = " (known)" if record["known"] and verdict == "diverged" else ""
    held = f"{record['held']}/{record['seeds']}" if record["seeds"] else ""
    return (
        record["claim"],
        f"{SYMBOLS[verdict]} {verdict}{known}",
        held if verdict != "skipped" else "",
        control_text(record) if verdict not in {"skipped", "error"} else "",
        f"{record['seconds']:.1f} s",
    )


def _metric_rows(record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, region in record["expect_text"].items():
        summary, reported = record["metrics"].get(name), record["reported"].get(name)
        rows.append(
            (
                name,
                interval_text(summary) if summary else "–",
                region,
                number(reported) if reported is not None else "",
            )
        )
    return rows


def control_text(record: Mapping[str, Any]) -> str:
    """Return what became of the control: `rejected` is what it should be."""
    control = record["control"]
    word = _CONTROL.get(control["verdict"], control["verdict"])
    return f"{word} {control['held']}/{control['seeds']}" if control["seeds"] else word


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows as lines whose cells begin in the same columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
