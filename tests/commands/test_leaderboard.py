"""`claimbench leaderboard`: from verdicts in the store to files that people read."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest

import claimbench
from claimbench.cli import main
from claimbench.leaderboard.published import read
from claimbench.leaderboard.tables import FILES

FAILING = """@experiment
def failing(run: Run) -> dict[str, float]:
    raise FileNotFoundError(f"no file {HERE}/secret/data.npz")
"""


@pytest.fixture
def project(make_paper, tmp_path, monkeypatch, store_home) -> Path:
    """A project of one paper, verified; the current folder."""
    make_paper("lion")
    monkeypatch.chdir(tmp_path)
    claimbench.verify("papers/lion")
    return tmp_path


def publish(*arguments: str) -> int:
    return main(["leaderboard", "publish", *arguments])


def build(*arguments: str) -> int:
    return main(["leaderboard", "build", "--workers", "1", *arguments])


def test_publish_writes_results_and_build_tables(project, capsys):
    assert publish() == 0
    assert [path.name for path in (project / "leaderboards").iterdir()] == ["results"]
    (file,) = read(project / "leaderboards" / "results")
    entry = file.entries["holds"]
    assert (file.paper, file.tier, file.profile) == ("lion", "smoke", "cpu")
    assert entry.latest.record.verdict == "reproduced"
    assert entry.latest.stale == ()
    assert set(entry.latest.code) >= {"function", "arguments", "file reproduce.py"}
    assert not any(name.startswith("package") for name in entry.latest.code)
    assert "1 claims in 1 files" in capsys.readouterr().out
    assert build() == 0
    assert capsys.readouterr().out.count("wrote") == len(FILES)
    data = json.loads((project / "leaderboards" / "leaderboard.json").read_text(encoding="utf-8"))
    assert data["boards"][0]["papers"][0]["title"] == "Tiny"
    assert publish() == 0
    assert "1 claims in 1 files" in (out := capsys.readouterr().out)
    assert "0 written" in out
    assert build() == 0
    assert "wrote" not in capsys.readouterr().out  # nothing changed


def test_edited_code_and_spec_make_results_stale(project, make_paper, capsys):
    publish()
    folder = project / "papers" / "lion"
    method = folder / "method.py"
    method.write_text(method.read_text(encoding="utf-8").replace("scale * x", "x * scale"))
    assert main(["leaderboard", "merge", "leaderboards"]) == 0
    (file,) = read(project / "leaderboards" / "results")
    assert file.entries["holds"].latest.stale == ("method.py has changed",)
    spec = folder / "claims.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("at_least: 1", "at_least: 0.9"))
    assert main(["leaderboard", "merge", "leaderboards"]) == 0
    (file,) = read(project / "leaderboards" / "results")
    assert file.entries["holds"].latest.stale == (
        "the claim's entry in the spec has changed",
        "method.py has changed",
    )
    # judged again: fresh, and the history has both
    claimbench.verify("papers/lion")
    publish()
    (file,) = read(project / "leaderboards" / "results")
    assert file.entries["holds"].latest.stale == ()
    assert len(file.entries["holds"].history) == 2


def test_claims_and_papers_that_are_gone_are_kept_and_marked(project):
    publish()
    spec = project / "papers" / "lion" / "claims.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("id: holds", "id: renamed"))
    main(["leaderboard", "merge", "leaderboards"])
    (file,) = read(project / "leaderboards" / "results")
    assert file.entries["holds"].latest.stale == ("the spec has no claim `holds` any more",)
    (project / "papers" / "lion").rename(project / "papers" / "tiger")
    main(["leaderboard", "merge", "leaderboards"])
    (file,) = read(project / "leaderboards" / "results")
    assert file.entries["holds"].latest.stale == ("there is no paper `lion` any more",)
    build()
    assert "Stale results" in (project / "leaderboards" / "README.md").read_text(encoding="utf-8")


def test_nothing_of_the_machine_is_published(make_paper, tmp_path, monkeypatch, store_home):
    monkeypatch.chdir(tmp_path)
    paper = make_paper(
        "lion", code=FAILING, claims=[{"experiment": "failing", "controls": {"without": {"x": 1}}}]
    )
    paper.replace("def failing(run: Run)", "def failing(run: Run, *, x: int = 0)")
    (result,) = claimbench.verify("papers/lion")
    assert str(tmp_path) in result.reason
    publish()
    build()
    texts = [p.read_text(encoding="utf-8") for p in (tmp_path / "leaderboards").rglob("*.*")]
    assert any("no file …/data.npz" in text for text in texts)
    assert not any(str(tmp_path) in text for text in texts)


def test_site_in_another_folder_leaves_the_tables(project):
    publish()
    assert build("--out", "elsewhere") == 0
    assert (project / "elsewhere" / "index.html").is_file()
    assert [path.name for path in (project / "leaderboards").iterdir()] == ["results"]


def git(*words: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@b")
    command = ["git", *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_branches_that_publish_different_papers_merge(project, make_paper):
    """Each adds a paper with its verdicts, and one has a new verdict on an older paper."""
    publish()
    build()
    (project / ".gitignore").write_text("store/\nruns.txt\nleaderboards/site/\n", encoding="utf-8")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "lion")
    for slug in ("tiger", "puma"):
        git("switch", "-q", "-c", slug, "main")
        make_paper(slug)
        git("add", ".")
        git("commit", "-q", "-m", f"{slug} without results")
        claimbench.verify(f"papers/{slug}", fresh=True)  # the store's are older than the repository
        publish(slug)
        changed = git("status", "--porcelain", "-uall", "leaderboards").split("\n")
        assert changed == [f"?? leaderboards/results/cpu/smoke/{slug}.json", ""]
        git("add", ".")
        git("commit", "-q", "-m", slug)
    spec = project / "papers" / "lion" / "claims.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("at_least: 1", "at_least: 9"))
    git("commit", "-q", "-a", "-m", "lion expects more")
    claimbench.verify("papers/lion", fresh=True)
    assert publish("lion") == 0
    git("commit", "-q", "-a", "-m", "lion diverges")
    git("switch", "-q", "main")
    git("merge", "-q", "tiger")
    git("merge", "-q", "puma")  # fails where a conflict is
    assert git("status", "--porcelain") == ""
    build()
    table = (project / "leaderboards" / "leaderboard.csv").read_text(encoding="utf-8")
    rows = {row["paper"]: row["verdict"] for row in csv.DictReader(table.splitlines())}
    assert rows == {"lion": "diverged", "tiger": "reproduced", "puma": "reproduced"}


def test_diff_exits_1_where_a_claim_got_worse(project, capsys):
    publish()
    before = project / "before"
    (project / "leaderboards").rename(before)
    spec = project / "papers" / "lion" / "claims.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("at_least: 1", "at_least: 9"))
    claimbench.verify("papers/lion")
    capsys.readouterr()
    assert main(["leaderboard", "diff", "before", "store"]) == 1
    assert "▼ flipped: lion::holds (smoke) reproduced → diverged" in capsys.readouterr().out
    assert main(["leaderboard", "diff", "store", "before", "--format", "markdown"]) == 0
    assert "| `lion::holds (smoke)` | flipped |" in capsys.readouterr().out
    assert main(["leaderboard", "diff", "before", "before", "--format", "json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_publish_of_what_was_not_verified(project, capsys):
    assert publish("tiger") == 2
    assert "no verdict on `tiger` in" in (text := capsys.readouterr().err)
    assert text.rstrip().endswith("run: claimbench verify tiger")


def test_another_implementation_is_never_published(project, tmp_path):
    (tmp_path / "other.py").write_text("def scaled(x, scale):\n    return -x\n", encoding="utf-8")
    assert main(["verify", "lion", "--method", "scaled=other.py:scaled"]) == 1
    publish()
    (file,) = read(project / "leaderboards" / "results")
    assert [event.verdict for event in file.entries["holds"].history] == ["reproduced"]
