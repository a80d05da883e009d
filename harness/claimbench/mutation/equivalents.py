"""mutants.yaml: the mutants of a paper that change nothing which a claim could notice, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimbench.errors import UsageError
from claimbench.guessing import guess, meant
from claimbench.mutation.rewriting import Description, Mutant
from claimbench.spec.problems import Problem
from claimbench.spec.reading import Document

FILE = "mutants.yaml"
_TEXTS = ("file", "function", "was", "now", "reason")
_KEYS = (*_TEXTS, "nth")


@dataclass(frozen=True)
class Equivalent:
    """An entry of mutants.yaml.

    Attributes:
        description: which mutant it means.
        reason: why it changes nothing.
        line: where the entry begins, from 1.
    """

    description: Description
    reason: str
    line: int


def read_equivalents(folder: Path) -> list[Equivalent]:
    """Return the entries of a paper's mutants.yaml; none where there is no such file.

    The file holds one key, `equivalent`, a list of mappings of file, function, was, now and reason,
    and where a function can be changed in this way several times nth, from 1. Runs of blanks count
    as one.

    Raises:
        UsageError: with every problem of the file.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    document = Document(path, path.read_bytes())
    problems = list(document.problems)
    entries: list[Equivalent] = []
    if document.readable:
        for index, entry in enumerate(_list(document, problems)):
            found = list(_problems(entry, index, document))
            problems += found
            if not found:
                entries.append(_equivalent(entry, document.line(("equivalent", index))))
    problems += _duplicates(entries, document)
    if problems:
        shown = "\n".join(str(problem) for problem in problems)
        raise UsageError(f"{FILE} has problems\n{shown}")
    return entries


def stale(entries: Iterable[Equivalent], mutants: Iterable[Mutant]) -> list[Equivalent]:
    """Return the entries that match no mutant: the code that they speak of has changed."""
    known = {mutant.description for mutant in mutants}
    return [entry for entry in entries if entry.description not in known]


def _list(document: Document, problems: list[Problem]) -> list[Any]:
    data = document.data
    if not isinstance(data, dict):
        problems.append(document.problem((), "must be a mapping with the key `equivalent`"))
        return []
    for key in data:
        if key != "equivalent":
            text = f"unknown key `{key}`; the only one is `equivalent`"
            problems.append(document.problem((key,), text, at="key"))
    entries = data.get("equivalent")
    if not isinstance(entries, list) or not entries:
        text = "`equivalent` must be a list of mappings; remove the file if there are none"
        problems.append(document.problem(("equivalent",), text, at="key"))
        return []
    return entries


def _problems(entry: Any, index: int, document: Document) -> Iterable[Problem]:
    place = ("equivalent", index)
    if not isinstance(entry, dict):
        yield document.problem(place, f"entry {index + 1} must be a mapping of {', '.join(_KEYS)}")
        return
    misspelt = set()
    for key in entry:
        if key not in _KEYS:
            misspelt.add(meant(key, _KEYS))
            text = f"entry {index + 1}: unknown key `{key}`; {guess(key, _KEYS)}"
            yield document.problem((*place, key), text, at="key")
    for key in _TEXTS:
        if key not in entry and key not in misspelt:
            yield document.problem(place, f"entry {index + 1}: no `{key}`")
        elif key in entry and not (isinstance(entry[key], str) and entry[key].strip()):
            text = f"entry {index + 1}: `{key}` must be text; write it in quotes"
            yield document.problem((*place, key), text)
    nth = entry.get("nth", 1)
    if isinstance(nth, bool) or not isinstance(nth, int) or nth < 1:
        text = f"entry {index + 1}: `nth` must be a whole number from 1"
        yield document.problem((*place, "nth"), text)


def _equivalent(entry: dict[str, Any], line: int) -> Equivalent:
    was, now = (" ".join(entry[key].split()) for key in ("was", "now"))
    description = (entry["file"], entry["function"], was, now, entry.get("nth", 1))
    return Equivalent(description, " ".join(entry["reason"].split()), line)


def _duplicates(entries: list[Equivalent], document: Document) -> list[Problem]:
    lines: dict[Description, int] = {}
    problems = []
    for entry in entries:
        first = lines.setdefault(entry.description, entry.line)
        if first != entry.line:
            text = f"the same mutant as in line {first}; remove one of the two"
            problems.append(Problem(document.path, entry.line, 1, text))
    return problems
