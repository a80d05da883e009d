"""Running published claims again, a few at random, and comparing what comes out, bit for bit."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from claimbench.judging.record import Measured, Record
from claimbench.judging.verdict import Verdict
from claimbench.leaderboard.published import Entry, Published, PublishedResult


@dataclass(frozen=True)
class Audited:
    """A published record and what came of running its claim again.

    Attributes:
        record: as published.
        how: what was compared, or why nothing was.
        differences: what differs, a sentence each.
        compared: whether anything could be compared.
    """

    record: Record
    how: str
    differences: tuple[str, ...] = ()
    compared: bool = True

    @property
    def line(self) -> str:
        """The outcome for a terminal: paper::claim, tier, and what was found."""
        mark = "–" if not self.compared else "✗" if self.differences else "✓"
        said = "; ".join(self.differences) or self.how
        return f"{mark} {self.record.name} ({self.record.tier}): {said}"


def candidates(
    files: Iterable[Published], *, tier: str | None, profile: str, cpu: str
) -> list[Record]:
    """Return the records that can be held to be found again.

    They are of the present code (not stale) and were judged. Where several CPU models judged a
    claim, it is the record of this one's if there is one.
    """
    return [
        result.record
        for file in files
        if file.profile == profile and tier in (None, file.tier)
        for _, entry in sorted(file.entries.items())
        for result in [_of_machine(entry, cpu)]
        if result.record.verdict.judged and not result.stale
    ]


def _of_machine(entry: Entry, cpu: str) -> PublishedResult:
    return entry.results.get(cpu, entry.latest)


def sample(records: Iterable[Record], count: int, seed: int) -> list[Record]:
    """Choose records at random, spread over papers: no paper twice before each came once."""
    draw = random.Random(seed)
    papers: dict[str, list[Record]] = {}
    for record in records:
        papers.setdefault(record.paper, []).append(record)
    groups = [papers[slug] for slug in sorted(papers)]
    for group in groups:
        draw.shuffle(group)
    rounds = [[one for one in round_ if one is not None] for round_ in zip_longest(*groups)]
    for round_ in rounds:
        draw.shuffle(round_)
    return [one for round_ in rounds for one in round_][:count]


def compare(published: Record, again: Record) -> Audited:
    """Compare a record with that of the same claim, run again.

    On the same CPU model every value has to be the same, bit for bit; on another, and where time
    is what is measured, the verdict.
    """
    if again.verdict is Verdict.SKIPPED:
        return Audited(published, f"could not be run here: {again.reason}", compared=False)
    verdicts: list[str] = []
    if published.verdict is not again.verdict:
        verdicts = [f"{published.verdict} is published, {again.verdict} here: {again.reason}"]
    if published.kind == "speed":
        return Audited(published, f"{again.verdict} again; times differ", tuple(verdicts))
    if published.cpu != again.cpu:
        return Audited(published, f"{again.verdict} again, on {again.cpu}", tuple(verdicts))
    values = list(_values(published, again))
    count = sum(
        len(measured.values) for _, metrics in _settings(again) for measured in metrics.values()
    )
    return Audited(
        published, f"{again.verdict} again, all {count} values the same", (*verdicts, *values)
    )


def _settings(record: Record) -> Iterator[tuple[str, Mapping[str, Measured]]]:
    yield "", record.metrics
    for control in record.controls:
        yield f"control {control.name}, ", control.metrics
    if record.passes_with is not None:
        yield "passes_with, ", record.passes_with.metrics


def _values(published: Record, again: Record) -> Iterator[str]:
    """Yield the first value of each metric of each setting that is another one."""
    before, after = dict(_settings(published)), dict(_settings(again))
    for setting in dict.fromkeys([*before, *after]):
        old, new = before.get(setting, {}), after.get(setting, {})
        for metric in dict.fromkeys([*old, *new]):
            pair = [_of(metrics, metric) for metrics in (old, new)]
            for seed, (one, other) in enumerate(zip_longest(*pair)):
                if one != other and not (one != one and other != other):  # NaN both times
                    yield f"{setting}{metric} of seed {seed} was {one!r} and is {other!r}"
                    break


def _of(metrics: Mapping[str, Measured], name: str) -> Sequence[float]:
    return metrics[name].values if name in metrics else ()
