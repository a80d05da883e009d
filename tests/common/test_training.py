"""Training of several runs: batches, rates, schedules, and runs that diverge."""

import pytest
import torch

from common.nets import Mlp
from common.training import batches, train
from common.updates import adam, sgd


def generator(seed=2):
    return torch.Generator().manual_seed(seed)


def test_batches_go_through_all_rows_before_any_comes_again():
    x = torch.arange(7)
    seen = [
        (a.tolist(), b.tolist())
        for a, b in batches(x, 10 * x, size=3, steps=4, generator=generator())
    ]
    assert all(b == [10 * i for i in a] for a, b in seen)
    first, second = (seen[i][0] + seen[i + 1][0] for i in (0, 2))
    assert len(set(first)) == len(set(second)) == 6
    assert first != second
    (whole,) = next(batches(x, size=7, steps=1, generator=generator()))
    assert sorted(whole.tolist()) == list(range(7))


def test_batches_with_replacement_repeat_rows_and_whole_ones_draw_nothing():
    x = torch.arange(4)
    (drawn,) = next(batches(x, size=50, steps=1, generator=generator(), replace=True))
    assert len(drawn) == 50
    assert set(drawn.tolist()) == {0, 1, 2, 3}
    g = generator()
    before = g.get_state()
    assert [b[0].tolist() for b in batches(x, size=None, steps=2, generator=g)] == 2 * [x.tolist()]
    assert torch.equal(g.get_state(), before)
    with pytest.raises(ValueError, match="batches of 5 from 4 rows"):
        next(batches(x, size=5, steps=1, generator=g))


def test_each_run_trains_as_a_torch_network_at_its_rate_and_schedule():
    net, rates = Mlp((4, 5, 3), "tanh"), [0.5, 0.05]
    g = generator()
    x, y = torch.randn(30, 4, generator=g, dtype=torch.float64), torch.arange(30) % 3
    start = net.initial(g, 1, dtype=torch.float64).repeat(2, 1)
    steps = list(batches(x, y, size=8, steps=6, generator=g))
    found = train(net.loss, start, steps, adam(), rates, schedule=lambda step: 1 / step)
    for run, rate in enumerate(rates):
        theta = start[run].clone().requires_grad_()
        optimizer = torch.optim.Adam([theta], lr=rate)
        for step, batch in enumerate(steps, 1):
            optimizer.param_groups[0]["lr"] = rate / step
            optimizer.zero_grad()
            loss = net.loss(theta, *batch)
            loss.backward()
            optimizer.step()
            assert found.losses[step - 1, run].item() == pytest.approx(loss.item(), rel=1e-10)
        torch.testing.assert_close(found.theta[run], theta.detach(), rtol=1e-10, atol=1e-12)
    assert not found.theta.requires_grad


def test_run_that_diverges_leaves_the_others_alone():
    net = Mlp((4, 5, 3), norm="batch")
    x, y = torch.randn(12, 4, generator=generator()), torch.arange(12) % 3
    start = net.initial(generator()).repeat(2, 1)

    def end(rates):
        rows = batches(x, y, size=6, steps=5, generator=generator())
        return train(net.loss, start[: len(rates)], rows, sgd(), rates).theta

    both = end([float("inf"), 0.1])
    assert not both[0].isfinite().any()
    torch.testing.assert_close(both[1], end([0.1])[0])


def test_watch_sees_each_step_and_one_rate_serves_all_runs():
    seen = []
    start = torch.tensor([[1.0], [2.0]])
    found = train(
        lambda theta, a: (a * theta.square()).sum(-1) / 2,
        start,
        [(torch.tensor(1.0),), (torch.tensor(2.0),)],
        sgd(),
        0.25,
        watch=lambda step, theta: seen.append((step, theta.tolist())),
    )
    assert seen == [(1, [[0.75], [1.5]]), (2, [[0.375], [0.75]])]
    assert found.losses.tolist() == [[0.5, 2.0], [0.75**2, 1.5**2]]
    assert start.tolist() == [[1], [2]]
    assert train(lambda theta: theta.sum(-1), start, [], sgd(), 1.0).losses.shape == (0, 2)
