"""What would run, and how long, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claimbench.running.engine import Planned


def lines(planned: Sequence[Planned], workers: int) -> list[str]:
    """Return one line a claim, and the total."""
    names = [f"{claim.paper}::{claim.claim}" for claim in planned]
    width = max(map(len, names), default=0)
    texts = [
        f"{name:{width}}  {len(claim.seconds):4d} to run, {claim.stored:4d} stored  "
        f"{_estimate(claim.seconds)}"
        for name, claim in zip(names, planned, strict=True)
    ]
    runs = [seconds for claim in planned for seconds in claim.seconds]
    unknown = sum(seconds is None for seconds in runs)
    if runs and unknown == len(runs):
        return [*texts, f"{len(runs)} runs, none of which ever ran before"]
    total = sum(seconds for seconds in runs if seconds is not None) / workers
    text = f"{len(runs)} runs, about {total:.0f} s on {workers} workers"
    if unknown:
        text += f", not counting {unknown} that never ran before"
    return [*texts, text]


def _estimate(runs: Sequence[float | None]) -> str:
    if not runs:
        return ""
    known = [seconds for seconds in runs if seconds is not None]
    if not known:
        return "never ran before"
    return f"about {sum(known) * len(runs) / len(known):.1f} s"
