"""What a paper's files say in short, read from the cache without any model of claims.yaml.

pydantic and the models take longer to load than hundreds of papers to list, or to collect as tests.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from claimbench.spec.problems import Problem
from claimbench.tiers import TIERS, Tier

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
class ClaimOutline:
    """What a test shows of a claim before it is run.

    Attributes:
        id: as in claims.yaml.
        line: of claims.yaml, from 1, in which it begins.
        kind: as in claims.yaml.
        fidelity: as in claims.yaml.
        from_: smallest tier at which it is judged.
        findings: verdict and finding where another than `reproduced` is known, by tier.
    """

    id: str
    line: int
    kind: str
    fidelity: str
    from_: Tier
    findings: Mapping[str, tuple[str, str]]

    def known_at(self, tier: Tier) -> tuple[str, str] | None:
        """Return the verdict known at a tier, `diverges` or `vacuous`, and its finding."""
        judged = TIERS.index(tier) >= TIERS.index(self.from_)
        return self.findings.get(tier) if judged else None


@dataclass(frozen=True)
class Outline:
    """A paper's files in short.

    Attributes:
        folder: the paper folder.
        slug: its name.
        title: the paper's, as printed.
        theme: group on the leaderboard.
        claims: in the paper's order.
        key: of the files' content in a cache.
        text: the whole spec as JSON.
    """

    folder: Path
    slug: str
    title: str
    theme: str
    claims: tuple[ClaimOutline, ...]
    key: str
    text: str


def outline(folder: Path, cache: Cache) -> Outline:
    """Return a paper's files in short; those that the cache has are read without any model.

    Raises:
        SpecError: with every problem of the folder.
    """
    files = Files.of(folder)
    if (text := files.cached(cache)) is not None:
        # not what was put there; checked anew and replaced
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            return _outline(files, text)
    return _outline(files, as_json(checked(files, cache)))


def checked(files: Files, cache: Cache | None, *, readme: bool = True) -> Spec:
    """Check the files of a folder, and put the spec into the cache.

    Raises:
        SpecError: with every problem of the folder.
    """
    # pydantic, YAML's parser and the wording of problems, which what the cache has does not need
    from claimbench.spec.checking import check

    parts = (files.folder, files.slug, files.claims, files.source, files.lacks)
    spec = check(*parts, readme=readme)
    if cache is not None and files.key is not None:
        cache.put(files.key, as_json(spec))
    return spec


def as_json(spec: Spec) -> str:
    """Return the JSON of a spec as a cache keeps it."""
    return spec.model_dump_json(by_alias=True, exclude_defaults=True)


def _outline(files: Files, text: str) -> Outline:
    assert files.key is not None  # a folder without one has problems
    found = json.loads(text)
    paper = found["paper"]
    claims = tuple(
        ClaimOutline(
            claim["id"],
            line,
            claim["kind"],
            claim["fidelity"],
            claim.get("from", TIERS[0]),
            _findings(claim.get("known", {})),
        )
        for claim, line in zip(found["claims"], found["lines"], strict=True)
    )
    title, theme = paper["title"], paper["theme"]
    return Outline(files.folder, files.slug, title, theme, claims, files.key, text)


def _findings(known: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    by_tier = dict.fromkeys(TIERS, known) if "finding" in known else known
    return {tier: (entry["verdict"], entry["finding"]) for tier, entry in by_tier.items()}


@dataclass(frozen=True)
class Files:
    """A paper folder as it is on the disk, and what it lacks."""

    folder: Path
    slug: str
    claims: bytes | None
    source: bytes | None
    lacks: list[Problem]

    @classmethod
    def of(cls, folder: Path) -> Files:
        """Read the folder."""
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
