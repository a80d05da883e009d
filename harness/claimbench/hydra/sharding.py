"""Sharing papers out among machines that do not talk to each other."""

from __future__ import annotations

from collections.abc import Mapping

from claimbench.cache import digest

_ROOM = 1.05
"""A shard takes no more than so many times its fair part, as long as another has room."""


def place(costs: Mapping[str, float], shards: int) -> dict[str, int]:
    """Return the shard of each paper, from 0 on.

    Each paper has its own order of preference among the shards, drawn from its name (rendezvous
    hashing), and takes the first with room, the costly papers first (bounded loads: Mirrokni,
    Thorup and Zadimoghaddam, SODA 2018). So loads are nearly equal, and a paper that is added or
    becomes slower moves few others. Every machine that knows the same costs comes to the same.

    Args:
        costs: what each paper takes, in any unit; at least one is positive.
        shards: how many there are.
    """
    loads = [0.0] * shards
    most = _ROOM * sum(costs.values()) / shards
    placed = {}
    for name in sorted(costs, key=lambda name: (-costs[name], name)):
        wishes = sorted(range(shards), key=lambda shard: digest(name, str(shard)))
        fitting = (shard for shard in wishes if loads[shard] + costs[name] <= most)
        shard = next(fitting, min(wishes, key=lambda shard: loads[shard]))
        loads[shard] += costs[name]
        placed[name] = shard
    return placed
