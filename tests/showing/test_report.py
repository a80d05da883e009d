"""The table of verdicts and what is said of a claim that is not as expected."""

import re

import pytest

from claimbench.judging.result import Result
from claimbench.judging.verdict import Verdict
from claimbench.running.workers.jobs import Failure
from claimbench.showing.report import failure_text, render, summary_line
from claimbench.showing.summary import as_markdown
from tests.records import RECORD, make_record

RATIO = {"median": 1.5, "low": 1.25, "high": 2.0, "values": [1.25, 1.5, 2.0]}
QUARTER, SIX = RECORD["controls"][0], {"held": 6, "seeds": 6}
ERROR = {"median": 3e-13, "low": 3e-13, "high": 3e-13, "values": [3e-13]}


def record(**changes):
    """A record with some fields changed."""
    fields = {
        "held": 6,
        "seeds": 6,
        "control": {"verdict": "diverged", "held": 0, "seeds": 6},
        "metrics": {"ratio": RATIO, "error": ERROR},
        "expect_text": {"ratio": "≥ 1.1", "error": "≤ 1e-12"},
        "reported": {"ratio": 1.95},
        "seconds": 1.26,
        "cpu_seconds": 1.2,
        "run_key": "one",
    }
    return make_record(**{**fields, **changes})


TABLE = """\
tiny · tier smoke · profile cpu
  claim          verdict       held  control       time
      metric  median [interval]  expected  the paper's
  holds          ✓ reproduced  6/6   rejected 0/6  1.3 s
      ratio   1.5 [1.25, 2]      ≥ 1.1     1.95
      error   3e-13              ≤ 1e-12
      control: quarter rejected 0/1
  a-longer-name  ✗ diverged    0/1   not run       0.1 s
      ratio   –                  ≥ 1.1     1.95
      error   –                  ≤ 1e-12
  skipped        – skipped                         0.0 s
      ratio   –                  > 0

other · tier full · profile cpu
  claim  verdict             held  control     time
      metric  median [interval]  expected  the paper's
  holds  ✗ diverged (known)  6/6   passes 6/6  1.3 s
      ratio   1.5 [1.25, 2]      ≥ 1.1     1.95
      error   3e-13              ≤ 1e-12
      controls: quarter rejected 0/1, twice passes 6/6

1 reproduced, 2 diverged (1 known), 1 skipped; runs of 3.7 CPU-seconds"""


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([{"cpu_seconds": 14.9}], ""),
        ([{"cpu_seconds": 15.2}], "; tiny took 15.2, above the 15 that smoke allows a paper"),
        (
            [{"cpu_seconds": 9, "run_key": key, "claim": key} for key in "ab"],
            "; tiny took 18.0, above the 15 that smoke allows a paper",
        ),
        ([{"cpu_seconds": 9, "run_key": name, "paper": name} for name in "ab"], ""),
        (
            [{"cpu_seconds": 601, "tier": "standard"}],
            "; tiny took 601.0, above the 600 that standard allows a paper",
        ),
        ([{"cpu_seconds": 599, "tier": "standard"}], ""),
        ([{"cpu_seconds": 9999, "tier": "full"}], ""),
    ],
)
def test_paper_above_its_budget_is_named_in_the_summary(records, told):
    records = [record(**changes) for changes in records]
    _, _, end = summary_line(records).partition(" CPU-seconds")
    assert end == told
    assert render(records, color=False).endswith(f" CPU-seconds{told}")
    markdown = as_markdown([Result(one, "pytest") for one in records])
    assert markdown.endswith(f" CPU-seconds{told}.\n")


def test_table():
    none = {"verdict": "not run", "held": 0, "seeds": 0}
    records = [
        record(),
        record(
            claim="a-longer-name",
            verdict="diverged",
            held=0,
            seeds=1,
            control=none,
            controls=[],
            metrics={},
            seconds=0.1,
            run_key="two",
            cpu_seconds=0.1,
        ),
        record(
            claim="skipped",
            verdict="skipped",
            seeds=1,
            metrics={},
            control=none,
            controls=[],
            expect_text={"ratio": "> 0"},
            reported={},
            seconds=0.0,
            run_key=None,
            cpu_seconds=0.0,
        ),
        record(
            paper="other",
            tier="full",
            verdict="diverged",
            known="a finding",
            known_verdict="diverged",
            control={"verdict": "reproduced", "held": 6, "seeds": 6},
            controls=[QUARTER, {**QUARTER, "name": "twice", "verdict": "reproduced", **SIX}],
            run_key="three",
            cpu_seconds=2.4,
        ),
    ]
    assert render(records, color=False).splitlines() == TABLE.splitlines()


@pytest.mark.parametrize("verdict", Verdict)
def test_colour_marks_the_claims_line_alone(verdict):
    plain = render([record(verdict=verdict.value)], color=False).splitlines()
    coloured = render([record(verdict=verdict.value)], color=True).splitlines()
    marked = [line for line in coloured if "\x1b" in line]
    assert len(marked) == 1
    assert f"{verdict.symbol} {verdict}" in marked[0]
    assert re.sub(r"\x1b\[\d+m", "", "\n".join(coloured)).splitlines() == plain


def test_summary_counts_shared_runs_once():
    records = [record(), record(claim="too"), record(run_key="two", cpu_seconds=0.34)]
    assert summary_line(records) == "3 reproduced; runs of 1.5 CPU-seconds"
    assert summary_line([]) == "no claim; runs of 0.0 CPU-seconds"


def test_of_shared_runs_those_of_the_claim_that_needed_most_count():
    records = [record(cpu_seconds=5.0), record(claim="too", cpu_seconds=2.0)]
    assert summary_line(records) == summary_line(records[::-1])
    assert summary_line(records).endswith("runs of 5.0 CPU-seconds")


def test_failure_is_one_line_then_the_command_that_repeats_it():
    told = record(verdict="diverged", reason="ratio is 1")
    text = failure_text(Result(told, "pytest tiny::holds"))
    assert text == "tiny::holds diverged: ratio is 1\nrepeat: pytest tiny::holds"


def test_error_shows_traceback_and_log_too():
    told = record(verdict="error", reason="seed 0: ValueError: no")
    failure = Failure("ValueError: no", "Traceback\n  here\n", "printed\n\n")
    assert failure_text(Result(told, "pytest tiny::holds", failure)).splitlines() == [
        "tiny::holds error: seed 0: ValueError: no",
        "repeat: pytest tiny::holds",
        "",
        "Traceback",
        "  here",
        "",
        "log of the run:",
        "printed",
    ]


def test_error_without_traceback_or_log_has_no_empty_headings():
    told = record(verdict="error", reason="seed 0: timed out")
    text = failure_text(Result(told, "pytest tiny::holds", Failure("timed out", "", " \n")))
    assert text.splitlines() == [
        "tiny::holds error: seed 0: timed out",
        "repeat: pytest tiny::holds",
    ]


def test_what_was_chosen_stands_below_the_metrics():
    choice = {
        "setting": {"lr": 0.01},
        "grid": {"lr": [0.001, 0.01]},
        "at_end": ["lr"],
        "seeds": 6,
    }
    lines = render([record(chosen={"AdamW": [choice]}), record(claim="b")], color=False)
    assert lines.count("chosen") == 1
    assert "control: quarter rejected 0/1\n      chosen: AdamW lr 0.01 (end of its grid)\n" in lines


def test_papers_number_says_how_ours_stands_to_it():
    lines = render([record(standing={"ratio": "direction only"})], color=False).splitlines()
    assert lines[4] == "      ratio   1.5 [1.25, 2]      ≥ 1.1     1.95, direction only"


def test_headlines_come_first_and_are_counted():
    found = render(
        [
            record(claim="a", run_key="a"),
            record(claim="b", headline=True, verdict="diverged", run_key="b"),
            record(claim="c", headline=True, run_key="c"),
        ],
        color=False,
    )
    assert re.findall(r"^  (\S.*?)  ", found, re.MULTILINE) == ["claim", "★ b", "★ c", "a"]
    assert found.splitlines()[-1].startswith(
        "1 of 2 headlines reproduced; 2 reproduced, 1 diverged; runs of"
    )
