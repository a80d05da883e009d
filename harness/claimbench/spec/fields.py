"""The values that a claim's verdict depends on, in a form in which two versions can be compared.

They are read from the YAML as it is, since older versions have older forms of the spec: whatever is
not there, or has another type than today, counts as left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claimbench.spec.base import nearest
from claimbench.spec.models import DEFAULT_SEEDS, DEFAULT_TIMEOUT, Rule
from claimbench.tiers import TIERS, Tier

_encoded = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode

Key = tuple[str, ...]
"""A field, what of it is judged by itself (a tier, a parameter), as `("arguments", tier, name)`."""


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


def values_of(
    claim: dict[str, Any], experiment: dict[str, Any], defaults: Mapping[str, Any]
) -> dict[Key, Value]:
    """Return the values of a claim.

    Args:
        claim: its entry.
        experiment: the entry of the experiment that it points at.
        defaults: of the parameters of that function.
    """
    return {
        **_of_claim(claim, bool(experiment.get("deterministic"))),
        **_of_experiment(experiment),
        **_arguments(experiment, defaults),
    }


def _of_claim(claim: dict[str, Any], deterministic: bool) -> dict[Key, Value]:
    declared = claim.get("rule") or (
        "every" if claim.get("kind") in ("exact", "rate") else "typical"
    )
    rule: Rule = "every" if deterministic or declared == "every" else "typical"
    seeds = 1 if deterministic else mapping_of(claim.get("seeds")).get("max", DEFAULT_SEEDS[rule])
    single = {
        **{key: words_of(claim.get(key)) for key in ("statement", "source", "kind", "fidelity")},
        "experiment": words_of(claim.get("experiment")),
        "reported": mapping_of(claim.get("reported")),
        "rule": rule,
        "seeds": seeds,
        "from": claim.get("from", "smoke"),
        "controls": _controls(claim),
    }
    if "controls" in claim:  # the form of the spec that has headlines
        single["headline"] = bool(claim.get("headline"))
    values: dict[Key, Value] = {(key,): Value(canonical(value)) for key, value in single.items()}
    expect, known = mapping_of(claim.get("expect")), claim.get("known")
    by_tier = _keyed(expect)
    known_by_tier = known if _keyed(known) else dict.fromkeys(TIERS, known)
    for tier in TIERS:
        regions = mapping_of(_nearest(tier, expect)) if by_tier else expect
        values["expect", tier] = Value(canonical(regions))
        verdict = mapping_of(mapping_of(known_by_tier).get(tier))
        passes = verdict.get("passes_with")
        said = [verdict["verdict"], mapping_of(passes)] if verdict.get("verdict") else None
        values["known", tier] = Value(canonical(said))
    return values


def _controls(claim: dict[str, Any]) -> list[Any]:
    old = claim.get("control")
    found = [
        *mapping_of(claim.get("controls")).values(),
        *(old if isinstance(old, list) else [old]),
    ]
    unique = {canonical(overrides): overrides for overrides in found if overrides is not None}
    return [unique[text] for text in sorted(unique)]


def _of_experiment(experiment: dict[str, Any]) -> dict[Key, Value]:
    values: dict[Key, Value] = {
        ("precision",): Value(canonical(experiment.get("precision", "float32"))),
        ("deterministic",): Value(canonical(bool(experiment.get("deterministic")))),
    }
    for key in ("constant", "data", "files"):
        values[(key,)] = Value(canonical(sorted(map(words_of, list_of(experiment.get(key))))))
    limits = mapping_of(experiment.get("timeout"))
    for tier in TIERS:
        values["timeout", tier] = Value(canonical(_nearest(tier, limits) or DEFAULT_TIMEOUT))
    return values


def _arguments(experiment: dict[str, Any], defaults: Mapping[str, Any]) -> dict[Key, Value]:
    declared = {t: experiment[t] for t in TIERS if experiment.get(t) is not None}
    values: dict[Key, Value] = {}
    for tier in TIERS:
        given = mapping_of(_nearest(tier, declared))
        for name, value in {**defaults, **given}.items():
            values["arguments", tier, name] = Value(
                canonical(value),
                canonical(given[name]) if name in given else None,
                canonical(defaults[name]) if name in defaults else None,
            )
    return values


def canonical(value: Any) -> str:
    """Return a value as JSON: keys sorted, whole numbers without a point, spaces as one."""
    return _encoded(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, bool | int | float | None) else words_of(value)


def _nearest(tier: Tier, keyed: Mapping[Any, Any]) -> Any:
    return nearest(tier, {name: keyed[name] for name in TIERS if name in keyed})


def _keyed(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(key in TIERS for key in value)


def mapping_of(value: Any) -> dict[str, Any]:
    """Return a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def words_of(value: Any) -> str:
    """Return a value as text, with one space wherever it has white space."""
    return "" if value is None else " ".join(str(value).split())
