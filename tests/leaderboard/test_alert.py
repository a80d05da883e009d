"""Which claims raise an alert: those that are worse than they were, unless the spec knows why."""

from __future__ import annotations

import pytest

from claimbench.leaderboard.alert import alerts, as_markdown
from claimbench.leaderboard.merging import merge

DAYS = [f"2026-01-0{day}T00:00:00+00:00" for day in range(1, 5)]


@pytest.fixture
def history(make_file):
    """Return a maker of files whose claim had these verdicts, a day each, on one CPU."""

    def make(*verdicts, **last):
        count = len(verdicts)
        return merge(
            make_file(
                "lion",
                a={
                    "verdict": verdict,
                    "judged_at": day,
                    "run_key": day,
                    **(last if number == count else {}),
                },
            )
            for number, (verdict, day) in enumerate(zip(verdicts, DAYS, strict=False), 1)
        )

    return make


@pytest.mark.parametrize(
    ("verdicts", "last", "found"),
    [
        (["reproduced"], {}, []),
        (["diverged"], {}, []),
        (["reproduced", "diverged"], {}, [("reproduced", "diverged")]),
        (["reproduced", "diverged"], {"known": "the finding"}, []),
        (["diverged", "reproduced"], {}, []),
        (["reproduced", "diverged", "reproduced"], {}, []),
        (["reproduced", "diverged", "diverged"], {}, [("reproduced", "diverged")]),
        (["reproduced", "error"], {"known": "the finding"}, [("reproduced", "error")]),
    ],
)
def test_alert_is_for_what_got_worse_and_is_not_known(history, verdicts, last, found):
    raised = alerts(history(*verdicts, **last))
    assert [(one.before["verdict"], one.event["verdict"]) for one in raised] == found
    assert all(one.name == "lion::a (smoke, cpu)" for one in raised)


def test_event_is_when_it_became_so_and_before_is_the_last_better_one(history):
    (one,) = alerts(history("reproduced", "reproduced", "diverged", "diverged"))
    assert (one.before["date"], one.event["date"]) == (DAYS[0], DAYS[2])


def test_another_cpu_is_no_witness(make_file):
    files = merge(
        [
            make_file("lion", a={"judged_at": DAYS[0]}),
            make_file("lion", a={"cpu": "CPU B", "verdict": "diverged", "judged_at": DAYS[1]}),
        ]
    )
    assert alerts(files) == []


def test_table_says_verdict_values_date_and_commit(history):
    text = as_markdown(alerts(history("reproduced", "diverged", cpu="CPU A", commit="def")))
    assert text == (
        "| claim | was | is | CPU |\n"
        "| :-- | :-- | :-- | :-- |\n"
        "| `lion::a (smoke, cpu)` | ✓ reproduced; value 1.5; 2026-01-01 at abc "
        "| ✗ diverged; value 1.5; 2026-01-02 at def | CPU A |\n"
    )
    assert as_markdown([]) == "No claim is worse than it was.\n"
