"""What of a paper's history is not marked: changes without an entry, entries and claims gone."""

from collections.abc import Iterator
from dataclasses import dataclass

from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.history import before, files_at, fork
from claimbench.spec.lineage import Lineage, Lineages, Node
from claimbench.spec.models import FIELDS
from claimbench.spec.problems import shown
from claimbench.spec.registration import BY_TIER, Change, ClaimHistory, Since, differences
from claimbench.spec.versions import ClaimVersion, Entry, PaperVersion
from claimbench.spec.wording import shortened, told

_ORDER: list[str] = [*FIELDS]
KEPT = "entries stay as they are, so put it back as it was"
REMEDY = "name it in the `fields` of a new `amended` entry, or restore it"


@dataclass(frozen=True)
class Finding:
    """Something that is not marked.

    Attributes:
        claim: the id.
        line: of the present claims.yaml, from 1.
        message: what is wrong, and the remedy.
        field: what an entry must name; None where it is no field that is missing.
        steps: date and commit of each change behind it.
        was: the value that it had.
        now: the value that it has.
    """

    claim: str
    line: int
    message: str
    field: str | None = None
    steps: tuple[tuple[str, str], ...] = ()
    was: str = ""
    now: str = ""

    def at(self, lineage: Lineage) -> str:
        """Return `file:line: claim …: message`."""
        place = f"{shown(lineage.folder / SPEC_FILE)}:{self.line}"
        return f"{place}: claim `{self.claim}`: {self.message}"


class Fork:
    """Where HEAD and a revision part: what came after that counts.

    Args:
        lineages: of the papers.
        revision: as git understands it.

    Raises:
        GitError: git does not know the revision.
    """

    def __init__(self, lineages: Lineages, revision: str) -> None:
        history = lineages.history
        commit = fork(history.root, revision)
        self._lineages = lineages
        self._behind = before(history, commit)
        self._files = files_at(history, commit)

    def since(self, lineage: Lineage) -> Since:
        """Return it as the start from which a paper's changes count."""
        nodes = {p for p, node in enumerate(lineage.nodes) if node.commit in self._behind}
        return Since(nodes, self._lineages.paper_at(self._files, lineage))

    def gone(self) -> list[str]:
        """Return the papers of then that are in no folder any more, under whatever name."""
        there = {
            path.removeprefix(self._lineages.history.prefix).partition("/")[0]
            for path in self._files
            if path.endswith(f"/{SPEC_FILE}")
        }
        folders = self._lineages.folders
        return sorted(there - {slug for name in folders for slug in self._lineages.family(name)})


def findings(lineage: Lineage, start: Since | None = None) -> list[Finding]:
    """Return all that is not marked in a paper, in the order of its claims.

    Args:
        lineage: the paper's versions.
        start: where only what changed since a revision counts.
    """
    present = lineage.nodes[lineage.now].paper
    found: list[Finding] = []
    for id, claim in present.claims.items():
        history = ClaimHistory(lineage, id, lineage.now, start)
        found += _of_changes(history, claim)
        for succession in successions(lineage, claim, start):
            found += _of_succession(succession, claim, start)
        found += _of_entries(lineage, claim, start)
    return [*found, *_of_ids(lineage, start)]


@dataclass(frozen=True)
class Succession:
    """A claim taking the place of an older one.

    Attributes:
        lineage: of the paper.
        old: id of the older claim.
        heir: id of the claim that supersedes it.
        place: node that first says so.
        last: node that has the older claim as it was last.
    """

    lineage: Lineage
    old: str
    heir: str
    place: int
    last: int

    def changes(self) -> list[Change]:
        """Return how the heir, as it was first, differs from the older claim as it was last."""
        history = ClaimHistory(self.lineage, self.heir, self.lineage.now)
        old = self.lineage.nodes[self.last].claims[self.old]
        new = self.lineage.nodes[self.place].claims[self.heir]
        tiers = old.judged & new.judged
        return [
            Change(
                key=key,
                field=field,
                was=old.values.get(key),
                now=new.values.get(key),
                needed=True,
                entry=history.cover(self.place, field),
            )
            for key, field in differences(old, new).items()
            if key[0] not in BY_TIER or key[1] in tiers
        ]


def successions(
    lineage: Lineage, claim: ClaimVersion, start: Since | None = None
) -> Iterator[Succession]:
    """Yield the older claims that a present one supersedes, as far as any version had them."""
    for old in claim.supersedes:
        places = [
            place
            for place, node in enumerate(lineage.nodes)
            if (version := node.paper.claims.get(claim.id)) and old in version.supersedes
        ]
        if not places or (start is not None and places[0] in start.nodes):
            continue
        node = lineage.nodes[places[0]]
        last = [p for p in node.parents if old in lineage.nodes[p].claims]
        if old in node.claims:
            yield Succession(lineage, old, claim.id, places[0], last[0] if last else places[0])


def _of_changes(history: ClaimHistory, claim: ClaimVersion, said: str = "") -> Iterator[Finding]:
    names = {**history.base.names, **history.present.names}
    unmarked = history.unmarked()
    for field in sorted(unmarked, key=_ORDER.index):
        steps = unmarked[field]
        nodes = {place: history.node(place) for place, _ in steps}
        whole = [
            Change(key, field, history.registered(key), history.present.values.get(key), True, None)
            for key in dict.fromkeys(change.key for _, change in steps)
        ]
        parts = told(whole, names)
        what = "; ".join(f"{part.at}was {part.was} and is {part.now}" for part in parts)
        yield Finding(
            claim=claim.id,
            line=claim.line,
            message=f"{said}`{field}` {what}; {REMEDY}",
            field=field,
            steps=tuple(map(_step, nodes.values())),
            was="; ".join(f"{part.at}{part.was}" for part in parts),
            now="; ".join(f"{part.at}{part.now}" for part in parts),
        )


def _step(node: Node) -> tuple[str, str]:
    return (node.date, node.commit[:7]) if node.commit else ("now", "not committed")


def _of_succession(
    succession: Succession, claim: ClaimVersion, start: Since | None
) -> Iterator[Finding]:
    step = _step(succession.lineage.nodes[succession.place])
    missing = [change for change in succession.changes() if not change.marked]
    for part in told(missing, claim.names):
        yield Finding(
            claim=claim.id,
            line=claim.line,
            message=f"it supersedes `{succession.old}`, whose `{part.field}` {part.at}was "
            f"{part.was} where its own is {part.now}; name it in the `fields` of an `amended` "
            "entry",
            field=part.field,
            steps=(step,),
            was=part.was,
            now=part.now,
        )
    history = ClaimHistory(succession.lineage, succession.old, succession.last, start, claim)
    yield from _of_changes(history, claim, f"of `{succession.old}`, which it supersedes, ")


def _versions(lineage: Lineage, start: Since | None) -> Iterator[PaperVersion]:
    """Yield the versions whose entries and claims must still be there."""
    if start is not None and start.paper is not None:
        yield start.paper
    for place, node in enumerate(lineage.nodes):
        if start is None or place not in start.nodes:
            yield node.paper


def _of_entries(lineage: Lineage, claim: ClaimVersion, start: Since | None) -> Iterator[Finding]:
    ever: dict[Entry, dict[str, object]] = {}  # what the first version said that said it
    for paper in _versions(lineage, start):
        version = paper.claims.get(claim.id)
        for entry, marks in ({} if version is None else version.amended).items():
            said = ever.setdefault(entry, {})
            for key, value in vars(marks).items():
                if value is not None:
                    said.setdefault(key, value)
    for entry, said in ever.items():
        date, was, *_ = entry
        name = f"the `amended` entry of {date} that begins `was: {shortened(was, 40)}`"
        kept = claim.amended.get(entry)
        if kept is None:
            message = f"{name} was edited or is gone; {KEPT}"
            yield Finding(claim.id, claim.line, message)
        elif extra := sorted(key for key, value in said.items() if value != getattr(kept, key)):
            message = f"{name} had another `{extra[0]}`; {KEPT}"
            yield Finding(claim.id, claim.line, message)


def _of_ids(lineage: Lineage, start: Since | None) -> Iterator[Finding]:
    present = lineage.nodes[lineage.now].paper
    listed = {id for id, _, _ in present.removed}
    known = {*present.claims, *listed}
    for claim in present.claims.values():
        known.update(claim.supersedes)
    versions = list(_versions(lineage, start))
    said: dict[tuple[str, str], str] = {}  # the first reason
    for paper in versions:
        for id, date, reason in sorted(paper.removed):
            said.setdefault((id, date), reason)
    for (id, date), reason in said.items():
        if (id, date, reason) not in present.removed and id not in present.claims:
            known.add(id)
            message = f"its `removed` entry of {date} was edited or is gone; {KEPT}"
            yield Finding(id, 1, message)
    for id in dict.fromkeys(id for paper in versions for id in paper.claims):
        if id not in known:
            message = (
                "it is gone; list it in `removed` with date and reason, or in `supersedes` of the "
                "claim that takes its place"
            )
            yield Finding(id, 1, message)
