"""Whether a published verdict is about the present code and spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from claimbench.cache import Cache
from claimbench.errors import UsageError
from claimbench.identity.keys import run_identity
from claimbench.leaderboard.published import Entry, Published, PublishedResult
from claimbench.profiles import Profile, load_profile
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec
from claimbench.tiers import Tier

UNPUBLISHED = ("package ", "machine")
"""Parts of an identity, by the beginning of their name, that make no verdict stale."""


def code_parts(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return of an identity what makes a verdict stale when it changes: code, data, arguments."""
    return {
        name: _short(value)
        for name, value in sorted(parts.items())
        if not name.startswith(UNPUBLISHED)
    }


def marked(published: Published, papers: Path, cache: Cache) -> Published:
    """Return the results with each marked as stale, or not, by what lies in the papers' folder.

    Where this machine lacks the profile the marks stay as they are.

    Raises:
        SpecError: a spec has problems.
    """
    folder = papers / published.paper
    spec = load_spec(folder, cache) if (folder / SPEC_FILE).is_file() else None
    profile = _profile(published.profile)
    known: dict[str, dict[str, Any]] = {}
    entries = {}
    for claim, entry in published.entries.items():
        results = {}
        for cpu, result in entry.results.items():
            if spec is None:
                reasons: tuple[str, ...] = (f"there is no paper `{published.paper}` any more",)
            elif claim not in {one.id for one in spec.claims}:
                reasons = (f"the spec has no claim `{claim}` any more",)
            elif profile is None:
                reasons = result.stale
            else:
                name = spec.claim(claim).experiment
                if name not in known:
                    known[name] = _present(spec, name, published.tier, profile, cache)
                reasons = _reasons(result, spec, claim, known[name])
            results[cpu] = replace(result, stale=reasons)
        entries[claim] = Entry(results, entry.history)
    return replace(published, entries=entries)


def _present(
    spec: Spec, experiment: str, tier: str, profile: Profile, cache: Cache
) -> dict[str, Any]:
    level: Tier = tier  # type: ignore[assignment]  # checked where the file was read
    arguments = spec.experiments[experiment].arguments(level)
    identity = run_identity(spec, experiment, arguments, profile=profile, cache=cache)
    return code_parts(identity.parts())


def _reasons(
    result: PublishedResult, spec: Spec, claim: str, present: Mapping[str, Any]
) -> tuple[str, ...]:
    reasons = []
    if result.record.spec_hash != spec.claim_hash(spec.claim(claim)):
        reasons.append("the claim's entry in the spec has changed")
    if result.code:
        names = sorted(
            name for name in {*result.code, *present} if result.code.get(name) != present.get(name)
        )
        reasons += [f"{name.removeprefix('file ')} has changed" for name in names]
    return tuple(reasons)


def _profile(name: str) -> Profile | None:
    try:
        return load_profile(name)
    except UsageError:
        return None


def _short(value: Any) -> Any:
    """Return the beginning of a digest, which is enough to see a change."""
    is_digest = (
        isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")
    )
    return value[:16] if is_digest else value
