"""Test functions of numerical optimisation, for batches of points."""

import torch
from torch import Tensor


def rosenbrock(points: Tensor) -> Tensor:
    """Return f(x, y) = 100 (y - x²)² + (1 - x)²; its minimum, 0, lies at (1, 1).

    A curved valley along y = x²: Rosenbrock 1960, The Computer Journal 3(3), Section 4.

    Args:
        points: x and y, shape (..., 2).

    Returns:
        Values, shape (...).
    """
    x, y = points.unbind(-1)
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2


def rosenbrock_gradient(points: Tensor) -> Tensor:
    """Return the gradient of `rosenbrock`, in closed form.

    Args:
        points: x and y, shape (..., 2).

    Returns:
        Gradients, shape (..., 2).
    """
    x, y = points.unbind(-1)
    along_y = 200 * (y - x * x)
    return torch.stack((2 * (x - 1) - 2 * x * along_y, along_y), dim=-1)
