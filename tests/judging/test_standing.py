"""How our number stands to the paper's."""

import math

import pytest

from claimbench.judging.record import Measured
from claimbench.judging.standing import standing
from claimbench.spec.region import Region

OVER = Region(at_least=1.1)


def ours(median: float, low: float, high: float) -> Measured:
    return Measured(median, low, high, (low, median, high))


@pytest.mark.parametrize(
    ("median", "low", "high", "reported", "expected"),
    [
        (1.27, 1.21, 1.31, 1.95, "direction only"),
        (1.9, 1.7, 2.1, 1.95, "within"),
        (1.9, 1.7, 1.9447, 1.95, "direction only"),  # beyond what rounds to 1.95
        (1.9, 1.7, 1.9452, 1.95, "within"),
        (1.98, 1.956, 2.1, 1.95, "direction only"),
        (1.98, 1.954, 2.1, 1.95, "within"),
        (2.2, 2.1, 2.3, 2.0, "direction only"),  # whole: not rounded
        (1.05, 1.0, 1.2, 1.95, "neither"),  # our median misses the region
        (1.05, 1.0, 1.2, 1.15, "within"),  # whatever the region says
        (1.3, 1.2, 1.4, 1.05, "neither"),  # the paper's number misses it
        (0.9, 0.8, 1.0, 0.7, "neither"),  # both do
        (math.inf, 1.2, math.inf, 1.15, "neither"),
        (math.nan, math.nan, math.nan, 1.95, None),
    ],
)
def test_standing_to_the_papers_number(median, low, high, reported, expected):
    assert standing(ours(median, low, high), reported, OVER) == expected


@pytest.mark.parametrize(
    ("value", "reported", "expected"),
    [
        (0.46, 0.5, "direction only"),  # one digit says nothing of rounding
        (0.5 + 1e-12, 0.5, "within"),
        (0.33333, 0.333, "within"),
        (0.3341, 0.333, "direction only"),
        (12.4, 12.0, "direction only"),
        (1200.04, 1200.1, "direction only"),
        (3e-13, 1e-12, "direction only"),
        (1.23e-5, 1.2e-5, "within"),
    ],
)
def test_printed_number_stands_for_what_rounds_to_it(value, reported, expected):
    assert standing(Measured.of([value]), reported, Region(above=0.0)) == expected
