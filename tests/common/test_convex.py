"""Convex losses: derivatives by complex steps or differences, rows, constants and minima."""

import numpy as np
import pytest
import torch

from common.convex import Coordinates, LogSumExp, Quadratic, newton
from common.linear_models import Logistic, Softmax, Squares

RNG = np.random.default_rng(1)
A, B = RNG.standard_normal((8, 3)) * [1, 2, 3], RNG.standard_normal(8)
SIGNS = np.where(B > 0, 1.0, -1.0)
LOSSES = {
    "quadratic": Quadratic(A.T @ A, A.T @ B),
    "squares": Squares(A, B, ridge=0.3),
    "squares without ridge": Squares(A, B),
    "logistic": Logistic(A, SIGNS, ridge=0.3),
    "log-sum-exp": LogSumExp(A, B, mu=0.7),
}
POINTS = RNG.standard_normal((2, 5, 3))
CLASSES = Softmax(A[:, :2], np.array([0, 2, 1, 1, 0, 2, 2, 1]), classes=3, ridge=0.3)
CLASS_POINTS = RNG.standard_normal((2, 5, 6))


def differences(function, w):
    """Return the derivatives in each coordinate, on the last axis."""
    h = 1e-6
    parts = [(function(w + h * e) - function(w - h * e)) / (2 * h) for e in np.eye(w.shape[-1])]
    return np.stack(parts, axis=-1)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_and_hessian_are_derivatives_at_every_point(loss):
    gradient = loss.gradient(POINTS)
    np.testing.assert_allclose(gradient, differences(loss.value, POINTS), rtol=1e-6, atol=1e-7)
    hessian = differences(loss.gradient, POINTS)
    np.testing.assert_allclose(loss.hessian(POINTS), hessian, rtol=1e-6, atol=1e-7)
    assert loss.value(POINTS[0, 0]).shape == ()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_gradient_vanishes_at_the_optimum(loss):
    np.testing.assert_allclose(loss.gradient(loss.optimum()), 0, atol=1e-10)


def test_values_equal_those_of_torch():
    z = torch.tensor(POINTS @ A.T)
    labels = torch.tensor(SIGNS > 0, dtype=torch.float64).expand_as(z)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(z, labels, reduction="none")
    np.testing.assert_allclose(Logistic(A, SIGNS).value(POINTS), expected.mean(-1), rtol=1e-12)
    expected = 0.7 * torch.logsumexp((z - torch.tensor(B)) / 0.7, dim=-1)
    np.testing.assert_allclose(LogSumExp(A, B, mu=0.7).value(POINTS), expected, rtol=1e-12)
    expected = ((POINTS @ A.T - B) ** 2).mean(-1) / 2 + 0.15 * (POINTS**2).sum(-1)
    np.testing.assert_allclose(Squares(A, B, ridge=0.3).value(POINTS), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", [Squares, Logistic])
def test_mean_of_the_rows_is_the_gradient_and_a_draw_is_its_row(kind):
    loss = kind(A, SIGNS, ridge=0.3)
    every = loss.row_gradients(POINTS)
    np.testing.assert_allclose(every.mean(axis=-2), loss.gradient(POINTS), rtol=1e-12, atol=1e-14)
    draws = np.array([[0, 3, 3, 7, 1], [2, 2, 5, 6, 4]])
    expected = np.take_along_axis(every, draws[..., None, None], axis=-2)[..., 0, :]
    np.testing.assert_allclose(loss.row_gradient(POINTS, draws), expected, rtol=1e-12)
    np.testing.assert_allclose(loss.row_gradient(POINTS, 3), every[..., 3, :], rtol=1e-12)


def test_smoothness_is_the_largest_curvature():
    squares, zero = Squares(A, B, ridge=0.3), np.zeros(3)
    assert squares.smoothness() == pytest.approx(np.linalg.eigvalsh(squares.hessian(zero))[-1])
    logistic = Logistic(A, SIGNS, ridge=0.3)
    assert logistic.smoothness() == pytest.approx(np.linalg.eigvalsh(logistic.hessian(zero))[-1])
    longest = (A**2).sum(axis=1).argmax()
    one = Logistic(A[[longest]], SIGNS[[longest]], ridge=0.3)
    assert logistic.row_smoothness() == pytest.approx(one.smoothness())


def test_logistic_loss_of_huge_margins_is_finite():
    loss = Logistic(np.array([[1000.0]]), np.array([1.0]))
    w = np.array([[-1.0], [1.0]])
    np.testing.assert_allclose(loss.value(w), [1000, 0])
    np.testing.assert_allclose(loss.gradient(w), [[-1000], [0]])


def test_interpolating_squares_have_their_solution_of_least_norm():
    loss = Squares(A.T, B[:3])
    np.testing.assert_allclose(loss.optimum(), np.linalg.pinv(A.T) @ B[:3], rtol=1e-10)


def test_coordinates_grow_strongly_with_their_number():
    loss = Coordinates(np.array([0.1, 2.0, 5.0]))
    w = POINTS[0]
    np.testing.assert_allclose(loss.gradient(w), differences(loss.value, w), rtol=1e-7, atol=1e-9)
    rows = np.stack([loss.row_gradient(w, np.full(5, i)) for i in range(3)])
    np.testing.assert_allclose(rows.mean(axis=0), loss.gradient(w), rtol=1e-14)
    growth = (rows**2).sum(-1).mean(0) / (loss.gradient(w) ** 2).sum(-1)
    np.testing.assert_allclose(growth, 3, rtol=1e-12)


def test_newton_says_where_there_is_no_minimum():
    separable = Logistic(np.array([[1.0], [2.0]]), np.ones(2))
    with pytest.raises(RuntimeError, match="strictly convex"):
        newton(separable, np.zeros(1), steps=20)


def test_softmax_loss_equals_torch_and_its_derivatives_fit():
    w, loss = CLASS_POINTS, CLASSES
    scores = torch.tensor(A[:, :2] @ w.reshape(2, 5, 3, 2).mT)
    entropy = torch.nn.functional.cross_entropy(
        scores.flatten(0, 2), torch.tensor(loss.labels).repeat(10), reduction="none"
    )
    expected = entropy.reshape(2, 5, 8).mean(-1).numpy() + 0.15 * (w**2).sum(-1)
    np.testing.assert_allclose(loss.value(w), expected, rtol=1e-12)
    gradient = loss.gradient(w)
    np.testing.assert_allclose(gradient, differences(loss.value, w), rtol=1e-6, atol=1e-8)
    hessian = differences(loss.gradient, w)
    np.testing.assert_allclose(loss.hessian(w), hessian, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(loss.row_gradients(w).mean(-2), gradient, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(loss.gradient(loss.optimum()), 0, atol=1e-10)
