"""What changed in a claim since it was registered, and what of it no `amended` entry marks."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from claimbench.spec.fields import Key, Value
from claimbench.spec.lineage import Lineage, Node
from claimbench.spec.versions import ClaimVersion, Entry, PaperVersion

BY_TIER = ("expect", "known", "timeout", "arguments")


@dataclass(frozen=True)
class Change:
    """One value of a claim that a version changed.

    Attributes:
        key: which value.
        field: what an entry must name.
        was: the value before; None where there was none.
        now: the value since.
        needed: whether an entry has to mark it: it made the present value what it is.
        entry: the entry that marks it.
    """

    key: Key
    field: str
    was: Value | None
    now: Value | None
    needed: bool
    entry: Entry | None

    @property
    def marked(self) -> bool:
        """Whether nothing is missing."""
        return not self.needed or self.entry is not None


@dataclass(frozen=True)
class Since:
    """A revision from which on changes count.

    Attributes:
        nodes: the versions that it has behind it, as positions.
        paper: what the paper was then; None where there was none.
    """

    nodes: Set[int]
    paper: PaperVersion | None


def differences(old: ClaimVersion, new: ClaimVersion) -> dict[Key, str]:
    """Return the values that differ, each with the field that an entry must name.

    A parameter that is new with its default is none, nor is what older forms of the spec lack. If
    the claim points at another experiment, that is the difference, not each of its arguments.
    """
    found: dict[Key, str] = {}
    moved = old.experiment != new.experiment
    for key in {**old.values, **new.values}:
        before, after = old.values.get(key), new.values.get(key)
        if key[0] == "arguments":
            field = None if moved else _argument(before, after)
            if field is not None:
                found[key] = field
        elif before is not None and after is not None and before.text != after.text:
            found[key] = key[0]
    return found


def _argument(before: Value | None, after: Value | None) -> str | None:
    if before is None or after is None:
        if before is None and after is not None:
            return None if after.given in (None, after.default) else "arguments"
        return "arguments" if before is not None and before.given is not None else "defaults"
    if before.text == after.text:
        return None
    return "arguments" if before.given != after.given else "defaults"


class ClaimHistory:
    """The versions of one claim that its present one came from.

    Args:
        lineage: of its paper.
        id: the claim.
        end: position of the node whose version counts as the present one.
        since: where changes before a revision do not count.
        heir: the claim that supersedes it, whose entries count too.
    """

    def __init__(
        self,
        lineage: Lineage,
        id: str,
        end: int,
        since: Since | None = None,
        heir: ClaimVersion | None = None,
    ) -> None:
        self.lineage, self.id, self.end, self._since, self._heir = lineage, id, end, since, heir
        self.present = lineage.nodes[end].claims[id]
        self.places = self._ancestry()
        own = (p for p, node in enumerate(lineage.nodes) if id in node.paper.claims)
        self.start = next(own)
        earlier = since.paper.claims.get(id) if since is not None and since.paper else None
        self.base = earlier or lineage.nodes[self.start].claims[id]
        self._earlier = earlier
        self.tiers = self.base.judged & self.present.judged

    def node(self, place: int) -> Node:
        """Return the node at a position."""
        return self.lineage.nodes[place]

    def version(self, place: int) -> ClaimVersion:
        """Return the claim as it was at a node."""
        return self.lineage.nodes[place].claims[self.id]

    def parents(self, place: int) -> list[int]:
        """Return the nodes that a node came from and that have the claim."""
        nodes = self.lineage.nodes
        return [p for p in nodes[place].parents if self.id in nodes[p].claims]

    def steps(self) -> Iterator[tuple[int, list[Change]]]:
        """Yield each node that changed something, with its changes, oldest first."""
        for place in self.places:
            keys = {**self._needed_at(place), **self._changed(place)}
            changes = [self._change(place, key, field) for key, field in keys.items()]
            if changes:
                yield place, changes

    def unmarked(self) -> dict[str, list[tuple[int, Change]]]:
        """Return by field the changes that no entry marks, in scope."""
        found: dict[str, list[tuple[int, Change]]] = {}
        for place, changes in self.steps():
            for change in changes:
                if not change.marked:
                    found.setdefault(change.field, []).append((place, change))
        return found

    def registered(self, key: Key) -> Value | None:
        """Return a value as it was registered, which for a new parameter is its first default.

        Arguments are those of the first version that points at the present experiment.
        """
        if key in self.base.values and not self._elsewhere(key, self.base):
            return self.base.values[key]
        for place in self.places:
            version = self.version(place)
            known = self._since is not None and place in self._since.nodes
            if key in version.values and not (known or self._elsewhere(key, version)):
                return None if key in self._changed(place) else version.values[key]
        return None

    def _elsewhere(self, key: Key, version: ClaimVersion) -> bool:
        return key[0] == "arguments" and version.experiment != self.present.experiment

    def cover(self, place: int, field: str) -> Entry | None:
        """Return the first entry that names a field and was not there before a node."""
        old = [self.version(parent).amended for parent in self.parents(place)]
        if self._earlier is not None:
            old.append(self._earlier.amended)
        heirs = {} if self._heir is None else self._heir.amended
        fits = [
            entry
            for entry, marks in {**heirs, **self.present.amended}.items()
            if field in (marks.fields or ()) and not any(entry in before for before in old)
        ]
        return min(fits, key=self._first, default=None)

    def _first(self, entry: Entry) -> int:
        places = (p for p in self.places if entry in self.version(p).amended)
        return next(places, self.end)

    def _change(self, place: int, key: Key, field: str) -> Change:
        parents = self.parents(place)
        seen = key in self._changed(place)
        was = self.version(parents[0]).values.get(key) if seen else self.registered(key)
        needed = key in self._needed_at(place)
        return Change(
            key=key,
            field=field,
            was=was,
            now=self.version(place).values.get(key),
            needed=needed,
            entry=self.cover(place, field),
        )

    def _needed_at(self, place: int) -> dict[Key, str]:
        return {key: steps[place] for key, steps in self._needed.items() if place in steps}

    @cached_property
    def _needed(self) -> dict[Key, dict[int, str]]:
        """Of each value that is not the registered one, the nodes that made it so."""
        keys = {key: None for place in self.places for key in self.version(place).values}
        return {key: self._trace(key) for key in keys if self._counts(key)}

    def _trace(self, key: Key) -> dict[int, str]:
        found: dict[int, str] = {}
        registered = _text(self.registered(key))
        if _text(self.present.values.get(key)) in (registered, self._at_first(key)):
            return found
        pending, seen = [self.end], set()
        while pending:
            place = pending.pop()
            outside = self._since is not None and place in self._since.nodes
            if place in seen or outside or _text(self.version(place).values.get(key)) == registered:
                continue
            seen.add(place)
            parents = self.parents(place)
            same = [p for p in parents if key not in self._against(p, place)]
            if not parents and place != self.start:
                found[place] = key[0]
            elif parents and not same:
                found[place] = self._against(parents[0], place)[key]
            pending += same or parents
        if not found and key[0] == "arguments":  # it changed while the claim pointed elsewhere
            field = _argument(self.registered(key), self.present.values.get(key))
            found |= {place: field for place in self._moves()[-1:] if field}
        return found

    def _moves(self) -> list[int]:
        """Return the nodes that pointed the claim at another experiment, in scope."""
        known = set() if self._since is None else self._since.nodes
        return [
            place
            for place in self.places
            if place not in known and ("experiment",) in self._changed(place)
        ]

    def _at_first(self, key: Key) -> str | None:
        first = self.version(self.start) if self.start in self.places else self.base
        return _text(first.values.get(key, self.registered(key)))

    def _changed(self, place: int) -> dict[Key, str]:
        """Return what a node changed: what differs from all that it came from."""
        parents = self.parents(place)
        if not parents:
            return {}
        first, *others = (self._against(parent, place) for parent in parents)
        return {k: f for k, f in first.items() if all(k in other for other in others)}

    def _against(self, parent: int, place: int) -> dict[Key, str]:
        if (parent, place) not in self._compared:
            both = differences(self.version(parent), self.version(place))
            self._compared[parent, place] = {k: f for k, f in both.items() if self._counts(k)}
        return self._compared[parent, place]

    @cached_property
    def _compared(self) -> dict[tuple[int, int], dict[Key, str]]:
        return {}

    def _counts(self, key: Key) -> bool:
        return key[0] not in BY_TIER or key[1] in self.tiers

    def _ancestry(self) -> Sequence[int]:
        pending, seen = [self.end], set()
        while pending:
            place = pending.pop()
            if place not in seen:
                seen.add(place)
                pending += self.parents(place)
        return sorted(seen)


def _text(value: Value | None) -> str | None:
    return None if value is None else value.text
