"""From an error of pydantic to our sentence at its place in the file."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from claimbench.guessing import guess, meant
from claimbench.spec.base import Model
from claimbench.spec.models import (
    BY_TIER,
    PLAIN,
    Amendment,
    Claim,
    ClaimsFile,
    Experiment,
    Known,
    Paper,
    Removal,
    Seeds,
)
from claimbench.spec.problems import LIMIT, Problem
from claimbench.spec.reading import Document, Location, resolve
from claimbench.spec.region import Region
from claimbench.tiers import TIERS

MISSING = {
    "paper": "add the title, year, authors and theme of the paper",
    "experiments": "add the functions of reproduce.py that run, such as `digits: {}`",
    "claims": "add at least one claim",
    "title": "add it as printed",
    "year": "add the year of the first version",
    "authors": "add the list of their names",
    "theme": "add the leaderboard's group, such as `stochastic-optimizers`",
    "id": "add a name in kebab-case, such as `half-the-state`",
    "statement": "add the sentence that the run can prove wrong",
    "source": "add the section, figure or theorem the claim is taken from, or `derived (…)`",
    "kind": "add exact, rate, number, comparison, speed or shape",
    "fidelity": "add exact, reduced or mechanism",
    "experiment": "add the key of `experiments` that measures it",
    "expect": "add a region for each metric, such as `loss_gap: {above: 0}`",
    "controls": "add by name arguments under which the same check must fail",
    "verdict": "add `verdict: diverges` or `verdict: vacuous`",
    "finding": "add what was tried and what explains the verdict",
    "max": "add the largest number of seeds, such as `seeds: {max: 12}`",
    "date": "add the day of the change, such as 2026-12-01",
    "fields": "add the list of keys that were changed, such as [controls]",
    "was": "add what stood there before the change",
    "now": "add what stands there since",
    "reason": "add why it was changed",
}
EXPECTED_BY_KEY = {
    "controls": "a mapping of name to arguments, such as {no-momentum: {beta: 0}}",
    "expect": "a mapping of metric to region, such as {loss_gap: {above: 0}}",
    "seeds": "a mapping, such as {max: 12}",
    "timeout": "a mapping of tier to seconds, such as {smoke: 30}",
    "between": "a list of two numbers, such as [0.9, 1.1]",
}
EXPECTED_BY_ERROR = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a finite number",
    "date_type": "a date such as 2026-12-01",
}
PATTERNS = {
    "id": "kebab-case, such as `half-the-state`",
    "theme": "kebab-case, such as `stochastic-optimizers`",
    "arxiv": 'an arXiv identifier, such as "2409.03137"',
    "code": "an address that begins with https://",
    "url": "an address that begins with https://",
}


def explain(error: ValidationError, document: Document) -> Iterable[Problem]:
    """Yield a problem for each error that pydantic found in the document's data."""
    details = error.errors(include_url=False)
    misspelt = _misspelt(details[: 2 * LIMIT], document)
    for detail in details[: 2 * LIMIT]:
        location = present(detail["loc"], document.data)
        kind = detail["type"]
        if location in misspelt:
            continue  # the misspelt key is the problem
        if kind == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # pydantic counts the entries that are valid; theirs are other problems
        if kind == "missing":
            parent, key = location[:-1], str(location[-1])
            text = f"{prefix(parent, document)}no `{key}`: {MISSING[key]}"
            yield document.problem(parent, text, at="key")
        elif kind == "extra_forbidden":
            parent, key = location[:-1], str(location[-1])
            text = f"{prefix(parent, document, whole=True)}unknown key `{key}`; "
            yield document.problem(location, text + guess(key, keys_of(parent)), at="key")
        elif detail["loc"][-1:] == ("[key]",):
            text = f"{prefix(location, document)}{_key_sentence(location, kind)}"
            yield document.problem(location, text, at="key")
        elif kind == "refusal":
            context = detail.get("ctx") or {}
            inner = (*location, context["key"]) if context.get("key") else location
            named = "sentence" in context
            text = f"{prefix(location, document, whole=named)}{detail['msg']}"
            yield document.problem(inner, text, at="key")
        else:
            text = f"{prefix(location, document)}{_value_sentence(location, detail, document)}"
            yield document.problem(location, text)


def present(loc: Sequence[str | int], data: Any) -> Location:
    """Return pydantic's location without the parts that only the models have."""
    parts: list[str | int] = []
    for part in loc:
        if part in (PLAIN, BY_TIER, "[key]"):
            continue
        if isinstance(part, int) and isinstance(data, dict):
            continue  # one mapping where the model holds a list of them
        parts.append(part)
        inside = isinstance(data, dict) or (isinstance(data, list) and isinstance(part, int))
        data = data[part] if inside and _has(data, part) else None
    return tuple(parts)


def prefix(location: Location, document: Document, *, whole: bool = False) -> str:
    """Return what a sentence about the location begins with.

    Args:
        location: what the sentence is about.
        document: where the claim's id stands.
        whole: whether to name the keys below the claim or experiment too.
    """
    head, rest = _owner(location, document)
    if whole and rest:
        return f"{head}{named(rest)}: "
    return head


def named(parts: Location) -> str:
    """Return a location below a claim in words: `expect.loss`, or entry 2 of `amended`."""
    last = max((i for i, part in enumerate(parts) if isinstance(part, int)), default=None)
    if last is None:
        return f"`{'.'.join(str(part) for part in parts)}`"
    entry = f"entry {int(parts[last]) + 1} of {named(parts[:last])}"
    return f"{named(parts[last + 1 :])} of {entry}" if parts[last + 1 :] else entry


def keys_of(location: Location) -> list[str]:
    """Return the keys that the mapping at a location may have."""
    return keys_of_model(_model_at(location))


def keys_of_model(model: type[Model]) -> list[str]:
    """Return the keys of a model as the file writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def found(value: Any, written: str = "") -> str:
    """Return in words what stands in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {clipped(written or str(value))}"
    if isinstance(value, str):
        return f"`{clipped(value)}`" if value else "empty text"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def clipped(text: str) -> str:
    """Return at most 60 characters of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _misspelt(details: list[ErrorDetails], document: Document) -> set[Location]:
    """Return the locations of keys that are missing only because they are misspelt."""
    locations: set[Location] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *parent, key = present(detail["loc"], document.data)
            if near := meant(str(key), keys_of(tuple(parent))):
                locations.add((*parent, near))
    return locations & {d["loc"] for d in details if d["type"] == "missing"}


def _has(data: Any, part: str | int) -> bool:
    return part in data if isinstance(data, dict) else 0 <= int(part) < len(data)


def _owner(location: Location, document: Document) -> tuple[str, Location]:
    match location:
        case ("claims", int(index), *rest):
            entry = document.data["claims"][index]
            id = entry.get("id") if isinstance(entry, dict) else None
            name = f"`{clipped(id)}`" if isinstance(id, str) and id else str(index + 1)
            return f"claim {name}: ", tuple(rest)
        case ("experiments", str(name), *rest):
            return f"experiment `{clipped(name)}`: ", tuple(rest)
        case ("paper", *rest):
            return "paper: ", tuple(rest)
    return "", location


def _model_at(location: Location) -> type[Model]:
    match location:
        case ("paper",):
            return Paper
        case ("experiments", _):
            return Experiment
        case ("claims", _):
            return Claim
        case ("claims", _, "expect", _, *_):
            return Region
        case ("claims", _, "known", *_):
            return Known
        case ("claims", _, "seeds"):
            return Seeds
        case ("claims", _, "amended", _):
            return Amendment
        case ("removed", _):
            return Removal
    return ClaimsFile


def _key_sentence(location: Location, kind: str) -> str:
    if "controls" in location:
        return (
            f"the name `{clipped(str(location[-1]))}` of a control must be kebab-case, such as "
            "`no-momentum`"
        )
    if kind == "literal_error":
        tiers = ", ".join(TIERS)
        return f"unknown tier `{clipped(str(location[-1]))}` in `timeout`; the tiers are {tiers}"
    return "an empty key; write its name"


def _value_sentence(location: Location, detail: ErrorDetails, document: Document) -> str:
    value, kind = detail["input"], detail["type"]
    context: dict[str, Any] = detail.get("ctx") or {}
    _, rest = _owner(location, document)
    key = next((part for part in reversed(rest) if isinstance(part, str)), "")
    subject = named(rest) if rest else "it" if location else "the file"
    here = found(value, document.written(location))
    if kind == "literal_error":
        return f"{subject} must be {context['expected'].replace(chr(39), '')}, found {here}" + (
            _near_literal(value, context["expected"])
        )
    if kind == "string_pattern_mismatch":
        return f"{subject} must be {PATTERNS[key]}, found {here}"
    if kind in ("too_short", "too_long") and key == "between":
        return f"{subject} must be {EXPECTED_BY_KEY[key]}, found {len(value)}"
    if kind in ("too_short", "string_too_short"):
        return f"{subject} must not be empty"
    if kind == "greater_than":
        return f"{subject} must be above {context['gt']:g}, found {here}"
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = "at least" if "ge" in context else "at most"
        return f"{subject} must be {limit} {context.get('ge', context.get('le'))}, found {here}"
    if "expect" in location and location[-2] in TIERS and key in Region.model_fields:
        return (
            f"`expect.{location[-2]}` holds the metrics of a tier, and `{key}` is none; "
            "a metric may not be called like a tier"
        )
    expected = EXPECTED_BY_KEY.get(key) if rest[-1:] == (key,) else None
    if kind == "model_type" and _model_at(location) is Region:
        expected = "a region, such as {above: 0}"
    expected = expected or EXPECTED_BY_ERROR[kind]
    return f"{subject} must be {expected}, found {here}{_remedy(kind, value, location, document)}"


def _near_literal(value: Any, expected: str) -> str:
    words = expected.replace(" or ", ", ").replace("'", "").split(", ")
    near = meant(str(value), words)
    return f"; did you mean `{near}`?" if near else ""


def _remedy(kind: str, value: Any, location: Location, document: Document) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'; write it in quotes: "{clipped(document.written(location))}"'
    if kind in ("float_type", "int_type", "bool_type") and isinstance(value, str):
        return "; write it without quotes" if _means_number(value) else ""
    if kind == "model_type" and value is None and location[:-1] == ("experiments",):
        return "; write `{}` for its defaults"
    return ""


def _means_number(text: str) -> bool:
    try:
        meant = resolve(text)
    except OverflowError:
        return False
    return isinstance(meant, bool | int | float) and math.isfinite(meant)
