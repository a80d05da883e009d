"""Tanh networks in JAX against the same networks in torch, and their derivatives in the point."""

import jax
import numpy as np
import pytest
import torch

from common.nets import Mlp
from common.tanh_nets import TanhNet

WIDTHS = (2, 5, 4, 3)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def test_values_of_all_runs_equal_those_in_torch():
    rng, net = np.random.default_rng(0), TanhNet(WIDTHS)
    theta = net.init(rng, 3) + 0.1 * rng.standard_normal((3, net.size))
    x = rng.standard_normal((6, 2))
    mlp = Mlp(WIDTHS, "tanh")
    assert net.size == mlp.size
    expected = mlp.logits(torch.tensor(theta), torch.tensor(x)).numpy()
    np.testing.assert_allclose(net.values(theta, x), expected, rtol=1e-12)
    np.testing.assert_allclose(net(theta[1], x[4]), expected[1, 4], rtol=1e-12)


def test_second_derivative_in_the_point_is_that_of_tanh():
    net = TanhNet((1, 1, 1))
    theta = np.array([0.7, 0.2, 1.5, -0.4])  # u = 1.5 tanh(0.7 x + 0.2) − 0.4
    second = jax.jit(jax.grad(jax.grad(lambda x: net(theta, x[None])[0])))(0.3)
    t = np.tanh(0.7 * 0.3 + 0.2)
    assert second == pytest.approx(1.5 * 0.49 * -2 * t * (1 - t**2), rel=1e-12)


def test_initial_weights_have_glorot_variance_and_no_biases():
    net = TanhNet((30, 50, 1))
    theta = net.init(np.random.default_rng(0), 40)
    assert theta[:, :1500].var() == pytest.approx(2 / 80, rel=0.02)
    assert not theta[:, 1500:1550].any()
    assert not theta[:, -1].any()
    assert net.init(np.random.default_rng(0)).shape == (net.size,)
