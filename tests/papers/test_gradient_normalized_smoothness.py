"""What steps and matrices promise beyond what the paper's claims measure."""

from functools import partial

import numpy as np
import pytest

from papers.gradient_normalized_smoothness.method import (
    dual_norm,
    fisher_vector,
    inexact_hessian,
    iterate,
    metric,
    primal_norm,
    regularized_step,
    smoothness_radius,
    start,
)

RNG = np.random.default_rng(7)
JACOBIAN = RNG.standard_normal((4, 3))


@pytest.mark.parametrize("p", [2, 2.5, 4])
def test_a_residual_of_zero_has_a_finite_matrix(p):
    found = inexact_hessian(np.zeros(4), JACOBIAN, p)
    assert np.array_equal(found, JACOBIAN.T @ JACOBIAN * (p == 2))
    assert np.array_equal(fisher_vector(np.zeros(4), JACOBIAN, p), np.zeros(3))


def test_power_two_is_gauss_newton():
    found = inexact_hessian(RNG.standard_normal(4), JACOBIAN, 2)
    assert np.allclose(found, JACOBIAN.T @ JACOBIAN)


def test_an_indefinite_sum_moves_nothing_and_the_rest_of_the_batch_moves():
    x, g, plain = np.ones((2, 3)), np.ones((2, 3)), metric(np.eye(3))
    h = np.stack([np.diag([1.0, 1, -5]), np.eye(3)])
    after = regularized_step(x, g, h, np.ones(2), plain)
    assert np.array_equal(after[0], x[0])
    assert np.allclose(after[1], 0.5)


def test_norms_of_zero_are_zero():
    b = metric(np.diag([2.0, 3.0]))
    assert primal_norm(np.zeros((3, 2)), b).tolist() == [0, 0, 0]
    assert dual_norm(np.zeros(2), b) == 0


def test_a_radius_of_zero_at_a_stationary_point_that_is_not_flat():
    plain = metric(np.eye(1))
    found = smoothness_radius(lambda x: x, np.zeros(1), np.zeros((1, 1)), np.eye(1), plain, 3.0)
    assert found < 1e-9


def test_iterations_leave_their_inputs_alone_and_reach_the_minimum():
    h, plain = JACOBIAN.T @ JACOBIAN + np.eye(3), metric(np.eye(3))

    def value(x):
        return ((x @ h) * x).sum(axis=-1) / 2

    def gradient(x):
        return x @ h

    def step(x, lam):
        return regularized_step(x, gradient(x), np.stack([h, h]), lam, plain)

    state = start(value, gradient, np.ones((2, 3)))
    for _ in range(12):
        x, copy = state.x, state.x.copy()
        state = iterate(value, gradient, state, partial(step, x), plain)
        assert np.array_equal(x, copy)
    assert (value(state.x) < 1e-20).all()
