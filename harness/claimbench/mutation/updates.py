"""Updates of what a method keeps: which statements they are, left out in part, or made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import libcst as cst

from claimbench.mutation.binding import library
from claimbench.mutation.changes import called

_STEPS = ("step",)
_SETTLED = frozenset(
    (
        *("copy", "zero", "fill", "clamp", "clip", "clip_grad_norm", "clip_grad_value", "abs"),
        *("sign", "floor", "ceil", "round", "relu", "triu", "tril", "requires_grad", "detach"),
        *("normal", "uniform", "bernoulli", "random", "exponential", "trunc_normal", "orthogonal"),
        *("xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform", "constant"),
        *("zeros", "ones", "eye", "masked_fill", "index_fill", "index_copy", "set", "resize"),
        *("nan_to_num", "clamp_min", "clamp_max", "minimum", "maximum", "share_memory"),
        *("to", "double", "float", "clone", "contiguous", "asarray", "array", "astype", "ravel"),
        *("flatten", "reshape", "view", "sorted", "max", "min", "list", "tuple", "int"),
    )
)
"""Calls that change nothing, or draw anew, where they are made twice."""


def is_in_place(node: cst.BaseExpression) -> bool:
    """Say whether a call is of a name that ends in an underscore, as torch's `mul_`."""
    name = called(node) if isinstance(node, cst.Call) else ""
    return name.endswith("_") and not name.endswith("__")


def is_update(small: cst.BaseSmallStatement) -> bool:
    """Say whether a statement changes what was there before it."""
    if isinstance(small, cst.Expr):
        return is_in_place(small.value) or _is_step(small.value)
    if isinstance(small, cst.Assign):
        return _reads_target(small) or any(
            isinstance(part, cst.Attribute | cst.Subscript)
            for target in small.targets
            for part in _parts(target.target)
        )
    return isinstance(small, cst.AugAssign)


def is_repeatable(small: cst.BaseSmallStatement) -> bool:
    """Say whether to make an update twice is another thing than to make it once."""
    if isinstance(small, cst.Expr):
        return is_update(small) and _plain(called(small.value)) not in _SETTLED
    if isinstance(small, cst.Assign):
        return _reads_target(small) and _plain(called(small.value)) not in _SETTLED
    return isinstance(small, cst.AugAssign) and not isinstance(
        small.operator, cst.BitAndAssign | cst.BitOrAssign
    )


def in_part(node: cst.Assign, is_bound: Callable[[str], bool]) -> Iterator[cst.Assign]:
    """Yield `a, b = a, g(b)` and `a, b = f(a), b` for `a, b = f(a), g(b)`."""
    target = node.targets[0].target
    if len(node.targets) > 1 or not isinstance(target, cst.Tuple):
        return
    value = node.value
    if not isinstance(value, cst.Tuple) or len(value.elements) != len(target.elements):
        return
    for place, (old, new) in enumerate(zip(target.elements, value.elements, strict=True)):
        kept = old.value
        if isinstance(kept, cst.Name) and not is_bound(kept.value):
            continue
        if isinstance(old, cst.StarredElement) or isinstance(new, cst.StarredElement):
            continue
        if not kept.deep_equals(new.value):
            elements = list(value.elements)
            elements[place] = new.with_changes(value=kept)
            yield node.with_changes(value=value.with_changes(elements=elements))


def without_link(call: cst.Call, imported: Mapping[str, str]) -> cst.BaseExpression | None:
    """Return `x.add_(y)` for `x.add_(y).mul_(z)`; None for what is no method in place."""
    if not is_in_place(call) or not isinstance(call.func, cst.Attribute):
        return None
    return None if library(call.func, imported) else call.func.value


def has_link(call: cst.Call) -> bool:
    """Say whether a call is of a method of what another call has changed in place."""
    node: cst.BaseExpression = call
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        node = node.func.value
        if is_in_place(node):
            return True
    return False


def _is_step(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and called(node) in _STEPS


def _plain(name: str) -> str:
    """Return `mul` for `mul_` and for `_foreach_mul_`."""
    return name.removeprefix("_foreach_").removesuffix("_")


def _reads_target(node: cst.Assign) -> bool:
    parts = [part for target in node.targets for part in _parts(target.target)]
    search = _Search(parts)
    node.value.visit(search)
    return search.found


def _parts(target: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(target, cst.Tuple | cst.List):
        return [part for element in target.elements for part in _parts(element.value)]
    return [target]


class _Search(cst.CSTVisitor):
    """Whether any of some expressions is read."""

    def __init__(self, wanted: list[cst.BaseExpression]) -> None:
        super().__init__()
        self.found = False
        self._wanted = wanted

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Name | cst.Attribute | cst.Subscript):
            self.found = self.found or any(node.deep_equals(wanted) for wanted in self._wanted)
        return not self.found

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Nothing remains to be done."""
