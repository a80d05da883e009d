"""Checks of claims.yaml against reproduce.py: functions, arguments, metrics and controls."""

from collections.abc import Iterator
from typing import Any

from claimbench.guessing import guess
from claimbench.spec.explain import prefix
from claimbench.spec.models import Claim, Experiment, Known
from claimbench.spec.parts import Part, Parts
from claimbench.spec.problems import Problem
from claimbench.spec.reading import Document, Location
from claimbench.spec.reproduce_ast import UNKNOWN, Function, Reproduce
from claimbench.tiers import TIERS, Tier


def check(parts: Parts, document: Document, reproduce: Reproduce) -> Iterator[Problem]:
    """Yield every problem between claims.yaml and reproduce.py.

    Args:
        parts: claims and experiments of claims.yaml.
        document: claims.yaml.
        reproduce: reproduce.py, without problems of its own.
    """
    for name, experiment in parts.experiments.items():
        function = reproduce.functions.get(name)
        if function is None:
            yield _absent(name, document, reproduce)
            continue
        yield from _function(function, reproduce)
        if experiment.has("constant"):
            yield from _constant(name, experiment.value, function, document)
        for tier in TIERS:
            location = ("experiments", name, tier)
            arguments = getattr(experiment.value, tier)
            yield from _arguments(arguments, tier, location, function, document)
    for index, claim in parts.claims.items():
        if not claim.has("experiment") or claim.value.experiment not in parts.experiments:
            continue
        function = reproduce.functions.get(claim.value.experiment)
        if function is not None:
            experiment = parts.experiments[claim.value.experiment]
            yield from _claim(("claims", index), claim, experiment, function, document)


def _absent(name: str, document: Document, reproduce: Reproduce) -> Problem:
    known = reproduce.experiments() or list(reproduce.functions)
    advice = guess(name, known, "its experiments are") if known else "add it"
    text = f"experiment `{name}`: no such function in reproduce.py; {advice}"
    return document.problem(("experiments", name), text, at="key")


def _function(function: Function, reproduce: Reproduce) -> Iterator[Problem]:
    sentences = [] if function.marked else ["mark it with `@experiment`"]
    sentences += [function.refusal] if function.refusal else []
    width = len("def ") + len(function.name)
    for sentence in sentences:
        text = f"experiment `{function.name}`: {sentence}"
        yield reproduce.problem(function.line, function.column, text, width)


def _constant(
    name: str, experiment: Experiment, function: Function, document: Document
) -> Iterator[Problem]:
    if function.metrics is None:
        return
    for number, metric in enumerate(experiment.constant):
        if metric not in function.metrics:
            returned = ", ".join(function.metrics) or "no metrics"
            text = f"`constant` names `{metric}`, but `{name}` returns {returned} {_at(function)}"
            location = ("experiments", name, "constant", number)
            yield document.problem(location, prefix(location, document) + text)


def _claim(
    top: Location,
    part: Part[Claim],
    experiment: Part[Experiment],
    function: Function,
    document: Document,
) -> Iterator[Problem]:
    claim = part.value
    if part.has("expect"):
        yield from _metrics(top, claim, function, document)
    judged = [tier for tier in TIERS if claim.judged_at(tier)]
    settings = {tier: experiment.value.arguments(tier) for tier in judged}
    if not part.has("from") or not experiment.has(*TIERS):
        settings = {}
    for name, control in claim.controls.items() if part.has("controls") else ():
        location = (*top, "controls", name)
        yield from _arguments(control, f"control `{name}`", location, function, document)
        for tier, arguments in settings.items():
            if _changes_nothing(control, arguments, function):
                text = (
                    f"the control `{name}` changes nothing at {tier}: {_same(control)} is what "
                    "runs there"
                )
                yield document.problem(location, prefix(location, document) + text, at="key")
                break
    if part.has("known"):
        yield from _passes_with(top, claim, settings, function, document)


def _passes_with(
    top: Location,
    claim: Claim,
    settings: dict[Tier, dict[str, Any]],
    function: Function,
    document: Document,
) -> Iterator[Problem]:
    plain = isinstance(claim.known, Known)
    for tier in TIERS[:1] if plain else TIERS:
        known = claim.known_at(tier)
        if known is None or not known.passes_with:
            continue
        overrides = known.passes_with
        location = (*top, "known", *(() if plain else (tier,)), "passes_with")
        yield from _arguments(overrides, "passes_with", location, function, document)
        for judged, arguments in settings.items():
            if (plain or judged == tier) and _changes_nothing(overrides, arguments, function):
                text = f"`passes_with` changes nothing at {judged}: {_same(overrides)}"
                text = f"{prefix(location, document)}{text} is what runs there"
                yield document.problem(location, text, at="key")
                break


def _metrics(
    top: Location, claim: Claim, function: Function, document: Document
) -> Iterator[Problem]:
    if function.metrics is None:
        return
    returned = ", ".join(function.metrics) or "no metrics"
    for tier, regions in claim.expectations().items():
        for metric in regions:
            if metric not in function.metrics:
                text = f"expects `{metric}`, but `{function.name}` returns {returned}"
                location = (*top, *claim.expect_place(tier), metric)
                text = f"{prefix(location, document)}{text} {_at(function)}"
                yield document.problem(location, text, at="key")


def _arguments(
    arguments: dict[str, Any] | None,
    what: str,
    location: Location,
    function: Function,
    document: Document,
) -> Iterator[Problem]:
    takes = ", ".join(function.defaults) or "no arguments"
    for name in arguments or ():
        if name not in function.defaults:
            text = f"{what} sets `{name}`, but `{function.name}` takes {takes} {_at(function)}"
            inner = (*location, name)
            yield document.problem(inner, prefix(inner, document) + text, at="key")


def _at(function: Function) -> str:
    return f"(reproduce.py:{function.line})"


def _changes_nothing(
    overrides: dict[str, Any], arguments: dict[str, Any], function: Function
) -> bool:
    runs = {**function.defaults, **arguments}
    return all(_equal(value, runs.get(name, UNKNOWN)) for name, value in overrides.items())


def _equal(a: Any, b: Any) -> bool:
    """Compare JSON values: 1 equals 1.0, but not true."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _same(overrides: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in overrides.items())
