"""What is published names its code by a commit, so its code has to be in one."""

from __future__ import annotations

import subprocess

import pytest

import claimbench
from claimbench.cli import main
from claimbench.leaderboard.published import read

TWO = [{}, {"id": "second", "expect": {"value": {"at_least": 0.5}}}]


def git(root, *words):
    subprocess.run(
        ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@b", *words], check=True
    )


@pytest.fixture
def project(make_paper, tmp_path, monkeypatch):
    """A repository of two papers, all of it committed; the current folder."""
    paper = make_paper("lion", claims=TWO)
    make_paper("tiger")
    (tmp_path / ".gitignore").write_text("runs.txt\nstore\nleaderboards\n", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Papers")
    monkeypatch.chdir(tmp_path)
    return paper


def edit(project):
    project.replace("scaled(1 + random.random(), scale)", "scaled(random.random() + 1, scale)")


def test_clean_runs_are_published_with_their_commit(project, tmp_path):
    claimbench.verify("papers/lion")
    assert main(["leaderboard", "publish"]) == 0
    (file,) = read(tmp_path / "leaderboards" / "results")
    commits = {record.commit for record in file.records()}
    assert all(commit and not commit.endswith("+") for commit in commits)


def test_code_that_is_not_committed_is_refused(project, tmp_path, capsys):
    edit(project)
    claimbench.verify("papers/lion")
    assert main(["leaderboard", "publish"]) == 2
    said = capsys.readouterr().err
    assert "lion: papers/lion/reproduce.py differ from the last commit" in said
    assert "lion at smoke: runs of holds, second were made before their code was committed" in said
    assert not (tmp_path / "leaderboards").exists()


def test_run_whose_code_was_committed_later_has_to_be_made_again(project, tmp_path, capsys):
    edit(project)
    claimbench.verify("papers/lion")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "Edit")
    claimbench.verify("papers/lion")
    assert main(["leaderboard", "publish"]) == 2
    said = capsys.readouterr().err
    command = "claimbench verify lion --tier smoke --fresh --claim holds --claim second"
    assert said.strip().endswith(f"with a clean tree run: {command}")
    assert "differ from the last commit" not in said
    words = command.split()[1:]
    words[1] = "papers/lion"
    assert main(words) == 0
    assert main(["leaderboard", "publish"]) == 0


def test_run_of_a_paper_that_git_did_not_know_yet_is_refused(project, make_paper, tmp_path, capsys):
    paper = make_paper("puma")
    paper.replace("scale * x", "x * scale", "method.py")  # or the runs of lion would do
    claimbench.verify("papers/puma")  # the tree is clean: git does not look at new files
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Puma")
    assert main(["leaderboard", "publish"]) == 2
    said = capsys.readouterr().err
    assert "puma at smoke: runs of holds were made before their code was committed" in said


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("papers/lion/method.py", True),
        ("papers/lion/claims.yaml", True),
        ("papers/lion/README.md", False),
        ("papers/tiger/method.py", False),
    ],
)
def test_tree_is_looked_at_where_the_claims_depend_on_it(project, tmp_path, capsys, name, refused):
    claimbench.verify("papers/lion")
    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write("\n# more\n")
    assert main(["leaderboard", "publish"]) == (2 if refused else 0)
    assert (f"{name} differ from the last commit" in capsys.readouterr().err) == refused
