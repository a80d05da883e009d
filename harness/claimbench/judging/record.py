"""The record of a verdict: everything that is said of a claim, read and written here alone.

As JSON, ±inf and NaN are the texts `inf`, `-inf` and `nan`, since JSON has no such numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter, ValidationError, with_config

from claimbench.errors import RecordError
from claimbench.judging.chosen import Chosen
from claimbench.judging.rules import median_interval
from claimbench.judging.standing import Standing
from claimbench.judging.verdict import SettingVerdict, Verdict
from claimbench.spec.models import Fidelity, Kind, Rule
from claimbench.tiers import Tier

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
NO_NUMBERS = ("inf", "-inf", "nan")


def jsonable(value: float) -> float | str:
    """Return a number as JSON data: ±inf and NaN as text."""
    return value if math.isfinite(value) else str(value)


def _read(value: Any) -> Any:
    return float(value) if isinstance(value, str) and value in NO_NUMBERS else value


Number = Annotated[
    float,
    BeforeValidator(_read, json_schema_input_type=float | Literal["inf", "-inf", "nan"]),
    PlainSerializer(jsonable, return_type=float | str, when_used="json"),
]

strict = with_config(strict=True, extra="forbid")
"""Has a dataclass read without conversions: an unknown key or another type is an error."""


@strict
@dataclass(frozen=True)
class Measured:
    """What the seeds gave of one metric.

    Attributes:
        median: of the values.
        low: lower end of the interval for the median that they estimate.
        high: its upper end.
        values: one a seed, in the order of the seed index.
    """

    median: Number
    low: Number
    high: Number
    values: tuple[Number, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return median and interval of a metric's values; NaN if one of them is."""
        unknown = any(map(math.isnan, values))
        median, low, high = (math.nan,) * 3 if unknown else median_interval(values)
        return cls(median, low, high, tuple(values))


@strict
@dataclass(frozen=True)
class Tally:
    """How many seeds of a setting held.

    Attributes:
        verdict: what they show.
        held: seeds that held.
        seeds: seeds that were judged.
    """

    verdict: SettingVerdict
    held: int
    seeds: int


@strict
@dataclass(frozen=True)
class Setting(Tally):
    """What came of a control, or of the setting that a divergence passes with.

    Attributes:
        arguments: of the experiment that it overrides.
        metrics: what its seeds gave.
    """

    arguments: dict[str, Any]
    metrics: dict[str, Measured]


@strict
@dataclass(frozen=True)
class Control(Setting):
    """What came of a negative control.

    Attributes:
        name: as in the spec.
    """

    name: str


NOT_RUN = Tally(SettingVerdict.NOT_RUN, 0, 0)


def weakest(controls: Iterable[Control]) -> Tally:
    """Return what came of the control that speaks most against the claim."""
    order = list(SettingVerdict)
    found = min(controls, key=lambda control: order.index(control.verdict), default=NOT_RUN)
    return Tally(found.verdict, found.held, found.seeds)


@strict
@dataclass(frozen=True)
class Record:
    """A verdict on one claim at one tier and profile, with all that it rests on.

    Attributes:
        paper: slug of the paper.
        claim: the claim's id.
        headline: the spec marks it as a sentence of the abstract.
        kind: as in the spec.
        fidelity: as in the spec.
        tier: at which it was judged.
        profile: hardware profile of the runs.
        method: what stood in for names of the paper's method; None for the paper's own.
        verdict: the verdict.
        reason: one line: what it rests on.
        held: seeds of the claim that held.
        seeds: seeds of the claim that were judged.
        metrics: what they gave.
        rule: by which the seeds were judged.
        max_seeds: where that rule stops.
        deterministic: the spec says that seeds make no difference.
        share: interval for the share of all seeds that would hold; None if not judged.
        power: what so many seeds can show, in words; None if not judged.
        expect: region of each metric that the claim judges, as in the spec.
        expect_text: the same in words.
        reported: the paper's own numbers.
        control: the weakest of the controls.
        controls: those that were run, in the order of the spec.
        passes_with: the setting with which a known divergence passes, if it was run.
        known: the finding, where the spec expects another verdict than `reproduced`.
        known_verdict: the verdict that it expects then.
        amended: how often the claim was changed since it was registered.
        run_key: of the claim's own runs; None where there could be none.
        spec_hash: of the claim's entry in the spec.
        started_at: when the first of the runs began, ISO 8601.
        seconds: of all runs, from start to end.
        cpu_seconds: of all runs.
        peak_mb: largest memory of a run in MB, where the system tells.
        data: version, licence and checksum of each data set.
        packages: version of each package that the runs depend on.
        commit: of the code.
        cpu: the CPU model.
        judged_at: when the store took it up, ISO 8601; None until then.
        standing: of each of the paper's numbers, how ours stands to it; empty if not judged.
        chosen: by name, what was chosen in tuning for the claim's own runs.
    """

    paper: str
    claim: str
    headline: bool
    kind: Kind
    fidelity: Fidelity
    tier: Tier
    profile: str
    method: str | None
    verdict: Verdict
    reason: str
    held: int
    seeds: int
    metrics: dict[str, Measured]
    rule: Rule
    max_seeds: int
    deterministic: bool
    share: tuple[float, float] | None
    power: str | None
    expect: dict[str, dict[str, float | tuple[float, ...]]]
    expect_text: dict[str, str]
    reported: dict[str, Number]
    control: Tally
    controls: tuple[Control, ...]
    passes_with: Setting | None
    known: str | None
    known_verdict: Verdict | None
    amended: int
    run_key: str | None
    spec_hash: str
    started_at: str | None
    seconds: float
    cpu_seconds: float
    peak_mb: float | None
    data: dict[str, dict[str, str]]
    packages: dict[str, str]
    commit: str | None
    cpu: str
    judged_at: str | None

    standing: dict[str, Standing]
    chosen: dict[str, tuple[Chosen, ...]]

    @staticmethod
    def from_json(text: str | bytes) -> Record:
        """Return the record that a JSON text describes, as `as_json` gives it.

        Raises:
            RecordError: it is no JSON, or a field is missing, unknown or of another type.
        """
        try:
            return _adapter().validate_json(text)
        except ValidationError as mistake:
            raise RecordError(sentences(mistake)) from None

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        data: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return data

    @property
    def name(self) -> str:
        """The claim as one types it: paper::claim."""
        return f"{self.paper}::{self.claim}"

    @property
    def explained(self) -> bool:
        """Say whether it came out otherwise than `reproduced`, as the spec expects."""
        return self.verdict is self.known_verdict

    @property
    def as_expected(self) -> bool:
        """Reproduced or skipped; where the spec expects another verdict, that or skipped."""
        return self.verdict in (Verdict.SKIPPED, self.known_verdict or Verdict.REPRODUCED)


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def sentences(mistake: ValidationError) -> str:
    """Return what is wrong with each field, by its name, on one line."""
    found = []
    for error in mistake.errors(include_url=False, include_context=False):
        place = ".".join(map(str, error["loc"]))
        if error["type"] == "missing":
            found.append(f"no field `{place}`")
        elif error["type"] == "unexpected_keyword_argument":
            found.append(f"unknown field `{place}`")
        else:
            found.append(f"`{place}`: {error['msg']}" if place else error["msg"])
    return "; ".join(found)


def schema() -> str:
    """Return the JSON Schema of a record as `Record.as_json` gives it."""
    whole = {"$schema": SCHEMA, **_adapter().json_schema(), "title": "claimbench verdict"}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def cpu_seconds(records: Iterable[Record]) -> float:
    """Return the CPU-seconds of all runs behind verdicts.

    Claims that share an experiment share its runs, of which one may have needed more than another;
    they count once.
    """
    runs: dict[str, float] = {}
    for record in records:
        key = record.run_key or record.claim
        runs[key] = max(runs.get(key, 0.0), record.cpu_seconds)
    return sum(runs.values())
