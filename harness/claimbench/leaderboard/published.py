"""The files of published results: `<profile>/<tier>/<slug>.json` below a folder.

A file holds the claims of one paper at one tier and profile. Of each claim it has the latest
verdict of every CPU model that judged it, with the code behind it, and the history: one event for
each verdict ever published. Keys are sorted and each stands on its own line, so that a diff of two
versions shows what changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from claimbench.errors import RecordError, UsageError
from claimbench.judging.record import NO_NUMBERS, Number, Record, jsonable, sentences, strict
from claimbench.judging.verdict import Verdict
from claimbench.leaderboard.files import write_if_changed
from claimbench.showing.output import error
from claimbench.tiers import TIERS

FORMAT = 2
RESULTS = Path("leaderboards") / "results"

Curves = dict[str, list[list[Any]]]
"""Of each curve its abscissas and its ordinates: numbers; ±inf and NaN as in a record."""

_OF_FILE = ("paper", "tier", "profile")
"""Fields of a record that its file has once; what is published stands in for no method."""


@strict
@dataclass(frozen=True)
class Event:
    """What the history keeps of a verdict.

    Attributes:
        date: when it was given, ISO 8601.
        commit: of the code.
        cpu: the CPU model.
        verdict: the verdict.
        held: seeds that held.
        seeds: seeds that were judged.
        medians: of the metrics that the claim judges.
        run_key: of the runs behind it.
        spec_hash: of the claim's entry in the spec.
    """

    date: str | None
    commit: str | None
    cpu: str
    verdict: Verdict
    held: int
    seeds: int
    medians: dict[str, Number]
    run_key: str | None
    spec_hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the event as JSON data."""
        medians = {name: jsonable(value) for name, value in self.medians.items()}
        return {**vars(self), "medians": medians}


@dataclass(frozen=True)
class PublishedResult:
    """A verdict on one CPU model.

    Attributes:
        record: the verdict's record; in the file it goes without paper, tier, profile and method.
        code: what the verdict depends on, by name (files, arguments, …), as digests or values.
        curves: abscissas and ordinates of each curve that the first seed logged.
        stale: one sentence for each reason why code or spec is no longer what was judged.
    """

    record: Record
    code: dict[str, Any]
    curves: Curves = field(default_factory=dict)
    stale: tuple[str, ...] = ()

    def follows(self, other: PublishedResult) -> bool:
        """Return whether it is the newer of the two; of equal age, one is chosen by its record."""
        mine, others = (one.record.judged_at or "" for one in (self, other))
        if mine != others or self.record == other.record:
            return mine > others
        return compact(self.record.as_json()) > compact(other.record.as_json())

    @property
    def cpu(self) -> str:
        """The CPU model that judged it."""
        return self.record.cpu

    def event(self) -> Event:
        """Return what the history keeps of it."""
        record = self.record
        return Event(
            date=record.judged_at,
            commit=record.commit,
            cpu=record.cpu,
            verdict=record.verdict,
            held=record.held,
            seeds=record.seeds,
            medians={
                name: record.metrics[name].median
                for name in record.expect
                if name in record.metrics
            },
            run_key=record.run_key,
            spec_hash=record.spec_hash,
        )


@dataclass(frozen=True)
class Entry:
    """What is published of a claim.

    Attributes:
        results: the latest verdict of each CPU model.
        history: every verdict ever published, oldest first.
    """

    results: dict[str, PublishedResult]
    history: tuple[Event, ...]

    @property
    def latest(self) -> PublishedResult:
        """The newest verdict on any CPU model."""
        return reduce(lambda a, b: b if b.follows(a) else a, self.results.values())


@dataclass(frozen=True)
class Published:
    """A file of published results.

    Attributes:
        profile: hardware profile.
        tier: at which claims were run.
        paper: slug.
        entries: by claim.
    """

    profile: str
    tier: str
    paper: str
    entries: dict[str, Entry]

    def path(self, folder: Path) -> Path:
        """Return where the file lies below a folder of results."""
        return folder / self.profile / self.tier / f"{self.paper}.json"

    def text(self) -> str:
        """Return the file's content."""
        head = {"format": FORMAT, "paper": self.paper, "profile": self.profile, "tier": self.tier}
        lines = [f" {compact(key)}: {compact(value)}," for key, value in head.items()]
        claims = ",\n".join(
            f"  {compact(claim)}: {_entry_text(entry)}"
            for claim, entry in sorted(self.entries.items())
        )
        return "\n".join(["{", *lines, ' "claims": {', claims, " }", "}", ""])

    def records(self) -> Iterator[Record]:
        """Yield the newest record of each claim."""
        for _, entry in sorted(self.entries.items()):
            yield entry.latest.record


class OtherFormat(UsageError):
    """A file is of a version of claimbench whose records had other fields.

    Attributes:
        where: what the file is called.
    """

    def __init__(self, where: str, found: object) -> None:
        self.where = where
        older = isinstance(found, int) and found < FORMAT
        remedy = "remove it and publish again; git keeps it" if older else "update claimbench"
        super().__init__(f"{where}: format {found}, and this version reads {FORMAT}; {remedy}")


def parse(text: str | bytes, where: str) -> Published:
    """Return the published results that a file's content describes.

    Args:
        text: the content.
        where: what to call the file in errors.

    Raises:
        UsageError: it is no such file.
    """
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as mistake:
        raise UsageError(
            f"{where}:{mistake.lineno}:{mistake.colno}: no JSON: {mistake.msg}; restore the file, "
            "or remove it and publish again"
        ) from None
    try:
        if data["format"] != FORMAT:
            raise OtherFormat(where, data["format"])
        _only(data, "format", "claims", *_OF_FILE)
        claims = data["claims"]
        place = {name: _text(data[name]) for name in _OF_FILE}
        if place["tier"] not in TIERS:
            raise UsageError(
                f"{where}: unknown tier `{place['tier']}`; there are {', '.join(TIERS)}"
            )
        entries = {
            claim: _parse_entry(entry, {**place, "claim": claim}) for claim, entry in claims.items()
        }
    except RecordError as mistake:
        raise UsageError(
            f"{where}: {mistake}; restore the file, or remove it and publish again"
        ) from None
    except (KeyError, TypeError, AttributeError) as mistake:
        raise UsageError(
            f"{where}: no published results ({type(mistake).__name__}: {mistake}); restore the "
            "file, or remove it and publish again"
        ) from None
    return Published(**place, entries=entries)


def read(folder: Path) -> list[Published]:
    """Return all published results below a folder, in order of profile, tier and paper.

    Raises:
        UsageError: there is no such folder, or a file is broken or lies in the wrong place.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}; run: claimbench leaderboard publish")
    return [read_file(path, folder) for path in sorted(folder.rglob("*.json"))]


def read_file(path: Path, folder: Path) -> Published:
    """Return one file of the results below a folder.

    Raises:
        UsageError: it is broken, or lies in the wrong place.
    """
    published = parse(path.read_bytes(), str(path))
    if published.path(folder) != path:
        raise UsageError(f"{path}: holds what belongs into {published.path(folder)}; move it")
    return published


def results_in(folder: Path) -> Path:
    """Return where results lie in a folder: of a project, of leaderboards, or of results."""
    nested = (folder / RESULTS, folder / RESULTS.name)
    return next((path for path in nested if path.is_dir()), folder)


def write(published: Published, folder: Path) -> bool:
    """Write a file, if its content is not there yet; say whether it was written."""
    path = published.path(folder)
    written = write_if_changed(path, published.text())
    if written:
        error(f"wrote {path}")
    return written


def _entry_text(entry: Entry) -> str:
    results = ",\n".join(
        f"    {compact(cpu)}: {_result_text(result)}"
        for cpu, result in sorted(entry.results.items())
    )
    history = ",\n".join(f"    {compact(event.as_json())}" for event in entry.history)
    return f'{{\n   "results": {{\n{results}\n   }},\n   "history": [\n{history}\n   ]\n  }}'


def _result_text(result: PublishedResult) -> str:
    parts: dict[str, Any] = {"stale": list(result.stale)} if result.stale else {}
    record = {k: v for k, v in result.record.as_json().items() if k not in (*_OF_FILE, "method")}
    parts |= {"record": record, "code": result.code}
    if result.curves:
        parts["curves"] = result.curves
    lines = []
    for name, value in parts.items():
        if isinstance(value, dict):
            inner = ",\n".join(
                f"      {compact(k)}: {compact(v)}" for k, v in sorted(value.items())
            )
            lines.append(f"     {compact(name)}: {{\n{inner}\n     }}")
        else:
            lines.append(f"     {compact(name)}: {compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n    }"


def compact(value: Any) -> str:
    """Return a value as JSON on one line, keys sorted; what is no number becomes null."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} where a record should be")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a text should be")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} where a list should be")
    return value


def _curves(value: Any) -> Curves:
    curves: Curves = _mapping(value)
    for name, axes in curves.items():
        whole = isinstance(axes, list) and len(axes) == 2 and all(map(_numbers, axes))
        if not whole or len(axes[0]) != len(axes[1]):
            raise TypeError(f"the curve `{name}` is not two lists of as many numbers")
    return curves


def _numbers(axis: Any) -> bool:
    """Return whether it is a list of numbers, of which infinite ones and NaN are texts."""
    return isinstance(axis, list) and all(
        type(value) in (float, int) or value in NO_NUMBERS for value in axis
    )


def _only(data: dict[str, Any], *names: str) -> None:
    unknown = sorted(data.keys() - set(names))
    if unknown:
        raise RecordError("; ".join(f"unknown field `{name}`" for name in unknown))


def _parse_entry(data: dict[str, Any], place: dict[str, str]) -> Entry:
    _only(data, "results", "history")
    results = {
        cpu: _parse_result(result, {**place, "cpu": cpu}) for cpu, result in data["results"].items()
    }
    if not results:
        raise KeyError("results")
    try:
        return Entry(results, _events().validate_json(orjson.dumps(data["history"])))
    except ValidationError as mistake:
        raise RecordError(f"history: {sentences(mistake)}") from None


def _parse_result(data: dict[str, Any], place: dict[str, str]) -> PublishedResult:
    """Read a result; claim and CPU, under which it stands, are its record's too."""
    _only(data, "record", "code", "curves", "stale")
    record = {**_mapping(data["record"])}
    for name in ("claim", "cpu"):
        if record.get(name, place[name]) != place[name]:
            raise RecordError(f"the record of `{record[name]}` stands under `{place[name]}`")
    return PublishedResult(
        record=_parse_record(
            {**record, **{name: place[name] for name in _OF_FILE}, "method": None}
        ),
        code=_mapping(data["code"]),
        curves=_curves(data.get("curves", {})),
        stale=tuple(map(_text, _list(data.get("stale", [])))),
    )


def _parse_record(data: dict[str, Any]) -> Record:
    try:
        return Record.from_json(orjson.dumps(data))
    except RecordError as mistake:
        raise RecordError(f"the record of `{data.get('claim')}`: {mistake}") from None


@cache
def _events() -> TypeAdapter[tuple[Event, ...]]:
    return TypeAdapter(tuple[Event, ...])
