"""Test functions of numerical optimisation, for batches of points."""

import math

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


def chained_rosenbrock(points: Tensor) -> Tensor:
    """Return Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)² over neighbours; the minimum, 0, lies at all ones.

    Args:
        points: shape (..., d), d at least 2.

    Returns:
        Values, shape (...).
    """
    return rosenbrock(points.unfold(-1, 2, 1)).sum(-1)


def beale(points: Tensor) -> Tensor:
    """Return Σ (cₖ − x (1 − yᵏ))² for k = 1, 2, 3, c = 1.5, 2.25, 2.625; 0 at (3, 0.5).

    Beale 1958, On an Iterative Method for Finding a Local Minimum of a Function of More Than One
    Variable. Points have shape (..., 2), values (...).
    """
    x, y = points.unbind(-1)
    parts = [(c - x * (1 - y**k)) ** 2 for k, c in enumerate((1.5, 2.25, 2.625), 1)]
    return torch.stack(parts).sum(0)


def himmelblau(points: Tensor) -> Tensor:
    """Return (x² + y − 11)² + (x + y² − 7)²; 0 at (3, 2) and at three more points.

    Himmelblau 1972, Applied Nonlinear Programming. Points have shape (..., 2), values (...).
    """
    x, y = points.unbind(-1)
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def sphere(points: Tensor) -> Tensor:
    """Return Σ xᵢ²; points have shape (..., d), values (...)."""
    return points.square().sum(-1)


def rastrigin(points: Tensor) -> Tensor:
    """Return Σ xᵢ² + 10 (1 − cos 2πxᵢ), with the minimum 0 at zero; (..., d) -> (...).

    Rastrigin 1974 for d = 2; Mühlenbein, Schomisch and Born 1991 for more.
    """
    return (points.square() + 10 * (1 - torch.cos(2 * math.pi * points))).sum(-1)


def ackley(points: Tensor) -> Tensor:
    """Return 20 (1 − exp(−r/5)) + e − exp(mean cos 2πxᵢ), r² = mean xᵢ²; (..., d) -> (...).

    The minimum is 0 at zero, where the function has a kink: Ackley 1987, A Connectionist Machine
    for Genetic Hillclimbing.
    """
    root = points.square().mean(-1).sqrt()
    waves = torch.cos(2 * math.pi * points).mean(-1)
    return 20 * (1 - torch.exp(-root / 5)) + math.e - torch.exp(waves)
