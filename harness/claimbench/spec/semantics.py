"""Checks on claims that take several keys together; what a single key can tell is in `models`.

A check yields findings: where in the claim, and one sentence. `check` adds the claim's name.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from claimbench.guessing import guess
from claimbench.spec.explain import prefix
from claimbench.spec.models import Claim, Known, rule_of
from claimbench.spec.parts import Part, Parts
from claimbench.spec.problems import Problem
from claimbench.spec.reading import Document, Location
from claimbench.spec.region import Region, number
from claimbench.tiers import TIERS

SEEDS = {"every": (1, 100), "typical": (6, 20)}


class Finding(NamedTuple):
    """One sentence on a claim, and the place below the claim that it is about."""

    place: Location
    sentence: str
    at: str = "key"


def check(parts: Parts, document: Document) -> Iterator[Problem]:
    """Yield every problem that claims have by themselves and among each other.

    Args:
        parts: claims and experiments of the document.
        document: the file.
    """
    for index, part in parts.claims.items():
        for finding in _findings(part, parts):
            location = ("claims", index, *finding.place)
            text = prefix(location, document) + finding.sentence
            yield document.problem(location, text, at=finding.at)
    yield from _names(document)
    yield from _headline(document)


def _findings(part: Part[Claim], parts: Parts) -> Iterator[Finding]:
    claim = part.value
    for keys, each in CHECKS:
        if part.has(*keys):
            yield from each(claim)
    experiment = parts.experiments.get(claim.experiment)
    if part.has("kind", "experiment", "rule", "seeds") and (
        experiment is not None and experiment.has("deterministic")
    ):
        yield from _seeds(claim, experiment.value.deterministic)


def _names(document: Document) -> Iterator[Problem]:
    """Check ids and names of experiments in the raw data: also of claims with other problems."""
    data = document.data if isinstance(document.data, dict) else {}
    entries, experiments = data.get("claims"), data.get("experiments")
    named = list(experiments) if isinstance(experiments, dict) else None
    lines: dict[str, int] = {}
    used: set[str] = set()
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        location: Location = ("claims", index)
        if not isinstance(entry, dict):
            continue
        id, experiment = entry.get("id"), entry.get("experiment")
        if isinstance(id, str) and id in lines:
            text = f"claim `{id}`: the claim in line {lines[id]} has this id; ids are unique"
            yield document.problem((*location, "id"), text)
        elif isinstance(id, str):
            lines[id] = document.line(location)
        if isinstance(experiment, str) and experiment:
            used.add(experiment)
            if named is not None and experiment not in named:
                text = f"{prefix((*location, 'experiment'), document)}no experiment `{experiment}`"
                known = f"; {guess(experiment, named)}" if named else ""
                yield document.problem((*location, "experiment"), text + known)
    removed = data.get("removed")
    for index, entry in enumerate(removed if isinstance(removed, list) else []):
        if isinstance(entry, dict) and isinstance(id := entry.get("id"), str) and id in lines:
            text = f"`removed` names `{id}`, which stands in line {lines[id]}; remove one of them"
            yield document.problem(("removed", index, "id"), text)
    for name in named or []:
        if name not in used and entries:
            text = f"experiment `{name}`: no claim uses it; add a claim or remove it"
            yield document.problem(("experiments", name), text, at="key")


def _headline(document: Document) -> Iterator[Problem]:
    data = document.data if isinstance(document.data, dict) else {}
    entries = data.get("claims")
    claims = entries if isinstance(entries, list) else []
    if claims and not any(isinstance(claim, dict) and claim.get("headline") for claim in claims):
        text = (
            "no claim is a headline; write `headline: true` in each that measures a sentence of "
            "the abstract"
        )
        yield document.problem(("claims",), text, at="key")


def files(parts: Parts, document: Document) -> Iterator[Problem]:
    """Yield the declared files that do not lie beside the paper."""
    folder = document.path.parent
    for name, part in parts.experiments.items():
        for index, file in enumerate(part.value.files if part.has("files") else ()):
            location = ("experiments", name, "files", index)
            inside = (folder / file).resolve().is_relative_to(folder.resolve())
            if not inside or not (folder / file).is_file():
                text = f"no file `{file}` in the paper's folder; put it there, or remove it here"
                yield document.problem(location, prefix(location, document) + text)


def readme(document: Document) -> Iterator[Problem]:
    """Yield that the README does not name the paper before its first section."""
    path = document.path.with_name("README.md")
    data = document.data if isinstance(document.data, dict) else {}
    paper = data.get("paper")
    title = paper.get("title") if isinstance(paper, dict) else None
    if not isinstance(title, str) or not path.is_file():
        return  # which is a problem of its own
    head, _, _ = path.read_text(encoding="utf-8", errors="replace").partition("\n## ")
    if f" {_words(title)} " not in f" {_words(head)} ":
        text = (
            f"names another paper than claims.yaml; write its title, `{title}`, above the first "
            "section"
        )
        yield Problem(path, 1, 1, text)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _deviation(claim: Claim) -> Iterator[Finding]:
    if claim.fidelity == "exact" and claim.deviation is not None:
        yield Finding(
            ("deviation",),
            "fidelity is exact, so nothing deviates; remove `deviation`, or write "
            "`fidelity: reduced`",
        )
    if claim.fidelity != "exact" and claim.deviation is None:
        yield Finding(
            ("fidelity",),
            f"fidelity is {claim.fidelity}, so say what differs from the paper's setting: add "
            "`deviation`",
        )


def _expected_tiers(claim: Claim) -> Iterator[Finding]:
    if not claim.expect_at(claim.from_):
        first = next(iter(sorted(claim.expectations(), key=TIERS.index)))
        yield Finding(
            ("expect",),
            f"judged from {claim.from_}, but `expect` begins at {first}; add "
            f"`{claim.from_}`, or write `from: {first}`",
        )


def _reported(claim: Claim) -> Iterator[Finding]:
    metrics = list(dict.fromkeys(m for entry in claim.expectations().values() for m in entry))
    for metric in claim.reported:
        if metric not in metrics:
            yield Finding(
                ("reported", metric),
                f"reports `{metric}`, which `expect` does not have; {guess(metric, metrics)}",
            )


def _known(claim: Claim) -> Iterator[Finding]:
    if isinstance(claim.known, Known) or claim.known is None:
        return
    for tier in claim.known:
        if not claim.judged_at(tier):
            yield Finding(
                ("known", tier),
                f"judged from {claim.from_}, so nothing can be known at {tier}; remove it",
            )


def _passes_with(claim: Claim) -> Iterator[Finding]:
    plain = isinstance(claim.known, Known)
    for tier in TIERS[:1] if plain else TIERS:
        known, place = claim.known_at(tier), ("known",) if plain else ("known", tier)
        if known is None:
            continue
        if known.verdict == "diverges" and known.passes_with is None:
            yield Finding(
                place,
                "nothing shows that the check can hold: add `passes_with` with a fair setting in "
                "which it does; or `passes_with: none`, and why in the finding",
            )
        if known.verdict == "vacuous" and known.passes_with is not None:
            yield Finding(
                (*place, "passes_with"),
                "a vacuous check passes, with the control too; remove `passes_with`",
            )


def _controls(claim: Claim) -> Iterator[Finding]:
    names: dict[str, str] = {}
    for name, overrides in claim.controls.items():
        first = names.setdefault(json.dumps(overrides, sort_keys=True), name)
        if first != name:
            yield Finding(
                ("controls", name),
                f"controls `{first}` and `{name}` are the same; remove one of them",
            )


def _seeds(claim: Claim, deterministic: bool) -> Iterator[Finding]:
    if deterministic:
        if claim.declared_rule == "typical":
            yield Finding(
                ("rule",),
                f"`{claim.experiment}` is deterministic, so one run decides; remove `rule`",
            )
        if claim.seeds is not None and claim.seeds.max != 1:
            yield Finding(
                ("seeds",),
                f"`{claim.experiment}` is deterministic, so one run decides; remove `seeds`",
            )
        return
    rule = rule_of(claim, deterministic)
    if claim.seeds is None:
        return
    least, most = SEEDS[rule]
    if not least <= claim.seeds.max <= most:
        yield Finding(
            ("seeds", "max"),
            f"the rule {rule} takes {least} to {most} seeds, found {claim.seeds.max}",
            "value",
        )


def _comparison(claim: Claim) -> Iterator[Finding]:
    """No difference (a gap of 0, a ratio of 1) must fail a comparison, and not by a hair."""
    if claim.kind != "comparison":
        return
    for tier, regions in claim.expectations().items():
        place = claim.expect_place(tier)
        touching = [
            Finding((*place, metric, key), sentence)
            for metric, region in regions.items()
            for key, sentence in _touches(region, no_difference(metric))
        ]
        yield from touching
        if not touching and all(r.holds(no_difference(m)) for m, r in regions.items()):
            points = " and ".join(f"{m} = {number(no_difference(m))}" for m in regions)
            yield Finding(
                place,
                f"no difference ({points}) passes all of `{'.'.join(place)}`; move a "
                "bound so that it fails",
            )


def no_difference(metric: str) -> float:
    """Return the metric's value where two sides are equal: 1 if `ratio` is a word of its name."""
    return 1.0 if "ratio" in re.split("[^a-z]+", metric.lower()) else 0.0


def _touches(region: Region, point: float) -> Iterator[tuple[str, str]]:
    """Yield the key of each closed bound that lies at the point, with what to write instead."""
    lets = "lets `no difference` pass; write"
    text = number(point)
    if region.at_least == point:
        yield "at_least", f"`at_least: {text}` {lets} `above: {text}` or a margin"
    if region.at_most == point:
        yield "at_most", f"`at_most: {text}` {lets} `below: {text}` or a margin"
    if region.between is not None and point in region.between:
        low, high = (number(end) for end in region.between)
        instead = (
            f"`above: {low}` with `at_most: {high}`"
            if region.between[0] == point
            else f"`at_least: {low}` with `below: {high}`"
        )
        yield "between", f"`between: [{low}, {high}]` {lets} {instead}, or a margin"
    if region.equals is not None and region.tolerance is not None:
        distance = math.fabs(region.equals - point)
        if math.isclose(distance, region.tolerance, rel_tol=1e-9):
            key = "abs" if region.abs is not None else "rel"
            yield (
                key,
                (
                    f"`equals: {number(region.equals)}` with this `{key}` reaches {text} and "
                    f"{lets} a smaller `{key}`"
                ),
            )


CHECKS: tuple[tuple[tuple[str, ...], Callable[[Claim], Iterator[Finding]]], ...] = (
    (("fidelity", "deviation"), _deviation),
    (("expect", "from"), _expected_tiers),
    (("expect", "reported"), _reported),
    (("known", "from"), _known),
    (("known",), _passes_with),
    (("controls",), _controls),
    (("kind", "expect"), _comparison),
)
