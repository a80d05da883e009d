"""What a run may read, import and load, seen from the guard itself."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from claimbench.errors import AuthorError
from claimbench.running.loading import load_module
from claimbench.running.workers.guard import Bounds, Guard

CODE = """
import linecache


def reads(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def adds(path):
    with open(path, "a", encoding="utf-8") as file:
        file.write("more")


def makes(path):
    with open(path, "w+", encoding="utf-8") as file:
        file.write("new")
        file.seek(0)
        return file.read()


def asks(name):
    sys.audit("claimbench.data", name)


def own_line():
    return linecache.getline(__file__, 1)


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": scaled(1 + run.rng.random(), scale)}
"""


@pytest.fixture
def paper(make_paper):
    return make_paper(code=f"import sys\n{CODE}")


@pytest.fixture
def watched(paper, make_job, tmp_path):
    """Call a function of the paper under guard: `watched("reads", path, files=("a.csv",))`."""
    home = tmp_path / "user"
    home.mkdir()

    def call(name: str, *arguments: Any, scratch: tuple[Path, ...] = (), **declared: Any) -> Any:
        module = load_module(paper.folder)
        guard = Guard(make_job(paper, **declared), scratch, (home,))
        with guard.watching():
            return getattr(module, name)(*arguments)

    return call


def refused(call, *arguments, **declared) -> str:
    with pytest.raises(AuthorError) as caught:
        call(*arguments, **declared)
    return str(caught.value).partition(" ")[2]


def test_file_beside_the_paper_has_to_be_declared(paper, watched):
    path = paper.folder / "table.csv"
    path.write_text("1,2", encoding="utf-8")
    assert refused(watched, "reads", path).startswith("reads table.csv, which `measure` does not")
    assert watched("reads", path, files=("table.csv",)) == "1,2"


@pytest.mark.parametrize("way", ["symbolic link", "dots", "relative"])
def test_another_way_to_the_same_file_is_the_same(paper, watched, tmp_path, monkeypatch, way):
    path = paper.folder / "table.csv"
    path.write_text("1,2", encoding="utf-8")
    other: Path | str = tmp_path / "link"
    if way == "symbolic link":
        os.symlink(path, other)
    elif way == "dots":
        other = paper.folder / ".." / paper.folder.name / "table.csv"
    else:
        monkeypatch.chdir(paper.folder)
        other = "table.csv"
    assert refused(watched, "reads", other).startswith("reads table.csv, ")


def test_writing_is_not_reading(paper, watched):
    path = paper.folder / "notes.txt"
    assert watched("makes", path) == "new"
    watched("adds", path)
    assert path.read_text(encoding="utf-8") == "newmore"


def test_own_source_may_be_looked_at_as_tracebacks_do(watched):
    assert watched("own_line") == '"""A tiny paper."""\n'


def test_users_files_are_out_of_bounds_and_scratch_is_not(watched, tmp_path):
    path = tmp_path / "user" / "own.txt"
    path.write_text("secret", encoding="utf-8")
    assert "own.txt, which is no part of the paper" in refused(watched, "reads", path)
    assert watched("reads", path, scratch=(path.parent,)) == "secret"


def test_what_python_and_the_system_brought_may_be_read(watched):
    assert "def open" in watched("reads", Path(os.__file__).with_name("codecs.py"))
    assert watched("reads", "/proc/self/status").startswith("Name:")


def test_file_that_is_not_there_is_the_papers_own_trouble(paper, watched):
    with pytest.raises(FileNotFoundError):
        watched("reads", paper.folder / "absent.csv")


def test_data_set_has_to_be_declared(watched):
    said = refused(watched, "asks", "digits", data=("wine",))
    assert said.startswith("loads the data set `digits`, which `measure` does not declare; ")
    watched("asks", "digits", data=("wine", "digits"))


def test_nothing_is_watched_afterwards_and_others_are_left_alone(paper, make_job, tmp_path):
    path = paper.folder / "table.csv"
    path.write_text("1,2", encoding="utf-8")
    module = load_module(paper.folder)
    before = list(sys.meta_path)
    guard = Guard(make_job(paper), (), ())
    with guard.watching():
        assert path.read_text(encoding="utf-8") == "1,2", "this test is no code of the paper's"
    assert module.reads(path) == "1,2"
    assert sys.meta_path == before
    assert guard.trespass is None


def test_first_trespass_is_kept_even_if_the_paper_goes_on(paper, make_job):
    for name in ("a.csv", "b.csv"):
        (paper.folder / name).touch()
    module = load_module(paper.folder)
    guard = Guard(make_job(paper), (), ())
    with guard.watching():
        for name in ("a.csv", "b.csv"):
            with pytest.raises(AuthorError):
                module.reads(paper.folder / name)
    assert guard.trespass is not None
    assert " reads a.csv, " in guard.trespass


def test_root_of_the_file_system_is_nobodys_home(paper):
    bounds = Bounds.of(paper.folder, (), (), (), (Path("/"), Path("/home/somebody")))
    assert "/" not in bounds.theirs
    assert "/home/somebody/" in bounds.theirs
