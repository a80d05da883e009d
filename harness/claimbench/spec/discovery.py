"""Finding paper folders: a folder is a paper if it has a claims.yaml.

Papers are those of the project, or else those that claimbench brings.
"""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path

from claimbench import suite
from claimbench.errors import UsageError
from claimbench.guessing import meant

SPEC_FILE = "claims.yaml"


def paper_folders(root: Path) -> list[Path]:
    """Return the folders directly below `root` with a claims.yaml, in order of name."""
    if not root.is_dir():
        return []
    return sorted(entry for entry in root.iterdir() if (entry / SPEC_FILE).is_file())


def project_papers(start: Path | None = None) -> Path:
    """Return the nearest folder `papers` with a paper at or above `start`; else the one in it.

    Args:
        start: default: the current folder.
    """
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if paper_folders(folder / "papers"):
            return folder / "papers"
    return start / "papers"


def papers_root(start: Path | None = None) -> Path:
    """Return the project's folder of papers, see `project_papers`; or else claimbench's own."""
    own = project_papers(start)
    return own if paper_folders(own) else suite.ROOT / "papers"


def suite_root(folder: Path) -> Path:
    """Return the folder whose `common` a paper imports: one or two above, or claimbench's own."""
    for root in folder.absolute().parents[:2]:
        if (root / "common" / "__init__.py").is_file():
            return root
    return suite.ROOT


def is_data(path: str, root: Path) -> bool:
    """Say whether a file of a suite is code that only describes and reads data sets.

    It is no part of what a run depends on: the checksums of its data sets are.
    """
    common = str(root / "common")
    return path.startswith(
        (f"{common}/data/", f"{common}/__init__.py", f"{common}/__pycache__/__init__.")
    )


def find_papers(names: Iterable[str | Path]) -> list[Path]:
    """Return the paper folders that the names mean: slugs, paper folders, or folders of papers.

    No name at all means every paper of the project, or of claimbench where it has none.

    Raises:
        UsageError: a name means no paper.
    """
    names = list(names)
    if not names:
        return paper_folders(papers_root())
    return [folder for name in names for folder in _find(name)]


def _find(name: str | Path) -> list[Path]:
    path = Path(name).absolute()
    if path.name == SPEC_FILE and path.is_file():
        return [path.parent]
    if (path / SPEC_FILE).is_file():
        return [path]
    if below := paper_folders(path):
        return below
    root, own = papers_root(), suite.ROOT / "papers"
    for place in (root, own):
        if (place / name / SPEC_FILE).is_file():
            return [place / name]
    slugs = [folder.name for place in {root, own} for folder in paper_folders(place)]
    near = meant(str(name), slugs)
    guess = f"; did you mean `{near}`?" if near else f" and no folder with a {SPEC_FILE}"
    raise UsageError(f"`{name}` is no paper in {root}{guess}")


def tell_apart(folders: Iterable[Path]) -> None:
    """Refuse papers that have one name, since verdicts, tables and tests go by it.

    Raises:
        UsageError: two of the folders have the same name and are not the same.
    """
    first: dict[str, Path] = {}
    for folder in folders:
        other = first.setdefault(folder.name, folder)
        if other != folder and other.resolve() != folder.resolve():
            raise UsageError(
                f"two papers are called `{folder.name}`, {other} and {folder}, and their verdicts "
                "would be mixed up; run one at a time"
            )


def is_brought(folder: Path) -> bool:
    """Say whether a paper lies in claimbench's own suite, and we are not in that project."""
    if folder.parent != suite.ROOT / "papers":
        return False
    here = Path.cwd()
    return suite.ROOT not in (here, *here.parents)


def claim_arguments(folder: Path, claim: str) -> str:
    """Return what to give pytest for one claim: its node, or `--claims` where that is far away."""
    if is_brought(folder):
        return f"--claims {shlex.quote(f'{folder.name}::{claim}')}"
    return shlex.quote(f"{spec_location(folder)}::{claim}")


def spec_location(folder: Path) -> str:
    """Return the path of a folder's spec as one would type it: relative where it lies below."""
    path = os.path.relpath(folder / SPEC_FILE)
    return str(folder / SPEC_FILE) if path.startswith(os.pardir) else path
