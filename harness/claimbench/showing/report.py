"""The table of verdicts and what is said about a claim that is not as expected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from claimbench.judging.chosen import chosen_text
from claimbench.judging.record import Record, Tally, cpu_seconds
from claimbench.judging.verdict import Verdict
from claimbench.judging.words import counted, interval_text, number
from claimbench.tiers import BUDGETS, Tier

if TYPE_CHECKING:
    from claimbench.judging.result import Result


def render(records: Sequence[Record], *, color: bool) -> str:
    """Return the table of verdicts as text, one block a paper, tier and profile.

    Headlines come first and have a star. A claim's line has verdict, seeds held, what became of
    its controls, and the time of its runs; below it stand a line for each expected metric, one that
    names the controls, and one of what was chosen in tuning. It fits into 100 columns for most
    papers, and is never cut.
    """
    groups: dict[tuple[str, str, str, str | None], list[Record]] = {}
    for record in records:
        place = (record.paper, record.tier, record.profile, record.method)
        groups.setdefault(place, []).append(record)
    lines = []
    for (paper, tier, profile, method), group in groups.items():
        group.sort(key=lambda record: not record.headline)
        title = f"{paper} · tier {tier} · profile {profile}" + (f" · {method}" if method else "")
        lines += [title, *_block(group, color), ""]
    return "\n".join([*lines, summary_line(records)])


def summary_line(records: Iterable[Record]) -> str:
    """Return how many claims have which verdict, and the time that their runs took.

    A paper whose runs took more than its tier's budget is named.
    """
    records = list(records)
    counts = Counter(record.verdict for record in records)
    known = Counter(record.verdict for record in records if record.explained)
    stars = [one for one in records if one.headline and one.verdict is not Verdict.SKIPPED]
    held = sum(record.verdict is Verdict.REPRODUCED for record in stars)
    headlines = f"{held} of {counted(len(stars), 'headline')} reproduced; " if stars else ""
    parts = [
        f"{counts[verdict]} {verdict}" + (f" ({known[verdict]} known)" if known[verdict] else "")
        for verdict in Verdict
        if counts[verdict]
    ]
    seconds = f"runs of {cpu_seconds(records):.1f} CPU-seconds"
    total = f"{headlines}{', '.join(parts) or 'no claim'}; {seconds}"
    return "; ".join([total, *_above_budget(records)])


def _above_budget(records: Iterable[Record]) -> Iterator[str]:
    papers: dict[tuple[str, Tier, str, str | None], list[Record]] = {}
    for record in records:
        place = (record.paper, record.tier, record.profile, record.method)
        papers.setdefault(place, []).append(record)
    for (paper, tier, _, _), group in papers.items():
        spent, budget = cpu_seconds(group), BUDGETS.get(tier, math.inf)
        if spent > budget:
            yield f"{paper} took {spent:.1f}, above the {budget:.0f} that {tier} allows a paper"


def failure_text(result: Result) -> str:
    """Return what is said of a claim that is not as expected: one line, then the remedy.

    An error also shows the traceback in the paper folder and what the run printed.
    """
    parts = [result.line, f"repeat: {result.repeat}"]
    if result.failure is not None:
        if result.failure.traceback:
            parts += ["", result.failure.traceback.rstrip()]
        if result.failure.log.strip():
            parts += ["", "log of the run:", result.failure.log.rstrip()]
    return "\n".join(parts)


def _block(records: Sequence[Record], color: bool) -> list[str]:
    titles = ("claim", "verdict", "held", "control", "time")
    claims = _aligned([titles, *(_claim_cells(record) for record in records)])
    metrics = [_metric_rows(record) for record in records]
    labels = ("metric", "median [interval]", "expected", "the paper's")
    details = _aligned([labels, *(row for rows in metrics for row in rows)])
    lines = [f"  {claims[0]}", f"      {details.pop(0)}"]
    for record, line, rows in zip(records, claims[1:], metrics, strict=True):
        text = f"  {line}"
        if color:
            text = f"\x1b[{record.verdict.color}m{text}\x1b[0m"
        lines.append(text)
        lines += [f"      {details.pop(0)}" for _ in rows]
        lines += _controls_line(record)
        lines += [f"      chosen: {chosen_text(record.chosen)}"] * bool(record.chosen)
    return lines


def _claim_cells(record: Record) -> tuple[str, ...]:
    verdict = record.verdict
    held = f"{record.held}/{record.seeds}" if record.seeds else ""
    return (
        f"★ {record.claim}" if record.headline else record.claim,
        verdict.marked + (" (known)" if record.explained else ""),
        held if verdict is not Verdict.SKIPPED else "",
        control_text(record) if verdict not in (Verdict.SKIPPED, Verdict.ERROR) else "",
        f"{record.seconds:.1f} s",
    )


def _metric_rows(record: Record) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, region in record.expect_text.items():
        measured = record.metrics.get(name)
        rows.append(
            (
                name,
                interval_text(measured) if measured else "–",
                region,
                reported_text(record, name),
            )
        )
    return rows


def reported_text(record: Record, name: str) -> str:
    """Return the paper's number of a metric and how ours stands to it; empty if there is none."""
    if name not in record.reported:
        return ""
    text = number(record.reported[name])
    return f"{text}, {record.standing[name]}" if name in record.standing else text


def _controls_line(record: Record) -> Iterator[str]:
    named = [f"{control.name} {_outcome(control)}" for control in record.controls]
    if named:
        yield f"      {'control' if len(named) == 1 else 'controls'}: {', '.join(named)}"


def control_text(record: Record) -> str:
    """Return what became of the controls, the weakest of several: it should be `rejected`."""
    return _outcome(record.control)


def _outcome(control: Tally) -> str:
    word = control.verdict.of_control
    return f"{word} {control.held}/{control.seeds}" if control.seeds else word


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows as lines whose cells begin in the same columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
