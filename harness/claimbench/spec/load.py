"""From a paper folder to its spec, through a cache keyed by content."""

import functools
import hashlib
import os
import re
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from claimbench.spec.models import Spec
from claimbench.spec.problems import Problem

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


def load_spec(folder: Path, cache: Cache | None = None, *, readme: bool = True) -> Spec:
    """Read and check claims.yaml against itself and against reproduce.py, which is not imported.

    Args:
        folder: the paper folder; its name is the paper's slug.
        cache: where the result for the same files is kept; only valid specs are.
        readme: whether README.md has to name the paper, which that of an older commit may not.

    Raises:
        SpecError: with every problem of the folder.
    """
    folder = Path(folder)
    slug = os.path.basename(os.path.abspath(folder))
    claims, claims_lack = _read(folder / "claims.yaml")
    source, source_lack = _read(folder / "reproduce.py")
    lacks = [
        _lack(folder / name, COMPANIONS[name]) for name in COMPANIONS if not _is_file(folder, name)
    ]
    lacks = [*filter(None, (claims_lack, source_lack)), *lacks]
    lacks += [_lack(folder / name, INTRUDERS[name]) for name in INTRUDERS if _is_file(folder, name)]
    if (refusal := _bad_slug(slug)) is not None:
        lacks.append(_lack(folder, refusal))
    if cache is None or claims is None or source is None or lacks:
        return _checked(folder, slug, claims, source, lacks, readme)
    key = _key(slug, claims, source)
    if (text := cache.get(key)) is not None:
        try:
            return Spec.model_validate_json(text, context={"folder": folder})
        except ValidationError:
            pass  # not what was put there; checked anew and replaced
    spec = _checked(folder, slug, claims, source, lacks, readme)
    cache.put(key, spec.model_dump_json(by_alias=True, exclude_defaults=True))
    return spec


def _checked(
    folder: Path,
    slug: str,
    claims: bytes | None,
    source: bytes | None,
    lacks: list[Problem],
    readme: bool,
) -> Spec:
    # YAML's parser and the wording of problems, which a spec from the cache does not need
    from claimbench.spec.checking import check

    return check(folder, slug, claims, source, lacks, readme=readme)


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


def _key(slug: str, claims: bytes, source: bytes) -> str:
    digest = hashlib.sha256(_own_digest())
    for part in (slug.encode("utf-8", errors="surrogateescape"), claims, source):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


@functools.cache
def _own_digest() -> bytes:
    """Return the digest of this package's own source: another check is another key."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
