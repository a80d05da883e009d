"""Learning rate schedules, against points by hand and torch's scheduler."""

import pytest
import torch

from common.schedules import restarts, stairs, warmup_constant, warmup_cosine, warmup_linear


def test_warmup_constant():
    assert [warmup_constant(t, warmup=4) for t in (1, 2, 4, 5, 90)] == [0.25, 0.5, 1, 1, 1]


def test_warmup_constant_without_warmup():
    assert [warmup_constant(t, warmup=0) for t in (1, 2)] == [1, 1]


@pytest.mark.parametrize(
    ("step", "factor"),
    # the cosine's period is 16: cos 0, π/4, π/2, 3π/4, π
    [(1, 0.5), (2, 1), (4, 0.8681981), (6, 0.55), (8, 0.2318019), (10, 0.1)],
)
def test_warmup_cosine_by_hand(step, factor):
    assert warmup_cosine(step, warmup=2, steps=10, floor=0.1) == pytest.approx(factor, abs=1e-7)


def test_warmup_cosine_ends_at_zero_without_a_floor():
    assert warmup_cosine(10, warmup=0, steps=10) == pytest.approx(0, abs=1e-15)


def test_decay_equals_torch_scheduler():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20, eta_min=0.05)
    for step in range(5, 26):
        ours = warmup_cosine(step, warmup=5, steps=25, floor=0.05)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()


def test_linear_rises_then_falls_straight_to_its_floor():
    factors = [warmup_linear(t, warmup=2, steps=10, floor=0.2) for t in (1, 2, 4, 7, 10)]
    assert factors == pytest.approx([0.5, 1, 0.8, 0.5, 0.2], rel=1e-12)
    assert warmup_linear(10, warmup=0, steps=10) == pytest.approx(0, abs=1e-15)


def test_stairs_fall_after_their_share_of_the_steps():
    falls = [(0.8, 0.5), (0.25, 0.2)]
    found = [stairs(t, steps=8, falls=falls) for t in range(1, 9)]
    assert found == pytest.approx([1, 1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1], rel=1e-12)


def test_restarts_by_default_go_to_zero_in_equal_periods():
    found = [restarts(t, period=2) for t in range(1, 8)]
    assert found == pytest.approx([1, 0.5, 1, 0.5, 1, 0.5, 1], rel=1e-12)


@pytest.mark.parametrize("growth", [1, 3])
def test_restarts_equal_torch_scheduler(growth):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, T_0=4, T_mult=growth, eta_min=0.1
    )
    for step in range(1, 30):
        ours = restarts(step, period=4, growth=growth, floor=0.1)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()
