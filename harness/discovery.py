"""Finding paper folders: a folder is a paper if it has a claims.yaml."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from harness.errors import UsageError

SPEC_FILE = "claims.yaml"


def paper_folders(root: Path) -> list[Path]:
    """Return the folders directly below `root` with a claims.yaml, in order of name."""
    if not root.is_dir():
        return []
    return sorted(entry for entry in root.iterdir() if (entry / SPEC_FILE).is_file())


def papers_root(start: Path | None = None) -> Path:
    """Return the nearest folder `papers` at or above `start` (default: the current folder)."""
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / "papers").is_dir():
            return folder / "papers"
    return start / "papers"


def find_papers(names: Iterable[str | Path]) -> list[Path]:
    """Return the paper folders that the names mean: slugs, paper folders, or folders of papers.

    No name at all means every paper of the project.

    Raises:
        UsageError: a name means no paper.
    """
    names = list(names)
    if not names:
        found = paper_folders(papers_root())
        if not found:
            raise UsageError(f"no paper in {papers_root()}: name a folder with a {SPEC_FILE}")
        return found
    return [folder for name in names for folder in _find(name)]


def _find(name: str | Path) -> list[Path]:
    path = Path(name).absolute()
    if path.name == SPEC_FILE and path.is_file():
        return [path.parent]
    if (path / SPEC_FILE).is_file():
        return [path]
    if below := paper_folders(path):
        return below
    root = papers_root()
    if (root / name / SPEC_FILE).is_file():
        return [root / name]
    slugs = [folder.name for folder in paper_folders(root)]
    near = difflib.get_close_matches(str(name), slugs, n=1)
    guess = f"; did you mean `{near[0]}`?" if near else f" and no folder with a {SPEC_FILE}"
    raise UsageError(f"`{name}` is no paper in {root}{guess}")


def spec_location(folder: Path) -> str:
    """Return the path of a folder's spec as one would type it: relative where it lies below."""
    path = os.path.relpath(folder / SPEC_FILE)
    return str(folder / SPEC_FILE) if path.startswith(os.pardir) else path
