"""What `make papers` and `make baseline` demand of verdicts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "verdicts.py"


def record(claim, verdict="reproduced", *, control="diverged", key="k"):
    found = {"paper": "lion", "claim": claim, "verdict": verdict, "run_key": key}
    return {**found, "control": {"verdict": control}}


@pytest.fixture
def checked(tmp_path):
    """Return a function from verdicts under one or two profiles to exit code and output."""

    def check(*sets):
        files = [tmp_path / f"{number}.json" for number in range(len(sets))]
        for file, records in zip(files, sets, strict=True):
            file.write_text(json.dumps(records), encoding="utf-8")
        words = [sys.executable, SCRIPT, *files]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout

    return check


def test_every_control_was_run_and_rejected(checked):
    good = [record("a"), record("b", "diverged", control=""), record("c", "skipped", control="")]
    assert checked(good) == (0, "")
    assert checked([record("a", control="")]) == (
        1,
        "lion::a: reproduced, but its control is not run\n",
    )
    assert checked([record("a", control="reproduced")]) == (
        1,
        "lion::a: reproduced, but its control is reproduced\n",
    )


def test_what_claimbench_run_wrote_is_read_too(checked):
    assert checked({"verdicts": [record("a")]}) == (0, "")
    code, out = checked({"verdicts": [record("a", control="reproduced")]})
    assert (code, out) == (1, "lion::a: reproduced, but its control is reproduced\n")


def test_verdicts_agree_under_another_profile(checked):
    cpu = [record("a", key="k"), record("b", "skipped", key="", control="")]
    assert checked(cpu, [record("a", key="l"), *cpu[1:]]) == (0, "")
    assert checked(cpu, [record("a", "diverged", key="l", control="")]) == (
        1,
        "lion::a: reproduced, but diverged under the other profile\n"
        "lion::b: skipped, but not run under the other profile\n",
    )


def test_runs_of_two_profiles_are_never_mixed(checked):
    assert checked([record("a")], [record("a")]) == (1, "lion::a: one run under two profiles\n")
