"""What belongs to an experiment's code, and what does not."""

import os
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.closure import closure

REPRODUCE = '''"""Experiments."""
import math

import numpy as np
from claimbench import Run, experiment

from .method import step

SCALE = 2.0


def helper(x):
    """Help."""
    return step(x) * SCALE


def unrelated(x):
    return x


@experiment
def first(run: Run, *, n: int = 1) -> dict[str, float]:
    """One."""
    return {"x": helper(n)}


@experiment
def second(run: Run, *, n: int = 1) -> dict[str, float]:
    return {"x": unrelated(n)}
'''
METHOD = "from .parts.inner import g\n\n\ndef step(x):\n    return g(x)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "reproduce.py").write_text(REPRODUCE, encoding="utf-8")
    (tmp_path / "method.py").write_text(METHOD, encoding="utf-8")
    (tmp_path / "parts" / "inner.py").write_text("def g(x):\n    return x\n", encoding="utf-8")
    (tmp_path / "unused.py").write_text("import torch\n", encoding="utf-8")
    return tmp_path


def files(folder: Path, function: str = "first") -> dict[str, str]:
    return closure(folder, function, Cache(None)).files


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_closure_holds_what_is_imported(folder: Path):
    assert set(files(folder)) == {"reproduce.py", "method.py", "parts/inner.py"}


def test_modules_are_the_foreign_packages_and_eager_ones_have_full_names(folder: Path):
    assert closure(folder, "first", Cache(None)).modules == {"numpy"}
    edit(folder / "method.py", "from .parts", "from scipy.stats import rankdata\nfrom .parts")
    code = closure(folder, "first", Cache(None))
    assert code.modules == {"numpy", "scipy"}
    assert code.eager == {"numpy", "scipy", "scipy.stats"}


@pytest.mark.parametrize(
    "late",
    [
        "def later():\n    import jax.numpy\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jax.numpy\n",
    ],
    ids=["in a function", "for a type checker"],
)
def test_what_is_not_imported_at_once_is_not_eager(folder: Path, late: str):
    edit(folder / "method.py", "from .parts", f"{late}\nfrom .parts")
    code = closure(folder, "first", Cache(None))
    assert code.modules == {"numpy", "jax"}
    assert code.eager == {"numpy"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""One."""', '"""Another docstring."""'),
        ('"""Experiments."""', '"""Other."""'),
        ("SCALE = 2.0", "SCALE = 2.0  # a comment"),
        ('{"x": helper(n)}', '{\n        "x": helper(n),\n    }'),
        ("return x\n\n\n@experiment\ndef first", "return x + 1\n\n\n@experiment\ndef first"),
        ('{"x": unrelated(n)}', '{"x": 5.0}'),
    ],
)
def test_edit_that_cannot_matter_changes_nothing(folder: Path, old: str, new: str):
    before = files(folder)
    edit(folder / "reproduce.py", old, new)
    assert files(folder) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("reproduce.py", "SCALE = 2.0", "SCALE = 2.5"),
        ("reproduce.py", "* SCALE", "- SCALE"),
        (
            "reproduce.py",
            'n: int = 1) -> dict[str, float]:\n    """One',
            'n: int = 2) -> dict[str, float]:\n    """One',
        ),
        ("method.py", "g(x)", "-g(x)"),
        ("parts/inner.py", "return x", "return x + 1"),
    ],
)
def test_edit_that_matters_changes_the_files_digest_alone(
    folder: Path, file: str, old: str, new: str
):
    before = files(folder)
    edit(folder / file, old, new)
    after = files(folder)
    assert {name for name in after if after[name] != before[name]} == {file}


def test_function_named_only_in_text_is_kept(folder: Path):
    edit(folder / "reproduce.py", '{"x": helper(n)}', '{"x": globals()["unrelated"](n)}')
    before = files(folder)
    edit(folder / "reproduce.py", "return x\n", "return x + 1\n")
    assert files(folder) != before


def test_common_modules_and_their_packages_are_included(folder: Path):
    edit(folder / "method.py", "from .parts", "from common.text import corpus\nfrom .parts")
    assert {"common/__init__.py", "common/text.py"} <= set(files(folder))


@pytest.mark.parametrize(
    "statement",
    ["from common.data import load", "from common import data", "import common.data.kjv"],
)
def test_code_that_reads_data_is_left_out(folder: Path, statement: str):
    edit(folder / "method.py", "from .parts", f"{statement}\nfrom .parts")
    found = set(files(folder))
    assert "common/__init__.py" in found
    assert not any(name.startswith("common/data/") for name in found)


def test_data_sets_loaded_by_name_are_found(folder: Path):
    edit(folder / "method.py", "from .parts", "from common.data import load\nfrom .parts")
    edit(
        folder / "parts" / "inner.py", "return x", 'return load("digits"), data.load("kjv"), f("x")'
    )
    found = closure(folder, "first", Cache(None))
    assert found.loads == {"digits", "kjv"}


def test_import_inside_a_function_counts(folder: Path):
    edit(folder / "parts" / "inner.py", "return x", "import jax\n    return x")
    assert closure(folder, "first", Cache(None)).modules == {"numpy", "jax"}


@pytest.mark.parametrize("file", ["reproduce.py", "method.py", "parts/inner.py"])
@pytest.mark.parametrize(
    ("last", "changed"), [("LAST = 1", "LAST = 2"), ("import yaml", "import tomlkit")]
)
def test_last_line_of_a_file_counts(folder: Path, file: str, last: str, changed: str):
    before = files(folder)
    with (folder / file).open("a", encoding="utf-8") as text:
        text.write(f"\n\n{last}\n")
    added = files(folder)
    edit(folder / file, last, changed)
    after = files(folder)
    for one, other in ((before, added), (added, after)):
        assert {name for name in one if one[name] != other[name]} == {file}
    if last.startswith("import"):
        code = closure(folder, "first", Cache(None))
        assert code.modules == code.eager == {"numpy", "tomlkit"}


def test_module_imported_in_the_last_line_belongs_to_the_closure(folder: Path):
    (folder / "late.py").write_text("X = 1\n", encoding="utf-8")
    with (folder / "method.py").open("a", encoding="utf-8") as text:
        text.write("from . import late  # no newline follows")
    assert "late.py" in files(folder)


def test_cached_scan_says_the_same(folder: Path):
    cache = Cache(None)
    assert closure(folder, "first", cache) == closure(folder, "first", cache)


def test_second_look_in_a_process_reads_no_file(folder: Path, monkeypatch):
    before = closure(folder, "first", Cache(None))
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    assert closure(folder, "first", Cache(None)) is before
    monkeypatch.chdir(folder.parent)
    assert closure(Path(folder.name), "first", Cache(None)).files == before.files


def test_edit_is_seen_even_if_size_and_time_of_the_file_stay(folder: Path):
    path = folder / "parts" / "inner.py"
    before, was = files(folder), path.stat()
    edit(path, "return x", "return y")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert path.stat().st_size == was.st_size
    assert files(folder)["parts/inner.py"] != before["parts/inner.py"]


def test_module_that_appears_or_goes_later_is_seen(folder: Path):
    edit(folder / "method.py", "from .parts", "from .parts import other\nfrom .parts")
    other = folder / "parts" / "other.py"
    for _ in range(2):
        assert "parts/other.py" not in files(folder)
        other.write_text("X = 1\n", encoding="utf-8")
        assert "parts/other.py" in files(folder)
        other.unlink()


def test_location_of_the_folder_does_not_matter(folder: Path, tmp_path_factory):
    import shutil

    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(folder, elsewhere)
    assert files(elsewhere) == files(folder)
