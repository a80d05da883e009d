"""Stores and published files that are deleted, torn, read-only or wanted by several at once."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from claimbench import verify
from claimbench.cli import main
from claimbench.commands import list as list_command
from claimbench.errors import StoreError
from claimbench.leaderboard.published import read
from claimbench.leaderboard.publishing import from_store
from claimbench.running.store import Store
from claimbench.running.workers.jobs import Failure
from tests.faults.conftest import CLAIMBENCH
from tests.records import make_record
from tests.running.test_store import identity, outcome

WRITING = {
    "run": lambda store: store.add_run(outcome(), identity(), "paper", {}),
    "repeat": lambda store: store.add_repeat(outcome()),
    "verdict": lambda store: store.add_verdict(make_record(), "a"),
    "failure": lambda store: store.add_failure(outcome(failure=Failure("boom", "", "")), "paper"),
}


@pytest.mark.parametrize("what", WRITING)
@pytest.mark.parametrize("again", [False, True], ids=["removed", "replaced"])
def test_store_that_is_deleted_while_it_is_open(tmp_path: Path, what: str, again: bool):
    """the store is deleted or replaced while it is open → told at the next write"""
    store = Store(tmp_path / "home")
    shutil.rmtree(tmp_path / "home")
    if again:
        Store(tmp_path / "home").close()
    with pytest.raises(StoreError, match=r"store\.sqlite: it was removed .*; run them again"):
        WRITING[what](store)


WAITS = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note("begun")
    while not list(HERE.glob("go")):
        time.sleep(0.01)
    return {"value": scaled(1 + random.random(), scale)}
"""


def test_store_that_is_deleted_during_a_run(make_paper, store_home, wait_until):
    """rm -r of the store during a run → a sentence that says so; the next time all is run"""
    paper = make_paper(code=WAITS)
    command = [*CLAIMBENCH, "verify", str(paper.folder), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(paper.runs, "a run has begun")
    shutil.rmtree(store_home)
    (paper.folder / "go").touch()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert said.count("it was removed while it was in use, and with it the runs") == 1
    assert "Traceback" not in said
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


SECOND_WAITS = WAITS.replace(
    """    note("begun")
    while not""",
    """    note(f"{run.seed}")
    note("", f"{run.seed}.begun")
    while len(list(HERE.glob("*.begun"))) > 1 and not""",
)


def test_verify_is_killed_and_typed_again(make_paper, wait_until):
    """kill -9 while a paper is verified → once more goes on from what had finished"""
    paper = make_paper(code=SECOND_WAITS)
    process = subprocess.Popen([*CLAIMBENCH, "verify", str(paper.folder), "--workers", "1"])
    wait_until(lambda: len(paper.runs()) > 1, "the second run has begun")
    process.kill()
    process.wait()
    finished = paper.runs()[0]
    (paper.folder / "go").touch()
    (result,) = verify(paper.folder, control=False, max_seeds=2)
    assert result.verdict != "error", result.line
    assert paper.runs().count(finished) == 1


@pytest.mark.parametrize("name", ["store.sqlite", "cache.sqlite"])
@pytest.mark.parametrize("damage", ["zeroed", "halved", "emptied", "folder"])
def test_damaged_database(verified: Path, said, name: str, damage: str):
    """a store or cache that is zeroed, truncated, emptied or a folder → told, or computed again"""
    path = verified / ".claimbench" / name
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    if damage == "folder":
        path.unlink()
        path.mkdir()
    elif damage == "zeroed":
        path.write_bytes(bytes(size))
    else:
        os.truncate(path, size // 2 if damage == "halved" else 0)
    done = said("verify", "tiny", "--plan")
    if name == "cache.sqlite":
        assert done.code == 0
        assert "0 runs" in done.out
    elif damage == "emptied":  # what SQLite takes for a new file
        assert done.code == 0
    else:
        assert done.says(str(path), "set CLAIMBENCH_HOME to a folder that can be written")


BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""What a command is started with where root, too, may only do what a file's mode says."""


@pytest.fixture
def read_only(verified: Path, monkeypatch):
    """The project may not be written; returned is what a command is started with to be bound."""
    monkeypatch.delenv("CLAIMBENCH_HOME")
    shutil.rmtree(verified / ".claimbench")
    verified.chmod(0o555)
    yield BOUND if os.geteuid() == 0 else ()
    verified.chmod(0o755)


@pytest.mark.parametrize(
    "words", ["results", "verify tiny", "why tiny", "gc", "leaderboard publish", "run"]
)
def test_project_that_may_not_be_written(verified: Path, command, read_only, words: str):
    """a project that may only be read, and has no store → a sentence that names CLAIMBENCH_HOME"""
    done = command(*words.split(), before=read_only)
    message = f"{verified / '.claimbench'}: Permission denied; set CLAIMBENCH_HOME to a folder"
    assert done.says(message), done.err
    assert "Traceback" not in done.err


def test_project_that_may_not_be_written_and_a_store_elsewhere(
    verified: Path, command, read_only, store_home
):
    """a project that may only be read, and CLAIMBENCH_HOME elsewhere → its claims are run"""
    environment = {**os.environ, "CLAIMBENCH_HOME": str(store_home)}
    done = command("verify", "tiny", before=read_only, env=environment)
    assert done.code == 0, done.err


@pytest.mark.parametrize("place", ["below-a-file/store", "/proc/store", "/dev/full/store"])
@pytest.mark.parametrize("words", ["results", "verify tiny"])
def test_store_where_there_can_be_none(verified: Path, said, monkeypatch, place: str, words: str):
    """CLAIMBENCH_HOME below a file or in /proc → a sentence that names it and the remedy"""
    (verified / "below-a-file").touch()
    home = verified / place
    monkeypatch.setenv("CLAIMBENCH_HOME", str(home))
    done = said(*words.split())
    assert done.says(str(home), "set CLAIMBENCH_HOME to a folder that can be written"), done.err


def test_bug_that_cannot_be_logged(verified: Path, monkeypatch, capsys):
    """a bug of ours where no log can be written → the report goes to the terminal"""
    monkeypatch.setenv("CLAIMBENCH_HOME", "/dev/full/store")
    monkeypatch.setattr(list_command, "run", lambda options: 1 / 0)
    assert main(["list"]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_results_that_cannot_be_written(verified: Path, said):
    """published results that cannot be written → a sentence that names the folder"""
    (verified / "leaderboards").touch()
    done = said("leaderboard", "publish")
    assert done.says("leaderboards/results: ", "let it be written, or name another folder"), (
        done.err
    )


# publishing and merging: cut short, and several at once


def verdicts(home: Path, claims: range, **changes: object) -> None:
    """Write a store with verdicts on claims of two papers."""
    store = Store(home)
    for number in claims:
        for paper in ("tiny", "other"):
            record = make_record(paper=paper, claim=f"c{number}", **changes)
            store.add_verdict(record, str(changes))
    store.close()


KILLED = """
import os, signal, sys
from claimbench import cli
from claimbench.leaderboard import files
calls = 0
def counted(function):
    def run(*arguments, **words):
        global calls
        calls += 1
        if calls == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **words)
    return run
files.tempfile.mkstemp = counted(files.tempfile.mkstemp)
files.Path.chmod = counted(files.Path.chmod)
files.Path.replace = counted(files.Path.replace)
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("action", ["publish", "merge"])
def test_writing_results_is_killed(verified: Path, said, action: str):
    """kill -9 in publish or merge → whole files; once more gives what it would have given"""
    home, results = verified / ".claimbench", verified / "leaderboards" / "results"
    verdicts(home, range(3))
    words = ["leaderboard", "publish"]
    assert said(*words).code == 0
    before = {path: path.read_bytes() for path in results.rglob("*.json")}
    verdicts(home, range(5), judged_at="2026-02-01T00:00:00+00:00", held=2)
    if action == "merge":
        assert said("leaderboard", "publish", "--into", "more").code == 0
        words = ["leaderboard", "merge", "more"]
    shutil.copytree(results, verified / "expected")
    assert said(*words, "--into", "expected").code == 0
    expected = {path.name: path.read_bytes() for path in (verified / "expected").rglob("*.json")}
    for moment in (3, 5):  # the first of two files is written; the second is begun
        shutil.rmtree(results)
        for path, content in before.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(moment), *words], check=False, capture_output=True
        )
        assert killed.returncode == -signal.SIGKILL
        for path, content in before.items():
            assert path.read_bytes() in (content, expected[path.name])
        assert len(read(results)) == 2
    assert said(*words).code == 0
    left = {path.name: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    assert left == expected


@pytest.mark.parametrize("action", ["publish", "merge"])
def test_several_write_results_at_once(verified: Path, action: str):
    """three processes publish or merge into one folder at once → every claim of each is there"""
    results = verified / "leaderboards" / "results"
    processes = []
    for number in range(3):
        home = verified / f"home{number}"
        verdicts(home, range(number * 10, number * 10 + 10))
        words = ["leaderboard", "publish"]
        if action == "merge":
            store = Store(home)
            for file in from_store(store):
                path = file.path(verified / f"part{number}")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.text(), encoding="utf-8")
            store.close()
            words = ["leaderboard", "merge", f"part{number}"]
        environment = {**os.environ, "CLAIMBENCH_HOME": str(home)}
        processes.append(
            subprocess.Popen([*CLAIMBENCH, *words], env=environment, stderr=subprocess.DEVNULL)
        )
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    found = {(file.paper, claim) for file in read(results) for claim in file.entries}
    assert found == {(paper, f"c{n}") for paper in ("tiny", "other") for n in range(30)}
    assert all(json.loads(path.read_bytes()) for path in results.rglob("*") if path.is_file())
