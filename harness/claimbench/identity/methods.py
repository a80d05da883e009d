"""Other people's implementations in the place of a name of a paper's method.py."""

import ast
import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from claimbench.cache import digest
from claimbench.errors import AuthorError, UsageError
from claimbench.guessing import guess
from claimbench.identity.keys import version

_FORM = re.compile(r"(?P<name>\w+)=(?P<source>[^:]+(?::[\\/][^:]*)?):(?P<attribute>[\w.]+)")


@dataclass(frozen=True)
class Replacement:
    """What stands in for a name of method.py.

    Attributes:
        name: the name in method.py, such as AdEMAMix.
        source: a module that can be imported, or the absolute path of a Python file.
        attribute: what is taken from it; dots go into classes.
        place: the folder in which the module was found, so that a worker finds the same one.
    """

    name: str
    source: str
    attribute: str
    place: str = ""

    def __str__(self) -> str:
        source = Path(self.source).name if self.source.endswith(".py") else self.source
        return f"{self.name}={source}:{self.attribute}"

    def digest(self) -> str:
        """Return a digest of the implementation: all sources of its package or file, and the
        versions of what a file imports.

        Raises:
            UsageError: there is no such module.
        """
        if self.source.endswith(".py"):
            content = Path(self.source).read_bytes()
            packages = sorted(_imported(content) - sys.stdlib_module_names)
            return digest(content, *(f"{name} {_state(name)}" for name in packages))
        return digest(_state(self.source.partition(".")[0]))

    def load(self) -> Any:
        """Import it.

        Raises:
            AuthorError: there is no such attribute.
        """
        found: Any
        if self.source.endswith(".py"):
            found = _load_file(self.source)
        else:
            found = _load_module(self.source, self.place)
        for part in self.attribute.split("."):
            if not hasattr(found, part):
                raise AuthorError(f"--method {self}: `{self.source}` has no `{self.attribute}`")
            found = getattr(found, part)
        return found


def parse(text: str) -> Replacement:
    """Return the replacement that `NAME=module:attribute` or `NAME=file.py:attribute` means.

    Raises:
        UsageError: it is of another form, or the file or module is not there.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--method {text}: write NAME=module:attribute or NAME=file.py:attribute, such as "
            "AdEMAMix=mylib.optim:AdEMAMix"
        )
    name, source, attribute = match["name"], match["source"], match["attribute"]
    if source.endswith(".py"):
        path = Path(source).absolute()
        if not path.is_file():
            raise UsageError(f"--method {text}: there is no file {path}")
        return Replacement(name, str(path), attribute)
    spec = _find(source) or _find_here(source)
    if spec is None:
        raise UsageError(f"--method {text}: there is no module `{source}` in this environment")
    return Replacement(name, source, attribute, _place(spec))


def check(replacement: Replacement, folder: Path) -> None:
    """See that a paper's experiments use the name from its method.py.

    Raises:
        UsageError: they don't, so that the replacement would change nothing.
    """
    tree = ast.parse((folder / "reproduce.py").read_bytes())
    used = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module == "method"
        for alias in node.names
    }
    if replacement.name not in used:
        raise UsageError(
            f"--method {replacement}: the experiments of {folder.name} don't import "
            f"`{replacement.name}` from .method; "
            f"{guess(replacement.name, sorted(used), 'they use')}"
        )


def _find_here(module: str) -> ModuleSpec | None:
    """Find a module in the current folder, as `python -m` would; from now on it can be imported,
    behind everything else."""
    here = str(Path.cwd())
    spec = PathFinder.find_spec(module.partition(".")[0], [here])
    if spec is not None:
        sys.path.append(here)
    return spec


def _place(spec: ModuleSpec) -> str:
    """Return the folder that a module or package lies in; nothing for what is built in."""
    if spec.submodule_search_locations:
        return str(Path(next(iter(spec.submodule_search_locations))).parent)
    return str(Path(spec.origin).parent) if spec.origin and spec.has_location else ""


def _find(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module.partition(".")[0])
    except ValueError:
        return None


def _state(package: str) -> str:
    """Return the version of a package and a digest of its Python sources, as they are now."""
    spec = _find(package)
    if spec is None:
        return "missing"
    roots = [Path(place) for place in spec.submodule_search_locations or []]
    files = sorted(path for root in roots for path in root.rglob("*.py"))
    if not roots and spec.origin:
        files = [Path(spec.origin)]
    stamps = (f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
    return f"{version(package)} {digest(*stamps)}"


def _imported(content: bytes) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _load_module(name: str, place: str) -> ModuleType:
    sys.path.insert(0, place)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(place)


def _load_file(path: str) -> ModuleType:
    name = f"method_{digest(path)[:12]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise AuthorError(f"--method: {path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
