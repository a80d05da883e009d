"""Names that could be taken for one another: neighbours of the same kind in one scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import libcst as cst

from claimbench.mutation.binding import code, parameters

_NOT_VALUES = ("self", "cls", "_")
_MIXED = ("enumerate", "items")
"""Calls whose pairs are of two kinds."""

Partners = dict[str, tuple[str, ...]]
"""For each name the one after it and the one before it, as far as there are such."""


@dataclass
class Scope:
    """What may be exchanged in a function.

    Attributes:
        names: its parameters with the same annotation, the names of one tuple, and variables that
            are assigned alike.
        inner: those of them that a comprehension binds.
        keys: text by which the same object is subscripted, by that object; what is unpacked,
            looped over or subscripted further apart from the rest.
    """

    names: Partners = field(default_factory=dict)
    inner: set[str] = field(default_factory=set)
    keys: dict[str, Partners] = field(default_factory=dict)


def scope(function: cst.FunctionDef) -> Scope:
    """Return what may be exchanged in a function, apart from what functions within it bind."""
    found = _Assigned()
    function.body.visit(found)
    groups = _by_kind(
        (parameter.name.value, _annotation(parameter.annotation))
        for parameter in parameters(function.params)
    )
    groups += [*found.tuples, *_by_kind(found.alike)]
    keys = {
        owner: _neighbours(_by_kind((key, str((owner, key) in found.parted)) for key in group))
        for owner, group in found.keys.items()
    }
    return Scope(_neighbours(groups), found.inner, keys)


def fields(module: cst.Module) -> Partners:
    """Return which attributes of a file's classes may be exchanged.

    Those of one class whose annotation is the same, or to which __init__ assigns alike.
    """
    classes = _Classes()
    module.visit(classes)
    return _neighbours(group for node in classes.found for group in _by_kind(_fields(node)))


def _fields(node: cst.ClassDef) -> Iterable[tuple[str, str]]:
    for statement in node.body.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
                    yield small.target.value, _annotation(small.annotation)
        elif isinstance(statement, cst.FunctionDef) and statement.name.value == "__init__":
            found = _Assigned()
            statement.body.visit(found)
            kinds = {p.name.value: _annotation(p.annotation) for p in parameters(statement.params)}
            for name, kind in found.of_self:
                yield name, kinds.get(kind, kind)


def _by_kind(members: Iterable[tuple[str, str]]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name, kind in members:
        if kind and name not in groups.setdefault(kind, []) and name not in _NOT_VALUES:
            groups[kind].append(name)
    return list(groups.values())


def _neighbours(groups: Iterable[Sequence[str]]) -> Partners:
    partners: Partners = {}
    for group in groups:
        for place, name in enumerate(group):
            if len(group) > 1:
                beside = (*group[place + 1 : place + 2], *group[max(place - 1, 0) : place])
                partners.setdefault(name, beside)
    return partners


def _annotation(node: cst.Annotation | None) -> str:
    return "not annotated" if node is None else f": {code(node.annotation)}"


def _kind(value: cst.BaseExpression) -> str:
    """Return what values must have in common to be taken for one another; empty for no such."""
    if isinstance(value, cst.UnaryOperation):
        return _kind(value.expression)
    if isinstance(value, cst.Call):
        return f"{code(value.func)}()"
    if isinstance(value, cst.Subscript | cst.Attribute):
        return f"{code(value.value)}[]"
    if isinstance(value, cst.Name):  # of a parameter, its annotation says more
        return value.value
    for kind in (cst.BinaryOperation, cst.BaseNumber, cst.BaseComp):
        if isinstance(value, kind):
            return kind.__name__
    return ""


class _Assigned(cst.CSTVisitor):
    """What a function assigns, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.alike: list[tuple[str, str]] = []
        self.of_self: list[tuple[str, str]] = []
        self.tuples: list[list[str]] = []
        self.inner: set[str] = set()
        self.keys: dict[str, list[str]] = {}
        self.parted: set[tuple[str, str]] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if isinstance(target.target, cst.Tuple):
                self._taken_apart(node.value)
            self._assigned(target.target, _kind(node.value))

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._assigned(node.target, _annotation(node.annotation))

    def visit_For(self, node: cst.For) -> None:
        self._drawn(node.target, node.iter)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        before = len(self.tuples)
        self._drawn(node.target, node.iter)
        self.inner.update(*self.tuples[before:])

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self._taken_apart(node.value)
        key = _key(node)
        if key is not None and key not in self.keys.setdefault(code(node.value), []):
            self.keys[code(node.value)].append(key)

    def _taken_apart(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.Subscript) and (key := _key(node)) is not None:
            self.parted.add((code(node.value), key))

    def _drawn(self, target: cst.BaseExpression, source: cst.BaseExpression) -> None:
        self._taken_apart(source)
        if not (isinstance(source, cst.Call) and _last(source.func) in _MIXED):
            self._assigned(target, "")

    def _assigned(self, target: cst.BaseExpression, kind: str) -> None:
        if isinstance(target, cst.Name):
            self.alike.append((target.value, kind))
        elif isinstance(target, cst.Attribute) and code(target.value) == "self":
            self.of_self.append((target.attr.value, kind))
        elif isinstance(target, cst.Tuple):
            parts = [element.value for element in target.elements]
            names = [part.value for part in parts if isinstance(part, cst.Name)]
            self.tuples.append([name for name in names if name not in _NOT_VALUES])
            for part in parts:
                if not isinstance(part, cst.Name):
                    self._assigned(part, "")


def _key(node: cst.Subscript) -> str | None:
    """Return the text by which an object is subscripted; None if it is by something else."""
    part = node.slice[0].slice
    if isinstance(part, cst.Index) and isinstance(part.value, cst.SimpleString):
        return str(part.value.raw_value)
    return None


def _last(function: cst.BaseExpression) -> str:
    return code(function).rpartition(".")[2]


class _Classes(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.ClassDef] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.found.append(node)
