"""Judging published records again: what in the files does not follow from their own values.

Nothing is run. What a record says of itself has to follow from its seeds' values by the rule that
gave the verdict, agree with the spec that it names, and stand in its file's history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from claimbench.cache import Cache
from claimbench.errors import UsageError
from claimbench.judging.deciding import judged_again
from claimbench.judging.record import NOT_RUN, Record
from claimbench.judging.recording import written_down
from claimbench.judging.verdict import Verdict
from claimbench.leaderboard.merging import in_order
from claimbench.leaderboard.published import Entry, Published, compact, read_file
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.load import load_spec
from claimbench.spec.models import Claim, Spec

ANEW = "restore the file from git, or publish the claim anew from the store that has its runs"
_CLOCKS = timedelta(minutes=10)
"""By how much the clocks of two machines may differ."""


def problems(folder: Path, papers: Path, cache: Cache, now: datetime) -> Iterator[str]:
    """Yield what is wrong with the files below a folder of results, each with its remedy.

    Args:
        folder: of the results.
        papers: folder of the papers.
        cache: of parsed specs.
        now: the time that no date may lie after.

    Raises:
        SpecError: a spec has problems.
    """
    for path in sorted(folder.rglob("*.json")):
        try:
            file = read_file(path, folder)
        except UsageError as mistake:
            yield str(mistake)
            continue
        for claim, said in _of_file(file, papers, cache, now):
            yield f"{path}: {claim}: {said}"


def _of_file(
    file: Published, papers: Path, cache: Cache, now: datetime
) -> Iterator[tuple[str, str]]:
    place = papers / file.paper
    if not (place / SPEC_FILE).is_file():
        yield "all claims", f"there is no paper `{file.paper}`; remove the file"
        return
    spec = load_spec(place, cache)
    claims = {claim.id: claim for claim in spec.claims}
    for name, claim in claims.items():
        if claim.judged_at(file.tier) and name not in file.entries:  # type: ignore[arg-type]
            told = f"{file.paper} --tier {file.tier}"
            said = f"the spec judges it at {file.tier} and nothing is published of it; run: "
            commands = f"claimbench verify {told} --claim {name}, then: claimbench leaderboard"
            yield name, f"{said}{commands} publish {told}"
    gone = {removal.id for removal in spec.removed}
    gone |= {old for claim in spec.claims for old in claim.supersedes}
    for name, entry in file.entries.items():
        if name not in claims and name not in gone:
            yield (
                name,
                (
                    "the spec has no such claim; list it under `removed` with date and reason, or "
                    "under `supersedes` of the claim that replaces it"
                ),
            )
        for said in of_entry(entry, spec, claims.get(name), now):
            yield name, f"{said}; {ANEW}"


def of_entry(entry: Entry, spec: Spec, claim: Claim | None, now: datetime) -> Iterator[str]:
    """Yield what is wrong with the records and the history of one claim."""
    dates = [event.date for event in entry.history if event.date is not None]
    if any(_moment(date) is None or _is_later(date, now) for date in dates):
        yield "the history has a date that is none, or lies in the future"
    elif not in_order(entry.history):
        yield "the history is not in the order of its dates"
    for result in entry.results.values():
        record = result.record
        if result.event() not in entry.history:
            yield f"the history has no such verdict as that of {record.cpu}"
        yield from of_record(record, now)
        if claim is not None and record.spec_hash == spec.claim_hash(claim):
            yield from against_spec(record, spec, claim)


def of_record(record: Record, now: datetime) -> Iterator[str]:
    """Yield what in a record does not follow from itself."""
    insane = [*_counts(record), *_dates(record, now)]
    yield from insane
    if record.commit is None or record.commit.endswith("+"):
        at = "in no commit" if record.commit is None else f"not committed ({record.commit})"
        yield f"the code of its runs was {at}"
    if insane:
        return
    if record.verdict is Verdict.SKIPPED:
        yield from _skipped(record)
    elif record.verdict is not Verdict.ERROR:
        yield from _judged(record)
    elif not record.reason:
        yield "an error without a reason"


def _counts(record: Record) -> Iterator[str]:
    if not 0 <= record.held <= record.seeds <= record.max_seeds:
        yield (
            f"{record.held} of {record.seeds} seeds held, with at most {record.max_seeds}, is "
            "impossible"
        )
    if record.verdict is not Verdict.ERROR:
        for name, metric in record.metrics.items():
            if len(metric.values) != record.seeds:
                yield f"`{name}` has {len(metric.values)} values and there are {record.seeds} seeds"
    for name in ("seconds", "cpu_seconds", "peak_mb", "amended"):
        value = getattr(record, name)
        if value is not None and not value >= 0:
            yield f"`{name}` is {value}"


def _dates(record: Record, now: datetime) -> Iterator[str]:
    began, judged = _moment(record.started_at), _moment(record.judged_at)
    if judged is None:
        yield f"`judged_at` is {record.judged_at}, which is no date with a time zone"
    elif _is_later(record.judged_at, now):
        yield f"`judged_at` is {record.judged_at}, which lies in the future"
    if record.started_at is not None and began is None:
        yield f"`started_at` is {record.started_at}, which is no date with a time zone"
    elif began is not None and judged is not None and began > judged:
        yield f"its runs began ({record.started_at}) after it was judged ({record.judged_at})"
    elif began is None and record.seeds:
        yield "there are seeds and no date at which their runs began"


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _is_later(text: str | None, now: datetime) -> bool:
    moment = _moment(text)
    return moment is not None and moment.astimezone(UTC) > now + _CLOCKS


def _skipped(record: Record) -> Iterator[str]:
    nothing: tuple[Any, ...] = (0, None, None, NOT_RUN, (), None, {})
    fields = ("held", "share", "power", "control", "controls", "passes_with", "standing")
    if record.seeds > 1 or any(
        getattr(record, name) != value for name, value in zip(fields, nothing, strict=True)
    ):
        yield "a claim that is skipped has at most one seed, and shows nothing"
    if not record.reason:
        yield "skipped without a reason"


def _judged(record: Record) -> Iterator[str]:
    try:
        again = judged_again(record)
    except ValueError as mistake:
        yield f"its values can't be judged: {_one_line(mistake)}"
        return
    yield from _differences(record, again, "its values give")
    if again["verdict"] is Verdict.REPRODUCED and not record.controls:
        yield "reproduced without a run of its controls"


def _one_line(mistake: ValueError) -> str:
    return " ".join(str(mistake).split())


def against_spec(record: Record, spec: Spec, claim: Claim) -> Iterator[str]:
    """Yield where a record differs from the claim of the spec that it says it judges."""
    yield from _differences(record, written_down(spec, claim, record.tier), "the spec says")
    judged = claim.judged_at(record.tier)
    if not judged and record.verdict not in (Verdict.SKIPPED, Verdict.ERROR):
        yield f"it is {record.verdict} at {record.tier}, and is judged from {claim.from_} only"
    if judged and record.verdict is Verdict.SKIPPED and record.seeds:
        yield f"it is skipped with a seed, and is judged at {record.tier}"
    if not judged or not record.verdict.judged:
        return
    if record.controls:
        found = {control.name: control.arguments for control in record.controls}
        if compact(list(found.items())) != compact(list(claim.controls.items())):
            yield (
                f"its controls are {', '.join(found)}, the spec says "
                f"{', '.join(claim.controls)}, or other arguments"
            )
    known = claim.known_at(record.tier)
    wanted = known.passes_with if known is not None and record.verdict is Verdict.DIVERGED else None
    if wanted and (
        record.passes_with is None or compact(record.passes_with.arguments) != compact(wanted)
    ):
        yield "the setting of `passes_with` was not run as the spec says"


def _differences(record: Record, fields: Mapping[str, Any], whence: str) -> Iterator[str]:
    """Yield a sentence for each field whose value is another one, as JSON has it."""
    before, after = record.as_json(), replace(record, **fields).as_json()
    for name in fields:
        if before[name] != after[name]:
            yield f"`{name}` is {_short(before[name])}, {whence} {_short(after[name])}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else compact(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
