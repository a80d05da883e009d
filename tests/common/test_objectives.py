"""Test functions against scipy, autograd, values by hand and their minima."""

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der

from common.objectives import (
    ackley,
    beale,
    chained_rosenbrock,
    himmelblau,
    rastrigin,
    rosenbrock,
    rosenbrock_gradient,
    sphere,
)


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


def test_chained_rosenbrock_equals_scipy():
    chains = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(chained_rosenbrock(chains), rosen(chains.numpy().T), rtol=1e-13)


@pytest.mark.parametrize(
    ("function", "point", "value"),
    [
        # (1.5 − 1 + 2)² + (2.25 − 1 + 4)² + (2.625 − 1 + 8)²
        (beale, (1, 2), 2.5**2 + 5.25**2 + 9.625**2),
        (himmelblau, (1, 2), 8**2 + 2**2),
        (sphere, (1, -2, 3), 14),
        # cos 2π/4 = 0, cos π = −1, cos 4π = 1
        (rastrigin, (0.25, 0.5, 2), 0.0625 + 10 + 0.25 + 20 + 4),
        # r² = (1 + 0.25) / 2, mean of cos 2π and cos π is 0
        (ackley, (1, 0.5), 20 * (1 - np.exp(-np.sqrt(0.625) / 5)) + np.e - 1),
    ],
)
def test_value_by_hand_and_for_batches(function, point, value):
    points = torch.tensor([point, point], dtype=torch.float64)
    np.testing.assert_allclose(function(points), [value, value], rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "minimum"),
    [
        (beale, (3, 0.5)),
        (himmelblau, (3, 2)),
        (himmelblau, (-2.805118, 3.131312)),
        (rastrigin, (0, 0, 0)),
        (ackley, (0, 0, 0)),
        (chained_rosenbrock, (1, 1, 1, 1)),
    ],
)
def test_minimum_is_zero(function, minimum):
    point = torch.tensor(minimum, dtype=torch.float64)
    assert function(point).item() == pytest.approx(0, abs=1e-9)
    assert (function(point + 0.01 * torch.eye(len(point), dtype=torch.float64)) > 1e-5).all()
