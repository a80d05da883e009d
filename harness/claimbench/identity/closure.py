"""What an experiment's code consists of, read from the source without importing it.

The closure of a function is the part of its file that it can reach, and every module of the
paper folder and of `common` (but for its data sets) that this imports, directly or not. Each is
represented by a digest of its syntax tree without docstrings, so that comments, formatting and
documentation change nothing.
"""

import ast
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from claimbench.cache import Cache, digest
from claimbench.spec.discovery import suite_root

_LOADERS = {"load", "load_dataset"}
_FORMAT = f"closure 4, python {sys.version_info[0]}.{sys.version_info[1]}"
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Closure:
    """The code behind one function.

    Attributes:
        files: digest of each file, by a name that does not depend on where the suite lies.
        modules: top-level names of what is imported from elsewhere, the standard library aside.
        eager: what of it the files import when they are imported, not only when a function of
            theirs is called: full names and top-level ones.
        paths: the files themselves.
        loads: texts that the code passes to `load` or `load_dataset` as first argument; those that
            name a data set are data that the code depends on.
    """

    files: dict[str, str]
    modules: frozenset[str]
    eager: frozenset[str]
    paths: tuple[Path, ...]
    loads: frozenset[str] = frozenset()


_Stamp = tuple[int, int, int, int]
_Stamps = dict[Path, _Stamp]
_KNOWN: dict[tuple[Path, str, str], tuple[_Stamps, Closure]] = {}
"""Closures found by this process, each with what its files and their folders looked like."""


@dataclass(frozen=True)
class _Import:
    level: int
    module: str
    names: tuple[str, ...]
    eager: bool


def closure(
    folder: Path,
    function: str,
    cache: Cache,
    *,
    file: str = "reproduce.py",
    read: Callable[[Path], bytes] | None = None,
) -> Closure:
    """Return the closure of a function defined in a file of the paper folder.

    It is found once a process, and anew when one of its files or their folders has changed.

    Args:
        folder: the paper folder.
        function: its name.
        cache: keeps what was read of a source.
        file: where it is defined.
        read: gives the source of a file; None for what is on the disk.

    Raises:
        SyntaxError: a file of the closure cannot be parsed.
        FileNotFoundError: the file is missing.
    """
    start = folder / file
    place = (folder.absolute(), function, file)
    known = _KNOWN.get(place) if read is None else None
    if known is not None and all(_stamp(path) == was for path, was in known[0].items()):
        return known[1]
    stamps: _Stamps = {}
    digests: dict[Path, str] = {}
    modules: set[str] = set()
    eager: set[str] = set()
    loads: set[str] = set()
    waiting: list[tuple[Path, str | None]] = [(start, function)]
    while waiting:
        path, target = waiting.pop()
        if path in digests:
            continue
        for looked_at in (path.parent, path):
            stamps.setdefault(looked_at, _stamp(looked_at))  # before it is read
        digests[path], imports, texts = _scan(path, (read or Path.read_bytes)(path), target, cache)
        loads.update(texts)
        for import_ in imports:
            own, foreign = _resolve(import_, path, folder)
            waiting += [(module, None) for module in own]
            if foreign is not None:
                modules.add(foreign.partition(".")[0])
                if import_.eager:
                    eager |= {foreign, foreign.partition(".")[0]}
    files = {_label(path, folder): value for path, value in sorted(digests.items())}
    found = Closure(
        files, frozenset(modules), frozenset(eager), tuple(sorted(digests)), frozenset(loads)
    )
    if read is None:
        _KNOWN[place] = (stamps, found)
    return found


def _stamp(path: Path) -> _Stamp:
    """What changes whenever the content of a file, or the names in a folder, do."""
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return (0, 0, 0, 0)
    return (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino)


def _label(path: Path, folder: Path) -> str:
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return path.relative_to(suite_root(folder)).as_posix()


def _resolve(import_: _Import, path: Path, folder: Path) -> tuple[list[Path], str | None]:
    """Return the suite's own files that an import statement loads, and the foreign module."""
    parts = import_.module.split(".") if import_.module else []
    if import_.level:
        base = path.parent
        for _ in range(import_.level - 1):
            base = base.parent
        return _files(base, parts, import_.names), None
    top, *rest = parts
    if top == "claimbench" or top in sys.stdlib_module_names:
        return [], None  # the version of the author surface is in every identity
    if top == "common":
        root = suite_root(folder) / "common"
        # how data is read changes no run: its checksum is in the identity
        found = [f for f in _files(root, rest, import_.names) if root / "data" not in f.parents]
        return [root / "__init__.py", *found], None
    if top == "papers" and rest[:1] == [folder.name]:
        return _files(folder, rest[1:], import_.names), None
    return [], import_.module


def _files(base: Path, parts: list[str], names: tuple[str, ...]) -> list[Path]:
    found = []
    for part in parts:
        found.append(base / f"{part}.py")
        base = base / part
        found.append(base / "__init__.py")
    found += [base / f"{name}.py" for name in names]
    found += [base / name / "__init__.py" for name in names]
    return [path for path in found if path.is_file()]


def source_digest(path: Path, source: bytes, target: str | None, cache: Cache) -> str:
    """Return the digest of a file's text as it stands in a closure.

    Args:
        path: the file, for messages.
        source: its text.
        target: the function that the closure is of, if it is defined there.
        cache: keeps what was read of a source.
    """
    return _scan(path, source, target, cache)[0]


def _scan(
    path: Path, source: bytes, target: str | None, cache: Cache
) -> tuple[str, list[_Import], list[str]]:
    key = digest(_FORMAT, target or "", source)
    kept = cache.get(key)
    if kept is not None:
        value, imports, loads = json.loads(kept)
        found = [_Import(level, name, tuple(names), now) for level, name, names, now in imports]
        return value, found, loads
    tree = ast.parse(source, filename=str(path))
    if target is not None:
        tree.body = _reachable(tree.body, target)
    found = _imports(tree)
    loads = _loads(tree)
    _strip_docstrings(tree)
    value = digest(ast.dump(tree))
    rows = [[i.level, i.module, i.names, i.eager] for i in found]
    cache.put(key, json.dumps([value, rows, loads]))
    return value, found, loads


def _loads(tree: ast.AST) -> list[str]:
    """Return the literal first arguments of all calls of `load` or `load_dataset`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            if name in _LOADERS and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return sorted(found)


def _reachable(body: list[ast.stmt], target: str) -> list[ast.stmt]:
    """Drop the top-level functions and classes that the target cannot reach by name.

    All other statements stay and may reach any definition they mention, so that one experiment
    can be edited without running the others again.
    """
    definitions: dict[str, list[ast.stmt]] = {}
    for statement in body:
        if isinstance(statement, _Definition):
            definitions.setdefault(statement.name, []).append(statement)
    kept: list[ast.stmt] = [s for s in body if not isinstance(s, _Definition)]
    reached: set[str] = set()
    names = {target}.union(*(_names(statement) for statement in kept))
    while names:
        name = names.pop()
        if name in reached or name not in definitions:
            continue
        reached.add(name)
        for statement in definitions[name]:
            names |= _names(statement)
    return [s for s in body if not isinstance(s, _Definition) or s.name in reached]


def _names(statement: ast.stmt) -> set[str]:
    """Return every name that a statement mentions, text included (`globals()["f"]`)."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def _imports(node: ast.AST, eager: bool = True) -> list[_Import]:
    """Return the imports below a node; those in functions and for type checkers are not eager."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found += [_Import(0, alias.name, (), eager) for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            names = tuple(alias.name for alias in child.names)
            found.append(_Import(child.level, child.module or "", names, eager))
        else:
            late = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
            found += _imports(child, eager and not late and not typing)
    return found


def _strip_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | _Definition) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:]
