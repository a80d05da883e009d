"""Importing a paper folder, wherever it lies, as a package of a unique name."""

import contextlib
import hashlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from claimbench.cache import Cache
from claimbench.identity.closure import source_digest
from claimbench.identity.methods import Replacement
from claimbench.spec.discovery import suite_root

_SHARED = "common"
_PARSED = Cache(None)

_sources: dict[str, bytes] = {}
"""What this process has imported of papers and what they share, by real path."""


def package_name(folder: Path, methods: Sequence[Replacement] = ()) -> str:
    """Return the package name of a folder: its own name, and a digest of its path and of what
    stands in for names of its method."""
    slug = "".join(letter if letter.isalnum() else "_" for letter in folder.name)
    key = "\n".join([os.path.realpath(folder), *(f"{m} {m.source}" for m in methods)])
    return f"paper_{slug}_{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def loaded_source(path: Path) -> bytes:
    """Return the text of a file as this process has imported it, else what is on the disk now."""
    found = _sources.get(os.path.realpath(path))
    return path.read_bytes() if found is None else found


def changed(folder: Path, function: str, code: Mapping[str, str]) -> list[str]:
    """Return the files that this process has imported otherwise than a closure says.

    Args:
        folder: the paper folder.
        function: the function of reproduce.py that the closure is of.
        code: the closure's digests by file.
    """
    return list(_changed(folder, function, tuple(code.items())))


@lru_cache
def _changed(folder: Path, function: str, code: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """See `changed`; to be forgotten whenever `_sources` changes."""
    found = []
    homes = (folder, suite_root(folder))
    for name, expected in code:
        for home in homes:
            path = os.path.realpath(home / name)
            source = _sources.get(path)
            target = function if name == "reproduce.py" else None
            if source is not None and expected != source_digest(
                Path(path), source, target, _PARSED
            ):
                found.append(name)
    return tuple(found)


def forget_changed(folder: Path) -> None:
    """Have a paper imported anew if a file of its, or one that papers share, has changed."""
    homes = (f"{folder.resolve()}{os.sep}", f"{suite_root(folder).resolve() / _SHARED}{os.sep}")
    mine = [path for path in _sources if path.startswith(homes)]
    if all(Path(path).is_file() and Path(path).read_bytes() == _sources[path] for path in mine):
        return
    _changed.cache_clear()
    for path in mine:
        del _sources[path]
    for name, module in list(sys.modules.items()):
        if os.path.realpath(getattr(module, "__file__", None) or "") in mine:
            del sys.modules[name]


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
        sys.meta_path.insert(sys.meta_path.index(PathFinder), _FromSource((name, _SHARED)))
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
        source = self.get_data(self.path)
        _sources[os.path.realpath(self.path)] = source
        _changed.cache_clear()
        return self.source_to_code(source, self.path)


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
