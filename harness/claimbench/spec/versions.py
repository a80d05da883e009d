"""What a paper registers in one version, in a form in which versions can be compared.

It is read from the YAML and the syntax tree alone, since older versions have older forms of the
spec: whatever is not there, or has another type than today, counts as left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.fields import (
    Key,
    Value,
    canonical,
    list_of,
    mapping_of,
    values_of,
    words_of,
)
from claimbench.spec.reading import Document
from claimbench.tiers import TIERS

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
    count = len(list_of(read.data.get("claims")))
    return Read(read.data, [read.line(("claims", place)) for place in range(count)])


def identity_of(data: Any) -> dict[str, str]:
    """Return what a paper is known by: arxiv without version, url, title in small letters."""
    paper = mapping_of(mapping_of(data).get("paper"))
    found = {key: words_of(paper[key]) for key in ("arxiv", "url", "title") if paper.get(key)}
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
    experiments = mapping_of(read.data.get("experiments"))
    claims = {}
    for claim, line in zip(list_of(read.data.get("claims")), read.lines, strict=True):
        if isinstance(claim, dict) and isinstance(claim.get("id"), str):
            name = words_of(claim.get("experiment"))
            parts = (claim, mapping_of(experiments.get(name)), defaults.get(name, {}))
            key = repr(parts)
            if key not in seen:
                seen[key] = _claim_version(line, *parts)
            found = seen[key]
            claims[claim["id"]] = found if found.line == line else replace(found, line=line)
    removed = (mapping_of(entry) for entry in list_of(read.data.get("removed")))
    return PaperVersion(
        claims=claims,
        removed=frozenset(
            (words_of(entry.get("id")), words_of(entry.get("date")), words_of(entry.get("reason")))
            for entry in removed
        ),
        identity=identity_of(read.data),
    )


def _claim_version(
    line: int, claim: dict[str, Any], experiment: dict[str, Any], defaults: Mapping[str, Any]
) -> ClaimVersion:
    start = claim.get("from", "smoke")
    judged = TIERS[TIERS.index(start) :] if start in TIERS else TIERS
    amended: dict[Entry, Marks] = {}
    for entry in map(mapping_of, list_of(claim.get("amended"))):
        fields, verdict = entry.get("fields"), entry.get("verdict_before")
        date, was, now, reason = (words_of(entry.get(k)) for k in ("date", "was", "now", "reason"))
        amended[date, was, now, reason] = Marks(
            None if fields is None else frozenset(map(words_of, list_of(fields))),
            None if verdict is None else words_of(verdict),
        )
    controls = mapping_of(claim.get("controls"))
    return ClaimVersion(
        id=claim["id"],
        line=line,
        experiment=words_of(claim.get("experiment")),
        judged=frozenset(judged),
        values=values_of(claim, experiment, defaults),
        names={canonical(overrides): control for control, overrides in controls.items()},
        amended=amended,
        supersedes=tuple(map(words_of, list_of(claim.get("supersedes")))),
    )
