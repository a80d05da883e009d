"""Claims whose verdict has become worse and is so still, for an alert that needs no memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from claimbench.judging.words import number
from claimbench.leaderboard.merging import flips
from claimbench.leaderboard.published import Event, Published
from claimbench.showing.markdown import escape, table


@dataclass(frozen=True)
class Alert:
    """A claim that is worse than it was.

    Attributes:
        name: paper::claim, tier and profile.
        cpu: the CPU model that found it so.
        event: of the history, at which the verdict became what it is.
        before: the last event with a better verdict.
    """

    name: str
    cpu: str
    event: Event
    before: Event


def alerts(files: Iterable[Published]) -> list[Alert]:
    """Return the claims whose last verdict on a CPU model is worse than an earlier one.

    A divergence that the spec knows is none.
    """
    found = []
    for file in files:
        for claim, entry in sorted(file.entries.items()):
            history = flips(entry.history)
            for cpu, result in sorted(entry.results.items()):
                if result.record.explained:
                    continue
                changes = [event for event, _ in history if event.cpu == cpu]
                last = changes[-1]
                better = [c for c in changes if c.verdict.badness < last.verdict.badness]
                if better:
                    name = f"{file.paper}::{claim} ({file.tier}, {file.profile})"
                    found.append(Alert(name, cpu, last, better[-1]))
    return found


def as_markdown(found: Iterable[Alert]) -> str:
    """Return a table with verdicts, values, dates and commits; one sentence if there is nothing."""
    rows = [
        (f"`{one.name}`", _shown(one.before), _shown(one.event), escape(one.cpu)) for one in found
    ]
    if not rows:
        return "No claim is worse than it was.\n"
    return f"{table(('claim', 'was', 'is', 'CPU'), rows)}\n"


def _shown(event: Event) -> str:
    values = ", ".join(f"{name} {number(value)}" for name, value in sorted(event.medians.items()))
    when = f"{(event.date or '')[:10]} at {event.commit}".strip()
    return escape("; ".join(part for part in (event.verdict.marked, values, when) if part))
