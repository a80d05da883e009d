"""An alert names the claims that are worse than they were, and only those."""

from __future__ import annotations

import pytest

from claimbench.leaderboard.alert import alerts, as_markdown
from claimbench.leaderboard.merging import merge

DAYS = [f"2026-01-0{day}T00:00:00+00:00" for day in range(1, 5)]


@pytest.fixture
def history(make_file):
    """Return the file of a claim that had these verdicts, a day each, on one CPU model."""

    def make(*verdicts: str, **more):
        return merge(
            make_file("lion", a={"verdict": verdict, "judged_at": day, "commit": day[8:10], **more})
            for day, verdict in zip(DAYS, verdicts, strict=False)
        )

    return make


@pytest.mark.parametrize(
    ("verdicts", "before"),
    [
        (("reproduced",), None),
        (("reproduced", "reproduced"), None),
        (("diverged",), None),
        (("diverged", "reproduced"), None),
        (("diverged", "vacuous"), None),
        (("reproduced", "diverged"), "reproduced"),
        (("reproduced", "diverged", "diverged"), "reproduced"),
        (("reproduced", "diverged", "reproduced"), None),
        (("reproduced", "inconclusive", "error"), "inconclusive"),
        (("error", "diverged"), None),
        (("reproduced", "error", "diverged"), "reproduced"),
    ],
)
def test_worse_than_an_earlier_verdict(history, verdicts, before):
    found = alerts(history(*verdicts))
    assert [one.before.verdict for one in found] == ([before] if before else [])
    assert all(one.event.verdict == verdicts[-1] for one in found)
    assert all(one.name == "lion::a (smoke, cpu)" for one in found)


def test_divergence_that_the_spec_knows_is_none(history):
    assert (
        alerts(history("reproduced", "diverged", known="a finding", known_verdict="diverged")) == []
    )
    assert (
        len(alerts(history("reproduced", "error", known="a finding", known_verdict="diverged")))
        == 1
    )


def test_each_cpu_model_is_compared_with_itself(make_file):
    first = make_file("lion", a={"verdict": "reproduced", "judged_at": DAYS[0]})
    other = make_file("lion", a={"verdict": "error", "judged_at": DAYS[1], "cpu": "CPU B"})
    later = make_file("lion", a={"verdict": "diverged", "judged_at": DAYS[2]})
    assert alerts(merge([first, other])) == []
    (one,) = alerts(merge([first, other, later]))
    assert (one.cpu, one.event.verdict) == ("CPU A", "diverged")


def test_table_and_one_sentence(history):
    infinite = {"median": "inf", "low": "inf", "high": "inf", "values": ["inf"]}
    files = history("reproduced", "diverged", metrics={"value": infinite})
    assert as_markdown(alerts(files)).splitlines() == [
        "| claim | was | is | CPU |",
        "| :-- | :-- | :-- | :-- |",
        "| `lion::a (smoke, cpu)` | ✓ reproduced; value inf; 2026-01-01 at 01 "
        "| ✗ diverged; value inf; 2026-01-02 at 02 | CPU A |",
    ]
    assert as_markdown([]) == "No claim is worse than it was.\n"
