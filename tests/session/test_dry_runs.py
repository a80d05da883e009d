"""What asks pytest to show, and not to run, runs no claim."""

import pytest

QUIET = ("-p", "no:cacheprovider")


@pytest.fixture
def paper(make_paper):
    return make_paper(claims=[{}, {"id": "again"}])


@pytest.mark.parametrize(
    "xdist", [["-n", "2"], ["-n", "2", "--dist", "loadfile"], ["-d", "--tx", "2*popen"]]
)
def test_plan_has_no_use_for_other_processes(pytester, paper, xdist):
    result = pytester.runpytest_subprocess(*QUIET, "--plan", *xdist, paper.folder)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "claimbench: --plan runs nothing, so that -n and --dist have no meaning",
            "tiny::holds     5 to run,    0 stored  never ran before",
            "5 runs, none of which ever ran before",
        ]
    )
    assert "INTERNALERROR" not in result.stdout.str()
    assert paper.runs() == []


def test_plan_alone_says_nothing_of_other_processes(pytester, paper):
    result = pytester.runpytest_subprocess(*QUIET, "--plan", paper.folder)
    assert result.ret == pytest.ExitCode.OK
    assert "have no meaning" not in result.stdout.str()


@pytest.mark.parametrize("xdist", [[], ["-n", "2"]])
@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--collect-only"])
def test_what_shows_runs_nothing_and_stores_nothing(pytester, paper, store_home, option, xdist):
    result = pytester.runpytest_subprocess(*QUIET, option, *xdist, paper.folder)
    assert result.ret == pytest.ExitCode.OK
    assert "INTERNALERROR" not in result.stdout.str()
    assert paper.runs() == []
    assert not (store_home / "store.sqlite").exists()
