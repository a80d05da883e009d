"""The tiers: how much a run may cost."""

from typing import Literal, get_args

Tier = Literal["smoke", "standard", "full"]
"""Seconds a paper; minutes; the paper's own scale."""

TIERS: tuple[Tier, ...] = get_args(Tier)
"""Cheapest first."""

BUDGETS: dict[Tier, float] = {"smoke": 15.0, "standard": 600.0}
"""CPU-seconds of a whole paper, seeds and controls included; full has what the paper needs."""
