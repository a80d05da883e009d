"""What `make test` does about what only the system's package manager has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "rm", "mkdir", "tee", "cat", "ls", "touch", "make")
PASSED = [
    word for part in ("lint", "types", "unit", "test-site", "papers") for word in ("-o", part)
]

APT_GET = """\
#!{folder}/bin/sh
echo "$*" >> {folder}/asked
case "$1" in
  update) touch {folder}/lists; exit {update} ;;
  install) [ -f {folder}/lists ] && touch {folder}/thing ;;
esac
"""
LEFT_OUT = (
    "LEFT OUT: tests of the thing, since a-package is missing; "
    "install it: sudo apt-get install a-package\n"
)


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Path:
    """A machine of few programs, none of them apt-get, with the project's Makefile; for root."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    program(tmp_path, "id", f"#!{tmp_path}/bin/sh\necho 0\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("MAKEFLAGS", "")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    path = machine / "bin" / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def run(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def get(machine: Path) -> tuple[int, str, str]:
    return run(".ci/get", "a-package", f"ls {machine}/thing", "tests of the thing")


def end_of_test() -> tuple[int, str]:
    """How `make test` ends where everything that could run has passed."""
    code, out, _ = run("make", "--silent", "test", *PASSED)
    return code, out


def test_what_is_there_is_not_installed(machine):
    program(machine, "apt-get", APT_GET.format(folder=machine, update=0))
    (machine / "thing").touch()
    assert get(machine) == (0, "", "")
    assert not (machine / "asked").exists()
    assert end_of_test() == (0, "")


@pytest.mark.parametrize("update", [0, 100])
def test_root_gets_what_is_missing_even_if_a_source_does_not_answer(machine, update):
    program(machine, "apt-get", APT_GET.format(folder=machine, update=update))
    assert get(machine) == (0, "installing a-package, for tests of the thing\n", "")
    asked = (machine / "asked").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in asked] == ["install", "update", "install"]
    assert {line.split()[-1] for line in asked if line.startswith("install")} == {"a-package"}
    assert end_of_test() == (0, "")


def another_user(machine):
    program(machine, "apt-get", APT_GET.format(folder=machine, update=0))
    program(machine, "id", f"#!{machine}/bin/sh\necho 1000\n")


def no_such_package(machine):
    program(machine, "apt-get", f"#!{machine}/bin/sh\nexit 100\n")


def no_apt_get(machine):
    pass


@pytest.mark.parametrize("trouble", [another_user, no_such_package, no_apt_get])
def test_who_cannot_install_is_told_and_goes_on(machine, monkeypatch, trouble):
    trouble(machine)
    code, _, told = get(machine)
    assert (code, told) == (0, LEFT_OUT)
    assert not (machine / "asked").exists()
    assert end_of_test() == (0, LEFT_OUT)
    monkeypatch.setenv("CI", "true")
    assert end_of_test() == (2, LEFT_OUT)  # nothing is left out there
    (machine / "thing").touch()  # installed by hand
    assert get(machine) == (0, "", "")
    assert end_of_test() == (0, "")
