"""The project's own published results, and what is derived from them."""

import csv
import json
import re
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.commands.leaderboard import load_specs, make_boards
from claimbench.judging.record import cpu_seconds
from claimbench.leaderboard import mutation, tables
from claimbench.leaderboard.published import RESULTS, read
from claimbench.tiers import BUDGETS

ROOT = Path(__file__).parents[2]
SMOKE_BUDGET = BUDGETS["smoke"]
"""CPU-seconds of all runs of a paper; with all that is around them, `make bench` measures it."""


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    scores = mutation.read(ROOT / RESULTS.parent / mutation.FOLDER)
    return tables.render(
        make_boards(read(ROOT / RESULTS), load_specs(ROOT / "papers", Cache(None)), scores)
    )


def test_every_published_paper_is_in_every_table(rendered: dict[str, str]):
    papers = {file.paper for file in read(ROOT / RESULTS)}
    boards = json.loads(rendered["leaderboard.json"])["boards"]
    assert {row["paper"] for board in boards for row in board["papers"]} == papers
    lines = csv.DictReader(rendered["leaderboard.csv"].splitlines())
    assert {row["paper"] for row in lines} == papers
    linked = re.findall(r"\(\.\./papers/(\w+)/README\.md\)", rendered["README.md"])
    assert set(linked) == papers


@pytest.mark.parametrize("name", tables.FILES)
def test_table_lies_where_main_derives_it(name: str):
    """Of which results is not said: a pull request may have newer ones than its tables."""
    assert (ROOT / RESULTS.parent / name).is_file()


def test_every_published_file_is_of_a_paper_and_in_its_own_words(rendered: dict[str, str]):
    papers = {path.name for path in (ROOT / "papers").iterdir()}
    for file in read(ROOT / RESULTS):
        assert file.paper in papers
        assert file.path(ROOT / RESULTS).read_text(encoding="utf-8") == file.text()


def test_recorded_seconds_keep_the_budget_of_smoke():
    recorded = {
        file.paper: cpu_seconds(file.records())
        for file in read(ROOT / RESULTS)
        if file.tier == "smoke"
    }
    assert {paper: spent for paper, spent in recorded.items() if spent > SMOKE_BUDGET} == {}
