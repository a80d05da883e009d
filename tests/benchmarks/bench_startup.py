"""What it costs to look at many papers without running any."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAPERS = 119
CLAIMBENCH = Path(sys.executable).with_name("claimbench")
COLLECT = (sys.executable, "-m", "pytest", "--collect-only", "-q", "papers")
HEAVY = ("torch", "jax", "datasets", "wandb")
LOADED = f"""
import sys

def pytest_unconfigure():
    print("loaded:", sorted(set({HEAVY!r}) & set(sys.modules)))
"""


def test_list(project, medians, environment):
    root = project(PAPERS)

    def forget():
        shutil.rmtree(environment["CLAIMBENCH_HOME"], ignore_errors=True)

    times = medians(
        {"list, cold": [CLAIMBENCH, "list"], "list, warm": [CLAIMBENCH, "list"]},
        cwd=root,
        before={"list, cold": forget},
    )
    assert times["list, warm"] <= 0.2
    assert times["list, cold"] <= 0.7


@pytest.mark.parametrize("count", [PAPERS, 1000])
def test_collection(project, medians, count):
    root = project(count)
    bare, plugin = f"collect {count}, bare pytest", f"collect {count}"
    times = medians(
        {bare: [*COLLECT, "-p", "no:claimbench"], plugin: COLLECT}, cwd=root, codes=(0, 5)
    )
    assert (times[plugin] - times[bare]) / count <= 0.0015


def test_neither_loads_a_framework(project, environment, tmp_path):
    root = project(PAPERS)
    (tmp_path / "loaded.py").write_text(LOADED)
    environment["PYTHONPATH"] = str(tmp_path)

    def output(*command):
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    script = "import loaded; from claimbench.cli import main; main(['list']); "
    script += "loaded.pytest_unconfigure()"
    assert output(sys.executable, "-c", script).endswith("loaded: []\n")
    assert "loaded: []\n" in output(*COLLECT, "-p", "loaded")
