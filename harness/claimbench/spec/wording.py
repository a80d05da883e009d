"""How a change of a claim is told: what differs, shortly."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from claimbench.spec.models import FIELDS
from claimbench.spec.registration import BY_TIER, Change
from claimbench.spec.versions import Entry
from claimbench.tiers import TIERS

WIDTH = 60
_ORDER: list[str] = [*FIELDS]
ABSENT = "none"


@dataclass(frozen=True)
class Told:
    """A change as a reader sees it; the same one at several tiers is one.

    Attributes:
        field: what an entry must name.
        what: the field, with the parameter of an argument.
        was: what differs, before.
        now: what differs, since.
        tiers: at which; empty where the field has none.
        needed: whether an entry has to mark it.
        entry: the entry that marks it.
    """

    field: str
    what: str
    was: str
    now: str
    tiers: tuple[str, ...]
    needed: bool
    entry: Entry | None

    @property
    def at(self) -> str:
        """The parameter and the tiers, to be put before a value."""
        return f"{self.what.removeprefix(self.field)}{self.where} ".lstrip()

    @property
    def where(self) -> str:
        """The tiers, in brackets, unless it is at all of them."""
        return "" if len(self.tiers) in (0, len(TIERS)) else f" ({', '.join(self.tiers)})"


def told(changes: Iterable[Change], names: Mapping[str, str], width: int = WIDTH) -> list[Told]:
    """Return changes of one version as a reader sees them.

    Args:
        changes: the changes.
        names: of controls, by their overrides as JSON.
        width: characters of a value that are shown.
    """
    groups: dict[tuple[Any, ...], list[str]] = {}
    for change in changes:
        was, now = (None if v is None else v.text for v in (change.was, change.now))
        by_tier = change.key[0] in BY_TIER
        what = " ".join([change.field, *change.key[2:]])
        group = (change.field, what, was, now, change.needed, change.entry)
        groups.setdefault(group, []).extend(change.key[1:2] if by_tier else ())
    found = []
    ordered = sorted(groups.items(), key=lambda group: _ORDER.index(group[0][0]))
    for (field, what, was, now, needed, entry), tiers in ordered:
        before, after = shortly(field, was, now, names, width)
        places = tuple(tier for tier in TIERS if tier in tiers)
        found.append(Told(field, what, before, after, places, needed, entry))
    return found


def shortly(
    field: str, was: str | None, now: str | None, names: Mapping[str, str], width: int = WIDTH
) -> tuple[str, str]:
    """Return two values, given as JSON, as texts that show where they differ."""
    before, after = (None if text is None else json.loads(text) for text in (was, now))
    if field == "controls" and isinstance(before, list) and isinstance(after, list):
        texts = [
            ", ".join(_control(c, names) for c in mine if c not in theirs) or "none"
            for mine, theirs in ((before, after), (after, before))
        ]
        return shortened(texts[0], width), shortened(texts[1], width)
    if field == "known":
        before, after = (_known(value) for value in (before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [k for k in {**before, **after} if before.get(k, ABSENT) != after.get(k, ABSENT)]
        before, after = ({k: v[k] for k in keys if k in v} or None for v in (before, after))
    first, second = (_flow(v) if t else ABSENT for v, t in ((before, was), (after, now)))
    if max(len(first), len(second)) > width:
        same = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
        start = first.rfind(" ", 0, max(0, same - 8)) + 1
        if start:
            first, second = f"…{first[start:]}", f"…{second[start:]}"
    return shortened(first, width), shortened(second, width)


def _known(value: Any) -> Any:
    match value:
        case [verdict, {**passes}] if passes:
            return f"{verdict}, passes_with {_flow(passes)}"
        case [verdict, _]:
            return verdict
    return value


def _control(overrides: Any, names: Mapping[str, str]) -> str:
    text = _flow(overrides)
    name = names.get(json.dumps(overrides, sort_keys=True, ensure_ascii=False))
    return f"{name} {text}" if name else text


def shortened(text: str, width: int) -> str:
    """Return a text of at most that many characters."""
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _flow(value: Any) -> str:
    """Return a value as YAML would write it in one line, texts without quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None or value in ({}, [], ""):
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
