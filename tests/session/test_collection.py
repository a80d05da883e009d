"""Papers that were collected before are collected without any model, and judged as collected."""

import subprocess
import sys

import pytest

import claimbench.session.judging  # noqa: F401  pytester forgets what is first imported in it

OTHERS = ("anyio", "jaxtyping", "hydra_pytest")  # which load a lot
QUIET = tuple(word for name in OTHERS for word in ("-p", f"no:{name}"))
LOADED = """
import sys

def pytest_unconfigure():
    heavy = {"pydantic", "yaml", "claimbench.running.engine"}
    print("loaded:", sorted(heavy & set(sys.modules)))
"""
REWRITE = """
from pathlib import Path

def pytest_collection_finish(session):
    path = Path("papers/tiny/claims.yaml")
    path.write_text(path.read_text().replace("at_least: 1", "at_least: 3"))
"""


@pytest.fixture
def loaded(make_paper, tmp_path, monkeypatch):
    """Return what is loaded at the end of `pytest --collect-only …` of a paper."""
    make_paper(
        claims=[
            {},
            {
                "id": "fails",
                "known": {"verdict": "diverges", "finding": "seen", "passes_with": "none"},
            },
        ]
    )
    (tmp_path / "loaded.py").write_text(LOADED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", *QUIET, "-p", "loaded", "--collect-only", "-q"]
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "papers/tiny/claims.yaml::fails" in done.stdout
        return done.stdout.splitlines()[-1]

    return run


@pytest.mark.parametrize(
    "arguments", [["papers"], ["papers", "-k", "fails"], ["--claims", "tiny::fails"]], ids=" ".join
)
def test_collecting_again_loads_neither_models_nor_engine(loaded, arguments):
    assert loaded(*arguments).startswith("loaded: ['pydantic', 'yaml'")
    assert loaded(*arguments) == "loaded: []"


def test_what_is_judged_was_collected(pytester, paper_writer):
    paper_writer(pytester.path / "papers" / "tiny")
    pytester.makeconftest(REWRITE)
    pytester.runpytest_inprocess(*QUIET, "-q", "papers").assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*QUIET, "-q", "papers").assert_outcomes(failed=1)
