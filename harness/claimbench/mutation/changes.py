"""What one piece of syntax may become: other operators, signs, constants, arguments, counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import libcst as cst

Expression = TypeVar("Expression", bound=cst.BaseExpression)

_ARITHMETIC: dict[type[cst.BaseBinaryOp], type[cst.BaseBinaryOp]] = {
    cst.Add: cst.Subtract,
    cst.Subtract: cst.Add,
    cst.Multiply: cst.Divide,
    cst.Divide: cst.Multiply,
    cst.FloorDivide: cst.Multiply,
    cst.Modulo: cst.Multiply,
    cst.Power: cst.Multiply,
    cst.BitAnd: cst.BitOr,
    cst.BitOr: cst.BitAnd,
}
_AUGMENTED: dict[type[cst.BaseAugOp], type[cst.BaseAugOp]] = {
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.DivideAssign,
    cst.DivideAssign: cst.MultiplyAssign,
    cst.PowerAssign: cst.MultiplyAssign,
    cst.BitAndAssign: cst.BitOrAssign,
    cst.BitOrAssign: cst.BitAndAssign,
}
_ORDER: dict[type[cst.BaseCompOp], tuple[type[cst.BaseCompOp], ...]] = {
    cst.LessThan: (cst.LessThanEqual, cst.GreaterThan),
    cst.LessThanEqual: (cst.LessThan, cst.GreaterThanEqual),
    cst.GreaterThan: (cst.GreaterThanEqual, cst.LessThan),
    cst.GreaterThanEqual: (cst.GreaterThan, cst.LessThanEqual),
}
_OPPOSITE: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.Equal: cst.NotEqual,
    cst.NotEqual: cst.Equal,
    cst.Is: cst.IsNot,
    cst.IsNot: cst.Is,
    cst.In: cst.NotIn,
    cst.NotIn: cst.In,
}
_TEXT = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)
_UNORDERED = frozenset(
    (
        *("isinstance", "issubclass", "hasattr", "getattr", "setattr", "zip", "map", "filter"),
        *("partial", "reduce", "min", "max", "minimum", "maximum", "hypot", "isclose", "allclose"),
        *("equal", "array_equal", "swapaxes", "transpose", "promote_types", "result_type"),
        "__init__",
    )
)
"""Calls in which swapped arguments mean the same, or nothing at all."""


def arithmetic(node: cst.BinaryOperation) -> Iterator[cst.BaseExpression]:
    """Yield `a - b` for `a + b`, `a / b` for `a * b`, and the like."""
    operator = _ARITHMETIC.get(type(node.operator))
    if operator is None or isinstance(node.left, _TEXT) or isinstance(node.right, _TEXT):
        return
    spaces = {
        side: getattr(node.operator, side) for side in ("whitespace_before", "whitespace_after")
    }
    changed = node.with_changes(operator=operator(**spaces))
    same_rank = isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply | cst.Divide)
    yield changed if same_rank else bracketed(changed)


def augmented(node: cst.AugAssign) -> Iterator[cst.AugAssign]:
    """Yield `a -= b` for `a += b`, and the like."""
    operator = _AUGMENTED.get(type(node.operator))
    if operator is not None and not isinstance(node.value, _TEXT):
        yield node.with_changes(operator=operator())


def comparison(node: cst.Comparison) -> Iterator[cst.Comparison]:
    """Yield the comparison with its boundary moved, turned round, or as its opposite."""
    for place, target in enumerate(node.comparisons):
        kind = type(target.operator)
        opposite = (_OPPOSITE[kind],) if kind in _OPPOSITE else ()
        for operator in _ORDER.get(kind, opposite):
            comparisons = list(node.comparisons)
            comparisons[place] = target.with_changes(operator=operator())
            yield node.with_changes(comparisons=comparisons)


def is_plain_test(test: cst.BaseExpression) -> bool:
    """Say whether a condition is one comparison whose opposite `comparison` yields already."""
    return (
        isinstance(test, cst.Comparison)
        and len(test.comparisons) == 1
        and type(test.comparisons[0].operator) in _OPPOSITE
    )


def negated(test: cst.BaseExpression) -> cst.BaseExpression:
    """Return the opposite of a condition."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    return cst.UnaryOperation(cst.Not(), bracketed(test))


def boolean(node: cst.BooleanOperation) -> cst.BaseExpression:
    """Return `a or b` for `a and b`, and the other way round."""
    operator = cst.Or if isinstance(node.operator, cst.And) else cst.And
    return bracketed(
        node.with_changes(
            operator=operator(
                whitespace_before=node.operator.whitespace_before,
                whitespace_after=node.operator.whitespace_after,
            )
        )
    )


def opposite_sign(value: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return `-(a * b)` for `a * b`; None for what may not be a number."""
    if isinstance(value, cst.BinaryOperation) and type(value.operator) in (
        *(cst.Add, cst.Subtract, cst.Multiply, cst.Divide, cst.Power, cst.MatrixMultiply),
    ):
        return cst.UnaryOperation(cst.Minus(), bracketed(value))
    return None


def numbers(node: cst.Integer | cst.Float) -> Iterator[cst.BaseExpression]:
    """Yield twice the number; 1 for 0, and also 0 for 1."""
    if isinstance(node, cst.Integer):
        whole = node.evaluated_value
        yield node.with_changes(value=str(2 * whole or 1))
        if whole == 1:
            yield node.with_changes(value="0")
    else:
        yield node.with_changes(value=repr(2 * node.evaluated_value or 1.0))


def truth(node: cst.Name) -> Iterator[cst.Name]:
    """Yield False for True, and True for False."""
    if node.value in ("True", "False"):
        yield node.with_changes(value=str(node.value != "True"))


def index(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the index after a whole number: 1 for 0, -2 for -1; None for what is none."""
    if isinstance(node, cst.Integer):
        return node.with_changes(value=str(node.evaluated_value + 1))
    if (
        isinstance(node, cst.UnaryOperation)
        and isinstance(node.operator, cst.Minus)
        and (further := index(node.expression)) is not None
    ):
        return node.with_changes(expression=further)
    return None


def swapped(node: cst.Call) -> Iterator[cst.Call]:
    """Yield the call with two neighbouring positional arguments in the other order."""
    if called(node) in _UNORDERED:
        return
    for place, (first, second) in enumerate(zip(node.args, node.args[1:], strict=False)):
        pair = (first, second)
        if any(a.keyword or a.star or isinstance(a.value, (*_TEXT, cst.Lambda)) for a in pair):
            continue
        if _is_literal(first.value) != _is_literal(second.value):
            continue  # most likely of different types: it would only raise
        if first.value.deep_equals(second.value):
            continue
        args = list(node.args)
        args[place] = first.with_changes(value=second.value)
        args[place + 1] = second.with_changes(value=first.value)
        yield node.with_changes(args=args)


_LOOPS = {"range": 1, "fori_loop": 1}
"""Where the end of a loop stands among the arguments, unless there is but one."""


def counts(node: cst.Call) -> Iterator[cst.Call]:
    """Yield a loop of one turn fewer, and of one more: `range(n - 1)`, `range(n + 1)`."""
    place = _LOOPS.get(called(node))
    if place is None or not node.args or any(arg.star or arg.keyword for arg in node.args):
        return
    place = min(place, len(node.args) - 1)
    end = node.args[place]
    for by in (-1, 1):
        args = list(node.args)
        args[place] = end.with_changes(value=_moved(end.value, by))
        yield node.with_changes(args=args)


def _moved(end: cst.BaseExpression, by: int) -> cst.BaseExpression:
    if isinstance(end, cst.Integer):
        return (
            cst.Integer(str(end.evaluated_value + by))
            if end.evaluated_value + by >= 0
            else cst.UnaryOperation(cst.Minus(), cst.Integer("1"))
        )
    sum_like = isinstance(end, cst.BinaryOperation) and isinstance(
        end.operator, cst.Add | cst.Subtract | cst.Multiply | cst.FloorDivide
    )
    operator = cst.Add() if by > 0 else cst.Subtract()
    return cst.BinaryOperation(end if sum_like else bracketed(end), operator, cst.Integer("1"))


def _is_literal(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation):
        return _is_literal(node.expression)
    return isinstance(node, cst.BaseNumber | cst.Tuple | cst.List | cst.Dict | cst.Set)


def called(node: cst.BaseExpression) -> str:
    """Return the last part of the name that is called; empty where it has none."""
    function = node.func if isinstance(node, cst.Call) else node
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def bracketed(node: Expression) -> Expression:
    """Return an expression in brackets, unless it has some or needs none."""
    if node.lpar or isinstance(node, cst.Name | cst.Call | cst.Attribute | cst.Subscript):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
