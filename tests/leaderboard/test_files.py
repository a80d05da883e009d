"""Text files that others read and write at the same time."""

import os
import stat
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from claimbench.leaderboard.files import alone, write_if_changed


def test_unchanged_text_is_not_written(tmp_path: Path):
    path = tmp_path / "a" / "b.json"
    assert write_if_changed(path, "grün\n")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert not write_if_changed(path, "grün\n")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert write_if_changed(path, "blau\n")
    assert path.read_text(encoding="utf-8") == "blau\n"
    assert [file.name for file in path.parent.iterdir()] == ["b.json"]


def test_files_have_the_rights_that_the_umask_says(tmp_path: Path):
    before = os.umask(0o027)
    try:
        write_if_changed(tmp_path / "a", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_failed_write_leaves_the_old_text_and_nothing_else(tmp_path: Path):
    path = tmp_path / "a"
    write_if_changed(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_if_changed(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_of_one_file_do_not_meet(tmp_path: Path):
    """Each text is whole at every moment, whoever wrote it last."""
    path, texts = tmp_path / "a", [letter * 50_000 for letter in "abcd"]
    write_if_changed(path, texts[0])
    done = threading.Event()
    seen: set[str] = set()

    def look() -> None:
        while not done.is_set():
            seen.add(path.read_text(encoding="utf-8"))

    reader = threading.Thread(target=look)
    reader.start()
    writers = [threading.Thread(target=repeat, args=(path, text)) for text in texts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert seen <= set(texts)
    assert list(tmp_path.iterdir()) == [path]


def repeat(path: Path, text: str) -> None:
    for _ in range(50):
        write_if_changed(path, text)
        write_if_changed(path, text[::-1])


def count_up(folder: Path, times: int) -> None:
    for _ in range(times):
        with alone(folder):
            count = int((folder / "count").read_text(encoding="utf-8"))
            write_if_changed(folder / "count", str(count + 1))


def test_one_process_at_a_time_changes_a_folder(tmp_path: Path):
    write_if_changed(tmp_path / "count", "0")
    context = get_context("spawn")
    processes = [context.Process(target=count_up, args=(tmp_path, 40)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert (tmp_path / "count").read_text(encoding="utf-8") == "120"
    assert [file.name for file in tmp_path.iterdir()] == ["count"]
