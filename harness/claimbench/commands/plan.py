"""`claimbench verify --plan`: what would run, before it runs."""

from collections.abc import Sequence

from claimbench.commands import AS_EXPECTED
from claimbench.running.engine import Engine, Planned
from claimbench.settings import Settings, worker_count
from claimbench.showing.output import line


def run(papers: Sequence[str], settings: Settings, *, claims: Sequence[str] | None) -> int:
    """Print the runs that each claim still needs, and the time that they probably take."""
    with Engine(settings) as engine:
        planned = engine.plan(engine.add_papers(papers, claims))
    for text in lines(planned, worker_count(settings.workers)):
        line(text)
    return AS_EXPECTED


def lines(planned: Sequence[Planned], workers: int) -> list[str]:
    """Return one line a claim, and the total."""
    names = [f"{claim.paper}::{claim.claim}" for claim in planned]
    width = max(map(len, names), default=0)
    texts = [
        f"{name:{width}}  {len(claim.seconds):4d} to run, {claim.stored:4d} stored  "
        f"{_seconds(claim.seconds)}"
        for name, claim in zip(names, planned, strict=True)
    ]
    runs = [seconds for claim in planned for seconds in claim.seconds]
    unknown = sum(seconds is None for seconds in runs)
    total = sum(seconds for seconds in runs if seconds is not None) / workers
    text = f"{len(runs)} runs, about {total:.0f} s on {workers} workers"
    if unknown:
        text += f", not counting {unknown} that never ran before"
    return [*texts, text]


def _seconds(runs: Sequence[float | None]) -> str:
    if not runs:
        return ""
    known = [seconds for seconds in runs if seconds is not None]
    if not known:
        return "never ran before"
    return f"about {sum(known) * len(runs) / len(known):.1f} s"
