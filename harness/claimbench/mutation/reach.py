"""Which parts of a method the experiments of a claim can reach, read from the source by name."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from claimbench.mutation.sites import MODULE

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def reachable(paths: Iterable[Path], functions: Iterable[str]) -> set[str]:
    """Return the names of the top-level functions and classes that the functions can reach.

    A definition reaches those whose names it mentions, in whichever of the files they stand, and
    all that those reach; what stands at the top of a file is reached always. Too much may be found,
    never too little.
    """
    mentions: dict[str, set[str]] = {}
    waiting = set(functions)
    for path in paths:
        for statement in ast.parse(path.read_bytes()).body:
            if isinstance(statement, _Definition):
                mentions.setdefault(statement.name, set()).update(_names(statement))
            elif not isinstance(statement, ast.Import | ast.ImportFrom):
                waiting |= _names(statement)
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in mentions and name not in reached:
            reached.add(name)
            waiting |= mentions[name]
    return reached


def is_reached(function: str, reached: set[str]) -> bool:
    """Say whether a function, by its dotted name, is one of those or lies within one."""
    return function == MODULE or function.partition(".")[0] in reached


def _names(statement: ast.stmt) -> set[str]:
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
