"""Faults around the store: nothing finished is lost, nothing false is kept, one clear message."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from claimbench import verify
from claimbench.errors import StoreError
from claimbench.running.store import Store
from tests.records import make_record
from tests.running.test_store import identity, outcome

SLOW = '''
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """One seed is quick, the others take their time."""
    note(f"{run.seed}")
    note("begun", f"{run.seed}.begun")
    if len(list(HERE.glob("*.begun"))) > 1:
        time.sleep(1000)
    return {"value": scaled(1 + random.random(), scale)}
'''
QUICK = SLOW.replace("time.sleep(1000)", "pass")


def test_runs_that_finished_before_the_parent_was_killed_are_used_again(
    make_paper, store_home, wait_until
):
    """kill -9 during a run → what had finished is in the store"""
    paper = make_paper(code=SLOW)
    command = [sys.executable, "-m", "claimbench", "verify", str(paper.folder), "--workers", "1"]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(paper.runs()) == 2, "the second run has begun")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    with sqlite3.connect(store_home / "store.sqlite") as store:
        assert store.execute("SELECT COUNT(*) FROM runs").fetchone() == (1,)
        code = store.execute("SELECT run_key FROM runs").fetchone()
    paper.replace("time.sleep(1000)", "pass")
    (result,) = verify(paper.folder)
    assert result.verdict == "reproduced"
    assert result.record.run_key != code[0], "the code has changed, so nothing is reused"


def write_for_ever(home: Path) -> None:
    store = Store(home)
    for index in range(10**6):
        curves = {"long": ([0.0] * 300, [1.0] * 300)}
        run = outcome(index, key="key", metrics={"x": index}, started_at="now", curves=curves)
        store.add_run(run, identity(), "paper", {})


def test_store_copied_while_it_is_written_has_whole_rows_only(tmp_path: Path, wait_until):
    """a store copied while it is written → whole rows, or refused as a whole"""
    home, copy = tmp_path / "home", tmp_path / "copy"
    Store(home).close()
    writer = get_context("spawn").Process(target=write_for_ever, args=(home,))
    writer.start()
    try:
        wait_until(lambda: len(Store(home).runs("key")) > 50, "some rows are there")
        for _ in range(5):
            shutil.rmtree(copy, ignore_errors=True)
            copy.mkdir()
            for name in ("store.sqlite", "store.sqlite-wal"):  # as `cp` would, one after the other
                if (home / name).exists():
                    shutil.copy(home / name, copy / name)
            with contextlib.suppress(StoreError):  # a torn copy may also be refused as a whole
                runs = Store(copy).runs("key")
                assert all(run.metrics["x"] == index for index, run in runs.items())
    finally:
        writer.kill()
        writer.join()
    assert all(run.metrics["x"] == index for index, run in Store(home).runs("key").items())


def test_truncated_store_is_one_clear_message_and_no_verdict(make_paper, store_home):
    """a truncated store → a sentence that names it, before anything is run"""
    paper = make_paper()
    verify(paper.folder)
    path = store_home / "store.sqlite"
    with sqlite3.connect(path) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(path, path.stat().st_size // 2)
    before = paper.runs()
    with pytest.raises(StoreError, match=r"store\.sqlite: .*move this file away"):
        verify(paper.folder)
    assert paper.runs() == before, "nothing was run whose result could not be kept"


OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from claimbench.errors import StoreError
from claimbench.running.store import Store
if os.geteuid() == 0:
    os.setuid(65534)
try:
    Store(Path(sys.argv[1])).forget({"key"}, "")
except StoreError as error:
    print(error)
"""


def test_store_that_may_not_be_written_is_one_clear_message():
    """a store that may not be written → a sentence that names CLAIMBENCH_HOME"""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        Store(home).close()
        home.chmod(0o555)
        (home / "store.sqlite").chmod(0o444)
        done = subprocess.run(
            [sys.executable, "-c", OPEN_AS_NOBODY, name], capture_output=True, text=True, check=True
        )
        home.chmod(0o755)
        assert "set CLAIMBENCH_HOME to a folder that can be written" in done.stdout
        assert Store(home).verdicts() == []


def test_full_disk_is_one_clear_message_and_loses_nothing(make_paper, store_home):
    """a full disk (ulimit -f) → a sentence; what was stored before is there"""
    paper = make_paper(code=QUICK)
    (first,) = verify(paper.folder)
    code = (
        "import resource, sys\n"
        "from claimbench.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))\n"
        f"sys.exit(main(['verify', {str(paper.folder)!r}, '--fresh', '--workers', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "set CLAIMBENCH_HOME to a folder that can be written" in done.stderr
    assert "Traceback" not in done.stderr
    runs = len(paper.runs())
    (again,) = verify(paper.folder)
    assert again.record == first.record
    assert len(paper.runs()) == runs


def test_two_stores_in_two_threads_write_side_by_side(tmp_path: Path):
    """two writers at once → every verdict of both is there"""
    errors: list[Exception] = []

    def write(first: int) -> None:
        try:
            store = Store(tmp_path)
            for index in range(first, first + 50):
                store.add_verdict(make_record(paper="p", claim=f"c{index}"), "a")
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(Store(tmp_path).verdicts()) == 100
