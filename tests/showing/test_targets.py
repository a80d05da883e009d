"""What a command is asked to write is looked at before anything runs."""

import subprocess
import sys

import pytest

from claimbench.cli import main
from claimbench.errors import UsageError
from claimbench.showing.targets import check_file, check_folder

PLACES = {
    "missing/x": "there is no folder {0}/missing; make it first",
    "folder": "this is a folder; name a file in it",
    "file/x": "there is no folder {0}/file; make it first",
    "locked/x": "{0}/locked cannot be written to; choose another place",
}
FOLDERS = {
    "file": "{0}/file is no folder; choose another place",
    "file/deep/er": "{0}/file is no folder; choose another place",
    "locked/x": "{0}/locked cannot be written to; choose another place",
    "dangling": "{0}/dangling is no folder; choose another place",
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what a user may name by mistake."""
    for name in ("folder", "locked"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")

    def access(path, mode):  # root may write everywhere but on a read-only file system
        return "locked" not in str(path)

    monkeypatch.setattr("claimbench.showing.targets.os.access", access)
    return tmp_path


@pytest.mark.parametrize(("name", "why"), PLACES.items())
def test_file_that_cannot_be_written(place, name, why):
    with pytest.raises(UsageError) as refusal:
        check_file("--json", place / name)
    assert str(refusal.value) == f"--json {place / name}: {why.format(place)}"


@pytest.mark.parametrize(("name", "why"), FOLDERS.items())
def test_folder_that_cannot_be_written(place, name, why):
    with pytest.raises(UsageError) as refusal:
        check_folder("--into", place / name)
    assert str(refusal.value) == f"--into {place / name}: {why.format(place)}"


def test_what_can_be_written_is_left_alone(place):
    check_file("--json", place / "new.json")
    check_file("--json", place / "file")
    check_folder("--into", place / "new" / "deep")
    check_folder("--into", place / "folder")
    assert {path.name for path in place.iterdir()} == {"folder", "locked", "file", "dangling"}


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "PAPER", "--json", "PLACE/missing/x"],
        ["verify", "PAPER", "--json", "PLACE/folder"],
        ["mutate", "PAPER", "--json", "PLACE/folder"],
        ["mutate", "PAPER", "--publish", "PLACE/file"],
        ["leaderboard", "publish", "--into", "PLACE/file"],
        ["leaderboard", "merge", "PLACE", "--into", "PLACE/file/x"],
        ["leaderboard", "build", "--out", "PLACE/file"],
    ],
)
def test_command_says_so_before_anything_runs(place, make_paper, monkeypatch, capsys, words):
    paper = make_paper()
    monkeypatch.chdir(place)
    words = [w.replace("PAPER", str(paper.folder)).replace("PLACE", str(place)) for w in words]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"claimbench: {words[-2]} {words[-1]}: ")
    assert paper.runs() == []


@pytest.mark.parametrize("xdist", [[], ["-n", "2"]])
@pytest.mark.parametrize("name", ["missing/x.json", "folder"])
def test_pytest_says_so_before_anything_runs(place, make_paper, name, xdist):
    paper = make_paper()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(paper.folder), *xdist),
            f"--claims-json={place / name}",
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --claims-json {place / name}: " in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert paper.runs() == []
