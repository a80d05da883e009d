"""Code that computes nothing: guards, which only decide whether to raise, and talk."""

from __future__ import annotations

from collections.abc import Container

import libcst as cst

from claimbench.mutation.binding import Functions
from claimbench.mutation.changes import called

_TALKING = ("warn", "print", "debug", "info", "warning", "error")


def guard_names(module: cst.Module) -> frozenset[str]:
    """Return the names of the functions that do nothing but raise, through others or not."""
    functions = Functions()
    module.visit(functions)
    names: set[str] = set()
    while True:
        found = {f.name.value for f in functions.found if only_raises(f, names)}
        if found == names:
            return frozenset(names)
        names = found


def only_raises(node: cst.CSTNode, guards: Container[str]) -> bool:
    """Say whether all that a statement, or a function, can do is to raise."""
    if isinstance(node, cst.SimpleStatementLine | cst.SimpleStatementSuite):
        return all(is_guard(small, guards) for small in node.body)
    if isinstance(node, cst.If):
        rest = node.orelse is None or only_raises(node.orelse, guards)
        return raises(node.body, guards) and rest
    if isinstance(node, cst.For | cst.While | cst.With | cst.Else):
        return only_raises(node.body, guards)
    if isinstance(node, cst.FunctionDef):
        body = list(node.body.body)
        if body and _is_docstring(body[0]):
            del body[0]
        return bool(body) and all(only_raises(statement, guards) for statement in body)
    if isinstance(node, cst.IndentedBlock):
        return all(only_raises(statement, guards) for statement in node.body)
    return False


def raises(block: cst.BaseSuite, guards: Container[str]) -> bool:
    """Say whether a block only raises, or ends by raising what it has prepared."""
    if only_raises(block, guards):
        return True
    last = block.body[-1] if block.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, cst.Raise)


def is_guard(small: cst.CSTNode, guards: Container[str]) -> bool:
    """Say whether a small statement raises, asserts, or calls one of the guards."""
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
        return called(small.value) in guards
    return isinstance(small, cst.Raise | cst.Assert)


def _is_docstring(statement: cst.CSTNode) -> bool:
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else statement
    return isinstance(small, cst.Expr) and isinstance(
        small.value, cst.SimpleString | cst.ConcatenatedString
    )


def is_talk(small: cst.BaseSmallStatement) -> bool:
    """Say whether a statement only tells the user something."""
    return (
        isinstance(small, cst.Expr)
        and isinstance(small.value, cst.Call)
        and called(small.value) in _TALKING
    )
