"""What the functions of the paper on non-differentiability promise beyond its claims."""

import numpy as np
import pytest
import torch

from common.nets import Mlp
from common.updates import sgd
from papers.nondifferentiability.method import (
    bouncing_place,
    descend,
    hard_subgradient,
    huber,
    lasso_subgradient,
    pseudo_huber,
    pseudo_huber_end,
    soft_threshold,
)
from papers.nondifferentiability.pruning import thresholded, weights_of


def test_descent_takes_one_step_for_each_size_and_keeps_float32():
    start = np.array([[1.0, -2.0]], np.float32)
    found = list(descend(lambda x: 2 * x, start, [0.25, 0.5]))
    assert [x.tolist() for x in found] == [[[0.5, -1.0]], [[0.0, 0.0]]]
    assert found[0].dtype == np.float32
    assert start.tolist() == [[1.0, -2.0]]


def test_subgradients_at_kinks_are_those_of_autodiff():
    h, c = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([0.3, -0.7])
    beta = np.array([0.0, -1.5])
    leaf = torch.tensor(beta, requires_grad=True)
    loss = leaf @ torch.tensor(h) @ leaf / 2 - torch.tensor(c) @ leaf + 3 * leaf.abs().sum()
    (expected,) = torch.autograd.grad(loss, leaf)
    assert lasso_subgradient(beta, h, c, 3.0) == pytest.approx(expected.numpy())
    ties = np.array([[0.5, 2.0, 2.0], [1.0, 1.0, -4.0]])
    assert (hard_subgradient(ties, 0.1) - 0.1 * ties == [[0, 1, 0], [1, 0, 0]]).all()


def test_soft_threshold_is_the_proximal_map():
    x, width = np.array([-2.0, -0.3, 0.0, 0.4, 1.7]), 0.5
    grid = np.linspace(-3, 3, 60_001)
    best = grid[((grid - x[:, None]) ** 2 / 2 + width * np.abs(grid)).argmin(axis=1)]
    assert soft_threshold(x, width) == pytest.approx(best, abs=1e-4)
    assert (soft_threshold(x, width)[1:4] == 0).all()


@pytest.mark.parametrize("function", [huber, pseudo_huber])
def test_derivatives_are_those_of_differences(function):
    x, delta, step = np.array([-1.3, -0.05, 0.02, 0.09, 0.6]), 0.1, 1e-6
    up, down, found = (function(x + d, delta) for d in (step, -step, 0))
    assert found.slope == pytest.approx((up.value - down.value) / (2 * step), abs=1e-8)
    assert found.curvature == pytest.approx((up.slope - down.slope) / (2 * step), abs=1e-6)


def test_cycles_are_fixed_points_of_two_steps():
    v = bouncing_place(0.05, 3.0, 7.3)
    assert v - 0.05 * (7.3 * v + 3.0) == pytest.approx(-v)
    end = pseudo_huber_end(0.5, 0.1)
    there = pseudo_huber(np.array(end.place), 0.1)
    assert end.place - 0.5 * there.slope == pytest.approx(-end.place)
    assert end.sharpness == pytest.approx(there.curvature)
    assert pseudo_huber_end(0.2, 0.1) == (0, 10)


def test_weights_are_penalised_and_biases_are_not():
    net = Mlp((3, 2, 2))
    counted = weights_of(net)
    theta = torch.arange(1.0, net.size + 1).repeat(2, 1)
    assert counted.sum() == 3 * 2 + 2 * 2
    assert all(w.all() for w in net.weights(counted))
    penalties = torch.tensor([[1.0], [100.0]]) * counted
    rate = torch.tensor([[0.5], [0.5]])
    found = thresholded(sgd(), penalties)(theta, torch.zeros_like(theta), rate)
    assert torch.equal(found[0], (theta[0] - 0.5 * counted).clamp(min=0))
    assert torch.equal(found[1], theta[1] * (1 - counted))
