"""Every paper at tier smoke: as expected, within its budget, on another instruction set too."""

import resource
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.engine import verify_papers
from harness.result import Result
from harness.settings import Settings

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "papers").glob("*/claims.yaml"))
BUDGET = 15.0
"""CPU-seconds of a whole paper at smoke, with imports, seeds and controls. The second execution
that looks for determinism comes on top: it is the harness's check, not the paper's."""


@dataclass(frozen=True)
class Smoke:
    """What a paper gave from a cold store, and the CPU-seconds that it took."""

    results: list[Result]
    cpu_seconds: float


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def folder(request) -> Path:
    """A paper folder."""
    return request.param


@pytest.fixture(scope="module")
def home(tmp_path_factory, folder: Path) -> Path:
    """A cold store of the paper's own."""
    return tmp_path_factory.mktemp(folder.name)


@pytest.fixture(scope="module")
def smoke(folder: Path, home: Path) -> Smoke:
    """The paper at smoke under the profile `cpu`."""
    before = cpu_seconds()
    verify_papers([folder], None, Settings(home=home, repeat=False))
    spent = cpu_seconds() - before
    return Smoke(verify_papers([folder], None, Settings(home=home)), spent)


def cpu_seconds() -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def test_every_claim_is_as_expected(smoke: Smoke):
    assert [r.headline for r in smoke.results if not r.as_expected] == []


def test_budget_is_kept(smoke: Smoke):
    assert smoke.cpu_seconds <= BUDGET


def test_every_control_was_run_and_rejected(smoke: Smoke):
    reproduced = [r for r in smoke.results if r.verdict == "reproduced"]
    assert {r.record["control"]["verdict"] for r in reproduced} <= {"diverged"}


def test_verdicts_agree_under_a_baseline_instruction_set(smoke: Smoke, folder: Path, home: Path):
    others = verify_papers([folder], None, Settings(home=home, profile="baseline"))
    assert [r.verdict for r in others] == [r.verdict for r in smoke.results]
    keys = [result.record["run_key"] for result in smoke.results]
    assert not set(keys) & {result.record["run_key"] for result in others}, "never mixed"
