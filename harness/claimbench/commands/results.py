"""`claimbench results`: the verdicts that the store holds."""

import json
from collections.abc import Sequence

from claimbench.commands import AS_EXPECTED, USAGE
from claimbench.home import home
from claimbench.running.store import Store
from claimbench.showing.output import color, error, line
from claimbench.showing.report import render


def run(papers: Sequence[str], *, tier: str | None, profile: str | None, as_json: bool) -> int:
    """Print the last verdict of each claim, one table a paper, tier and profile."""
    store = Store(home())
    try:
        records = [
            record
            for record in store.verdicts()
            if (not papers or record.paper in papers)
            and tier in (None, record.tier)
            and profile in (None, record.profile)
        ]
    finally:
        store.close()
    unknown = sorted(set(papers) - {record.paper for record in records})
    if as_json:
        line(json.dumps([record.as_json() for record in records], indent=2))
    elif records:
        line(render(records, color=color()))
    if unknown or not records:
        wanted = ", ".join(f"`{paper}`" for paper in unknown) or "any paper"
        error(f"no verdict on {wanted} in {store.path}; run: claimbench verify {' '.join(unknown)}")
        return USAGE
    return AS_EXPECTED
