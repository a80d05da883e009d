"""What a paper registers in one version, in a form in which versions can be compared.

It is read from the YAML and the syntax tree alone, since older versions have older forms of the
spec: whatever is not there, or has another type than today, counts as left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimbench.spec.base import nearest
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.models import DEFAULT_SEEDS, DEFAULT_TIMEOUT, Rule
from claimbench.spec.reading import Document
from claimbench.tiers import TIERS, Tier

Key = tuple[str, ...]
"""A field, what of it is judged by itself (a tier, a parameter), as `("arguments", tier, name)`."""

Entry = tuple[str, str, str, str]
"""What an `amended` entry is known by: date, was, now, reason."""

Removed = tuple[str, str, str]
"""What a `removed` entry is known by: id, date, reason."""

Defaults = Mapping[str, Mapping[str, Any]]
"""Of each function of reproduce.py the defaults of its parameters."""


@dataclass(frozen=True)
class Read:
    """A claims.yaml as data, and the line, from 1, in which each claim begins."""

    data: dict[str, Any]
    lines: list[int]


@dataclass(frozen=True)
class Value:
    """One value that a verdict depends on.

    Attributes:
        text: as canonical JSON.
        given: of an argument, what its tier's mapping says, as JSON; None where it says nothing.
        default: of an argument, its parameter's default, as JSON; None without one.
    """

    text: str
    given: str | None = None
    default: str | None = None


@dataclass(frozen=True)
class Marks:
    """What an `amended` entry says beside what it is known by; None where it does not say."""

    fields: frozenset[str] | None
    verdict_before: str | None


@dataclass(frozen=True)
class ClaimVersion:
    """A claim in one version of its paper.

    Attributes:
        id: its id.
        line: of claims.yaml, from 1.
        experiment: name of the function that it points at.
        judged: the tiers at which it gets a verdict.
        values: what its verdict depends on.
        names: of its controls, by their overrides as JSON.
        amended: its entries.
        supersedes: ids of earlier claims.
    """

    id: str
    line: int
    experiment: str
    judged: frozenset[str]
    values: Mapping[Key, Value]
    names: Mapping[str, str] = field(default_factory=dict)
    amended: Mapping[Entry, Marks] = field(default_factory=dict)
    supersedes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PaperVersion:
    """A paper in one version: its claims by id, its `removed` entries, and what it is known by."""

    claims: Mapping[str, ClaimVersion]
    removed: frozenset[Removed]
    identity: Mapping[str, str]


def read_claims(raw: bytes) -> Read | None:
    """Return a claims.yaml as data with lines; None where it is no readable mapping."""
    read = Document(Path(SPEC_FILE), raw)
    if not read.readable or not isinstance(read.data, dict):
        return None
    count = len(_list(read.data.get("claims")))
    return Read(read.data, [read.line(("claims", place)) for place in range(count)])


def identity_of(data: Any) -> dict[str, str]:
    """Return what a paper is known by: arxiv without version, url, title in small letters."""
    paper = _mapping(_mapping(data).get("paper"))
    found = {key: _words(paper[key]) for key in ("arxiv", "url", "title") if paper.get(key)}
    if "arxiv" in found:
        base, letter, version = found["arxiv"].rpartition("v")
        found["arxiv"] = base if letter and version.isdigit() else found["arxiv"]
    return {key: text.casefold() for key, text in found.items()}


def paper_version(
    read: Read, defaults: Defaults, seen: dict[str, ClaimVersion] | None = None
) -> PaperVersion:
    """Return what a claims.yaml registers, with the defaults of its reproduce.py.

    Args:
        read: the claims.yaml.
        defaults: of each function, as far as they are known.
        seen: claims of other versions, of which those that are the same are taken over.
    """
    seen = {} if seen is None else seen
    experiments = _mapping(read.data.get("experiments"))
    claims = {}
    for claim, line in zip(_list(read.data.get("claims")), read.lines, strict=True):
        if isinstance(claim, dict) and isinstance(claim.get("id"), str):
            name = _words(claim.get("experiment"))
            parts = (claim, _mapping(experiments.get(name)), defaults.get(name, {}))
            key = repr((line, parts))
            if key not in seen:
                seen[key] = _claim_version(line, *parts)
            claims[claim["id"]] = seen[key]
    removed = (_mapping(entry) for entry in _list(read.data.get("removed")))
    return PaperVersion(
        claims=claims,
        removed=frozenset(
            (_words(entry.get("id")), _words(entry.get("date")), _words(entry.get("reason")))
            for entry in removed
        ),
        identity=identity_of(read.data),
    )


def _claim_version(
    line: int, claim: dict[str, Any], experiment: dict[str, Any], defaults: Mapping[str, Any]
) -> ClaimVersion:
    start = claim.get("from", "smoke")
    judged = TIERS[TIERS.index(start) :] if start in TIERS else TIERS
    values = {
        **_of_claim(claim, bool(experiment.get("deterministic"))),
        **_of_experiment(experiment),
        **_arguments(experiment, defaults),
    }
    amended: dict[Entry, Marks] = {}
    for entry in map(_mapping, _list(claim.get("amended"))):
        fields, verdict = entry.get("fields"), entry.get("verdict_before")
        date, was, now, reason = (_words(entry.get(k)) for k in ("date", "was", "now", "reason"))
        amended[date, was, now, reason] = Marks(
            None if fields is None else frozenset(map(_words, _list(fields))),
            None if verdict is None else _words(verdict),
        )
    controls = _mapping(claim.get("controls"))
    return ClaimVersion(
        id=claim["id"],
        line=line,
        experiment=_words(claim.get("experiment")),
        judged=frozenset(judged),
        values=values,
        names={canonical(overrides): control for control, overrides in controls.items()},
        amended=amended,
        supersedes=tuple(map(_words, _list(claim.get("supersedes")))),
    )


def _of_claim(claim: dict[str, Any], deterministic: bool) -> dict[Key, Value]:
    declared = claim.get("rule") or (
        "every" if claim.get("kind") in ("exact", "rate") else "typical"
    )
    rule: Rule = "every" if deterministic or declared == "every" else "typical"
    seeds = 1 if deterministic else _mapping(claim.get("seeds")).get("max", DEFAULT_SEEDS[rule])
    single = {
        **{key: _words(claim.get(key)) for key in ("statement", "source", "kind", "fidelity")},
        "experiment": _words(claim.get("experiment")),
        "reported": _mapping(claim.get("reported")),
        "rule": rule,
        "seeds": seeds,
        "from": claim.get("from", "smoke"),
        "controls": _controls(claim),
    }
    if "controls" in claim:  # the form of the spec that has headlines
        single["headline"] = bool(claim.get("headline"))
    values: dict[Key, Value] = {(key,): Value(canonical(value)) for key, value in single.items()}
    expect, known = _mapping(claim.get("expect")), claim.get("known")
    by_tier = _keyed(expect)
    known_by_tier = known if _keyed(known) else dict.fromkeys(TIERS, known)
    for tier in TIERS:
        regions = _mapping(_nearest(tier, expect)) if by_tier else expect
        values["expect", tier] = Value(canonical(regions))
        verdict = _mapping(_mapping(known_by_tier).get(tier))
        passes = verdict.get("passes_with")
        said = [verdict["verdict"], _mapping(passes)] if verdict.get("verdict") else None
        values["known", tier] = Value(canonical(said))
    return values


def _controls(claim: dict[str, Any]) -> list[Any]:
    old = claim.get("control")
    found = [*_mapping(claim.get("controls")).values(), *(old if isinstance(old, list) else [old])]
    unique = {canonical(overrides): overrides for overrides in found if overrides is not None}
    return [unique[text] for text in sorted(unique)]


def _of_experiment(experiment: dict[str, Any]) -> dict[Key, Value]:
    values: dict[Key, Value] = {
        ("precision",): Value(canonical(experiment.get("precision", "float32"))),
        ("deterministic",): Value(canonical(bool(experiment.get("deterministic")))),
    }
    for key in ("constant", "data", "files"):
        values[(key,)] = Value(canonical(sorted(map(_words, _list(experiment.get(key))))))
    limits = _mapping(experiment.get("timeout"))
    for tier in TIERS:
        values["timeout", tier] = Value(canonical(_nearest(tier, limits) or DEFAULT_TIMEOUT))
    return values


def _arguments(experiment: dict[str, Any], defaults: Mapping[str, Any]) -> dict[Key, Value]:
    declared = {t: experiment[t] for t in TIERS if experiment.get(t) is not None}
    values: dict[Key, Value] = {}
    for tier in TIERS:
        given = _mapping(_nearest(tier, declared))
        for name, value in {**defaults, **given}.items():
            values["arguments", tier, name] = Value(
                canonical(value),
                canonical(given[name]) if name in given else None,
                canonical(defaults[name]) if name in defaults else None,
            )
    return values


def canonical(value: Any) -> str:
    """Return a value as JSON: keys sorted, whole numbers without a point, spaces as one."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, bool | int | float | None) else _words(value)


def _nearest(tier: Tier, keyed: Mapping[Any, Any]) -> Any:
    return nearest(tier, {name: keyed[name] for name in TIERS if name in keyed})


def _keyed(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(key in TIERS for key in value)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())
