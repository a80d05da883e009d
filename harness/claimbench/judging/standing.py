"""How our number stands to the one that the paper prints."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claimbench.judging.record import Measured
    from claimbench.spec.region import Region

_ROUNDING = 1e-9
"""Relative size of what is nothing but rounding in floating point."""


class Standing(StrEnum):
    """What is said of a measured metric beside the paper's number.

    WITHIN: the paper's number lies in our interval, as far as it is printed.
    DIRECTION: it does not, but it and our median both lie in the region that the claim expects.
    NEITHER: one of the two lies outside that region.
    """

    WITHIN = "within"
    DIRECTION = "direction only"
    NEITHER = "neither"


def standing(measured: Measured, reported: float, region: Region) -> Standing | None:
    """Say how our median and interval stand to the paper's number.

    A number that the paper prints with two digits or more, one of them behind the point, stands
    for all that round to it: 1.95 lies in an interval that meets [1.945, 1.955]. Any other (2,
    0.5, 1e-12) is taken as it is, up to rounding in floating point.

    Args:
        measured: median and interval of the metric.
        reported: what the paper prints.
        region: where the claim expects the metric; "no difference" lies outside.

    Returns:
        None where the median or the paper's number is NaN.
    """
    if math.isnan(measured.median) or math.isnan(reported):
        return None
    slack = _slack(reported)
    if measured.low - slack <= reported <= measured.high + slack:
        return Standing.WITHIN
    if region.holds(measured.median) and region.holds(reported):
        return Standing.DIRECTION
    return Standing.NEITHER


def _slack(reported: float) -> float:
    """Half a unit of the last digit that is printed, where that says how far it was rounded."""
    if not math.isfinite(reported):
        return 0.0
    _, digits, exponent = Decimal(repr(reported)).normalize().as_tuple()
    rounded = len(digits) > 1 and isinstance(exponent, int) and exponent < 0
    half = 0.5 * 10.0**exponent if rounded and isinstance(exponent, int) else 0.0
    return half + _ROUNDING * abs(reported)
