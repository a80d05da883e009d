"""What the leading axis of runs saves: seeds and rates of a small network at once, and in turn."""

import statistics
import time

import torch
from torch import nn

from common.nets import Mlp, uniform
from common.training import train
from common.updates import adam

SEEDS, RATES = 10, (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
WIDTHS, ROWS, BATCH, STEPS = (64, 32, 10), 1000, 32, 100
ROUNDS = 5
LEAST = 5.0


def test_seeds_and_rates_at_once(shown):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        g = torch.Generator().manual_seed(4)
        x, y = torch.randn(ROWS, WIDTHS[0], generator=g), torch.arange(ROWS) % WIDTHS[-1]
        rows = [torch.randint(ROWS, (BATCH,), generator=g) for _ in range(STEPS)]
        steps = [(x[chosen], y[chosen]) for chosen in rows]
        starts = Mlp(WIDTHS).initial(g, SEEDS, draw=uniform).repeat_interleave(len(RATES), 0)
        times: dict[str, list[float]] = {"at once": [], "in turn": []}
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            together = at_once(starts, steps)
            middle = time.perf_counter()
            apart = in_turn(starts, steps)
            times["at once"].append(middle - begin)
            times["in turn"].append(time.perf_counter() - middle)
        torch.testing.assert_close(together, apart, rtol=1e-2, atol=1e-3)
    finally:
        torch.set_num_threads(threads)
    shown(times)
    ratios = [b / a for a, b in zip(*times.values(), strict=True)]
    assert statistics.median(ratios) >= LEAST, ratios


def at_once(starts, steps):
    return train(Mlp(WIDTHS).loss, starts, steps, adam(), RATES * SEEDS).theta


def in_turn(starts, steps):
    """Train as a user of torch does: a module, an optimizer, a loop, for each seed and rate."""
    ends = []
    for start, rate in zip(starts, RATES * SEEDS, strict=True):
        net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        nn.utils.vector_to_parameters(start, net.parameters())
        optimizer = torch.optim.Adam(net.parameters(), lr=rate)
        for inputs, targets in steps:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(inputs), targets).backward()
            optimizer.step()
        ends.append(nn.utils.parameters_to_vector(net.parameters()).detach())
    return torch.stack(ends)
