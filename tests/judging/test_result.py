"""What is said of a claim, as data and in words."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbench.judging.result import VERDICTS, Result, interval_text, jsonable, number, summarise
from claimbench.running.store import StoredRun


def result(verdict, *, known=None, metrics=None):
    """A result of which only the verdict matters."""
    record = {
        "paper": "tiny",
        "claim": "holds",
        "verdict": verdict,
        "reason": "why",
        "metrics": metrics or {},
    }
    return Result(record, known, "pytest tiny")


def stored(**metrics):
    """A finished run."""
    return StoredRun(0, metrics, "2024-01-01T00:00:00+00:00", 1.0, 1.0, None)


@pytest.mark.parametrize(
    ("known", "expected"),
    [(None, {"reproduced", "skipped"}), ("a finding", {"diverged", "skipped"})],
)
def test_as_expected(known, expected):
    assert {verdict for verdict in VERDICTS if result(verdict, known=known).as_expected} == expected


def test_words_of_a_result():
    assert result("diverged").headline == "tiny::holds diverged: why"
    assert result("reproduced", known="a finding").headline == (
        "tiny::holds reproduced, though the spec knows it as diverging: why"
    )
    assert (result("error").verdict, result("error").claim, result("error").reason) == (
        *("error", "holds", "why"),
    )


def test_measured_is_what_has_metrics():
    assert result("diverged", metrics={"value": {}}).measured
    assert not result("skipped").measured


def test_summary_has_median_interval_and_values_in_order():
    runs = [stored(a=3.0, b=1.0), stored(a=1.0, b=1.0), stored(a=2.0, b=1.0)]
    assert summarise(runs) == {
        "a": {"median": 2.0, "low": 1.0, "high": 3.0, "values": [3.0, 1.0, 2.0]},
        "b": {"median": 1.0, "low": 1.0, "high": 1.0, "values": [1.0, 1.0, 1.0]},
    }
    assert summarise([]) == {}


def test_summary_leaves_out_what_some_run_does_not_have():
    assert summarise([stored(a=1.0, b=2.0), stored(a=2.0)]).keys() == {"a"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (-13.0, "-13"),
        (999999.0, "999999"),
        (1000000.0, "1e+06"),
        (1234567.0, "1.2346e+06"),
        (1 / 3, "0.33333"),
        (1.23456e-12, "1.2346e-12"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_number_for_a_reader(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.5, 1.5, "1.5"),
        (1.0, 2.0, "1.5 [1, 2]"),
        (-math.inf, 2.0, "1.5 [-inf, 2]"),
        (1.4999999, 1.5, "1.5"),
    ],
)
def test_interval_for_a_reader(low, high, text):
    assert interval_text({"median": 1.5, "low": low, "high": high}) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=20,
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(json_values)
def test_every_record_becomes_strict_json(value):
    text = json.dumps(jsonable(value), allow_nan=False)
    assert jsonable(json.loads(text)) == json.loads(text)


def test_what_is_not_finite_becomes_text():
    value = {"a": [math.inf, (-math.inf, 1.0, math.nan)]}
    assert jsonable(value) == {"a": ["inf", ["-inf", 1.0, "nan"]]}
