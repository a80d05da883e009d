"""From a paper folder to its spec, through a cache keyed by content."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from claimbench.spec.problems import Problem

if TYPE_CHECKING:
    from claimbench.spec.models import Spec

COMPANIONS = {
    "method.py": "no such file; the paper's method stands here, alone and importable",
    "README.md": "no such file; say here what the paper claims and how it is checked",
}


class Cache(Protocol):
    """Where checked specs are kept, text by key."""

    def get(self, key: str) -> str | None:
        """Return what was put under the key, or None."""

    def put(self, key: str, value: str) -> None:
        """Keep the value."""


INTRUDERS = {
    "conftest.py": "pytest runs it for the claims of all papers, and it could skip them; remove it",
    "__init__.py": "claimbench imports a paper's folder by a name of its own; remove it",
}

_IGNORED = {"build", "dist", "venv", "node_modules", "CVS", "_darcs", "papers", "common"}


@dataclass(frozen=True)
class Outline:
    """What a list shows of a paper."""

    slug: str
    title: str
    theme: str
    claims: int


def load_spec(folder: Path, cache: Cache | None = None, *, readme: bool = True) -> Spec:
    """Read and check claims.yaml against itself and against reproduce.py, which is not imported.

    Args:
        folder: the paper folder; its name is the paper's slug.
        cache: where the result for the same files is kept; only valid specs are.
        readme: whether README.md has to name the paper, which that of an older commit may not.

    Raises:
        SpecError: with every problem of the folder.
    """
    # pydantic, which the outline of a paper in the cache does not need
    from claimbench.spec.models import Spec

    files = _Files.of(Path(folder))
    if (text := files.cached(cache)) is not None:
        with contextlib.suppress(ValueError):  # not what was put there; checked anew and replaced
            return Spec.model_validate_json(text, context={"folder": files.folder})
    # YAML's parser and the wording of problems, which a spec from the cache does not need
    from claimbench.spec.checking import check

    parts = (files.folder, files.slug, files.claims, files.source, files.lacks)
    spec = check(*parts, readme=readme)
    if cache is not None and files.key is not None:
        cache.put(files.key, spec.model_dump_json(by_alias=True, exclude_defaults=True))
    return spec


def outline(folder: Path, cache: Cache) -> Outline:
    """Return what a list shows of a paper; one that the cache has is read without any model.

    Raises:
        SpecError: with every problem of the folder.
    """
    files = _Files.of(folder)
    if (text := files.cached(cache)) is not None:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # as above
            found = json.loads(text)
            paper, claims = found["paper"], found["claims"]
            return Outline(files.slug, paper["title"], paper["theme"], len(claims))
    spec = load_spec(folder, cache)
    return Outline(spec.slug, spec.paper.title, spec.paper.theme, len(spec.claims))


@dataclass(frozen=True)
class _Files:
    """A paper folder as it is on the disk, and what it lacks."""

    folder: Path
    slug: str
    claims: bytes | None
    source: bytes | None
    lacks: list[Problem]

    @classmethod
    def of(cls, folder: Path) -> _Files:
        slug = os.path.basename(os.path.abspath(folder))
        claims, claims_lack = _read(folder / "claims.yaml")
        source, source_lack = _read(folder / "reproduce.py")
        lacks = [*filter(None, (claims_lack, source_lack))]
        lacks += [
            _lack(folder / name, text)
            for name, text in COMPANIONS.items()
            if not _is_file(folder, name)
        ]
        lacks += [
            _lack(folder / name, text) for name, text in INTRUDERS.items() if _is_file(folder, name)
        ]
        if (refusal := _bad_slug(slug)) is not None:
            lacks.append(_lack(folder, refusal))
        return cls(folder, slug, claims, source, lacks)

    @functools.cached_property
    def key(self) -> str | None:
        """The key of the spec in a cache; None where there can't be one."""
        if self.claims is None or self.source is None or self.lacks:
            return None
        digest = hashlib.sha256(_own_digest())
        for part in (
            self.slug.encode("utf-8", errors="surrogateescape"),
            self.claims,
            self.source,
        ):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.hexdigest()

    def cached(self, cache: Cache | None) -> str | None:
        """Return the JSON of the spec that was made of the same files."""
        return None if cache is None or self.key is None else cache.get(self.key)


def _read(path: Path) -> tuple[bytes | None, Problem | None]:
    try:
        return path.read_bytes(), None
    except FileNotFoundError:
        return None, _lack(path, "no such file; CONTRIBUTING.md shows how to write one")
    except OSError as error:
        return None, _lack(path, f"cannot be read: {error.strerror}")


def _bad_slug(slug: str) -> str | None:
    """Return why a folder can't be a paper's, by its name; None if it can."""
    if slug in _IGNORED or slug.endswith(".egg"):
        return f"a folder called `{slug}` is passed over by pytest; choose another name"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", slug):
        return (
            f"`{slug}`: a paper's name has letters, digits, underscores and hyphens, since it is "
            "typed in commands and stands in addresses; choose another name"
        )
    return None


def _is_file(folder: Path, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name))


def _lack(path: Path, message: str) -> Problem:
    return Problem(path, 1, 1, message)


@functools.cache
def _own_digest() -> bytes:
    """Return the digest of this package's own source: another check is another key."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
