"""From a paper folder to its spec, through a cache keyed by content."""

from __future__ import annotations

import contextlib
from pathlib import Path

from claimbench.errors import UsageError
from claimbench.spec.models import Spec
from claimbench.spec.outline import Cache, Files, Outline, checked


def load_spec(folder: Path, cache: Cache | None = None, *, readme: bool = True) -> Spec:
    """Read and check claims.yaml against itself and against reproduce.py, which is not imported.

    Args:
        folder: the paper folder; its name is the paper's slug.
        cache: where the result for the same files is kept; only valid specs are.
        readme: whether README.md has to name the paper, which that of an older commit may not.

    Raises:
        SpecError: with every problem of the folder.
    """
    files = Files.of(Path(folder))
    if (text := files.cached(cache)) is not None:
        with contextlib.suppress(ValueError):  # not what was put there; checked anew and replaced
            return Spec.model_validate_json(text, context={"folder": files.folder})
    return checked(files, cache, readme=readme)


def spec_of(outline: Outline, cache: Cache) -> Spec:
    """Return the spec of which this is the outline, whatever the files say by now.

    Raises:
        UsageError: the cache had something else, and the files have changed.
        SpecError: with every problem of the folder.
    """
    with contextlib.suppress(ValueError):
        return Spec.model_validate_json(outline.text, context={"folder": outline.folder})
    files = Files.of(outline.folder)
    if files.key != outline.key:
        raise UsageError(
            f"{outline.slug}: claims.yaml or reproduce.py has changed since it was read; run again"
        )
    return checked(files, cache)
