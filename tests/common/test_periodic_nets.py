"""Periodic networks: values by hand, and rates against spectral derivatives."""

from collections.abc import Iterator

import jax
import numpy as np
import pytest

from common.periodic_nets import NetRate, PeriodicNet
from common.spectral import Equation, allen_cahn, burgers, heat, rate


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def parameters(net: PeriodicNet, seed: int = 0) -> np.ndarray:
    return net.init(np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("net", "size"), [(PeriodicNet(10, 4), 261), (PeriodicNet(40, 7, dimension=2), 8361)]
)
def test_number_of_parameters_is_that_of_the_papers(net: PeriodicNet, size: int):
    assert net.size == size
    assert parameters(net).shape == (size,)


def test_value_by_hand():
    net = PeriodicNet(width=2, depth=3, period=4.0)
    a, phi, c = [2.0, -1.0], [0.1, 0.2], [0.3, 0.4]
    w1, b1 = [[1.0, 2.0], [3.0, 4.0]], [0.5, -0.5]
    w2, b2 = [1.5, -2.5], [0.25]
    theta = np.concatenate([a, phi, c, np.ravel(w1), b1, w2, b2])
    x = 0.7
    first = np.tanh(np.array(a) * np.cos(np.pi / 2 * x + np.array(phi)) + c)
    second = np.tanh(first @ np.array(w1) + b1)
    assert float(net(theta, np.array([x]))) == pytest.approx(second @ np.array(w2) + b2[0])


def test_value_in_two_dimensions_by_hand():
    net = PeriodicNet(width=4, depth=2, dimension=2)
    a = np.array([[1.0, 2.0], [3.0, 4.0]])  # feature, coordinate
    x = np.array([0.3, 1.1])
    features = np.tanh(a * np.cos(x))
    w = np.array([1.0, 10.0, 100.0, 1000.0])
    theta = np.concatenate([a.ravel(), np.zeros(8), w, [0.0]])
    assert float(net(theta, x)) == pytest.approx(features.ravel() @ w)


def test_networks_are_periodic():
    net = PeriodicNet(6, 4, dimension=2, period=3.0)
    theta, x = parameters(net), np.array([0.4, 1.7])
    for shift in (np.array([3.0, 0.0]), np.array([0.0, -3.0])):
        assert float(net(theta, x + shift)) == pytest.approx(float(net(theta, x)), abs=1e-13)
    assert abs(float(net(theta, x + np.array([0.5, 0.0])) - net(theta, x))) > 1e-4


def test_initial_parameters():
    net = PeriodicNet(100, 4)
    theta = parameters(net)
    periodic, dense, biases = theta[:300], theta[300:10300], theta[10300:10400]
    assert np.abs(periodic).max() <= 2
    assert np.abs(periodic).max() > 1.5
    assert periodic.std() == pytest.approx(0.88, abs=0.08)
    assert dense.std() == pytest.approx(0.1, rel=0.03)
    assert dense.mean() == pytest.approx(0, abs=0.004)
    assert np.abs(dense).max() <= 0.2 / 0.8796
    assert not biases.any()


def test_initial_parameters_depend_on_the_generator_alone():
    net = PeriodicNet(10, 4)
    np.testing.assert_array_equal(parameters(net), parameters(net))
    assert np.abs(parameters(net) - parameters(net, seed=1)).max() > 0.1


@pytest.mark.parametrize("equation", [heat(0.3), allen_cahn(0.3), burgers(0.3)], ids=str)
@pytest.mark.parametrize("dimension", [1, 2])
def test_rate_is_that_of_spectral_derivatives(equation: Equation, dimension: int):
    net = PeriodicNet(4, 3, dimension=dimension, period=5.0)
    theta = 0.5 * parameters(net)  # a smooth function
    axes = [np.arange(48) * (5.0 / 48)] * dimension
    x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    points = x.reshape(-1, dimension)
    u = jax.vmap(net, (None, 0))(theta, points)
    found = jax.vmap(NetRate.of(equation, net), (None, 0))(theta, points)
    expected = rate(equation, np.reshape(u, x.shape[:-1]), period=5.0)
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-8)


def test_one_compilation_serves_all_equations():
    net, traces = PeriodicNet(4, 3), []

    @jax.jit
    def at_one(field, theta):
        traces.append(field)
        return field(theta, np.ones(1))

    theta = parameters(net)
    values = {float(at_one(NetRate.of(e, net), theta)) for e in (heat(0.1), burgers(0.1))}
    assert len(values) == 2
    assert len(traces) == 1
