"""Folders load as packages of unique names."""

import importlib
import os
import py_compile
import sys
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.closure import source_digest
from claimbench.running.loading import (
    changed,
    forget_changed,
    load_module,
    package_name,
    suite_first,
)


def make(folder: Path, value: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "method.py").write_text(f"VALUE = {value}\n", encoding="utf-8")
    (folder / "reproduce.py").write_text("from .method import VALUE\n", encoding="utf-8")
    return folder


def test_two_folders_of_one_name_do_not_collide(tmp_path: Path):
    one, two = make(tmp_path / "a" / "same", 1), make(tmp_path / "b" / "same", 2)
    assert load_module(one).VALUE == 1
    assert load_module(two).VALUE == 2
    assert load_module(one) is load_module(one)


def test_package_name_can_be_imported_whatever_the_folder_is_called(tmp_path: Path):
    folder = make(tmp_path / "my-paper.v2", 3)
    assert package_name(folder).isidentifier()
    assert load_module(folder, "method").VALUE == 3


def test_missing_module_is_named(tmp_path: Path):
    with pytest.raises(ModuleNotFoundError, match="reproduce"):
        load_module(tmp_path)


def test_edit_within_the_same_second_is_what_runs(tmp_path: Path):
    folder = make(tmp_path / "edited", 1)
    method = folder / "method.py"
    py_compile.compile(str(method))
    before = method.stat()
    method.write_text("VALUE = 2\n", encoding="utf-8")
    os.utime(method, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load_module(folder).VALUE == 2


def test_what_was_imported_otherwise_than_the_closure_says_is_told_as_soon_as_it_is(
    tmp_path: Path,
):
    folder = make(tmp_path / "papers" / "told", 1)
    code = {"method.py": source_digest(folder / "method.py", b"VALUE = 1\n", None, Cache(None))}
    assert changed(folder, "nothing", code) == []
    load_module(folder)
    assert changed(folder, "nothing", code) == []
    (folder / "method.py").write_text("VALUE = 2\n", encoding="utf-8")
    forget_changed(folder)
    assert changed(folder, "nothing", code) == []
    load_module(folder)
    assert changed(folder, "nothing", code) == ["method.py"]


def test_common_is_the_suites_within_and_the_users_again_afterwards(tmp_path, monkeypatch):
    """Where a run is carried out in a process that has imported a `common` of its own."""
    for name, value in (("user", 1), ("suite", 2)):
        folder = tmp_path / name / "common"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f"VALUE = {value}\n")
        (folder / "part.py").write_text(f"VALUE = {10 * value}\n")
    paper = tmp_path / "suite" / "papers" / "lion"
    paper.mkdir(parents=True)
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if is_common(name)}
    monkeypatch.syspath_prepend(tmp_path / "user")
    try:
        theirs = importlib.import_module("common.part")
        path = list(sys.path)
        with suite_first(paper):
            assert importlib.import_module("common").VALUE == 2
            assert importlib.import_module("common.part").VALUE == 20
        assert sys.path == path
        assert sys.modules["common.part"] is theirs
        assert importlib.import_module("common").VALUE == 1
    finally:
        for name in [name for name in sys.modules if is_common(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def is_common(name: str) -> bool:
    return name.partition(".")[0] == "common"
