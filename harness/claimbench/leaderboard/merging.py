"""Joining published results: of several machines, of shards, of earlier and later."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from claimbench.judging.verdict import Verdict
from claimbench.leaderboard.published import Entry, Event, Published, PublishedResult, compact


def merge(parts: Iterable[Published]) -> list[Published]:
    """Return one file for each profile, tier and paper that holds what all parts hold.

    Of each CPU model the newest verdict of a claim stands; every older one stays in the history.
    The outcome does not depend on the order of the parts, and merging it again changes nothing.
    """
    groups: dict[tuple[str, str, str], list[Published]] = {}
    for part in parts:
        groups.setdefault((part.profile, part.tier, part.paper), []).append(part)
    return [_joined(group) for _, group in sorted(groups.items())]


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep Python from looking for cycles among records, which have none: a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _joined(group: list[Published]) -> Published:
    first, *others = group
    if all(other == first for other in others):  # alone, or what is here comes again
        return first
    claims: dict[str, list[Entry]] = {}
    for part in group:
        for claim, entry in part.entries.items():
            claims.setdefault(claim, []).append(entry)
    entries = {claim: join(found) for claim, found in sorted(claims.items())}
    return Published(first.profile, first.tier, first.paper, entries)


def join(entries: Iterable[Entry]) -> Entry:
    """Return what several files hold of one claim as one entry."""
    newest: dict[str, PublishedResult] = {}
    events: dict[str, Event] = {}
    for entry in entries:
        for event in (*entry.history, *(result.event() for result in entry.results.values())):
            events[compact(event.as_json())] = event
        for cpu, result in entry.results.items():
            before = newest.get(cpu)
            if before is None or result.follows(before):
                newest[cpu] = result
    return Entry(newest, tuple(sorted(events.values(), key=_age)))


def _age(event: Event) -> tuple[str, str]:
    return event.date or "", compact(event.as_json())


def in_order(history: Sequence[Event]) -> bool:
    """Say whether a history is in the order in which `join` puts it."""
    return list(history) == sorted(history, key=_age)


def flips(history: Iterable[Event]) -> list[tuple[Event, Verdict | None]]:
    """Return the events at which a CPU model gave another verdict than before, its first too.

    With each goes the verdict before; None with the first.
    """
    last: dict[str, Verdict] = {}
    changes = []
    for event in history:
        before = last.get(event.cpu)
        if before != event.verdict:
            changes.append((event, before))
        last[event.cpu] = event.verdict
    return changes
