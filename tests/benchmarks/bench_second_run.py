"""What a verification costs where nothing has changed."""

import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAPER = (sys.executable, "-m", "pytest", "papers/gfs_sharpness")
LOADED = """
import sys

def pytest_unconfigure():
    print("loaded:", sorted({"torch", "jax"} & set(sys.modules)))
"""


def test_second_verification_of_a_paper(medians, environment, tmp_path):
    (tmp_path / "loaded.py").write_text(LOADED)
    environment["PYTHONPATH"] = str(tmp_path)
    first = subprocess.run(
        PAPER, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert first.returncode == 0, first.stdout
    store = Path(environment["CLAIMBENCH_HOME"]) / "store.sqlite"

    def begun():
        with sqlite3.connect(store) as connection:
            return [
                connection.execute(f"SELECT COUNT(*), MAX(started_at) FROM {table}").fetchall()
                for table in ("runs", "failures")
            ]

    before = begun()
    bare, second = "pytest papers/gfs_sharpness, bare", "pytest papers/gfs_sharpness, again"
    times = medians({bare: [*PAPER, "-p", "no:claimbench"], second: PAPER}, cwd=ROOT, codes=(0, 5))
    again = subprocess.run(
        [*PAPER, "-p", "loaded"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "loaded: []\n" in again.stdout
    assert begun() == before
    assert times[second] - times[bare] <= 0.2
