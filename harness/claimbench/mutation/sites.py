"""Finding what may be changed in a file: statements and expressions that compute.

Left alone are defaults of parameters, fields of classes, annotations, decorators, imports, text,
and guards: whatever only decides whether to raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import (
    ByteSpanPositionProvider,
    ExpressionContext,
    ExpressionContextProvider,
    MetadataWrapper,
    PositionProvider,
)

from claimbench.mutation import changes, matrices, precision, updates
from claimbench.mutation.binding import (
    code,
    imports,
    names,
    names_in_functions,
    parameters,
    targets,
)
from claimbench.mutation.guards import guard_names, is_guard, is_talk, only_raises, raises
from claimbench.mutation.partners import Scope, fields, scope

MODULE = "(module)"
KINDS = (
    *("argument", "arithmetic", "comparison", "condition", "constant", "dtype", "index", "loop"),
    *("name", "sign", "statement", "transpose", "update"),
)
"""What is changed.

Of an update of what is kept (`x += y`, `x = f(x)`, `x.mul_(y)`, `self.x = y`) the whole or a part
is left out, or it is made twice; of other statements, the whole is left out. A name is exchanged
for another of the same scope and kind: a parameter with the same annotation, a name in the same
tuple, a variable assigned alike, a field of the same class, another key of the same mapping.
"""
_PLUMBING = (
    *("__repr__", "__str__", "__getstate__", "__setstate__"),
    *("state_dict", "load_state_dict", "add_param_group", "zero_grad"),
)
"""Methods that a framework asks for, and that no update passes through."""
_MAKING = ("__init__", "__post_init__", "__new__")
_CHECKED_ARGUMENTS = ("strict",)
_AXES = ("axis", "dim")
_ALIKE = ("shape", "dtype", "device", "ndim", "size", "dim", "layout")
"""What names that could be taken for one another mostly have in common."""


@dataclass(frozen=True)
class Change:
    """One piece of a file, and what to put in its place.

    Attributes:
        kind: one of KINDS.
        function: dotted name of the function that it stands in, or `(module)`.
        line: where it begins, from 1.
        start: its first byte, from 0.
        length: how many bytes it has.
        text: what to put there.
    """

    kind: str
    function: str
    line: int
    start: int
    length: int
    text: str


def changes_of(source: bytes) -> list[Change]:
    """Return every change that a file allows, in its order.

    Raises:
        libcst.ParserSyntaxError: it cannot be parsed.
    """
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    collector = _Collector(wrapper.module, source)
    wrapper.visit(collector)
    return sorted(collector.found, key=lambda change: (change.start, -change.length))


class _Collector(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (
        PositionProvider,
        ByteSpanPositionProvider,
        ExpressionContextProvider,
    )

    def __init__(self, module: cst.Module, source: bytes) -> None:
        super().__init__()
        self.found: list[Change] = []
        self._source = source
        self._module = module
        self._guards = guard_names(module)
        self._used = names_in_functions(module)
        self._scopes: list[str] = []
        self._in_class = False
        self._bound: list[set[str]] = []
        self._imports = imports(module)
        self._fields = fields(module)
        self._kin: list[Scope] = []
        self._whole: cst.BaseExpression | None = None

    # What is not looked into

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        return False

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Raise(self, node: cst.Raise) -> bool:
        return False

    def visit_Assert(self, node: cst.Assert) -> bool:
        return False

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        return False

    # Scopes

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        with self._scope(node.name.value, in_class=True):
            node.body.visit(self)
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        name = node.name.value
        if name not in _PLUMBING and name not in self._guards:
            self._bound.append({parameter.name.value for parameter in parameters(node.params)})
            self._kin.append(scope(node))
            with self._scope(name, in_class=False):
                node.body.visit(self)
            self._kin.pop()
            self._bound.pop()
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        node.body.visit(self)
        return False

    @contextmanager
    def _scope(self, name: str, *, in_class: bool) -> Iterator[None]:
        outer, self._in_class = self._in_class, in_class
        self._scopes.append(name)
        yield
        self._scopes.pop()
        self._in_class = outer

    # Statements

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        if self._in_class:
            return False
        small = node.body[0]
        if not self._scopes:
            assigned = targets(small)
            return bool(assigned) and assigned <= self._used
        if len(node.body) == 1:
            if is_talk(small) or is_guard(small, self._guards):
                return False
            self._add_statement(small)
        return True

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine) -> None:
        if self._bound:
            for small in original_node.body:
                self._bound[-1].update(targets(small))

    def _add_statement(self, small: cst.BaseSmallStatement) -> None:
        if isinstance(small, cst.Expr):
            self._whole = small.value
        if not self._droppable(small):
            return
        if updates.is_update(small):
            self._add("update", small, cst.Pass())
            if updates.is_repeatable(small):
                self._add("update", small, small, small)
        else:
            self._add("statement", small, cst.Pass())

    def _droppable(self, small: cst.BaseSmallStatement) -> bool:
        """Say whether the function still makes sense without a statement."""
        if self._scopes[-1] in _MAKING:
            return False
        if isinstance(small, cst.AugAssign):
            return True
        if isinstance(small, cst.Expr):
            return isinstance(small.value, cst.Call) and not _is_super(small.value)
        if isinstance(small, cst.Assign):
            return targets(small) <= self._bound[-1]  # none where attributes or items are assigned
        return False

    def visit_Assign(self, node: cst.Assign) -> None:
        self._add_sign(node.value)
        if self._scopes and self._scopes[-1] not in _MAKING:
            for change in updates.in_part(node, self._is_bound):
                self._add("update", node, change)

    def visit_Return(self, node: cst.Return) -> None:
        self._add_sign(node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        for change in changes.augmented(node):
            self._add("arithmetic", node, change)

    def visit_For(self, node: cst.For) -> bool:
        if self._bound:
            self._bound[-1].update(names(node.target))
        return not only_raises(node, self._guards)

    def visit_With(self, node: cst.With) -> bool:
        return not only_raises(node, self._guards)

    def visit_If(self, node: cst.If) -> bool:
        if isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING":
            return False
        if raises(node.body, self._guards):
            if node.orelse is not None:
                node.orelse.visit(self)
            return False
        self._add_condition(node.test)
        return True

    def visit_While(self, node: cst.While) -> bool:
        if only_raises(node, self._guards):
            return False
        if changes.called(node.test) != "True":
            self._add_condition(node.test)
        return True

    # Expressions

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._add_condition(node.test)

    def visit_CompIf(self, node: cst.CompIf) -> None:
        self._add_condition(node.test)

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        self._add("condition", node, changes.boolean(node))

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        for change in changes.arithmetic(node):
            self._add("arithmetic", node, change)
        for product in matrices.products(node):
            self._add("transpose", node, product)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        for change in changes.comparison(node):
            self._add("comparison", node, change)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        if isinstance(node.operator, cst.Minus):
            self._add("sign", node, node.expression)

    def visit_Integer(self, node: cst.Integer) -> None:
        for change in changes.numbers(node):
            self._add("constant", node, change)

    def visit_Float(self, node: cst.Float) -> None:
        for change in changes.numbers(node):
            self._add("constant", node, change)

    def visit_Name(self, node: cst.Name) -> None:
        for change in changes.truth(node):
            self._add("constant", node, change)
        if self._is_read(node):
            for name in self._exchangeable(node.value):
                self._add("name", node, node.with_changes(value=name))

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if not self._is_read(node):
            return True
        for name in self._fields.get(node.attr.value, ()):
            self._add("name", node, node.with_changes(attr=cst.Name(name)))
        half = precision.narrowed(node, self._imports)
        if half is not None:
            self._add("dtype", node, half)
        self._add_untransposed(node)
        return node.attr.value not in _ALIKE or not isinstance(node.value, cst.Name)

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        node.value.visit(self)
        self._add_keys(node)
        for element in node.slice:
            part = element.slice
            if isinstance(part, cst.Slice):
                ends = [end for end in (part.lower, part.upper) if end is not None]
            else:
                ends = [cst.ensure_type(part, cst.Index).value]
            for end in ends:
                further = changes.index(end)
                if further is None:
                    end.visit(self)
                else:
                    self._add("index", end, further)
        return False

    def visit_Call(self, node: cst.Call) -> bool:
        if changes.called(node) in ("isinstance", "issubclass", "cast"):
            return False
        for change in changes.swapped(node):
            self._add("argument", node, change)
        for loop in changes.counts(node):
            self._add("loop", node, loop)
        for other in precision.precisions(node, self._imports):
            self._add("dtype", node, other)
        self._add_untransposed(node)
        rest = updates.without_link(node, self._imports)
        if rest is not None and (node is not self._whole or updates.has_link(node)):
            self._add("update", node, rest)
        if _asks_for_likeness(node):
            for arg in node.args[1:]:
                arg.visit(self)
            return False
        return True

    def visit_Arg(self, node: cst.Arg) -> bool:
        if node.keyword is not None:
            if node.keyword.value in _CHECKED_ARGUMENTS:
                return False
            if node.keyword.value in _AXES and (further := changes.index(node.value)) is not None:
                self._add("index", node.value, further)
                return False
            self._add_sign(node.value)
        node.value.visit(self)
        return False

    # What is found

    # Names

    def _is_read(self, node: cst.CSTNode) -> bool:
        return self.get_metadata(ExpressionContextProvider, node, None) is ExpressionContext.LOAD

    def _is_bound(self, name: str) -> bool:
        return any(name in bound for bound in self._bound)

    def _exchangeable(self, name: str) -> list[str]:
        """Return by which names a name may be replaced here, in the innermost scope that has it."""
        for kin in reversed(self._kin):
            if name in kin.names:
                near = kin.names[name]
                return [other for other in near if other in kin.inner or self._is_bound(other)]
        return []

    def _add_keys(self, node: cst.Subscript) -> None:
        """Add the other keys by which the function subscripts the same object."""
        part = node.slice[0].slice
        if self._kin and self._is_read(node) and isinstance(part, cst.Index):
            text = part.value
            if isinstance(text, cst.SimpleString):
                keys = self._kin[-1].keys.get(code(node.value), {})
                for key in keys.get(str(text.raw_value), ()):
                    quoted = f"{text.quote}{key}{text.quote}"
                    self._add("name", text, text.with_changes(value=quoted))

    # Adding

    def _add_untransposed(self, node: cst.Attribute | cst.Call) -> None:
        rest = matrices.untransposed(node, self._imports)
        if rest is not None:
            self._add("transpose", node, rest)

    def _add_condition(self, test: cst.BaseExpression) -> None:
        if not changes.is_plain_test(test):
            self._add("condition", test, changes.negated(test))

    def _add_sign(self, value: cst.BaseExpression | None) -> None:
        opposite = None if value is None else changes.opposite_sign(value)
        if value is not None and opposite is not None:
            self._add("sign", value, opposite)

    def _add(self, kind: str, node: cst.CSTNode, *instead: cst.CSTNode) -> None:
        span = self.get_metadata(ByteSpanPositionProvider, node)
        indent = self._indent(node, span.start, span.length)
        if isinstance(node, cst.BaseExpression) and node.lpar:  # they stay where they are
            instead = tuple(_without_brackets(new) for new in instead)
        text = "; ".join(self._module.code_for_node(new) for new in instead)
        self.found.append(
            Change(
                kind=kind,
                function=".".join(self._scopes) or MODULE,
                line=self.get_metadata(PositionProvider, node).start.line,
                start=span.start,
                length=span.length,
                text=text.replace("\n", f"\n{indent}"),
            )
        )

    def _indent(self, node: cst.CSTNode, start: int, length: int) -> str:
        """Return what libcst leaves out before each further line of a node: its block's indent."""
        _, *plain = self._module.code_for_node(_without_brackets(node)).split("\n")
        _, *lines = self._source[start : start + length].decode().split("\n")
        return lines[0][: len(lines[0]) - len(plain[0])] if plain and lines else ""


def _without_brackets(node: cst.CSTNode) -> cst.CSTNode:
    if isinstance(node, cst.BaseExpression):
        return node.with_changes(lpar=[], rpar=[])
    return node


def _is_super(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and changes.called(call.func.value) == "super"


def _asks_for_likeness(call: cst.Call) -> bool:
    name = changes.called(call)
    alike = name.endswith("_like") or "dtype" in name
    return alike and bool(call.args) and isinstance(call.args[0].value, cst.Name)
