"""Two papers of one name are not mixed up, wherever pytest takes its root to be."""

import re

import pytest

from claimbench.cli import main
from claimbench.errors import UsageError
from claimbench.spec.discovery import tell_apart

FAR = [{"expect": {"value": {"at_least": 3}}}]


@pytest.fixture
def twins(pytester, paper_writer):
    """Two papers of one name below two folders, and an empty folder to be the root."""
    pytester.mkdir("root")
    return [
        paper_writer(pytester.path / "a" / "papers" / "same"),
        paper_writer(pytester.path / "b" / "papers" / "same", claims=FAR),
    ]


def refusal(twins):
    one, other = (str(paper.folder) for paper in twins)
    return (
        f"two papers are called `same`, {one} and {other}, and their verdicts would be mixed up; "
        "run one at a time"
    )


@pytest.mark.parametrize("root", [[], ["--rootdir=root"]])
@pytest.mark.parametrize(("xdist", "ran"), [([], 0), (["-n", "2"], 1)])  # it goes on with others
@pytest.mark.parametrize("option", [[], ["--claims"]])
def test_two_papers_of_one_name_are_refused(pytester, twins, root, xdist, ran, option):
    words = [word for paper in twins for word in (*option, paper.folder)]
    result = pytester.runpytest_subprocess(*root, *xdist, *words)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret != pytest.ExitCode.OK
    assert refusal(twins) in re.sub(r"\n", " ", text)
    assert "INTERNALERROR" not in text
    assert sum(bool(paper.runs()) for paper in twins) == ran
    assert twins[1].runs() == []


def test_each_alone_is_fine(pytester, twins):
    for paper, outcome in zip(twins, ("passed", "failed"), strict=True):
        result = pytester.runpytest_subprocess("--rootdir=root", paper.folder)
        result.assert_outcomes(**{outcome: 1})


def test_verify_refuses_them_too(twins, capsys):
    assert main(["verify", *(str(paper.folder) for paper in twins)]) == 2
    assert capsys.readouterr().err == f"claimbench: {refusal(twins)}\n"
    assert [paper.runs() for paper in twins] == [[], []]


@pytest.mark.parametrize("xdist", [[], ["-n", "2"]])
def test_one_paper_under_two_paths_is_one(pytester, twins, xdist):
    (pytester.path / "link").symlink_to(pytester.path / "a")
    link = pytester.path / "link" / "papers" / "same"
    tell_apart([twins[0].folder, link])
    result = pytester.runpytest_subprocess("--rootdir=root", *xdist, twins[0].folder, link)
    assert result.ret == pytest.ExitCode.OK
    with pytest.raises(UsageError):
        tell_apart([link, twins[1].folder])
