"""What names a file's functions bind, and which they use."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst


def targets(small: cst.BaseSmallStatement) -> set[str]:
    """Return the plain names that a statement assigns."""
    if isinstance(small, cst.Assign):
        return set().union(*(names(target.target) for target in small.targets))
    if isinstance(small, cst.AnnAssign) and small.value is not None:
        return names(small.target)
    return set()


def names(target: cst.BaseExpression) -> set[str]:
    """Return the plain names in what is assigned to."""
    if isinstance(target, cst.Name):
        return {target.value}
    if isinstance(target, cst.Tuple | cst.List):
        return set().union(*(names(element.value) for element in target.elements))
    return set()


def parameters(node: cst.Parameters) -> list[cst.Param]:
    """Return the named parameters of a function, in their order."""
    return [*node.posonly_params, *node.params, *node.kwonly_params]


def names_in_functions(module: cst.Module) -> set[str]:
    """Return the names that the bodies of functions mention: constants used there matter."""
    functions, mentioned = Functions(), _Names()
    module.visit(functions)
    for function in functions.found:
        function.body.visit(mentioned)
    return mentioned.found


class Functions(cst.CSTVisitor):
    """Collects the functions of a file, those within others too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Take note of a function."""
        self.found.append(node)


class _Names(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.found.add(node.value)


class _Imports(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def visit_Import(self, node: cst.Import) -> None:
        for alias in node.names:
            whole = alias.evaluated_name
            self.found[alias.evaluated_alias or whole.partition(".")[0]] = whole

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:
        if node.module is not None and not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                self.found[alias.evaluated_alias or alias.evaluated_name] = code(node.module)


def imports(module: cst.Module) -> dict[str, str]:
    """Return the names that a file imports, and from which module each is."""
    found = _Imports()
    module.visit(found)
    return found.found


def code(node: cst.CSTNode) -> str:
    """Return the source of a node."""
    return cst.Module([]).code_for_node(node)


def library(node: cst.BaseExpression, imported: Mapping[str, str]) -> str:
    """Return the package that a dotted name is from: torch of `torch.nn.init`; else nothing."""
    while isinstance(node, cst.Attribute):
        node = node.value
    whole = imported.get(node.value, "") if isinstance(node, cst.Name) else ""
    return whole.partition(".")[0]
