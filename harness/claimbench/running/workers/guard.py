"""What a run may use: its own code, and the files, packages and data sets that it declares.

A run is kept under a key made of what it depends on. An audit hook sees what Python opens, and a
finder what it imports; what is neither in the key nor part of the installation is refused by name
of file and line, so that no run depends on something that its key does not know.
"""

from __future__ import annotations

import contextlib
import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from claimbench.errors import AuthorError
from claimbench.identity.keys import version
from claimbench.spec.discovery import is_data, suite_root

if TYPE_CHECKING:
    from claimbench.running.workers.jobs import Job

_WRITES_ONLY = os.O_TRUNC | os.O_EXCL
_BUILT_IN = {*sys.stdlib_module_names, "claimbench", "common", "__main__"}


@dataclass(frozen=True)
class Bounds:
    """What all runs have in common that declare the same, as real paths.

    Attributes:
        folder: the paper folder.
        root: the folder of the suite.
        suite: how paths of papers and of what they share begin.
        theirs: how paths begin that are the user's own.
        allowed: how paths begin of what every run may read.
        declared: files that the runs may read.
        code: files that they may import.
    """

    folder: Path
    root: Path
    suite: tuple[str, ...]
    theirs: tuple[str, ...]
    allowed: tuple[str, ...]
    declared: frozenset[str]
    code: frozenset[str]

    @classmethod
    def of(
        cls,
        folder: Path,
        files: tuple[str, ...],
        code: tuple[str, ...],
        scratch: tuple[Path, ...],
        theirs: tuple[Path, ...],
    ) -> Bounds:
        """Return the bounds of a paper's runs that declare some files and consist of some code."""
        folder, root = folder.resolve(), suite_root(folder).resolve()
        return cls(
            folder,
            root,
            suite=_below(folder, root / "papers", root / "common"),
            theirs=_below(root, *(path.resolve() for path in theirs)),
            allowed=(*_installation(), *_below(*(path.resolve() for path in scratch))),
            declared=frozenset(str((folder / name).resolve()) for name in files),
            code=frozenset(str(home / name) for home in (folder, root) for name in code),
        )


class Guard(MetaPathFinder):
    """Watches one run.

    Args:
        job: what the run declares.
        scratch: folders in which the run may read what it likes.
        theirs: folders of the user's in which it may not.
        bounds: makes the bounds of such runs; a worker keeps those that it has made.
        own: one more such folder as `scratch`, this run's, by its real path.

    Attributes:
        trespass: the first thing that was refused, as one sentence; it ends the run even if the
            experiment caught the error.
    """

    def __init__(
        self,
        job: Job,
        scratch: tuple[Path, ...],
        theirs: tuple[Path, ...],
        bounds: Callable[..., Bounds] = Bounds.of,
        own: Path | None = None,
    ) -> None:
        self.trespass: str | None = None
        self._job = job
        within = bounds(job.folder, job.files, tuple(job.code), scratch, theirs)
        self._folder, self._root = within.folder, within.root
        self._suite, self._theirs = within.suite, within.theirs
        self._declared, self._code = within.declared, within.code
        self._allowed = within.allowed if own is None else (*within.allowed, *_below(own))

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Refuse what the run may not use, within."""
        _install()
        _watching.append(self)
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            _watching.pop()

    def opened(self, name: Any, flags: int) -> None:
        """See a file being opened.

        Raises:
            AuthorError: a run may not read it.
        """
        if isinstance(name, int) or flags & os.O_ACCMODE == os.O_WRONLY or flags & _WRITES_ONLY:
            return
        path = os.path.realpath(os.fsdecode(name))
        if path in self._declared or path in self._code or is_data(path, self._root):
            return
        if not path.startswith(self._suite):
            by_import = sys._getframe(2).f_code.co_filename.startswith("<frozen importlib")
            if by_import or not path.startswith(self._theirs) or path.startswith(self._allowed):
                return
        if not os.path.isfile(path):
            return
        frame = self._own_frame(sys._getframe(2))
        if frame is None:
            return  # the process itself, where a run is carried out in somebody's own
        inside = os.path.relpath(path, self._folder)
        if inside.startswith(os.pardir):
            self._refuse(
                frame,
                f"reads {path}, which is no part of the paper: put it beside the paper and "
                "declare it under `files`, or make it a data set and declare it under `data`",
            )
        self._refuse(
            frame,
            f"reads {inside}, which `{self._job.experiment}` does not declare; add it to the "
            "experiment's `files` in claims.yaml",
        )

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """See a module being imported that this process has not loaded yet; leave it to others.

        Raises:
            AuthorError: the paper's code asks for it in a way that the key does not know.
        """
        frame = self._importer(sys._getframe(1))
        if frame is not None:
            self._imported(fullname, frame)

    def _imported(self, name: str, frame: FrameType) -> None:
        top, _, rest = name.partition(".")
        own = self._path_of(top, rest, frame)
        if own is not None:
            if own not in self._code and not is_data(own, self._root):
                self._refuse(frame, f"imports `{name}` by name; write an import statement")
        elif top not in _BUILT_IN and top not in self._job.packages:
            self._refuse(frame, f"imports `{top}` by name; write an import statement")
        elif top not in _BUILT_IN and version(top) == "missing" and _is_users(top, self._theirs):
            self._refuse(
                frame,
                f"imports `{top}`, which belongs to no installed package; put it beside the paper",
            )

    def data(self, name: str) -> None:
        """See a data set being asked for.

        Raises:
            AuthorError: the experiment does not declare it.
        """
        frame = self._own_frame(sys._getframe(2))
        if frame is not None and name not in self._job.data:
            self._refuse(
                frame,
                f"loads the data set `{name}`, which `{self._job.experiment}` does not declare; "
                "add it to the experiment's `data` in claims.yaml",
            )

    def _refuse(self, frame: FrameType, what: str) -> None:
        file = self._label(os.path.realpath(frame.f_code.co_filename))
        self.trespass = self.trespass or f"{file}:{frame.f_lineno} {what}"
        raise AuthorError(self.trespass)

    def _label(self, file: str) -> str:
        home = self._folder if file.startswith(f"{self._folder}{os.sep}") else self._root
        return os.path.relpath(file, home)

    def _own_frame(self, frame: FrameType | None) -> FrameType | None:
        """Return the innermost frame of the paper's code, or of what papers share."""
        while frame is not None and not self._is_own(frame):
            frame = frame.f_back
        return frame

    def _is_own(self, frame: FrameType) -> bool:
        file = os.path.realpath(frame.f_code.co_filename)
        shared = f"{self._root / 'common'}{os.sep}"
        if not file.startswith((f"{self._folder}{os.sep}", shared)):
            return False
        return not is_data(file, self._root)

    def _importer(self, frame: FrameType | None) -> FrameType | None:
        """Return the frame that imports, if it is the paper's or of what papers share."""
        while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        while frame is not None and frame.f_code.co_filename == _IMPORTLIB:
            frame = frame.f_back
        return frame if frame is not None and self._is_own(frame) else None

    def _path_of(self, top: str, rest: str, frame: FrameType) -> str | None:
        """Return the suite's file that a module's name means, if it is of the suite."""
        parts = [part for part in rest.split(".") if part]
        package = str(frame.f_globals.get("__package__") or "").partition(".")[0]
        if top == "common":
            base = self._root / "common"
        elif top == package and self._is_own(frame):
            base = self._folder
        else:
            return None
        path = base.joinpath(*parts)
        file = path.with_suffix(".py")
        return str(file if parts and file.is_file() else path / "__init__.py")


_IMPORTLIB = os.path.join(os.path.dirname(contextlib.__file__), "importlib", "__init__.py")
_watching: list[Guard] = []


@cache
def _install() -> None:
    """Install the hook, once a process; it does nothing while no run is watched."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        _watching[-1].opened(arguments[0], arguments[2] or 0)
    elif event == "claimbench.data":
        _watching[-1].data(arguments[0])


@cache
def _installation() -> tuple[str, ...]:
    """Return where Python and its packages are installed."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    places |= {*site.getsitepackages(), site.getusersitepackages(), str(_CLAIMBENCH)}
    return _below(*(Path(os.path.realpath(place)) for place in places))


_CLAIMBENCH = Path(__file__).resolve().parents[2]


def _below(*folders: Path) -> tuple[str, ...]:
    """Return how the paths of what lies in some folders begin."""
    return tuple({f"{folder}{os.sep}" for folder in folders if folder != folder.parent})


def _is_users(top: str, theirs: tuple[str, ...]) -> bool:
    """Say whether a module that no package brings lies among the user's own files."""
    for entry in sys.path:
        path = os.path.realpath(os.path.join(entry or os.curdir, top))
        there = os.path.isdir(path) or os.path.isfile(f"{path}.py")
        if there and path.startswith(theirs) and not path.startswith(_installation()):
            return True
    return False
