"""Regions: what lies inside, how they read, and which are no region."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from claimbench.spec.region import Region

FORMS = [
    ({"at_least": 1.1}, "≥ 1.1", [1.1, 2.0], [math.nextafter(1.1, 0), -5.0]),
    ({"above": 0}, "> 0", [5e-324, 3.0], [0.0, -1.0]),
    ({"at_most": -2}, "≤ -2", [-2.0, -3.0], [-1.9]),
    ({"below": 1e-9}, "< 1e-09", [0.0], [1e-9, 1.0]),
    ({"between": [0.9, 1.1]}, "in [0.9, 1.1]", [0.9, 1.0, 1.1], [0.8, 1.2]),
    ({"at_least": 0, "below": 1}, "in [0, 1)", [0.0, 0.5], [1.0, -0.1]),
    ({"above": 0, "at_most": 1}, "in (0, 1]", [1.0, 0.5], [0.0, 1.1]),
    ({"at_least": 2, "at_most": 2}, "in [2, 2]", [2.0], [2.1, 1.9]),
    ({"equals": 1.0005, "abs": 1e-9}, "= 1.0005 ± 1e-09", [1.0005], [1.0006, 1.00050001]),
    ({"equals": -4, "rel": 0.25}, "= -4 ± 0.25 relative", [-5.0, -3.0], [-5.1, -2.9, 4.0]),
]


@pytest.mark.parametrize(("keys", "text", "inside", "outside"), FORMS)
def test_region_holds_and_reads(keys, text, inside, outside):
    region = Region.model_validate(keys)
    assert str(region) == text
    assert [region.holds(value) for value in inside] == [True] * len(inside)
    assert [region.holds(value) for value in outside] == [False] * len(outside)
    assert not region.holds(math.inf)
    assert not region.holds(-math.inf)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN is neither inside nor outside a region"):
        Region(at_least=0.0).holds(math.nan)


def test_bounds_are_accessible():
    assert (Region(above=1.0).lower, Region(above=1.0).upper) == (1.0, math.inf)
    assert (Region(above=1.0).lower_open, Region(at_least=1.0).lower_open) == (True, False)
    assert (Region(below=1.0).upper_open, Region(at_most=1.0).upper_open) == (True, False)
    equal = Region(equals=8.0, rel=0.5)
    assert (equal.lower, equal.upper, equal.tolerance) == (4.0, 12.0, 4.0)
    between = Region.model_validate({"between": [2, 3]})
    assert (between.lower, between.upper, between.tolerance) == (2.0, 3.0, None)


REFUSED = [
    ({}, None, "no bound: write at_least, above, at_most, below, between or equals"),
    (
        {"at_least": None},
        None,
        "no bound: write at_least, above, at_most, below, between or equals",
    ),
    ({"between": [1, 2], "above": 0}, "above", "`between` is a whole region; remove `above`"),
    (
        {"equals": 1, "abs": 1, "at_most": 3},
        "at_most",
        "`equals` is a whole region; remove `at_most`",
    ),
    ({"at_least": 1, "above": 0}, "above", "write `at_least` or `above`, not both"),
    ({"at_most": 1, "below": 0}, "below", "write `at_most` or `below`, not both"),
    ({"at_least": 1, "abs": 1}, "abs", "`abs` is the tolerance of `equals`, which is not there"),
    ({"equals": 1}, "equals", "`equals` needs a tolerance: add `abs` or `rel`"),
    ({"equals": 1, "abs": 1, "rel": 1}, "rel", "write `abs` or `rel`, not both"),
    ({"equals": 0, "rel": 1}, "rel", "`rel` of 0 is 0: write `abs`"),
    ({"between": [1, 1]}, "between", "1 is not below 1"),
    ({"at_least": 2, "at_most": 1}, "at_most", "`at_least: 2` and `at_most: 1` leave no number"),
    ({"above": 1, "at_most": 1}, "at_most", "`above: 1` and `at_most: 1` leave no number"),
    ({"at_least": 1, "below": 1}, "below", "`at_least: 1` and `below: 1` leave no number"),
]


@pytest.mark.parametrize(("keys", "key", "sentence"), REFUSED)
def test_what_is_no_region(keys, key, sentence):
    with pytest.raises(ValidationError) as caught:
        Region.model_validate(keys)
    (error,) = caught.value.errors()
    assert (error["type"], error["ctx"]) == ("refusal", {"sentence": sentence, "key": key})


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(derandomize=True)
@given(numbers, numbers, numbers)
def test_between_is_both_closed_bounds(a, b, value):
    low, high = sorted((a, b + 1 if a == b else b))
    if low < high:
        both = Region(at_least=low, at_most=high)
        assert Region(between=(low, high)).holds(value) == both.holds(value)
        assert both.holds(value) == (both.lower <= value <= both.upper)


@settings(derandomize=True)
@given(numbers, numbers)
def test_a_number_lies_above_or_at_most(bound, value):
    assert Region(above=bound).holds(value) != Region(at_most=bound).holds(value)
    assert Region(below=bound).holds(value) != Region(at_least=bound).holds(value)


@settings(derandomize=True)
@given(numbers)
def test_json_round_trip(bound):
    region = Region(above=bound)
    assert Region.model_validate_json(region.model_dump_json()) == region
