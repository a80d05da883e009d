"""What the preconditioners and steps promise beyond what the paper's claims measure."""

import numpy as np
import pytest

from papers.polynomial_preconditioning.method import (
    elementary,
    extremes,
    fast_start,
    fast_step,
    gradient_step,
    krylov_basis,
    power_traces,
    precondition,
    preconditioner_spectrum,
    searched_step,
    subspace_step,
    symmetric_preconditioners,
    xi,
)


def matrices(dtype) -> np.ndarray:
    """Two positive definite matrices, shape (2, 5, 5)."""
    root = np.random.default_rng(5).standard_normal((2, 5, 5))
    return (root @ root.swapaxes(-1, -2) + np.eye(5)).astype(dtype)


def test_batches_and_float32_give_what_single_matrices_give():
    exact = matrices(np.float64)
    single = matrices(np.float32)
    p, sigma = symmetric_preconditioners(single, 3), elementary(power_traces(single, 3))
    assert p.dtype == sigma.dtype == np.float32
    for i, b in enumerate(exact):
        each = symmetric_preconditioners(b, 3)
        assert np.allclose(p[:, i], each, rtol=1e-4, atol=1e-4 * np.abs(each).max())
        assert np.allclose(sigma[i], elementary(power_traces(b, 3)), rtol=1e-4)
        g = np.arange(5, dtype=np.float32)
        applied = precondition(single[i].dot, sigma[i], g)
        assert applied.dtype == np.float32
        assert np.allclose(applied, each[3] @ g, rtol=1e-3, atol=1e-3 * np.abs(each[3]).max())


def test_order_zero_is_the_identity():
    b = matrices(np.float64)[0]
    assert np.array_equal(symmetric_preconditioners(b, 0)[0], np.eye(5))
    assert np.array_equal(elementary(power_traces(b, 0)), [1])
    lam = np.array([2.0, 7.0, 3.0])
    assert np.array_equal(preconditioner_spectrum(lam, 0), np.ones(3))
    assert extremes(lam, 0) == (2, 7)
    assert xi(lam, 0) == 1


@pytest.mark.parametrize("tau", [-1, 5])
def test_an_order_without_a_preconditioner_is_refused(tau):
    with pytest.raises(ValueError, match="τ must be in"):
        symmetric_preconditioners(matrices(np.float64), tau)
    with pytest.raises(ValueError, match="τ must be in"):
        preconditioner_spectrum(np.arange(1.0, 6.0), tau)


def test_equal_eigenvalues_leave_the_condition_number_at_one():
    assert extremes(np.full(4, 3.0), 2) == (27 * 3, 27 * 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_small_krylov_space_has_columns_of_zeros_and_zero_gradients_stay(dtype):
    b = np.diag([1, 2, 3, 4, 5]).astype(dtype)
    g = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], dtype)
    basis = krylov_basis(lambda v: v @ b, g, 3)
    assert basis.dtype == dtype
    assert (basis != 0).any(axis=-2).sum(axis=-1).tolist() == [2, 0]
    x = np.ones((2, 5), dtype)
    step = subspace_step(lambda v: v @ b, x, g, basis, np.ones(2, dtype))
    assert step.x.dtype == dtype
    assert np.allclose(step.x, np.array([[0, 0.5, 1, 1, 1], [1, 1, 1, 1, 1]]), atol=1e-6)
    assert np.allclose(step.decrease, [0.75, 0], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_search_ends_at_the_minimum_and_inputs_are_only_read(dtype):
    b = matrices(dtype)[0]

    def value(x):
        return ((x @ b) * x).sum(axis=-1) / 2

    x, m = np.arange(5, dtype=dtype), np.array(1, dtype)
    for _ in range(30):
        before, g = x.copy(), x @ b
        step = searched_step(value, lambda v: v @ b, x, g, krylov_basis(lambda v: v @ b, g, 2), m)
        assert np.array_equal(x, before)
        x, m = step.x, step.m
    assert x.dtype == m.dtype == dtype
    assert value(x) < 1e-9


def test_a_value_that_is_not_finite_is_an_error():
    b, x = np.eye(3), np.ones(3)
    with pytest.raises(ArithmeticError, match="no M is large enough"):
        searched_step(lambda x: np.array(np.nan), lambda v: v, x, x, b, np.array(1.0))


def test_methods_keep_float32():
    p, x = matrices(np.float32)[0], np.ones(5, np.float32)
    state = fast_step(fast_start(x), x, lambda g: p @ g, 3.0)
    assert gradient_step(x, x, lambda g: p @ g, 3.0).dtype == np.float32
    assert state.x.dtype == state.y.dtype == np.float32
    assert np.array_equal(state.x, state.y)
