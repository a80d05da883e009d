"""`pytest --claims PAPER[::CLAIM]` collects papers wherever they lie, and nothing else."""

import pytest

import claimbench.session.judging  # noqa: F401  pytester forgets what is first imported in it
from claimbench import suite
from claimbench.spec import discovery

SLOW = ("cacheprovider", "anyio", "jaxtyping", "hydra_pytest", "platformdirs", "hypothesispytest")
QUIET = tuple(word for name in SLOW for word in ("-p", f"no:{name}"))  # they load a lot
TWO = [{}, {"id": "fails", "expect": {"value": {"at_least": 3}}}]
PLAIN = "def test_plain(): raise ValueError"


@pytest.fixture
def collected(pytester):
    """Return the ids of what `pytest --collect-only …` collects, and its result."""

    def run(*arguments):
        result = pytester.runpytest_inprocess(*QUIET, "--collect-only", "-q", *arguments)
        return [line for line in result.outlines if "::" in line], result

    return run


@pytest.fixture
def project(pytester, paper_writer):
    """The current folder: a project with two papers and a test of its own."""
    pytester.makepyfile(test_plain=PLAIN)
    for slug in ("alpha", "beta"):
        paper_writer(pytester.path / "papers" / slug, claims=TWO)
    return pytester.path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["alpha"], ["alpha::holds", "alpha::fails"]),
        (["papers/beta"], ["beta::holds", "beta::fails"]),
        (["beta::fails"], ["beta::fails"]),
        (["papers/beta/claims.yaml::fails"], ["beta::fails"]),
        (["alpha::fails", "beta"], ["alpha::fails", "beta::holds", "beta::fails"]),
        (["alpha::fails", "alpha::holds"], ["alpha::holds", "alpha::fails"]),
        (["alpha::fails", "alpha"], ["alpha::holds", "alpha::fails"]),
        (["alpha", "alpha::fails"], ["alpha::holds", "alpha::fails"]),
        (["papers"], ["alpha::holds", "alpha::fails", "beta::holds", "beta::fails"]),
    ],
)
@pytest.mark.usefixtures("project")
def test_papers_and_claims(collected, words, expected):
    found, result = collected(*(part for word in words for part in ("--claims", word)))
    assert found == [
        f"papers/{slug}/claims.yaml::{claim}"
        for slug, _, claim in (name.partition("::") for name in expected)
    ]
    assert result.ret == 0


@pytest.mark.usefixtures("project")
def test_what_is_named_besides_is_collected_too(collected):
    found, _ = collected("--claims", "alpha::holds", "test_plain.py")
    assert found == ["test_plain.py::test_plain", "papers/alpha/claims.yaml::holds"]


@pytest.mark.usefixtures("project")
def test_testpaths_and_keywords(collected, pytester):
    pytester.makeini("[pytest]\ntestpaths = .\n")
    found, _ = collected("--claims", "alpha", "-k", "fails")
    assert found == ["papers/alpha/claims.yaml::fails"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("alpah", "ERROR: --claims: `alpah` is no paper in *papers; did you mean `alpha`?"),
        ("alpha::fail", "ERROR: --claims: alpha has no claim `fail`; did you mean `fails`?"),
        ("alpha::x", "ERROR: --claims: alpha has no claim `x`; there are: holds, fails"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_is_not_there_is_a_usage_error_with_a_guess(pytester, word, message):
    result = pytester.runpytest_subprocess(*QUIET, "--claims", word)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


@pytest.mark.usefixtures("project")
def test_spec_with_problems_is_a_collection_error(collected, pytester, paper_writer):
    paper_writer(pytester.path / "papers" / "bad", claims=[{"kind": "fact"}])
    _, result = collected("--claims", "bad::holds")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*claims.yaml:*: claim `holds`: `kind` must be *"])


def test_paper_in_a_virtual_environment_outside_the_rootdir(pytester, make_paper, collected):
    paper = make_paper("far", claims=TWO)
    (paper.folder.parents[1] / "pyvenv.cfg").write_text("")
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_plain=PLAIN)
    found, _ = collected(f"--claims={paper.folder}")
    assert found == ["far/claims.yaml::holds", "far/claims.yaml::fails"]


@pytest.mark.parametrize("xdist", [[], ["-n", "2"]])
def test_papers_that_claimbench_brings_run_and_say_how_to_repeat(
    pytester, paper_writer, monkeypatch, tmp_path, xdist
):
    root = tmp_path / "site-packages" / "suite"
    paper = paper_writer(root / "papers" / "brought", claims=TWO)
    (root / "common").mkdir()
    (root / "common" / "__init__.py").write_text("")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "set_root.py").write_text(
        "from pathlib import Path\n\nfrom claimbench import suite\n\n"
        f"suite.ROOT = Path({str(root)!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "own"))
    pytester.makepyfile(test_plain=PLAIN)
    pytester.makeconftest("collect_ignore_glob = ['*']")
    words = ("-p", "set_root", *xdist, "--claims", "brought")
    result = pytester.runpytest_subprocess(*QUIET, *words)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["repeat: pytest --claims brought::fails"])
    assert paper.runs()


def test_claim_is_told_by_its_node_where_the_suite_is_the_project(tmp_path, monkeypatch):
    folder = tmp_path / "papers" / "alpha"
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder.parent)
    assert discovery.claim_arguments(folder, "holds") == "alpha/claims.yaml::holds"
    monkeypatch.chdir(tmp_path.parent)
    assert discovery.claim_arguments(folder, "holds") == "--claims alpha::holds"
