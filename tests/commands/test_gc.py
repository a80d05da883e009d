"""`claimbench gc` removes what nothing can reach, and nothing else."""

import os

import pytest

from claimbench import verify
from claimbench.commands import gc
from claimbench.running.store import Store

ARTEFACT = """
@artefact
def prior(run: Run, *, size: int = 2) -> list[float]:
    return [0.0] * size


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note("run")
    size = len(run.artefact(prior))
    return {"value": scaled(1 + random.random(), scale), "size": size}
"""


@pytest.fixture
def paper(make_paper, monkeypatch):
    """A verified paper with an artefact, in the project that is the current folder."""
    paper = make_paper(code=ARTEFACT)
    monkeypatch.chdir(paper.folder.parents[1])
    verify(paper.folder)
    return paper


def artefacts(home):
    return [path for path in (home / "artefacts").iterdir() if path.is_dir()]


def test_nothing_goes_while_the_code_is_the_same(paper, store_home):
    before = Store(store_home).counts()
    assert gc.collect(days=0, dry=False) == 0
    assert Store(store_home).counts() == before
    assert len(artefacts(store_home)) == 1
    runs = paper.runs()
    verify(paper.folder)
    assert paper.runs() == runs


def test_runs_of_what_the_spec_passes_with_stay(make_paper, store_home, monkeypatch):
    known = {"verdict": "diverges", "finding": "it is small", "passes_with": {"scale": 5.0}}
    paper = make_paper(claims=[{"expect": {"value": {"at_least": 3}}, "known": known}])
    monkeypatch.chdir(paper.folder.parents[1])
    (result,) = verify(paper.folder)
    assert result.record.passes_with is not None
    assert result.record.passes_with.verdict == "reproduced"
    before = Store(store_home).counts()
    assert before["runs"] >= 1 + 3, "one seed of the claim, three of what passes"
    gc.collect(days=0, dry=False)
    assert Store(store_home).counts() == before
    runs = paper.runs()
    verify(paper.folder)
    assert paper.runs() == runs


def test_runs_and_artefacts_of_earlier_code_go(paper, store_home):
    paper.replace("[0.0] * size", "[1.0] * size")
    verify(paper.folder)
    assert len(artefacts(store_home)) == 2
    for path in artefacts(store_home):
        os.utime(path, (0, 0))
    counts = Store(store_home).counts()
    gc.collect(days=30, dry=True)
    assert Store(store_home).counts() == counts
    gc.collect(days=30, dry=False)
    assert Store(store_home).counts()["runs"] == counts["runs"] // 2
    assert Store(store_home).counts()["verdicts"] == counts["verdicts"]
    assert len(artefacts(store_home)) == 1
    runs = paper.runs()
    verify(paper.folder)
    assert paper.runs() == runs, "what the present code reaches is still there"


def test_young_artefacts_and_runs_of_other_projects_stay(paper, store_home, monkeypatch, tmp_path):
    paper.replace("[0.0] * size", "[1.0] * size")
    verify(paper.folder)
    gc.collect(days=30, dry=False)
    assert len(artefacts(store_home)) == 2
    runs = Store(store_home).counts()["runs"]
    paper.folder.rename(paper.folder.with_name("other"))
    gc.collect(days=30, dry=False)
    assert Store(store_home).counts()["runs"] == runs
