"""The project's own tables say what its published results say."""

from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.commands.leaderboard import load_specs, make_boards
from claimbench.judging.record import cpu_seconds
from claimbench.leaderboard import tables
from claimbench.leaderboard.published import RESULTS, read

ROOT = Path(__file__).parents[2]
SMOKE_BUDGET = 15.0
"""CPU-seconds of all runs of a paper; with all that is around them, `make bench` measures it."""


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return tables.render(
        make_boards(read(ROOT / RESULTS), load_specs(ROOT / "papers", Cache(None)))
    )


@pytest.mark.parametrize("name", tables.FILES)
def test_table_is_up_to_date(rendered: dict[str, str], name: str):
    found = (ROOT / RESULTS.parent / name).read_text(encoding="utf-8")
    assert found == rendered[name], "run: claimbench leaderboard merge leaderboards"


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
