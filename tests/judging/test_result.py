"""What is said of a claim, as data and in words."""

import math

import pytest

from claimbench.judging.record import Measured
from claimbench.judging.recording import commit_of, summarise
from claimbench.judging.result import Result
from claimbench.judging.verdict import Verdict
from claimbench.judging.words import counted, interval_text, number
from claimbench.running.store import StoredRun
from tests.records import make_record


def result(verdict, *, known=None, **changes):
    """A result of which only the verdict matters."""
    record = make_record(verdict=verdict, known_verdict=known, reason="why", **changes)
    return Result(record, "pytest tiny")


def stored(**metrics):
    """A finished run."""
    return StoredRun(0, metrics, "2024-01-01T00:00:00+00:00", 1.0, 1.0, None)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, {"reproduced", "skipped"}),
        ("diverged", {"diverged", "skipped"}),
        ("vacuous", {"vacuous", "skipped"}),
    ],
)
def test_as_expected(known, expected):
    assert {verdict for verdict in Verdict if result(verdict, known=known).as_expected} == expected


def test_words_of_a_result():
    assert result("diverged").line == "tiny::holds diverged: why"
    assert result("reproduced", known="vacuous").line == (
        "tiny::holds reproduced, though the spec knows it as vacuous: why"
    )
    assert (result("error").verdict, result("error").claim, result("error").reason) == (
        *("error", "holds", "why"),
    )


def test_measured_is_what_has_metrics():
    assert result("diverged").measured
    assert not result("skipped", metrics={}).measured


def test_summary_has_median_interval_and_values_in_order():
    runs = [stored(a=3.0, b=1.0), stored(a=1.0, b=1.0), stored(a=2.0, b=1.0)]
    assert summarise(runs) == {
        "a": Measured(median=2.0, low=1.0, high=3.0, values=(3.0, 1.0, 2.0)),
        "b": Measured(median=1.0, low=1.0, high=1.0, values=(1.0, 1.0, 1.0)),
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
    assert interval_text(Measured(1.5, low, high, ())) == text


def test_counts_for_a_reader():
    assert [counted(n, "seed") for n in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]


def test_commit_of_a_verdict_is_that_of_the_last_run_or_of_one_that_is_in_no_commit():
    runs = [
        StoredRun(0, {}, f"2026-01-0{day}T00:00:00+00:00", 1.0, 1.0, None, commit)
        for day, commit in ((2, "b"), (1, "a+"), (3, "c"))
    ]
    assert commit_of(runs) == "a+"
    assert commit_of([runs[0], runs[2]]) == "c"
    assert commit_of([runs[2], runs[0]]) == "c"
