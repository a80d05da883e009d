"""Numbers and counts as a reader sees them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claimbench.judging.record import Measured


def number(value: float) -> str:
    """Return a number for a reader: whole where it is, else with five significant digits."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.5g}"


def counted(count: int, word: str) -> str:
    """Return `1 seed`, `2 seeds`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def interval_text(measured: Measured) -> str:
    """Return `median [low, high]`, or the one value there is."""
    median, low, high = map(number, (measured.median, measured.low, measured.high))
    return median if low == high else f"{median} [{low}, {high}]"
