"""Merging loses nothing, mixes nothing, and does not depend on the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbench.judging.verdict import Verdict
from claimbench.leaderboard.merging import flips, join, merge
from claimbench.leaderboard.published import Entry, Event, Published, PublishedResult
from tests.records import make_record

DAYS = [f"2026-01-0{day}T00:00:00+00:00" for day in range(1, 5)]


def entry(cpu: str, judged_at: str | None, verdict: str) -> Entry:
    record = make_record(cpu=cpu, judged_at=judged_at, verdict=verdict)
    return join([Entry({cpu: PublishedResult(record, {})}, ())])


def event(cpu: str, verdict: str) -> Event:
    return replace(PublishedResult(make_record(cpu=cpu), {}).event(), verdict=Verdict(verdict))


ENTRIES = st.builds(
    entry,
    st.sampled_from(["CPU A", "CPU B"]),
    st.sampled_from([None, *DAYS]),
    st.sampled_from(["reproduced", "diverged", "error"]),
)
FILES = st.lists(
    st.builds(
        lambda paper, tier, claim, one: Published("cpu", tier, paper, {claim: one}),
        st.sampled_from(["lion", "tiger"]),
        st.sampled_from(["smoke", "standard"]),
        st.sampled_from(["a", "b"]),
        ENTRIES,
    ),
    max_size=8,
)


@given(FILES, st.randoms())
def test_order_and_grouping_do_not_matter(files: list[Published], random: Any):
    whole = merge(files)
    shuffled = list(files)
    random.shuffle(shuffled)
    cut = random.randint(0, len(files))
    assert merge(shuffled) == whole
    assert merge([*merge(shuffled[:cut]), *merge(shuffled[cut:])]) == whole
    assert merge([*whole, *whole]) == whole


@given(FILES)
def test_nothing_is_lost(files: list[Published]):
    whole = {
        (file.paper, file.tier, claim): one
        for file in merge(files)
        for claim, one in file.entries.items()
    }
    for file in files:
        for claim, one in file.entries.items():
            kept = whole[file.paper, file.tier, claim]
            for cpu, result in one.results.items():
                assert result.event() in kept.history
                assert not result.follows(kept.results[cpu])


def test_newest_of_each_cpu_stands_and_history_is_in_order():
    whole = join(
        [
            entry("CPU A", DAYS[2], "diverged"),
            entry("CPU A", DAYS[0], "reproduced"),
            entry("CPU B", DAYS[1], "reproduced"),
        ]
    )
    assert {cpu: one.record.verdict for cpu, one in whole.results.items()} == {
        "CPU A": "diverged",
        "CPU B": "reproduced",
    }
    assert [event.date for event in whole.history] == DAYS[:3]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["reproduced"], [(None, "reproduced")]),
        (["reproduced", "reproduced"], [(None, "reproduced")]),
        (
            ["reproduced", "diverged", "diverged", "reproduced"],
            [(None, "reproduced"), ("reproduced", "diverged"), ("diverged", "reproduced")],
        ),
    ],
)
def test_flips_are_seen(verdicts: Sequence[str], expected: list[tuple[str | None, str]]):
    history = [event("CPU A", verdict) for verdict in verdicts]
    assert [(before, now.verdict) for now, before in flips(history)] == expected


def test_another_cpu_is_no_flip():
    history = [
        event("CPU A", "reproduced"),
        event("CPU B", "diverged"),
        event("CPU A", "reproduced"),
    ]
    assert [(now.cpu, before) for now, before in flips(history)] == [
        ("CPU A", None),
        ("CPU B", None),
    ]
