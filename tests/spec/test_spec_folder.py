"""What a paper's folder may be called, and what may not lie in it."""

import shutil
from pathlib import Path

import pytest

from claimbench.spec.load import load_spec
from claimbench.spec.problems import SpecError


def said(folder: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(folder)
    return [str(problem).splitlines()[0] for problem in caught.value.problems]


def test_conftest_is_refused_since_it_could_skip_the_claims_of_others(write):
    folder = write()
    (folder / "conftest.py").write_text("def pytest_collection_modifyitems(items): items.clear()")
    assert said(folder) == [
        "papers/lion/conftest.py:1:1: pytest runs it for the claims of all papers, and it could "
        "skip them; remove it"
    ]


def test_init_is_refused(write):
    folder = write()
    (folder / "__init__.py").touch()
    assert said(folder) == [
        "papers/lion/__init__.py:1:1: claimbench imports a paper's folder by a name of its own; "
        "remove it"
    ]


@pytest.mark.parametrize("slug", ["build", "dist", "venv", "node_modules", "CVS", "x.egg"])
def test_folder_that_pytest_passes_over_is_refused(write, slug):
    folder = Path(shutil.copytree(write(), Path("papers", slug)))
    assert said(folder) == [
        f"papers/{slug}:1:1: a folder called `{slug}` is passed over by pytest; choose another name"
    ]


@pytest.mark.parametrize("slug", ["two words", "größe", "1st", "a,b", "$home", ""])
def test_name_that_cannot_be_typed_is_refused(write, slug):
    folder = write()
    target = Path("papers", slug or "-")
    folder.rename(target)
    (problem,) = said(target)
    assert problem.startswith(f"papers/{slug or '-'}:1:1: `{slug or '-'}`: a paper's name has ")


@pytest.mark.parametrize("slug", ["lion2", "lion-v2", "lion.v2", "Lion_2"])
def test_other_names_are_fine(write, slug):
    target = Path("papers", slug)
    write().rename(target)
    assert load_spec(target).slug == slug


def test_declared_files_are_names(write):
    folder = write()
    text = (folder / "claims.yaml").read_text(encoding="utf-8")
    assert load_spec(folder).experiments["digits"].files == []
    text = text.replace("digits:", "digits:\n    files: [table.csv]", 1)
    (folder / "claims.yaml").write_text(text, encoding="utf-8")
    (line,) = said(folder)
    assert line == (
        "papers/lion/claims.yaml:9:13: experiment `digits`: no file `table.csv` in the paper's "
        "folder; put it there, or remove it here"
    )
    (folder / "table.csv").touch()
    assert load_spec(folder).experiments["digits"].files == ["table.csv"]


@pytest.mark.parametrize("name", ["../table.csv", "/etc/hostname", ".", "method.py/../../x"])
def test_declared_file_lies_beside_the_paper(write, name):
    folder = write()
    (folder.parent / "table.csv").touch()
    text = (folder / "claims.yaml").read_text(encoding="utf-8")
    text = text.replace("digits:", f"digits:\n    files: [{name}]", 1)
    (folder / "claims.yaml").write_text(text, encoding="utf-8")
    (line,) = said(folder)
    assert line.partition(": experiment `digits`: ")[2].startswith(f"no file `{name}` in")


def test_metric_that_may_be_constant_is_one_that_is_returned(write):
    folder = write()
    text = (folder / "claims.yaml").read_text(encoding="utf-8")
    text = text.replace("digits:", "digits:\n    constant: [loss_gap, los_gap]", 1)
    (folder / "claims.yaml").write_text(text, encoding="utf-8")
    (line,) = said(folder)
    assert line.startswith(
        "papers/lion/claims.yaml:9:26: experiment `digits`: `constant` names `los_gap`, but "
        "`digits` returns loss_gap"
    )
