"""Output that can't show every character, that nobody reads, or that is closed."""

import os
import pty
import subprocess
import sys

import pytest

from claimbench.showing.output import CLOSED

SLOW = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"{os.getpid()} {os.getppid()}")
    time.sleep(0.3)
    return {"value": scaled(1 + random.random(), scale)}
"""
LATIN = [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}]
C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def call(module, *words, env=None, **pipes):
    """Run a module in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        env={**os.environ, **(env or {})},
        check=False,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes),
    )


@pytest.fixture
def unread():
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.parametrize("env", [*LATIN, C_LOCALE], ids=str)
@pytest.mark.parametrize("words", [["claimbench", "verify"], ["pytest"]])
def test_symbols_are_escaped_where_the_encoding_lacks_them(make_paper, words, env):
    paper = make_paper(claims=[{}, {"id": "fails", "expect": {"value": {"at_least": 3}}}])
    done = call(*words, paper.folder, env=env)
    assert done.returncode == 1
    text = done.stdout.decode(env.get("PYTHONIOENCODING", "ascii"))
    lines = [line.split()[:3] for line in text.splitlines()]
    assert ["\\u2605", "holds", "\\u2713"] in lines, "and line ends are line ends"
    assert ["\\u2605", "fails", "\\u2717"] in lines
    assert b"Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("env", LATIN, ids=str)
def test_progress_on_a_terminal_that_lacks_symbols(make_paper, env):
    paper = make_paper(code=SLOW)
    master, slave = pty.openpty()
    done = call("claimbench", "verify", paper.folder, env={**env, "TERM": "xterm"}, stderr=slave)
    os.close(slave)
    os.close(master)
    assert done.returncode == 0
    assert b"\\u2713 reproduced" in done.stdout


@pytest.mark.parametrize("env", [{}, *LATIN], ids=str)
def test_progress_on_pytests_terminal(make_paper, env):
    """Progress goes to the controlling terminal, which this child makes of its own."""
    paper = make_paper(code=SLOW)
    terminal, theirs = pty.openpty()
    environment = {**os.environ, **env, "TERM": "xterm", "COLUMNS": "200"}
    environment.pop("NO_COLOR", None)
    child = subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, "-m", "pytest", str(paper.folder)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other side has closed
            break
    os.close(terminal)
    assert child.wait(20) == 0
    assert b"runs done; tiny measure (seed " in shown


@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [
        *((["--help"], ""), (["list", "--help"], "")),
        *(([word], buffer) for word in ("list", "check", "verify") for buffer in ("", "1")),
    ],
)
def test_command_ends_quietly_where_nobody_reads(make_paper, unread, words, unbuffered):
    folder = make_paper().folder.parent
    papers = [] if "--help" in words else [folder]
    done = call("claimbench", *words, *papers, env={"PYTHONUNBUFFERED": unbuffered}, stdout=unread)
    assert done.returncode == CLOSED
    assert b"Error" not in done.stderr
    assert b"bug" not in done.stderr
    assert b"Broken pipe" not in done.stderr


@pytest.mark.parametrize(
    "words", [["verify", "PAPER"], ["verify", "nowhere"], ["run", "selection.papers=nowhere"]]
)
def test_command_whose_errors_nobody_reads(make_paper, unread, words):
    folder = str(make_paper().folder)
    words = [word.replace("PAPER", folder) for word in words]
    done = call("claimbench", *words, stdout=unread, stderr=unread)
    assert done.returncode == CLOSED


def test_pytest_ends_quietly_where_nobody_reads_and_leaves_no_worker(
    make_paper, unread, alive, wait_until
):
    paper = make_paper(code=SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", str(paper.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    wait_until(paper.runs, "a run has begun")
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1  # as pytest ends then
    assert b"Traceback" not in said
    pids = {int(pid) for line in paper.runs() for pid in line.split()}
    wait_until(lambda: not any(map(alive, pids)), "workers and template are gone")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_command_whose_output_is_closed(make_paper, closed):
    folder = make_paper().folder
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m claimbench verify "$1" {closed}', sys.executable, folder],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"bug" not in done.stderr
