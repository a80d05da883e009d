"""How problems are shown."""

from pathlib import Path

import pytest

from claimbench.errors import ClaimbenchError
from claimbench.spec.problems import Problem, SpecError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rendering_of_two_problems(here):
    path = here / "papers/lion/claims.yaml"
    control = "    control: {beta: 0.99}"
    error = SpecError(
        "lion",
        [
            Problem(path, 34, 15, "control sets `beta`", control, 4),
            Problem(path, 31, 5, "unknown key `expects`", "    expects: {at_most: 0.5}", 7),
        ],
    )
    assert isinstance(error, ClaimbenchError)
    assert [problem.line for problem in error.problems] == [31, 34]
    assert str(error) == (
        "papers/lion/claims.yaml:31:5: unknown key `expects`\n"
        "   31 |     expects: {at_most: 0.5}\n"
        "      |     ^^^^^^^\n"
        "papers/lion/claims.yaml:34:15: control sets `beta`\n"
        "   34 |     control: {beta: 0.99}\n"
        "      |               ^^^^\n"
        "2 problems. Fix them, then run: claimbench check lion"
    )


def test_one_problem_without_a_line(here):
    error = SpecError("lion", [Problem(Path("lion/README.md"), 1, 1, "no such file")])
    assert str(error) == (
        "lion/README.md:1:1: no such file\n1 problem. Fix it, then run: claimbench check lion"
    )


def test_path_outside_the_working_directory(here, monkeypatch):
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    assert str(Problem(here / "a.yaml", 1, 1, "m")) == f"{here.as_posix()}/a.yaml:1:1: m"


def test_long_line_is_cut_around_the_problem():
    line = "a" * 300 + "XYZ" + "b" * 300
    text = str(Problem(Path("c.yaml"), 2, 301, "m", line, 3))
    assert text == (f"c.yaml:2:301: m\n    2 | {'a' * 60}XYZ{'b' * 57}\n      | {' ' * 60}^^^")


def test_tab_keeps_the_carets_in_place():
    assert (
        str(Problem(Path("c.yaml"), 1, 2, "m", "\tx", 1)) == "c.yaml:1:2: m\n    1 |  x\n      |  ^"
    )


def test_what_a_terminal_would_obey_is_not_shown():
    assert str(Problem(Path("c.yaml"), 1, 3, "key `\x1b[31m`\nx", "a \x1bb", 2)) == (
        "c.yaml:1:3: key `\ufffd[31m` x\n    1 | a \ufffdb\n      |   ^^"
    )


def test_same_problem_is_told_once():
    assert len(SpecError("lion", [Problem(Path("c"), 1, 1, "m")] * 3).problems) == 1


def test_more_than_a_hundred_problems():
    error = SpecError("lion", [Problem(Path("c"), line, 1, "m") for line in range(1, 200)])
    assert len(error.problems) == 100
    assert str(error).endswith(
        "c:100:1: m\nMore than 100 problems, 100 shown. Fix them, then run: claimbench check lion"
    )
