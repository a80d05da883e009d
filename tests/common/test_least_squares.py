"""Levenberg–Marquardt: its first step by hand, and fits whose answer is known."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from common.least_squares import levenberg_marquardt, values_and_slopes


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@Partial
def line(theta, x):
    return theta[0] + theta[1] * x


@Partial
def exponential(theta, x):
    return theta[0] * jnp.exp(theta[1] * x)


@Partial
def wave(theta, x):
    return theta @ jnp.cos(jnp.arange(6.0) * x)


X = np.linspace(0.0, 1.0, 5)


def test_first_step_by_hand():
    start, y = np.array([1.0, -1.0]), 3 * X
    j = np.stack([np.ones(5), X], axis=1)
    mu = 0.01 * np.mean(np.sum(j**2, axis=1))
    step = np.linalg.solve(j.T @ j + mu * np.eye(2), j.T @ (y - j @ start))
    found = levenberg_marquardt(line, start, X, y, tolerance=0, iterations=1)
    np.testing.assert_allclose(found, start + step, rtol=1e-10)


def test_second_step_has_a_third_of_the_damping():
    start, y = np.array([1.0, -1.0]), 3 * X
    j = np.stack([np.ones(5), X], axis=1)
    mu = 0.01 * np.mean(np.sum(j**2, axis=1))
    theta = start
    for damping in (mu, mu / 3):
        theta = theta + np.linalg.solve(j.T @ j + damping * np.eye(2), j.T @ (y - j @ theta))
    found = levenberg_marquardt(line, start, X, y, tolerance=0, iterations=2)
    np.testing.assert_allclose(found, theta, rtol=1e-9)


def test_exponential_is_recovered():
    y = 2 * np.exp(-1.5 * X)
    found = levenberg_marquardt(exponential, np.ones(2), X, y, tolerance=1e-12, iterations=200)
    np.testing.assert_allclose(found, [2, -1.5], rtol=1e-9)


def test_more_parameters_than_points():
    x, y = X[:3], np.array([1.0, -2.0, 0.5])
    found = levenberg_marquardt(wave, np.zeros(6), x, y, tolerance=1e-10, iterations=100)
    np.testing.assert_allclose(jax.vmap(wave, (None, 0))(found, x), y, atol=1e-9)


def test_tolerance_is_met_and_not_overdone():
    y = 2 * np.exp(-1.5 * X)
    found = levenberg_marquardt(exponential, np.ones(2), X, y, tolerance=1e-3, iterations=200)
    error = np.sqrt(np.mean((jax.vmap(exponential, (None, 0))(found, X) - y) ** 2))
    assert 1e-9 < error <= 1e-3


def test_no_iterations_give_a_copy_of_the_start():
    start = np.array([1.0, 2.0])
    found = levenberg_marquardt(line, start, X, X, tolerance=0, iterations=0)
    np.testing.assert_array_equal(found, start)
    assert found is not start


def test_start_is_only_read():
    start = np.array([1.0, 2.0])
    levenberg_marquardt(line, start, X, X, tolerance=0, iterations=5)
    assert start.tolist() == [1.0, 2.0]


def test_steps_that_are_worse_are_not_taken():
    def bad(theta, x):  # sqrt gives no number beyond its domain
        return jnp.sqrt(theta[0]) * x

    y = -X
    found = levenberg_marquardt(Partial(bad), np.array([1.0]), X, y, tolerance=0, iterations=50)
    assert 0 <= found[0] < 1


def test_values_and_slopes_by_hand():
    value, slope = values_and_slopes(exponential, np.array([2.0, -1.5]), X)
    np.testing.assert_allclose(value, 2 * np.exp(-1.5 * X))
    np.testing.assert_allclose(slope[:, 0], np.exp(-1.5 * X))
    np.testing.assert_allclose(slope[:, 1], 2 * X * np.exp(-1.5 * X))
