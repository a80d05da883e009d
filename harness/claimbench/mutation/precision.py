"""Numbers of half the precision, or of the default one where another was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from claimbench.mutation.binding import code, library
from claimbench.mutation.changes import called

_HALF = {
    "float64": "float32",
    "double": "float32",
    "complex128": "complex64",
}
_BUILTIN = {"float": "float32", "complex": "complex64"}
_CONVERTING = ("to", "astype", "type")
_CREATING = frozenset(
    (
        *("zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like", "empty_like"),
        *("new_zeros", "new_ones", "new_full", "new_empty", "tensor", "as_tensor", "asarray"),
        *("array", "eye", "arange", "linspace", *_CONVERTING),
    )
)
_NUMPY_DEFAULTS = ("float", "float64", "double")
_TORCH_DEFAULTS = ("float32", "float")


def narrowed(node: cst.Attribute, imported: Mapping[str, str]) -> cst.Attribute | None:
    """Return `np.float32` for `np.float64`, and the like; None for others."""
    half = _HALF.get(node.attr.value)
    if half is None or not library(node, imported):
        return None
    return node.with_changes(attr=cst.Name(half))


def precisions(node: cst.Call, imported: Mapping[str, str]) -> Iterator[cst.BaseExpression]:
    """Yield a call that makes or converts numbers with less precision, or the default one."""
    if isinstance(node.func, cst.Attribute) and not library(node.func, imported):
        yield from _converted(node, node.func)
    for place, arg in enumerate(node.args):
        if not _is_dtype(node, arg):
            continue
        half = _half(node, arg.value, imported)
        if half is not None:
            yield _with_args(node, place, [arg.with_changes(value=half)])
        if arg.keyword is not None and not _is_default(node, arg.value, imported):
            yield _with_args(node, place, [])


def _converted(node: cst.Call, method: cst.Attribute) -> Iterator[cst.BaseExpression]:
    """Yield what is converted, without that; and bfloat16 for float32."""
    name = method.attr.value
    if name == "float" and not node.args:
        yield node.with_changes(func=method.with_changes(attr=cst.Name("bfloat16")))
    (text,) = [code(arg.value) for arg in node.args] if len(node.args) == 1 else ("",)
    of_floats = any(word in text for word in ("dtype", "float", "complex"))
    if (name == "double" and not node.args) or (name in _CONVERTING and of_floats):
        yield method.value


def _is_dtype(node: cst.Call, arg: cst.Arg) -> bool:
    if arg.keyword is not None:
        return arg.keyword.value == "dtype"
    return called(node) in _CONVERTING


def _half(
    node: cst.Call, value: cst.BaseExpression, imported: Mapping[str, str]
) -> cst.BaseExpression | None:
    """Return half the precision where `narrowed` does not see it: of text, builtins, float32."""
    if isinstance(value, cst.SimpleString):
        half = _HALF.get(str(value.raw_value))
    elif isinstance(value, cst.Name) and library(node.func, imported) != "torch":
        half = _BUILTIN.get(value.value)
    elif isinstance(value, cst.Attribute) and value.attr.value == "float32":
        if called(node) not in _CREATING or not (source := library(value, imported)):
            return None
        return value.with_changes(attr=cst.Name("float16" if source == "numpy" else "bfloat16"))
    else:
        return None
    return None if half is None else cst.SimpleString(f'"{half}"')


def _is_default(node: cst.Call, value: cst.BaseExpression, imported: Mapping[str, str]) -> bool:
    """Say whether a dtype is what the call would take without it, or none of floating point."""
    name = code(value).strip("\"'").rpartition(".")[2]
    if name.startswith(("int", "uint", "bool", "object", "str")):
        return True
    source = library(node.func, imported)
    if source == "numpy":
        return name in _NUMPY_DEFAULTS
    return source in ("torch", "jax") and name in _TORCH_DEFAULTS and "like" not in called(node)


def _with_args(node: cst.Call, place: int, instead: list[cst.Arg]) -> cst.Call:
    args = [*node.args[:place], *instead, *node.args[place + 1 :]]
    if not instead and args and place == len(args):
        args[-1] = args[-1].with_changes(comma=node.args[-1].comma)
    return node.with_changes(args=args)
