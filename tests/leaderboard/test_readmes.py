"""The table of results in a README: written between its marks, and nothing else of it."""

from __future__ import annotations

import pytest

import claimbench
from claimbench.cli import main
from claimbench.leaderboard.readmes import BEGIN, END, block, problem, results, without_block
from claimbench.spec.load import load_spec

BEFORE = "# Tiny\n\nProse with a \\1 and $x$.\n\n## What came out\n"
AFTER = "\n## What surprised\nNothing.\n"
MARKED = f"{BEFORE}{BEGIN}\nNothing is published yet.\n{END}\n{AFTER}"
TABLE = """\
| verdict | claim | held | measured | expected | the paper's | controls |
| :-- | :-- | :-- | :-- | :-- | :-- | :-- |
| ✗ diverged (known), standard | ★ `b` | 1/9 | value 1.5 [1.25, 1.75] | ≥ 1 | 1.95, neither |  |
|  |  |  | gap – | > 0 |  |  |
| ✓ reproduced, smoke | `holds` | 3/3 | value 1.5 [1.25, 1.75] | ≥ 1 |  | quarter rejected 0/1 |
| – skipped, smoke | `later` |  |  |  |  |  |
"""


def test_table_has_headlines_first_each_at_its_highest_tier(make_file, make_paper):
    spec = load_spec(make_paper("lion", claims=[{}, {"id": "b"}, {"id": "later"}]).folder)
    high = {
        "headline": True,
        "verdict": "diverged",
        "known": "why",
        "known_verdict": "diverged",
        "held": 1,
        "seeds": 9,
        "expect_text": {"value": "≥ 1", "gap": "> 0"},
        "reported": {"value": 1.95},
        "standing": {"value": "neither"},
        "controls": [],
    }
    files = [
        make_file("lion", holds={}, b={}, later={"verdict": "skipped", "controls": []}),
        make_file("lion", tier="standard", b=high),
        make_file("lion", profile="gpu", holds={"verdict": "error"}),
        make_file("tiger", other={}),
    ]
    said = results(files, spec)
    assert said.endswith(f"\n\n{TABLE}")
    assert results(files[3:], spec) == "Nothing is published yet.\n"
    assert "error" in results(files[2:], spec)


def test_publishing_writes_between_the_marks_alone(make_paper, tmp_path, monkeypatch, capsys):
    paper = make_paper("lion")
    readme = paper.folder / "README.md"
    readme.write_text(MARKED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    claimbench.verify("papers/lion")
    assert main(["leaderboard", "publish"]) == 0
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"{BEFORE}{BEGIN}\n")
    assert text.endswith(f"{END}\n{AFTER}")
    assert "| ✓ reproduced, smoke | ★ `holds` | 3/3 | value " in text
    assert f"wrote {readme}" in capsys.readouterr().err
    assert main(["leaderboard", "publish"]) == 0
    assert readme.read_text(encoding="utf-8") == text
    assert without_block(text) == without_block(MARKED) == f"{BEFORE}\n{AFTER}"
    readme.write_text("# Tiny\n", encoding="utf-8")
    assert main(["leaderboard", "publish"]) == 0
    assert readme.read_text(encoding="utf-8") == "# Tiny\n"


@pytest.mark.parametrize(
    "text",
    [
        "# Tiny\n",
        f"{BEGIN}\n",
        f"{END}\n{BEGIN}\n",
        f"{MARKED}{BEGIN}\n{END}\n",
    ],
)
def test_readme_without_its_marks_is_a_problem_that_check_names(
    make_paper, tmp_path, monkeypatch, capsys, text
):
    paper = make_paper("lion")
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0
    (paper.folder / "README.md").write_text(f"# Tiny\n{text}", encoding="utf-8")
    capsys.readouterr()
    assert main(["check"]) == 2
    said = capsys.readouterr()
    assert "lion/README.md: the results have no place; write the lines `<!-- results: b" in said.err
    assert said.out == ""


def test_what_stands_between_the_marks():
    assert block(MARKED) == "Nothing is published yet.\n"
    assert block("# Tiny\n") is None
    assert problem(MARKED) is None
