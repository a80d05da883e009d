"""Git is asked in one way: UTF-8 whatever the locale, and its refusals are ours to word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claimbench.errors import GitError, UsageError
from claimbench.git import git, git_blobs

ASK = """
import sys
from pathlib import Path
from claimbench.git import git
print(ascii(git(Path(sys.argv[1]), "show", "--format=%s", "--name-only")))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "ß.txt").write_text("text\n", encoding="utf-8")
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "α → ∞"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_answer_is_utf8_in_any_locale(repository: Path, locale: str):
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", ASK, repository],
        env={"PATH": os.environ["PATH"], "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0"},
        cwd=Path(__file__).parents[1] / "harness",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ascii("α → ∞\n\nß.txt\n")


def test_bytes_that_are_no_utf8_survive(repository: Path):
    (repository / "raw").write_bytes(b"\xff\xfe ok\n")
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    answer = git(repository, "show", ":raw")
    assert answer.encode("utf-8", errors="surrogateescape") == b"\xff\xfe ok\n"


def test_blobs_come_whole_and_one_that_is_not_there_is_named(repository: Path):
    contents = [b"", b"a\n\nb", bytes(range(256))]
    ids = []
    for number, content in enumerate(contents):
        (repository / str(number)).write_bytes(content)
        ids.append(git(repository, "hash-object", "-w", str(number)).strip())
    assert git_blobs(repository, [*ids, ids[1]]) == dict(zip(ids, contents, strict=True))
    with pytest.raises(GitError, match=f"{'a' * 40} is missing"):
        git_blobs(repository, ["a" * 40, ids[0]])


def test_refusal_names_command_folder_and_reason(repository: Path, tmp_path: Path):
    with pytest.raises(GitError, match=r"^git show in .*repository: fatal: .*'nothing'"):
        git(repository, "show", "nothing")
    with pytest.raises(GitError, match=r"^git rev-parse in .*: no such revision: v9$"):
        git(repository, "rev-parse", "--verify", "--quiet", "v9^{commit}")
    with pytest.raises(UsageError, match="not a git repository"):
        git(tmp_path, "status")


def test_without_git_the_message_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match=r"^git is not installed; install it"):
        git(repository, "status")


def test_git_that_does_not_answer_is_given_up(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("claimbench.git.SECONDS", 1e-9)
    with pytest.raises(GitError, match=r"^git status in .*: no answer in 1e-09 s$"):
        git(repository, "status")
