"""The models of claims.yaml. Their descriptions are the reference of its keys.

What one model can tell by itself is checked here; what takes several keys together with kind,
tier or experiment is checked in `semantics`, and what takes reproduce.py in `contract`.
"""

import datetime
import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    PrivateAttr,
    Tag,
)

from claimbench.errors import UsageError
from claimbench.spec.base import (
    Arguments,
    Finite,
    Kebab,
    Model,
    Overrides,
    Positive,
    Text,
    json_numbers,
    nearest,
    refusal,
)
from claimbench.spec.region import Region
from claimbench.tiers import TIERS, Tier

Kind = Literal["exact", "rate", "number", "comparison", "speed", "shape"]
Fidelity = Literal["exact", "reduced", "mechanism"]
Precision = Literal["float32", "float64"]
Rule = Literal["every", "typical"]
FieldName = Literal[
    "statement",
    "kind",
    "fidelity",
    "source",
    "headline",
    "expect",
    "reported",
    "rule",
    "seeds",
    "controls",
    "from",
    "known",
    "experiment",
    "arguments",
    "defaults",
    "precision",
    "deterministic",
    "constant",
    "data",
    "files",
    "timeout",
    "code",
]
FIELDS: tuple[FieldName, ...] = get_args(FieldName)
"""What a verdict depends on, as `amended` names it: keys of the claim, then of its experiment.

`arguments` are those of a tier, `defaults` those of the function's parameters, and `code` is what
the experiment computes that no key shows.
"""

DEFAULT_TIMEOUT = 60.0
DEFAULT_SEEDS: dict[Rule, int] = {"every": 3, "typical": 20}
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PLAIN, BY_TIER = "<plain>", "<by tier>"


def _branch(value: Any) -> str | None:
    """Tell which of its two forms a key has; None where it mixes them."""
    tiers = [key in TIERS for key in value] if isinstance(value, dict) else []
    if not any(tiers):
        return PLAIN
    return BY_TIER if all(tiers) else None


def _by_tier(mixed: str) -> Discriminator:
    return Discriminator(_branch, custom_error_type="refusal", custom_error_message=mixed)


def _none_as_empty(value: Any) -> Any:
    if value == {}:
        raise refusal("changes no argument; write `none` where no setting can pass")
    return {} if value == "none" else value


def _as_date(value: Any) -> Any:
    if isinstance(value, str) and DATE.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError as error:
            raise refusal(f"`{value}` is no date: {error}") from None
    return value


class Paper(Model):
    """What is claimed about, and where it can be read."""

    title: Text = Field(description="Title as printed.")
    arxiv: (
        Annotated[str, Field(pattern=r"^(\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7})(v\d+)?$")]
        | None
    ) = Field(default=None, description='arXiv identifier in quotes, such as "2409.03137".')
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(
        default=None, description="Where the paper can be read if it is not on arXiv."
    )
    year: Annotated[int, Field(ge=1900, le=2100)] = Field(description="Year of the first version.")
    authors: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)] = Field(
        description="Names as printed, in the paper's order."
    )
    code: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(
        default=None, description="The authors' code; leave it out if they published none."
    )
    theme: Kebab = Field(description="Group on the leaderboard, in kebab-case.")


class Experiment(Model):
    """How the function of this name in reproduce.py is called.

    The arguments of a tier replace those of a lower one as a whole. A tier without arguments
    takes those of the nearest lower tier, and none at all if no lower tier has any.
    """

    smoke: Arguments | None = Field(
        default=None, description="Arguments at smoke: the whole paper in 15 CPU-seconds."
    )
    standard: Arguments | None = Field(
        default=None, description="Arguments at standard: 10 CPU-minutes. Default: those at smoke."
    )
    full: Arguments | None = Field(
        default=None,
        description="Arguments at full: the paper's own scale. Default: those at standard.",
    )
    timeout: dict[Tier, Positive] = Field(
        default_factory=dict,
        description="Seconds that one run may take, by tier; a tier without an entry takes the "
        "nearest lower one's. Default: 60.",
    )
    precision: Precision = Field(default="float32", description="What `run.dtype` gives.")
    deterministic: bool = Field(
        default=False,
        description="Whether every run gives the same metrics, whatever the seed; then one run "
        "is enough.",
    )
    constant: list[Text] = Field(
        default_factory=list,
        description="Metrics that may be the same for every seed although runs are random: a "
        "count, a share, the part of a measurement that draws nothing.",
    )
    data: list[Text] = Field(
        default_factory=list,
        description="Data sets, by their names in the entry-point group `claimbench.data`.",
    )
    files: list[Text] = Field(
        default_factory=list,
        description="Files beside the paper that a run may read; their content is part of what it "
        "depends on.",
    )

    def arguments(self, tier: Tier) -> dict[str, Any]:
        """Return the arguments at a tier, as a new dict."""
        declared = {t: getattr(self, t) for t in TIERS if getattr(self, t) is not None}
        return dict(nearest(tier, declared) or {})

    def timeout_at(self, tier: Tier) -> float:
        """Return how many seconds a run may take at a tier."""
        return float(nearest(tier, self.timeout) or DEFAULT_TIMEOUT)


class Seeds(Model):
    """How many seeds may be used to decide."""

    max: int = Field(
        description="Largest number of seeds: 1 to 100 for the rule `every` (default 3), 6 to 20 "
        "for `typical` (default 20)."
    )


class Known(Model):
    """A verdict other than `reproduced` that was looked into and is expected."""

    verdict: Literal["diverges", "vacuous"] = Field(
        description="diverges: the claim is shown not to hold. vacuous: a control passes too."
    )
    finding: Text = Field(description="What was tried, and what explains the verdict.")
    passes_with: (
        Annotated[
            dict[str, Any],
            BeforeValidator(_none_as_empty, json_schema_input_type=Overrides | Literal["none"]),
            AfterValidator(json_numbers),
            PlainSerializer(lambda overrides: overrides or "none"),
        ]
        | None
    ) = Field(
        default=None,
        description="Positive control of a divergence: argument overrides under which the same "
        "check passes, to show that it can; `none` where there can be none, and the finding says "
        "why.",
    )

    @property
    def word(self) -> str:
        """The verdict that is expected, as a record has it."""
        return {"diverges": "diverged"}.get(self.verdict, self.verdict)


class Amendment(Model):
    """A change of a claim since it was registered, kept for everybody to see."""

    date: Annotated[datetime.date, BeforeValidator(_as_date)] = Field(
        description="Day of the change, such as 2026-12-01."
    )
    fields: Annotated[tuple[FieldName, ...], Field(min_length=1, strict=False)] = Field(
        description="What was changed: keys of the claim or of its experiment. `arguments` are "
        "those of a tier, `defaults` those of the function's parameters; `code` is what the "
        "experiment computes that no key shows."
    )
    was: Text = Field(description="What stood there before, as text.")
    now: Text = Field(description="What stands there since, as text.")
    reason: Text = Field(description="Why it was changed.")
    verdict_before: (
        Literal["reproduced", "diverged", "inconclusive", "vacuous", "skipped", "error", "none"]
        | None
    ) = Field(
        default=None,
        description="The claim's verdict before the change; `none` where it had not been run.",
    )


class Removal(Model):
    """A claim that was here and is no longer, kept for everybody to see."""

    id: Kebab = Field(description="Id of the claim that was removed.")
    date: Annotated[datetime.date, BeforeValidator(_as_date)] = Field(
        description="Day of the removal, such as 2026-12-01."
    )
    reason: Text = Field(description="Why the claim could not stay.")


Regions = Annotated[
    dict[Text, Region],
    Field(min_length=1, json_schema_extra={"propertyNames": {"not": {"enum": list(TIERS)}}}),
]


class Claim(Model):
    """One sentence that is true or false, and the check that decides it."""

    id: Kebab = Field(description="Name of the claim in the paper's folder, in kebab-case.")
    statement: Text = Field(description="One sentence that a run can prove wrong.")
    source: Text = Field(
        description="Section, figure or theorem; or `derived (…)` where the paper implies but "
        "does not print it."
    )
    headline: bool = Field(
        default=False,
        description="Whether it measures a sentence of the abstract; a paper has one or more.",
    )
    kind: Kind = Field(
        description="exact: an identity, up to rounding. rate: an exponent or order. number: a "
        "value that the paper gives. comparison: better than something else. speed: a ratio of "
        "times. shape: a curve's form."
    )
    fidelity: Fidelity = Field(
        description="exact: the paper's setting. reduced: the same at smaller scale. mechanism: "
        "another setting in which the paper's reason must show."
    )
    deviation: Text | None = Field(
        default=None,
        description="What differs from the paper's setting. Required unless fidelity is exact.",
    )
    experiment: Text = Field(description="One of the keys of `experiments`.")
    expect: Annotated[
        Annotated[Regions, Tag(PLAIN)]
        | Annotated[dict[Tier, Regions], Field(min_length=1), Tag(BY_TIER)],
        _by_tier(
            "`expect` is keyed by metric or by tier, not by both; a metric may not be called "
            "smoke, standard or full"
        ),
    ] = Field(
        description="Metric to region; a seed holds if every metric lies in its region. May be "
        "keyed by tier first; a tier without an entry takes the nearest lower one's."
    )
    controls: Annotated[dict[Kebab, Overrides], Field(min_length=1)] = Field(
        description="Negative controls by name: argument overrides that take away the idea that "
        "the statement is about, so that the same check must fail. Every one that was ever tried "
        "stands here."
    )
    from_: Tier = Field(
        default="smoke", alias="from", description="Smallest tier at which the claim is judged."
    )
    declared_rule: Rule | None = Field(
        default=None,
        alias="rule",
        description="every: all seeds must hold; default for exact and rate, and for what is "
        "deterministic. typical: more than half of all seeds hold; default for the rest.",
    )
    seeds: Seeds | None = Field(default=None, description="How many seeds may be used.")
    reported: dict[Text, Finite] = Field(
        default_factory=dict,
        description="What the paper prints for a metric of `expect`; never an own result.",
    )
    known: (
        Annotated[
            Annotated[Known, Tag(PLAIN)]
            | Annotated[dict[Tier, Known], Field(min_length=1), Tag(BY_TIER)],
            _by_tier("`known` is one mapping or keyed by tier, not both"),
        ]
        | None
    ) = Field(
        default=None,
        description="A divergence, or a check that its controls pass too, that was looked into. "
        "Keyed by tier, it says nothing about the tiers that it does not name.",
    )
    amended: Annotated[tuple[Amendment, ...], Field(strict=False)] = Field(
        default=(),
        description="Every change since the claim was registered, which its first commit does; "
        "entries are never edited or removed.",
    )
    supersedes: Annotated[tuple[Kebab, ...], Field(strict=False)] = Field(
        default=(),
        description="Ids of earlier claims that this one replaces; their history and verdicts "
        "stay with it.",
    )

    _line: int = PrivateAttr(1)
    _deterministic: bool = PrivateAttr(False)

    @property
    def line(self) -> int:
        """Line of claims.yaml, from 1, in which the claim begins."""
        return self._line

    @property
    def rule(self) -> Rule:
        """How seeds decide: as declared, else by kind; `every` for what is deterministic."""
        return rule_of(self, self._deterministic)

    @property
    def max_seeds(self) -> int:
        """Largest number of seeds that may be used to decide."""
        if self._deterministic:
            return 1
        return self.seeds.max if self.seeds else DEFAULT_SEEDS[self.rule]

    def judged_at(self, tier: Tier) -> bool:
        """Return whether the claim gets a verdict at a tier."""
        return TIERS.index(tier) >= TIERS.index(self.from_)

    def expect_at(self, tier: Tier) -> dict[str, Region]:
        """Return metric to region at a tier; empty below the first tier that has an entry."""
        return dict(nearest(tier, self.expectations()) or {})

    def known_at(self, tier: Tier) -> Known | None:
        """Return the verdict that is known at a tier, if it is another than `reproduced`."""
        return self.known.get(tier) if isinstance(self.known, dict) else self.known

    def expectations(self) -> dict[Tier, dict[str, Region]]:
        """Return `expect` keyed by the tiers that have an entry; smoke if it is not keyed."""
        keyed: dict[Tier, dict[str, Region]] = {}
        for name, entry in self.expect.items():
            if isinstance(entry, Region):
                keyed.setdefault("smoke", {})[name] = entry
            else:
                keyed[tier_named(name)] = entry
        return keyed

    def expect_place(self, tier: Tier) -> tuple[str, ...]:
        """Return the keys below the claim under which the regions of `expectations` stand."""
        plain = any(isinstance(entry, Region) for entry in self.expect.values())
        return ("expect",) if plain else ("expect", tier)


class ClaimsFile(Model):
    """A paper's claims, and how they are checked."""

    paper: Paper = Field(description="The paper.")
    experiments: Annotated[dict[Text, Experiment], Field(min_length=1)] = Field(
        description="The functions of reproduce.py that run; `{}` for one with its defaults."
    )
    claims: Annotated[tuple[Claim, ...], Field(min_length=1, strict=False)] = Field(
        description="The claims, in the paper's order."
    )
    removed: Annotated[tuple[Removal, ...], Field(strict=False)] = Field(
        default=(), description="Every claim that was removed after its first result."
    )


class Spec(ClaimsFile):
    """A paper folder whose claims.yaml and reproduce.py keep the contract.

    Attributes:
        slug: name of the folder.
        lines: for each claim the line of claims.yaml, from 1, in which it begins.
    """

    slug: str
    lines: Annotated[tuple[int, ...], Field(strict=False)]

    _folder: Path = PrivateAttr(Path())

    def model_post_init(self, context: Any) -> None:
        """Tell the claims what only the whole knows; `context` may hold the folder."""
        self._folder = (context or {}).get("folder", Path())
        for claim, line in zip(self.claims, self.lines, strict=True):
            claim._line = line
            claim._deterministic = self.experiments[claim.experiment].deterministic

    @property
    def folder(self) -> Path:
        """The paper folder; it is no part of the spec's JSON."""
        return self._folder

    def claim(self, id: str) -> Claim:
        """Return the claim of that id.

        Raises:
            UsageError: there is none.
        """
        for claim in self.claims:
            if claim.id == id:
                return claim
        ids = ", ".join(claim.id for claim in self.claims)
        raise UsageError(f"{self.slug} has no claim `{id}`; its claims are {ids}")

    def claim_hash(self, claim: Claim) -> str:
        """Return the hexadecimal SHA-256 of what a claim says and of its experiment's entry.

        Comments, order, layout and defaults that are written out do not change it.
        """
        entries = [claim, self.experiments[claim.experiment]]
        content = [e.model_dump(mode="json", by_alias=True, exclude_defaults=True) for e in entries]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def rule_of(claim: Claim, deterministic: bool) -> Rule:
    """Return how the seeds of a claim decide."""
    if deterministic:
        return "every"
    by_kind: Rule = "every" if claim.kind in ("exact", "rate") else "typical"
    return claim.declared_rule or by_kind


def tier_named(name: str) -> Tier:
    """Return the tier of that name.

    Raises:
        UsageError: there is none.
    """
    for tier in TIERS:
        if tier == name:
            return tier
    raise UsageError(f"no tier `{name}`; the tiers are {', '.join(TIERS)}")
