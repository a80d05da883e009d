"""Where and under what a project is run: its path, its user, its limits, its git."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from claimbench.cli import main
from claimbench.leaderboard.published import read
from tests.faults.conftest import CLAIMBENCH


def shell(script: str) -> tuple[str, ...]:
    """Return what starts a command after a line of shell: `shell("umask 077")`."""
    return ("sh", "-c", f'{script}; exec "$@"', "sh")


def variables(**changes: str | None) -> dict[str, str]:
    """Return the environment with some variables set, or unset by None."""
    whole = {**os.environ, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def test_path_with_spaces_and_unicode(new_project, command):
    """spaces, quotes and unicode in the project's path, in the locale C → runs and is published"""
    paper = new_project("mein Projekt – “ü” 'x' %s")
    environment = variables(CLAIMBENCH_HOME=None, LC_ALL="C", LANG=None)
    assert command("verify", paper.folder, env=environment).code == 0
    done = command("leaderboard", "publish", env=environment)
    assert done.code == 0, done.err
    (published,) = read(Path("leaderboards", "results"))
    assert published.paper == "tiny"


@pytest.mark.parametrize(
    "changes",
    [{"HOME": None, "PATH": "/nowhere"}, {"HOME": "/nowhere", "LC_ALL": "xx_YY"}],
    ids=["no HOME, no git", "HOME nowhere, unknown locale"],
)
def test_variables_that_are_missing_or_wrong(new_project, command, changes):
    """HOME unset or of no folder, no git in PATH, an unknown locale → runs all the same"""
    new_project()
    done = command("verify", "tiny", env=variables(CLAIMBENCH_HOME=None, **changes))
    assert done.code == 0, done.err


def test_user_whom_the_system_does_not_know(verified, monkeypatch, capsys):
    """HOME unset and no entry for the user, as in many containers → works all the same"""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for words in (["why", "tiny"], ["verify", "tiny", "--fresh"], ["leaderboard", "publish"]):
        assert main(words) == 0
    monkeypatch.setenv("CLAIMBENCH_HOME", "~/store")
    assert main(["results"]) == 2
    assert "this is a bug" not in capsys.readouterr().err


def full_and_noexec(folder: Path) -> tuple[str, ...]:
    """Return what starts a command with a full noexec file system mounted at a folder.

    Where nobody may mount, the folder itself may not be written.
    """
    namespace = ("unshare", "--map-root-user", "--mount")
    mount = f"mount -t tmpfs -o noexec,size=4k none '{folder}'"
    if subprocess.run([*namespace, "sh", "-c", mount], check=False).returncode:
        folder.chmod(0o555)
        return ()
    return (*namespace, *shell(f"{mount} && head -c 9000 /dev/zero 2>/dev/null > '{folder}/x'"))


@pytest.mark.parametrize("kind", ["full and noexec", "missing"])
def test_folder_for_temporary_files(new_project, command, tmp_path, kind):
    """TMPDIR full and noexec, or missing → runs all the same"""
    new_project()
    folder = tmp_path / "temporary"
    before: tuple[str, ...] = ()
    if kind == "full and noexec":
        folder.mkdir()
        before = full_and_noexec(folder)
    environment = variables(CLAIMBENCH_HOME=None, TMPDIR=str(folder))
    done = command("verify", "tiny", before=before, env=environment)
    assert done.code == 0, done.err


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o000, 0o666)])
def test_umask(new_project, said, mask, mode):
    """umask 077 or 000 → runs; what is published has the rights that the umask says"""
    new_project()
    before = os.umask(mask)
    try:
        assert said("verify", "tiny").code == 0
        assert said("leaderboard", "publish").code == 0
    finally:
        os.umask(before)
    (path,) = Path("leaderboards", "results").rglob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert said("results", "tiny").code == 0


def test_tight_limits(new_project, command):
    """few open files, no core, a small stack, small files (ulimit -n, -c, -s, -f) → runs"""
    new_project()
    done = command("verify", "tiny", before=shell("ulimit -n 48 -c 0 -s 1024 -f 4000"))
    assert done.code == 0, done.err


@pytest.mark.parametrize("count", [6, 14])
def test_too_few_open_files(new_project, command, count):
    """hardly any open file allowed (ulimit -n) → an error that says so, and it ends"""
    new_project()
    done = command("verify", "tiny", before=shell(f"ulimit -n {count}"))
    assert done.code in (1, 2), done.err
    assert "Too many open files" in done.err or "unable to open database file" in done.err


def test_no_process_can_be_started(verified, monkeypatch, capsys):
    """no further process allowed (ulimit -u) → a sentence of the system's, and it ends"""

    def refuse(*words: object, **more: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert main(["verify", "tiny", "--fresh"]) == 2
    assert "claimbench: [Errno 11] Resource temporarily unavailable" in capsys.readouterr().err


CRASHES = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    import ctypes
    return {"value": ctypes.string_at(0)}
"""


def test_core_of_a_crash(make_paper, command):
    """a segfault in a run, cores allowed (ulimit -c) → its claim's error; no core is left"""
    paper = make_paper(code=CRASHES)
    before = sorted(path.name for path in paper.folder.iterdir())
    done = command("verify", paper.folder, before=shell("ulimit -c unlimited"))
    assert done.code == 1
    assert "SIGSEGV" in done.out + done.err
    assert sorted(path.name for path in paper.folder.iterdir()) == before


def git(folder: Path, *words: str) -> None:
    """Run git with a user of its own."""
    user = ("-c", "user.name=x", "-c", "user.email=x@y.z")
    subprocess.run(["git", *user, *words], cwd=folder, check=True, capture_output=True)


def test_shallow_clone(verified, tmp_path, command):
    """a shallow clone → runs; what needs the history says that it is not there"""
    shutil.rmtree(verified / ".claimbench")
    for number in range(2):
        (verified / "note").write_text(str(number), encoding="utf-8")
        git(verified, "init", "-q")
        git(verified, "add", ".")
        git(verified, "commit", "-q", "-m", "a commit")
    git(tmp_path, "clone", "-q", "--depth", "1", verified.as_uri(), "shallow")
    environment = variables(CLAIMBENCH_HOME=None)
    where = {"cwd": tmp_path / "shallow", "env": environment}
    assert command("verify", "tiny", **where).code == 0
    assert command("check", "tiny", "--against", "HEAD", **where).says("git fetch --unshallow")


def test_three_processes_on_one_store(new_project):
    """three processes verify a paper in one store at once → each run is carried out once"""
    paper = new_project()
    processes = [
        subprocess.Popen([*CLAIMBENCH, "verify", "tiny"], stdout=subprocess.PIPE) for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len({output.split(b";")[0] for output in outputs}) == 1
    runs = paper.runs()
    # the repeat, in a fresh worker, is the one run that is there twice
    assert len(runs) == len(set(runs)) + 1
