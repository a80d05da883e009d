"""What differs between two states of the published results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from claimbench.errors import GitError, UsageError
from claimbench.git import git
from claimbench.home import home
from claimbench.judging.record import jsonable
from claimbench.judging.verdict import Verdict
from claimbench.judging.words import number
from claimbench.leaderboard.published import (
    RESULTS,
    OtherFormat,
    Published,
    PublishedResult,
    parse,
    read,
    results_in,
)
from claimbench.leaderboard.publishing import from_store
from claimbench.running.store import Store
from claimbench.showing.markdown import escape, table
from claimbench.showing.output import error

STORE = "store"

Key = tuple[str, str, str, str]
"""Profile, tier, paper and claim."""


@dataclass(frozen=True)
class Difference:
    """A claim that is not the same in two states.

    Attributes:
        what: flipped, moved, new, gone or stale.
        profile: hardware profile.
        tier: at which.
        paper: slug.
        claim: id.
        before: the verdict in the first state; None if the claim is new.
        after: the verdict in the second; None if it is gone.
        moved: for each expected metric whose median differs, both medians.
        reasons: why it is stale.
        worse: whether the second verdict is the less welcome one.
    """

    what: str
    profile: str
    tier: str
    paper: str
    claim: str
    before: Verdict | None
    after: Verdict | None
    moved: dict[str, tuple[float | None, float | None]]
    reasons: tuple[str, ...]
    worse: bool

    @property
    def name(self) -> str:
        """The claim as one would type it, with tier, and profile where it is not `cpu`."""
        profile = "" if self.profile == "cpu" else f", {self.profile}"
        return f"{self.paper}::{self.claim} ({self.tier}{profile})"


def load(name: str) -> list[Published]:
    """Return the results that a name means: `store`, a folder, or a git revision.

    Raises:
        UsageError: it means none of these.
    """
    if name == STORE:
        store = Store(home())
        try:
            return from_store(store)
        finally:
            store.close()
    if Path(name).is_dir():
        return read(results_in(Path(name)))
    return _from_revision(name)


def _from_revision(name: str) -> list[Published]:
    if name.startswith("-"):
        raise UsageError(f"`{name}` is no revision")
    where = ("-r", "--name-only", "--full-tree", name, "--", f"{RESULTS.as_posix()}/")
    try:
        listed = git(Path(), "ls-tree", *where)
    except GitError:
        raise UsageError(f"`{name}` is no folder, no git revision and not `{STORE}`") from None
    found, other = [], []
    for path in listed.splitlines():
        if PurePosixPath(path).suffix == ".json":
            try:
                found.append(parse(git(Path(), "show", f"{name}:{path}"), f"{name}:{path}"))
            except OtherFormat as mistake:
                other.append(mistake)
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        error(f"left out: {other[0].where}{more}, whose format this version does not read")
    return found


def differences(before: Iterable[Published], after: Iterable[Published]) -> list[Difference]:
    """Return what differs, the claims that got worse first."""
    old, new = _flat(before), _flat(after)
    found = [
        difference
        for key in sorted({*old, *new})
        if (difference := _difference(key, old.get(key), new.get(key))) is not None
    ]
    return sorted(found, key=lambda one: (not one.worse, _ORDER.index(one.what)))


_ORDER = ("flipped", "gone", "new", "moved", "stale")


def _flat(files: Iterable[Published]) -> dict[Key, PublishedResult]:
    return {
        (file.profile, file.tier, file.paper, claim): entry.latest
        for file in files
        for claim, entry in file.entries.items()
    }


def _difference(
    key: Key, old: PublishedResult | None, new: PublishedResult | None
) -> Difference | None:
    before = old.record.verdict if old else None
    after = new.record.verdict if new else None
    moved = {}
    if old and new:
        earlier, later = old.event().medians, new.event().medians
        names = sorted({*earlier, *later})
        pairs = {name: (earlier.get(name), later.get(name)) for name in names}
        moved = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    reasons = new.stale if new and not (old and old.stale == new.stale) else ()
    if old is None:
        what = "new"
    elif new is None:
        what = "gone"
    elif before != after:
        what = "flipped"
    elif moved:
        what = "moved"
    elif reasons:
        what = "stale"
    else:
        return None
    worse = bool(before and after and after.badness > before.badness)
    return Difference(what, *key, before, after, moved, reasons, worse)


def as_text(found: Sequence[Difference]) -> str:
    """Return a line a claim, for a terminal."""
    if not found:
        return "no difference"
    return "\n".join(f"{_mark(one)} {one.what}: {one.name}{_detail(one)}" for one in found)


def as_markdown(found: Sequence[Difference]) -> str:
    """Return a table for an issue or a job's summary."""
    if not found:
        return "No verdict changed.\n"
    return f"{table(('claim', 'what', 'before', 'now', 'values'), map(_row, found))}\n"


def _row(one: Difference) -> tuple[str, ...]:
    what = f"**{one.what}, worse**" if one.worse else one.what
    values = "; ".join([*_moves(one), *one.reasons])
    return f"`{one.name}`", what, _word(one.before), _word(one.after), escape(values)


def as_json(found: Sequence[Difference]) -> str:
    """Return the differences as JSON."""
    return json.dumps([_plain(one) for one in found], indent=1, ensure_ascii=False)


def _plain(one: Difference) -> dict[str, Any]:
    moved = {
        name: [value if value is None else jsonable(value) for value in pair]
        for name, pair in one.moved.items()
    }
    return {**asdict(one), "moved": moved}


def _mark(one: Difference) -> str:
    return "▼" if one.worse else "·"


def _word(verdict: Verdict | None) -> str:
    return verdict.marked if verdict else "–"


def _detail(one: Difference) -> str:
    verdicts = f"{one.before or 'nothing'} → {one.after or 'nothing'}"
    parts = [verdicts] if one.before != one.after else []
    return " " + "; ".join([*parts, *_moves(one), *one.reasons])


def _moves(one: Difference) -> Iterator[str]:
    for name, (before, after) in one.moved.items():
        yield f"{name} {_value(before)} → {_value(after)}"


def _value(value: float | None) -> str:
    return "–" if value is None else number(value)
