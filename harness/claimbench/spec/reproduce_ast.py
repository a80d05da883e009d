"""What reproduce.py promises, read from its syntax tree: importing it would load torch or jax."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimbench.spec.problems import Problem

UNKNOWN = object()  # a default that is no literal


@dataclass(frozen=True)
class Function:
    """A function at the top level of reproduce.py.

    Attributes:
        name: its name.
        line: of `def`, from 1.
        column: of `def`, from 0.
        marked: whether `@experiment` stands above it.
        defaults: keyword arguments, with literal defaults in JSON's types or `UNKNOWN`.
        refusal: what is wrong with the signature, or None.
        metrics: names that it returns; None where they cannot be read.
    """

    name: str
    line: int
    column: int
    marked: bool
    defaults: dict[str, Any]
    refusal: str | None
    metrics: tuple[str, ...] | None


class Reproduce:
    """The functions of a reproduce.py.

    Attributes:
        path: the file.
        functions: by name, in the file's order; those inside `if` or `try` do not count.
        problems: the file cannot be parsed; then there are no functions.
    """

    def __init__(self, path: Path, source: bytes) -> None:
        self.path = path
        self.functions: dict[str, Function] = {}
        self.problems: list[Problem] = []
        self._source = source
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
        except SyntaxError as error:
            said = f"not valid Python: {error.msg}"
            self.problems = [self.problem(error.lineno or 1, max(0, (error.offset or 1) - 1), said)]
        except (ValueError, RecursionError, MemoryError) as error:
            self.problems = [self.problem(1, 0, f"not valid Python: {error or 'nested too deep'}")]
        else:
            names = _names_of_experiment(tree)
            for node in tree.body:
                if isinstance(node, ast.FunctionDef):
                    self.functions[node.name] = _function(node, names)

    def problem(self, line: int, column: int, message: str, width: int = 1) -> Problem:
        """Return the problem at a line from 1 and a column from 0."""
        lines = self._source.decode("utf-8", errors="replace").splitlines()
        text = lines[line - 1] if line <= len(lines) else ""
        return Problem(self.path, line, column + 1, message, text, width)

    def experiments(self) -> list[str]:
        """Return the names of the marked functions."""
        return [name for name, function in self.functions.items() if function.marked]


def defaults_in(source: bytes) -> dict[str, dict[str, Any]]:
    """Return the defaults of the keyword parameters of every function at the top level.

    One that is no literal is given as its source, with that of the constants that it names. A file
    that cannot be parsed has no functions.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    constants = {
        target.id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return {
        node.name: {
            argument.arg: _default(default, constants)
            for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            if default is not None
        }
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def _default(node: ast.expr, constants: dict[str, str]) -> Any:
    value = _literal(node)
    if value is not UNKNOWN:
        return value
    names = sorted(
        {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & {*constants}
    )
    return ", ".join([ast.unparse(node), *(f"{name} = {constants[name]}" for name in names)])


def _names_of_experiment(tree: ast.Module) -> set[str]:
    names = {"experiment"}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in ("claimbench", "claimbench.author"):
            names.update(a.asname for a in node.names if a.name == "experiment" and a.asname)
    return names


def _function(node: ast.FunctionDef, names: set[str]) -> Function:
    arguments = node.args
    defaults = {
        argument.arg: UNKNOWN if default is None else _literal(default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    return Function(
        name=node.name,
        line=node.lineno,
        column=node.col_offset,
        marked=any(_is_experiment(decorator, names) for decorator in node.decorator_list),
        defaults=defaults,
        refusal=_refusal(arguments),
        metrics=_metrics(node),
    )


def _is_experiment(decorator: ast.expr, names: set[str]) -> bool:
    if isinstance(decorator, ast.Name):
        return decorator.id in names
    return isinstance(decorator, ast.Attribute) and decorator.attr == "experiment"


def _refusal(arguments: ast.arguments) -> str | None:
    if arguments.posonlyargs or not arguments.args or arguments.args[0].arg != "run":
        return "the first parameter must be `run`"
    if len(arguments.args) > 1:
        second = arguments.args[1].arg
        return f"write `*` after `run`, so that `{second}` is passed by keyword"
    for extra in (arguments.vararg, arguments.kwarg):
        if extra is not None:
            return f"`{extra.arg}` takes anything; name the arguments, with defaults"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is None:
            return f"give `{argument.arg}` a default"
    return None


def _literal(node: ast.expr) -> Any:
    try:
        return _json(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN


def _json(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return value


def _metrics(function: ast.FunctionDef) -> tuple[str, ...] | None:
    names: dict[str, None] = {}
    returns = list(_returns(function.body))
    for node in returns:
        if not isinstance(node.value, ast.Dict):
            return None
        for key in node.value.keys:
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return None
            names[key.value] = None
    return tuple(names) if returns else None


def _returns(body: list[ast.stmt]) -> Iterator[ast.Return]:
    pending = list(reversed(body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for field in ("finalbody", "orelse", "body"):
                pending.extend(reversed(getattr(node, field, ())))
            for block in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                pending.extend(reversed(block.body))
