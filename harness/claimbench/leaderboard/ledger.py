"""The timeline of each claim: what changed, what marks it, and the verdicts before and after."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claimbench.cache import Cache
from claimbench.errors import GitError
from claimbench.leaderboard.verdicts import (
    Published,
    Words,
    history_with_verdicts,
    published_files,
    published_words,
)
from claimbench.spec.lineage import Lineage, Lineages, Node
from claimbench.spec.marking import Finding, findings, successions
from claimbench.spec.registration import Change, ClaimHistory
from claimbench.spec.versions import Entry
from claimbench.spec.wording import WIDTH, Told, told

SUPERSEDED = "superseded by "


@dataclass(frozen=True)
class Event:
    """Something that happened to a claim.

    Attributes:
        date: of the commit, ISO 8601; empty for the working tree.
        commit: its hash; None for the working tree.
        kind: registered | changed | amended | superseded | published | removed | returned; amended
            is an entry that marks none of the changes that can be seen, such as one of `code`.
        text: what happened, where no changes say it.
        changes: of the claim.
        verdicts: of each tier the published verdict before and since, where that is what changed.
        before: of each tier the verdict that was published before.
        after: of each tier the verdict that was first published with it or since.
    """

    date: str
    commit: str | None
    kind: str
    text: str = ""
    changes: Sequence[Told] = ()
    verdicts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    before: Words = field(default_factory=dict)
    after: Words = field(default_factory=dict)


@dataclass(frozen=True)
class ClaimLedger:
    """The timeline of one claim.

    Attributes:
        id: the claim.
        present: whether it is a claim of the paper today.
        registered: whether a commit has it.
        events: oldest first.
        findings: what is not marked.
    """

    id: str
    present: bool
    registered: bool
    events: Sequence[Event]
    findings: Sequence[Finding]

    @property
    def since(self) -> str:
        """The date of the commit that registered it; empty if there is none."""
        dates = (event.date for event in self.events if event.kind == "registered")
        return next(dates, "") if self.registered else ""

    @property
    def owed(self) -> bool:
        """Whether its changes have to be marked: it, or the claim that took its place, is there."""
        return self.present or any(event.text.startswith(SUPERSEDED) for event in self.events)


@dataclass(frozen=True)
class PaperLedger:
    """The timelines of a paper's claims, the present ones first.

    Attributes:
        slug: name of the folder.
        former: what it was called before.
        registered: whether any commit has the paper.
        claims: the timelines.
    """

    slug: str
    former: Sequence[str]
    registered: bool
    claims: Sequence[ClaimLedger]

    def claim(self, id: str) -> ClaimLedger | None:
        """Return the timeline of a claim; None if there never was one of that id."""
        return next((claim for claim in self.claims if claim.id == id), None)


class Ledgers:
    """The timelines of papers in one folder, from one pass of git.

    Args:
        root: the folder of papers.
        folders: the papers in it.
        cache: what was read from git before.
        width: characters of a value that are shown.

    Raises:
        UsageError: there is no git or no repository, its history was cut off, or a paper is a
            symbolic link.
    """

    def __init__(
        self, root: Path, folders: Iterable[Path], cache: Cache, width: int = WIDTH
    ) -> None:
        history, results = history_with_verdicts(root)
        self._width = width
        self._lineages = Lineages(history, folders, cache)
        slugs = {s for slug in self._lineages.folders for s in self._lineages.family(slug)}
        files = published_files(history, results)
        self._files = {slug: files[slug] for slug in slugs if slug in files}
        self._words = published_words(history, self._files.values(), cache)

    def of(self, slug: str) -> PaperLedger:
        """Return the timelines of one paper."""
        lineage = self._lineages.of(slug)
        files = [self._files[name] for name in lineage.slugs if name in self._files]
        published = Published(self._lineages.history, files, self._words)
        writer = _Writer(lineage, published, self._width)
        claims = [writer.claim(id) for id in writer.ids()]
        return PaperLedger(slug, lineage.slugs[1:], lineage.registered, claims)


def ledgers_of(folders: Sequence[Path], cache: Cache) -> dict[str, PaperLedger]:
    """Return the timelines of papers in one folder by slug; none where git has no history."""
    try:
        ledgers = Ledgers(folders[0].parent, folders, cache) if folders else None
    except GitError:
        return {}
    return {folder.name: ledgers.of(folder.name) for folder in folders} if ledgers else {}


class _Writer:
    """Writes the timelines of one paper."""

    def __init__(self, lineage: Lineage, published: Published, width: int) -> None:
        self._lineage, self._published, self._width = lineage, published, width
        self._present = lineage.nodes[lineage.now].paper
        self._findings = findings(lineage) if lineage.registered else []
        self._heirs = {
            old: claim.id for claim in self._present.claims.values() for old in claim.supersedes
        }

    def ids(self) -> list[str]:
        """Return the present claims, then those that were, then those that findings name."""
        ever = (id for node in self._lineage.nodes for id in node.paper.claims)
        listed = (id for id, _, _ in sorted(self._present.removed))
        named = (finding.claim for finding in self._findings)
        return list(dict.fromkeys([*self._present.claims, *ever, *listed, *named]))

    def claim(self, id: str) -> ClaimLedger:
        """Return the timeline of a claim."""
        nodes = self._lineage.nodes
        own = [place for place, node in enumerate(nodes) if id in node.paper.claims]
        claim = self._present.claims.get(id)
        names = [id, *(claim.supersedes if claim else ())]
        timed = [
            (place + 0.5, Event(commit.date, commit.id, "published", verdicts=verdicts))
            for place, commit, verdicts in self._published.changes(names)
        ]
        if own:
            last = self._lineage.now if id in nodes[self._lineage.now].claims else own[-1]
            history = ClaimHistory(self._lineage, id, last)
            start = nodes[history.start]
            timed.append((start.place, self._event(start, "registered", names)))
            timed += self._changes(history, names)
            timed += self._presence(id, names)
        for succession in successions(self._lineage, claim) if claim else ():
            node, text = nodes[succession.place], f"supersedes {succession.old}"
            changes = self._told(succession.changes(), id)
            timed.append((node.place, self._event(node, "superseded", names, text, changes)))
        used = {change.entry for _, event in timed for change in event.changes}
        timed += self._entries(id, names, used)
        timed.sort(key=lambda pair: pair[0])
        return ClaimLedger(
            id=id,
            present=claim is not None,
            registered=any(nodes[place].commit for place in own),
            events=[event for _, event in timed],
            findings=[finding for finding in self._findings if finding.claim == id],
        )

    def _changes(
        self, history: ClaimHistory, names: Sequence[str]
    ) -> Iterator[tuple[float, Event]]:
        for place, changes in history.steps():
            node = self._lineage.nodes[place]
            event = self._event(node, "changed", names, "", self._told(changes, history.id))
            yield node.place, event

    def _entries(
        self, id: str, names: Sequence[str], used: Collection[Entry | None]
    ) -> Iterator[tuple[float, Event]]:
        """Yield the entries that mark no change that can be seen."""
        seen, final = set(used), self._present.claims
        for node in self._lineage.nodes:
            version = node.paper.claims.get(id)
            for entry, marks in ({} if version is None else version.amended).items():
                if entry in seen:
                    continue
                seen.add(entry)
                completed = final[id].amended.get(entry, marks) if id in final else marks
                fields = ", ".join(sorted(completed.fields or ())) or "no field named"
                _, was, now, reason = entry
                text = f"amended ({fields}): {was} → {now}: {reason}"
                yield node.place, self._event(node, "amended", names, text)

    def _presence(self, id: str, names: Sequence[str]) -> Iterator[tuple[float, Event]]:
        """Yield when a claim was taken out of the paper, and when it came back."""
        for node in self._lineage.nodes:
            above = [self._lineage.nodes[parent] for parent in node.parents]
            was = [id in parent.paper.claims for parent in above]
            if all(was) and was and id not in node.paper.claims:
                yield node.place, self._event(node, "removed", names, self._reason(id))
            elif id in node.paper.claims and not any(was) and any(id in p.claims for p in above):
                yield node.place, self._event(node, "returned", names, "a claim again")

    def _reason(self, id: str) -> str:
        if id in self._heirs:
            return f"{SUPERSEDED}{self._heirs[id]}"
        entries = {entry for node in self._lineage.nodes for entry in node.paper.removed}
        reasons = [reason for other, _, reason in sorted(entries) if other == id]
        return f"removed: {reasons[-1]}" if reasons else "gone without an entry"

    def _told(self, changes: Iterable[Change], id: str) -> list[Told]:
        names: dict[str, str] = {}
        for node in self._lineage.nodes:
            names.update(node.claims[id].names if id in node.claims else {})
        return told(changes, names, self._width)

    def _event(
        self,
        node: Node,
        kind: str,
        names: Sequence[str],
        text: str = "",
        changes: Sequence[Told] = (),
    ) -> Event:
        return Event(
            date=node.date,
            commit=node.commit,
            kind=kind,
            text=text,
            changes=changes,
            before=self._published.before(node.place, names),
            after=self._published.after(node.place, names),
        )
