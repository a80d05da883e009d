"""Sharing papers out: complete, nearly equal, and stable."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbench.hydra.sharding import place


def papers(count: int, seed: int = 0) -> dict[str, float]:
    """Costs as they are: most papers short, some long."""
    rng = random.Random(seed)
    return {f"paper_{i}": rng.lognormvariate(5, 0.8) for i in range(count)}


@given(
    st.dictionaries(st.text(min_size=1), st.floats(0.1, 1e4), min_size=1),
    st.integers(1, 9),
)
def test_every_paper_has_one_shard(costs: dict[str, float], shards: int):
    placed = place(costs, shards)
    assert placed.keys() == costs.keys()
    assert set(placed.values()) <= set(range(shards))
    assert place(dict(reversed(costs.items())), shards) == placed


@pytest.mark.parametrize("shards", [2, 4, 8])
@pytest.mark.parametrize("seed", range(5))
def test_loads_are_nearly_equal(shards: int, seed: int):
    costs = papers(119, seed)
    placed = place(costs, shards)
    loads = [sum(c for name, c in costs.items() if placed[name] == i) for i in range(shards)]
    assert max(loads) <= 1.06 * sum(loads) / shards


@pytest.mark.parametrize("shards", [2, 4, 8])
def test_a_new_paper_moves_few_others(shards: int):
    costs = papers(119)
    before = place(costs, shards)
    moved = []
    for number in range(20):
        after = place({**costs, f"new_{number}": 150.0}, shards)
        moved.append(sum(after[name] != before[name] for name in costs))
    assert sum(moved) / len(moved) <= 0.15 * len(costs)  # by costs alone about all would move
