"""Folders load as packages of unique names."""

import os
import py_compile
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.closure import source_digest
from claimbench.running.loading import changed, forget_changed, load_module, package_name


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
