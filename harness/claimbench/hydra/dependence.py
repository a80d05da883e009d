"""Whether a paper's verdicts may differ since files have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from claimbench.cache import Cache
from claimbench.identity.closure import Closure, closure
from claimbench.profiles import profile_files
from claimbench.spec.discovery import suite_root
from claimbench.spec.models import Spec

ENGINE = Path(__file__).resolve().parents[1]
"""The folder of the package `claimbench`."""

PINS = ("pyproject.toml", "requirements.lock")
"""What says of which versions an environment consists; beside the folder of papers."""

_SHOWS = {
    *("commands", "hydra", "leaderboard", "mutation", "scaffold", "session", "showing", "suite"),
    *("tracking", "__main__.py", "cli.py", "plugin.py"),
}
"""What of the engine neither runs nor judges."""


def changes_everything(files: Collection[Path], root: Path, profile: str) -> bool:
    """Say whether all verdicts may differ: by versions, the profile, or how runs are judged.

    Args:
        files: resolved, as all files here.
        root: the folder that holds the papers' folder.
        profile: under which is run; another one's file changes nothing.
    """
    pins = {(root / name).resolve() for name in PINS}
    own = profile_files().get(profile)
    return any(path in pins or (own and path == own.resolve()) or _runs(path) for path in files)


def _runs(path: Path) -> bool:
    if not path.is_relative_to(ENGINE):
        return False
    part = path.relative_to(ENGINE).parts[0]
    return part not in _SHOWS and part != "profile_files"


def depends_on(spec: Spec, files: Collection[Path], cache: Cache) -> bool:
    """Say whether a paper's folder, what its experiments import, or its data has one of the files.

    A paper with code that can't be parsed depends on everything.
    """
    folder = spec.folder.resolve()
    if any(path.is_relative_to(folder) for path in files):
        return True
    try:
        codes = [closure(spec.folder, name, cache) for name in spec.experiments]
    except SyntaxError:
        return True
    imported = {path.resolve() for code in codes for path in code.paths}
    return not imported.isdisjoint(files) or _reads(spec, codes, files)


def _reads(spec: Spec, codes: Iterable[Closure], files: Collection[Path]) -> bool:
    """Say whether the paper uses a data set that one of the files provides.

    A file below `common/data` that provides none itself helps to read all of them.
    """
    modules = {entry.name: entry.module for entry in entry_points(group="claimbench.data")}
    declared = {name for experiment in spec.experiments.values() for name in experiment.data}
    used = {*declared, *(text for code in codes for text in code.loads)} & modules.keys()
    if not used:
        return False
    helpers = (suite_root(spec.folder) / "common" / "data").resolve()
    places = {name: _file(module) for name, module in modules.items()}
    read = {places[name] for name in used}
    return any(
        path in read or (helpers in path.parents and path not in places.values()) for path in files
    )


def _file(module: str) -> Path | None:
    found = find_spec(module)
    return Path(found.origin).resolve() if found and found.origin else None
