"""The leaderboard as data: of each paper every claim's verdict, its standing, and suite figures.

A claim's verdict is the one of the highest tier at which it was judged. Where none was, it is that
of the highest tier at which it was run.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from claimbench.judging.multiplicity import Discovery, discoveries, expected_errors
from claimbench.judging.record import Record, cpu_seconds, jsonable
from claimbench.judging.sequential import ALPHA, binomial_interval
from claimbench.judging.verdict import SettingVerdict, Verdict
from claimbench.judging.words import interval_text
from claimbench.leaderboard.merging import flips
from claimbench.leaderboard.mutation import Score
from claimbench.leaderboard.published import Entry, Published
from claimbench.spec.models import Claim, Spec
from claimbench.tiers import TIERS

REJECTED = SettingVerdict.DIVERGED.of_control
NOT_RUN = SettingVerdict.NOT_RUN.of_control


@dataclass(frozen=True)
class Figure:
    """A metric that a claim judges, beside the paper's number.

    Attributes:
        metric: its name.
        median: of our values, as JSON has it; None where nothing was measured.
        low: lower end of the interval for the median.
        high: upper end.
        measured: the three in words.
        expected: region in words.
        reported: the paper's number; None where it prints none.
        standing: how ours stands to it; None where that says nothing.
    """

    metric: str
    median: float | str | None
    low: float | str | None
    high: float | str | None
    measured: str
    expected: str
    reported: float | str | None
    standing: str | None


@dataclass(frozen=True)
class ClaimRow:
    """A claim on the leaderboard.

    Attributes:
        paper: slug.
        claim: id.
        headline: whether it measures a sentence of the abstract.
        statement: what it says; empty where the spec has it no more.
        source: where the paper says it.
        kind: as in the spec.
        fidelity: as in the spec.
        tier: whose verdict this is.
        verdict: the verdict.
        known: whether the spec expects the verdict, which is another than `reproduced`.
        finding: what explains it.
        reason: what the verdict rests on.
        held: seeds that held.
        seeds: seeds judged.
        figures: of each metric that it judges, beside the paper's number.
        control: what became of the weakest control: rejected, passes, undecided, error or not run.
        controls: what became of each control, by name: the word, and held of seeds.
        amended: how often its expectations were loosened.
        survives: whether the verdict stands a false-discovery correction at 5 % over the suite;
            None where it rests on no sample of seeds, or on none that decided.
        stale: why the verdict is not about the present code; empty if it is.
        cpu: CPU model that gave it.
        other_verdicts: verdicts of other CPU models, where there are any.
        cpu_seconds: of the runs behind it.
        last_run: when it was judged, ISO 8601; None if unknown.
    """

    paper: str
    claim: str
    headline: bool
    statement: str
    source: str
    kind: str
    fidelity: str
    tier: str
    verdict: Verdict
    known: bool
    finding: str | None
    reason: str
    held: int
    seeds: int
    figures: list[Figure]
    control: str
    controls: dict[str, str]
    amended: int
    survives: bool | None
    stale: list[str]
    cpu: str
    other_verdicts: dict[str, Verdict]
    cpu_seconds: float
    last_run: str | None

    @property
    def leading(self) -> list[Figure]:
        """What an overview shows: the metrics of which the paper prints a number, else the first.

        Nothing where the claim was not judged.
        """
        if not self.verdict.judged:
            return []
        return [one for one in self.figures if one.reported is not None] or self.figures[:1]


@dataclass(frozen=True)
class PaperRow:
    """A paper on the leaderboard.

    Attributes:
        paper: slug.
        title: of the paper; the slug where its folder is gone.
        theme: of the paper.
        year: of the paper.
        arxiv: its number, if it has one.
        share: reproduced ones among the decided claims; None if none is decided.
        low: lower end of the exact 90 % interval for it.
        high: upper end.
        verdicts: how many claims have which verdict.
        known: how many claims have which verdict that the spec explains.
        headlines: how many headlines have which verdict.
        controls_rejected: claims whose controls were all rejected.
        controls_run: claims whose controls were run.
        fidelity: how many claims have which fidelity.
        amended: claims whose expectation was loosened.
        stale: claims whose verdict is not about the present code.
        cpu_seconds: of all runs behind the verdicts, at each tier.
        last_run: when the newest verdict was given.
        claims: headlines first, then in the order of the spec.
        mutation: how many mutants of its method the claims caught; None if none was tried.
    """

    paper: str
    title: str
    theme: str
    year: int | None
    arxiv: str | None
    share: float | None
    low: float
    high: float
    verdicts: dict[Verdict, int]
    known: dict[Verdict, int]
    headlines: dict[Verdict, int]
    controls_rejected: int
    controls_run: int
    fidelity: dict[str, int]
    amended: int
    stale: int
    cpu_seconds: dict[str, float]
    last_run: str | None
    claims: list[ClaimRow]
    mutation: Score | None = None


@dataclass(frozen=True)
class SuiteFigures:
    """What all claims say together.

    Attributes:
        papers: how many.
        verdicts: how many claims have which verdict.
        known: how many claims have which verdict that a spec explains.
        headlines: how many headlines have which verdict.
        decided: claims reproduced, diverged or vacuous.
        sampled: those of them that rest on a sample of seeds, so that chance can make them wrong.
        expected_wrong: how many of these are expected to be wrong, at most, by the claims' own
            seeds.
        expected_wrong_controls: the same because of the seeds of controls.
        survive: how many of these stand a false-discovery correction at 5 %.
        controls_rejected: claims whose controls were all rejected.
        controls_not_run: judged claims whose control was not run.
        cpu_seconds: of all runs behind the verdicts, at each tier.
    """

    papers: int
    verdicts: dict[Verdict, int]
    known: dict[Verdict, int]
    headlines: dict[Verdict, int]
    decided: int
    sampled: int
    expected_wrong: float
    expected_wrong_controls: float
    survive: int
    controls_rejected: int
    controls_not_run: int
    cpu_seconds: dict[str, float]


@dataclass(frozen=True)
class Change:
    """A verdict that is not what it was before on that CPU model.

    Attributes:
        date: when it was given, ISO 8601.
        paper: slug.
        claim: id.
        tier: at which.
        before: the verdict before; None for the first.
        verdict: the verdict.
        commit: of the code.
        cpu: the CPU model.
    """

    date: str | None
    paper: str
    claim: str
    tier: str
    before: Verdict | None
    verdict: Verdict
    commit: str | None
    cpu: str


@dataclass(frozen=True)
class Board:
    """The leaderboard of a profile.

    Attributes:
        profile: hardware profile.
        suite: figures over all papers.
        papers: by theme, then by title.
        changes: of verdicts, the newest first; a claim's first verdict is none.
    """

    profile: str
    suite: SuiteFigures
    papers: list[PaperRow]
    changes: list[Change]


@dataclass(frozen=True)
class Place:
    """A claim's results at the tier that counts.

    Attributes:
        tier: that tier.
        entry: what is published there.
    """

    tier: str
    entry: Entry

    @property
    def judged(self) -> bool:
        """Whether the claim itself, and not one seed as a probe, was run there."""
        return self.entry.latest.record.verdict is not Verdict.SKIPPED


def make_board(
    published: Iterable[Published],
    specs: Mapping[str, Spec],
    profile: str,
    scores: Mapping[str, Score] | None = None,
) -> Board:
    """Return the leaderboard of a profile.

    Args:
        published: files of results; those of other profiles are ignored.
        specs: of the papers, by slug; a paper may lack.
        profile: hardware profile.
        scores: of mutants, by slug; those of other profiles are ignored.
    """
    files = [one for one in published if one.profile == profile]
    places = claim_places(files)
    records = [place.entry.latest.record for claims in places.values() for place in claims.values()]
    found = discoveries(records)
    standing = {(one.record.paper, one.record.claim): one.survives for one in found}
    rows = []
    for paper, claims in places.items():
        ordered = _spec_order(claims, specs.get(paper))
        rows.append(
            _paper_row(
                paper,
                specs.get(paper),
                [
                    _claim_row(
                        paper,
                        place,
                        specs.get(paper),
                        survives=standing.get((paper, claim)),
                    )
                    for claim, place in ordered
                ],
                _seconds([file for file in files if file.paper == paper]),
            )
        )
    if scores:
        tried = {slug: score for slug, score in scores.items() if score.profile == profile}
        rows = [replace(row, mutation=tried.get(row.paper)) for row in rows]
    suite = _suite(rows, records, found)
    ordered_rows = sorted(rows, key=lambda row: (row.theme, row.title.casefold(), row.paper))
    return Board(profile, suite, ordered_rows, _changes(files))


def claim_places(files: Iterable[Published]) -> dict[str, dict[str, Place]]:
    """Return for each paper and claim the results at the tier that counts."""
    places: dict[str, dict[str, Place]] = {}
    for file in sorted(files, key=lambda file: (file.paper, TIERS.index(file.tier))):
        for claim, entry in file.entries.items():
            place = Place(file.tier, entry)
            before = places.setdefault(file.paper, {}).get(claim)
            if before is None or place.judged or not before.judged:
                places[file.paper][claim] = place
    return places


def _spec_order(claims: Mapping[str, Place], spec: Spec | None) -> list[tuple[str, Place]]:
    order = {claim.id: number for number, claim in enumerate(spec.claims)} if spec else {}

    def place(item: tuple[str, Place]) -> tuple[bool, int, str]:
        name, found = item
        return not found.entry.latest.record.headline, order.get(name, len(order)), name

    return sorted(claims.items(), key=place)


def _metrics(record: Record, claim: Claim | None) -> list[str]:
    """Return the metrics that a record judges, in the order of the spec; files keep none."""
    order = list(claim.expect_at(record.tier)) if claim else []
    known = [name for name in order if name in record.expect_text]
    return [*known, *(name for name in record.expect_text if name not in known)]


def _figure(record: Record, metric: str) -> Figure:
    measured = record.metrics.get(metric)
    median, low, high = (
        (jsonable(x) for x in (measured.median, measured.low, measured.high))
        if measured
        else (None, None, None)
    )
    reported = record.reported.get(metric)
    return Figure(
        *(metric, median, low, high),
        measured=interval_text(measured) if measured else "–",
        expected=record.expect_text[metric],
        reported=None if reported is None else jsonable(reported),
        standing=record.standing.get(metric),
    )


def _claim_row(paper: str, place: Place, spec: Spec | None, *, survives: bool | None) -> ClaimRow:
    latest = place.entry.latest
    record = latest.record
    claim = next((c for c in spec.claims if c.id == record.claim), None) if spec else None
    others = {
        cpu: result.record.verdict
        for cpu, result in sorted(place.entry.results.items())
        if cpu != latest.cpu
    }
    return ClaimRow(
        paper=paper,
        claim=record.claim,
        headline=record.headline,
        statement=claim.statement if claim else "",
        source=claim.source if claim else "",
        kind=record.kind,
        fidelity=record.fidelity,
        tier=place.tier,
        verdict=record.verdict,
        known=record.explained,
        finding=record.known,
        reason=record.reason,
        held=record.held,
        seeds=record.seeds,
        figures=[_figure(record, metric) for metric in _metrics(record, claim)],
        control=record.control.verdict.of_control,
        controls={
            one.name: f"{one.verdict.of_control} {one.held}/{one.seeds}" for one in record.controls
        },
        amended=record.amended,
        survives=survives if record.verdict.decided else None,
        stale=list(latest.stale),
        cpu=latest.cpu,
        other_verdicts=others,
        cpu_seconds=record.cpu_seconds,
        last_run=record.judged_at,
    )


def count_decided(verdicts: Mapping[Verdict, int]) -> int:
    """Return how many claims are decided, from how many have which verdict."""
    return sum(count for verdict, count in verdicts.items() if verdict.decided)


def _paper_row(
    paper: str, spec: Spec | None, claims: list[ClaimRow], seconds: dict[str, float]
) -> PaperRow:
    verdicts = _count(claim.verdict for claim in claims)
    decided = count_decided(verdicts)
    reproduced = verdicts.get(Verdict.REPRODUCED, 0)
    low, high = binomial_interval(decided, reproduced, ALPHA)
    about = spec.paper if spec else None
    return PaperRow(
        paper=paper,
        title=about.title if about else paper,
        theme=about.theme if about else "",
        year=about.year if about else None,
        arxiv=about.arxiv if about else None,
        share=reproduced / decided if decided else None,
        low=low,
        high=high,
        verdicts=verdicts,
        known=dict(Counter(claim.verdict for claim in claims if claim.known)),
        headlines=_count(claim.verdict for claim in claims if claim.headline),
        controls_rejected=sum(claim.control == REJECTED for claim in claims),
        controls_run=sum(claim.control != NOT_RUN for claim in claims),
        fidelity=dict(sorted(Counter(claim.fidelity for claim in claims).items())),
        amended=sum(claim.amended > 0 for claim in claims),
        stale=sum(bool(claim.stale) for claim in claims),
        cpu_seconds=seconds,
        last_run=max((claim.last_run for claim in claims if claim.last_run), default=None),
        claims=claims,
    )


def _suite(
    rows: Sequence[PaperRow], records: Sequence[Record], found: Sequence[Discovery]
) -> SuiteFigures:
    wrong = expected_errors(records)
    claims = [claim for row in rows for claim in row.claims]
    decided = [one for one in found if one.record.verdict.decided]
    seconds: Counter[str] = Counter()
    for row in rows:
        seconds.update(row.cpu_seconds)
    return SuiteFigures(
        papers=len(rows),
        verdicts=_count(claim.verdict for claim in claims),
        known=dict(sum((Counter(row.known) for row in rows), Counter())),
        headlines=_count(claim.verdict for claim in claims if claim.headline),
        decided=sum(claim.verdict.decided for claim in claims),
        sampled=wrong.decided,
        expected_wrong=round(wrong.claims, 3),
        expected_wrong_controls=round(wrong.controls, 3),
        survive=sum(one.survives for one in decided),
        controls_rejected=sum(claim.control == REJECTED for claim in claims),
        controls_not_run=sum(claim.control == NOT_RUN and claim.verdict.judged for claim in claims),
        cpu_seconds={tier: round(seconds[tier], 1) for tier in TIERS if tier in seconds},
    )


def _count(verdicts: Iterable[Verdict]) -> dict[Verdict, int]:
    counts = Counter(verdicts)
    return {verdict: counts[verdict] for verdict in Verdict if counts[verdict]}


def _seconds(files: Iterable[Published]) -> dict[str, float]:
    """Return the CPU-seconds of all runs at each tier; claims that share runs count them once."""
    totals = {file.tier: round(cpu_seconds(file.records()), 1) for file in files}
    return {tier: totals[tier] for tier in TIERS if tier in totals}


def _changes(files: Iterable[Published]) -> list[Change]:
    changes = [
        Change(
            date=event.date,
            paper=file.paper,
            claim=claim,
            tier=file.tier,
            before=before,
            verdict=event.verdict,
            commit=event.commit,
            cpu=event.cpu,
        )
        for file in files
        for claim, entry in file.entries.items()
        for event, before in flips(entry.history)
        if before is not None
    ]
    return sorted(changes, key=lambda c: (c.date or "", c.paper, c.claim), reverse=True)


def day(moment: str | None) -> str:
    """Return the date of an ISO 8601 moment, or a dash."""
    return datetime.datetime.fromisoformat(moment).date().isoformat() if moment else "–"
