"""Every paper at tier smoke: as expected, on another instruction set too."""

from pathlib import Path

import pytest

from claimbench.judging.result import Result
from claimbench.running.engine import verify_papers
from claimbench.settings import Settings

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "papers").glob("*/claims.yaml"))


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def folder(request) -> Path:
    """A paper folder."""
    return request.param


@pytest.fixture(scope="module")
def home(tmp_path_factory, folder: Path) -> Path:
    """A cold store of the paper's own."""
    return tmp_path_factory.mktemp(folder.name)


@pytest.fixture(scope="module")
def smoke(folder: Path, home: Path) -> list[Result]:
    """The paper at smoke under the profile `cpu`."""
    return verify_papers([folder], None, Settings(home=home))


def test_every_claim_is_as_expected(smoke: list[Result]):
    assert [r.headline for r in smoke if not r.as_expected] == []


def test_every_control_was_run_and_rejected(smoke: list[Result]):
    reproduced = [r for r in smoke if r.verdict == "reproduced"]
    assert {r.record.control.verdict for r in reproduced} <= {"diverged"}


def test_verdicts_agree_under_a_baseline_instruction_set(
    smoke: list[Result], folder: Path, home: Path
):
    others = verify_papers([folder], None, Settings(home=home, profile="baseline"))
    assert [r.verdict for r in others] == [r.verdict for r in smoke]
    keys = [result.record.run_key for result in smoke]
    assert not set(keys) & {result.record.run_key for result in others}, "never mixed"
