"""From the store to the files of published results."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from claimbench.cache import Cache
from claimbench.judging.record import Record, jsonable
from claimbench.leaderboard.cleanliness import refuse_what_is_in_no_commit
from claimbench.leaderboard.files import alone
from claimbench.leaderboard.merging import join, merge
from claimbench.leaderboard.published import (
    Curves,
    Entry,
    Published,
    PublishedResult,
    read_file,
    write,
)
from claimbench.leaderboard.scrubbing import Scrubber
from claimbench.leaderboard.staleness import code_parts, marked
from claimbench.running.store import Store

CURVE_POINTS = 100
"""A curve is thinned out to about so many points, its ends among them."""

_DIGITS = 5


def publish(
    store: Store,
    folder: Path,
    papers: Path,
    cache: Cache,
    *,
    only: Collection[str] = (),
    tier: str | None = None,
    profile: str | None = None,
) -> tuple[list[Published], int]:
    """Add the store's verdicts to the published results below a folder.

    What is published already stays in the history. Results of the same files are marked as stale,
    or not, by the present code.

    Args:
        store: whose last verdict of each claim is published.
        folder: of the results.
        papers: folder of the papers.
        cache: of parsed specs and code.
        only: slugs; empty for all.
        tier: only this one.
        profile: only this one.

    Returns:
        The files that hold the store's verdicts, and how many of them were written.

    Raises:
        UsageError: a verdict is about code that is in no commit.
    """
    fresh = [
        one
        for one in from_store(store)
        if (not only or one.paper in only)
        and tier in (None, one.tier)
        and profile in (None, one.profile)
    ]
    refuse_what_is_in_no_commit(fresh, papers)
    places = {one.path(folder) for one in fresh}
    with alone(folder):
        before = [read_file(place, folder) for place in sorted(places) if place.is_file()]
        files = [marked(one, papers, cache) for one in merge([*before, *fresh])]
        return files, sum(write(one, folder) for one in files)


def from_store(store: Store) -> list[Published]:
    """Return the last verdict of each claim in the store as published results."""
    scrubber = Scrubber()
    entries: dict[tuple[str, str, str], dict[str, Entry]] = {}
    for record in store.verdicts():
        key = record.run_key
        result = PublishedResult(
            record=_published(record, scrubber),
            code=code_parts(store.parts(key)) if key else {},
            curves=_curves(store, key) if key else {},
        )
        entry = join([Entry({result.cpu: result}, ())])
        place = (record.profile, record.tier, record.paper)
        entries.setdefault(place, {})[record.claim] = entry
    return [Published(*place, claims) for place, claims in sorted(entries.items())]


def _published(record: Record, scrubber: Scrubber) -> Record:
    return replace(
        record,
        reason=scrubber.text(record.reason),
        seconds=round(record.seconds, 2),
        cpu_seconds=round(record.cpu_seconds, 2),
        peak_mb=None if record.peak_mb is None else round(record.peak_mb, 2),
    )


def _curves(store: Store, run_key: str) -> Curves:
    found = store.curves(run_key, 0)
    return {name: [_thin(xs), _thin(ys)] for name, (xs, ys) in sorted(found.items()) if xs}


def _thin(values: list[float]) -> list[Any]:
    last = len(values) - 1
    count = min(len(values), CURVE_POINTS)
    chosen = [values[round(i * last / (count - 1))] for i in range(count)] if count > 1 else values
    return [jsonable(float(f"{value:.{_DIGITS}g}")) for value in chosen]
