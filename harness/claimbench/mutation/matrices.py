"""Transposes that are left out or put in, and factors of a matrix product in the other order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from claimbench.mutation.binding import library
from claimbench.mutation.changes import bracketed, called

_ATTRIBUTES = ("T", "mT", "H", "mH")
_CALLS = ("transpose", "t", "swapaxes", "swapdims", "matrix_transpose", "adjoint")


def is_transposed(node: cst.BaseExpression) -> bool:
    """Say whether an expression is a transpose."""
    if isinstance(node, cst.Attribute):
        return node.attr.value in _ATTRIBUTES
    return isinstance(node, cst.Call) and called(node) in _CALLS


def untransposed(
    node: cst.Attribute | cst.Call, imported: Mapping[str, str]
) -> cst.BaseExpression | None:
    """Return `x` for `x.T`, `x.transpose(0, 1)` and `np.transpose(x)`; None for others."""
    if not is_transposed(node):
        return None
    if isinstance(node, cst.Attribute):
        return node.value
    if isinstance(node.func, cst.Attribute) and not library(node.func, imported):
        return node.func.value
    if not node.args or node.args[0].keyword is not None:
        return None
    return bracketed(node.args[0].value)


def products(node: cst.BinaryOperation) -> Iterator[cst.BinaryOperation]:
    """Yield `x.mT @ y`, `x @ y.mT` and `y @ x` for `x @ y`.

    `mT` raises for a vector, of which `T` would be the vector itself.
    """
    if not isinstance(node.operator, cst.MatrixMultiply):
        return
    if not is_transposed(node.left):
        yield node.with_changes(left=_transposed(node.left))
    if not is_transposed(node.right):
        yield node.with_changes(right=_transposed(node.right))
    if not node.left.deep_equals(node.right):
        yield node.with_changes(left=bracketed(node.right), right=bracketed(node.left))


def _transposed(node: cst.BaseExpression) -> cst.Attribute:
    return cst.Attribute(bracketed(node), cst.Name("mT"))
