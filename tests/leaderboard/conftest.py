"""Published results made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from claimbench.leaderboard.merging import join
from claimbench.leaderboard.published import Entry, Published, PublishedResult
from tests.records import make_record


@pytest.fixture
def make_entry() -> Callable[..., Entry]:
    """Return a maker of entries: `make_entry({"verdict": "diverged"}, {"cpu": "CPU B"})`."""

    def make(*changes: dict[str, Any], **parts: Any) -> Entry:
        results = [PublishedResult(make_record(**one), parts.get("code", {})) for one in changes]
        return join([Entry({result.cpu: result}, ()) for result in results])

    return make


@pytest.fixture
def make_file(make_entry: Callable[..., Entry]) -> Callable[..., Published]:
    """Return a maker of files: `make_file("lion", holds={…}, tier="standard")`."""

    def make(
        paper: str = "tiny", *, tier: str = "smoke", profile: str = "cpu", **claims: dict[str, Any]
    ) -> Published:
        named = {name.replace("_", "-"): change for name, change in claims.items()}
        place = {"paper": paper, "tier": tier, "profile": profile}
        entries = {
            claim: make_entry({**place, "claim": claim, "run_key": claim, **change})
            for claim, change in (named or {"holds": {}}).items()
        }
        return Published(profile, tier, paper, entries)

    return make
