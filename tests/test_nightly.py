"""What a night does, as `make nightly` does it, and the issue that it keeps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from claimbench.leaderboard.mutation import due, read

ROOT = Path(__file__).parents[1]
SHARDS = 2

GH = """\
#!{python}
import json, pathlib, sys
here = pathlib.Path({folder!r})
words = sys.argv[1:]
with open(here / "calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
if words[:2] == ["issue", "list"]:
    print((here / "open.json").read_text())
"""


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@b")
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


@pytest.fixture
def night(tmp_path, make_paper, store_home):
    """Return a function that runs a night in a project of three papers."""
    for slug in ("one", "two", "three"):
        method = make_paper(slug).folder / "method.py"
        method.write_text(f"{method.read_text()}\n\nPAPER = {slug!r}\n")  # equal code runs once
    (tmp_path / ".gitignore").write_text(".claimbench/\n.venv/\nleaderboards/site/\nruns.txt\n")
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / ".venv").mkdir()
    for name in ("pyproject.toml", "requirements.lock", ".venv/installed"):  # as if installed
        (tmp_path / name).write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "papers")

    def run(*options: str) -> str:
        environment = {k: v for k, v in os.environ.items() if k != "CLAIMBENCH_HOME"}
        variables = (f"SHARDS={SHARDS}", "TIER=smoke", f"BIN={Path(sys.executable).parent}")
        done = subprocess.run(
            ["make", "nightly", *variables, *options],
            cwd=tmp_path,
            env={**environment, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_nights(night, tmp_path):
    tonight = next(number for number in range(7) if due(["one"], number))
    assert "3 compared, 0 of them differ" in night(f"TONIGHT={tonight}")
    scores = tmp_path / "leaderboards" / "mutation"
    tried = due(["one", "two", "three"], tonight)
    assert sorted(path.stem for path in scores.iterdir()) == tried
    assert read(scores)["one"].mutants > 0
    assert (tmp_path / ".claimbench" / "night" / "baseline.json").is_file()
    results = tmp_path / "leaderboards" / "results" / "cpu" / "smoke"
    assert sorted(path.stem for path in results.glob("*.json")) == ["one", "three", "two"]
    assert (tmp_path / "leaderboards" / "site" / "index.html").is_file()
    shards = tmp_path / ".claimbench" / "night" / "results"
    parts = [len(list((shards / f"shard-{i}").glob("**/*.json"))) for i in (1, 2)]
    assert sum(parts) == 3
    assert 0 not in parts
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "night")

    shorter = ("-o", "baseline", "-o", "nightly-mutants", "-o", "nightly-audit")
    runs = {slug: (tmp_path / "papers" / slug / "runs.txt").read_text() for slug in ("one", "two")}
    assert "No verdict changed." in night(*shorter)
    assert (tmp_path / ".claimbench" / "night" / "alert.md").read_text().startswith("No claim is")
    for slug, before in runs.items():
        assert (tmp_path / "papers" / slug / "runs.txt").read_text() == before  # nothing ran again

    method = tmp_path / "papers" / "two" / "method.py"
    method.write_text(method.read_text().replace("scale * x", "scale * x / 3"))
    git(tmp_path, "commit", "-q", "--all", "-m", "a third")
    assert "two::holds" in night(*shorter)
    alert = (tmp_path / ".claimbench" / "night" / "alert.md").read_text()
    assert "two::holds (smoke, cpu)" in alert
    assert "✓ reproduced; value 1." in alert
    assert "✗ diverged; value 0." in alert
    assert "one::holds" not in alert


@pytest.fixture
def issue(tmp_path, monkeypatch):
    """Return a function that keeps the issue, with a stand-in for GitHub's client."""
    binary = tmp_path / "bin" / "gh"
    binary.parent.mkdir()
    binary.write_text(GH.format(python=sys.executable, folder=str(tmp_path)))
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")

    def keep(text: str, opened: list[int]) -> list[list[str]]:
        (tmp_path / "open.json").write_text(json.dumps([{"number": n} for n in opened]))
        (tmp_path / "alert.md").write_text(text)
        (tmp_path / "calls").unlink(missing_ok=True)
        script = [sys.executable, ROOT / ".github" / "alert_issue.py", tmp_path / "alert.md"]
        subprocess.run(script, check=True)
        calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
        return [call[:3] for call in calls if call[0] == "issue" and call[1] != "list"]

    return keep


def test_issue_is_opened_rewritten_and_closed(issue):
    worse = "| claim | was | is | CPU |\n"
    assert issue(worse, []) == [["issue", "create", "--title"]]
    assert issue(worse, [7]) == [["issue", "edit", "7"]]
    assert issue("No claim is worse than it was.\n", [7]) == [["issue", "close", "7"]]
    assert issue("No claim is worse than it was.\n", []) == []


def test_nothing_of_strangers_runs_on_our_machines():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        triggers = workflow[True]  # how YAML 1.1 reads `on`
        assert "pull_request_target" not in triggers
        for job in workflow["jobs"].values():
            if "self-hosted" in job["runs-on"]:
                assert set(triggers) == {"workflow_dispatch"}
            if "pull_request" in triggers:
                permissions = job.get("permissions", workflow["permissions"])
                assert set(permissions.values()) <= {"read"}
                assert "secrets." not in path.read_text(encoding="utf-8")
