"""Importing a paper folder, wherever it lies, as a package of a unique name."""

import contextlib
import hashlib
import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from claimbench.identity.methods import Replacement
from claimbench.spec.discovery import suite_root

_SHARED = "common"


def package_name(folder: Path, methods: Sequence[Replacement] = ()) -> str:
    """Return the package name of a folder: its own name, and a digest of its path and of what
    stands in for names of its method."""
    slug = "".join(letter if letter.isalnum() else "_" for letter in folder.name)
    key = "\n".join([str(folder.resolve()), *(f"{m} {m.source}" for m in methods)])
    return f"paper_{slug}_{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def load_module(
    folder: Path, module: str = "reproduce", methods: Sequence[Replacement] = ()
) -> ModuleType:
    """Import `folder/<module>.py`; `from .method import …` works in it.

    Args:
        folder: the paper folder.
        module: name of the module.
        methods: what stands in for names of method.py, before anything else imports them.

    Raises:
        ModuleNotFoundError: there is no such file.
    """
    name = package_name(folder, methods)
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder.resolve())]
        sys.modules[name] = package
        sys.meta_path.insert(0, _FromSource((name, _SHARED)))
        for replacement in methods:
            method = importlib.import_module(f"{name}.method")
            setattr(method, replacement.name, replacement.load())
    return importlib.import_module(f"{name}.{module}")


@contextlib.contextmanager
def suite_first(folder: Path) -> Iterator[None]:
    """Have `common` mean what the paper means by it, whatever this process calls so besides."""
    root = str(suite_root(folder))
    theirs = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] == _SHARED
        and root not in (str(Path(place).parent) for place in sys.modules[_SHARED].__path__)
    }
    for name in theirs:
        del sys.modules[name]
    sys.path.insert(0, root)
    try:
        yield
    finally:
        sys.path.remove(root)
        if theirs:
            for name in [n for n in sys.modules if n.partition(".")[0] == _SHARED]:
                del sys.modules[name]
            sys.modules.update(theirs)


class _Loader(SourceFileLoader):
    """Compiles the file that is there. Cached bytecode is trusted by time and size alone, so an
    edit within the same second could run under the identity of the new text as the old code."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class _FromSource(MetaPathFinder):
    """Finds the modules of some packages, and has them compiled from source."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._packages:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec
