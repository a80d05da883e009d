"""Rosenbrock's function and gradient against scipy, autograd and its minimum."""

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der

from common.objectives import rosenbrock, rosenbrock_gradient


@pytest.fixture
def points():
    return 3 * torch.randn(
        (4, 5, 2), generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


def test_value_equals_scipy(points):
    expected = rosen(points.numpy().T).T
    np.testing.assert_allclose(rosenbrock(points), expected, rtol=1e-13)


def test_gradient_equals_scipy(points):
    expected = [rosen_der(p) for p in points.reshape(-1, 2).numpy()]
    actual = rosenbrock_gradient(points).reshape(-1, 2)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_gradient_equals_autograd(points):
    points.requires_grad_()
    (expected,) = torch.autograd.grad(rosenbrock(points).sum(), points)
    torch.testing.assert_close(rosenbrock_gradient(points.detach()), expected)


def test_minimum():
    minimum = torch.ones(2)
    assert rosenbrock(minimum) == 0
    assert torch.equal(rosenbrock_gradient(minimum), torch.zeros(2))


def test_value_by_hand():
    # at (-3, 5): (1 + 3)² + 100 (5 - 9)² = 1616
    assert rosenbrock(torch.tensor([-3.0, 5.0])) == 1616


def test_gradient_by_hand():
    # at (-3, 5): ∂x = -2 · 4 - 400 · (-3) · (-4) = -4808, ∂y = 200 · (-4)
    gradient = rosenbrock_gradient(torch.tensor([-3.0, 5.0]))
    assert gradient.tolist() == [-4808, -800]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_shape_are_kept(dtype):
    points = torch.zeros(3, 2, dtype=dtype)
    assert rosenbrock(points).shape == (3,)
    assert rosenbrock(points).dtype == rosenbrock_gradient(points).dtype == dtype


def test_points_of_three_coordinates_are_refused():
    with pytest.raises(ValueError, match="too many values"):
        rosenbrock(torch.zeros(3))
