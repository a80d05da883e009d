"""Random problems, the one-dimensional prox in closed form, and runs with several horizons."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .method import (
    Envelope,
    output_times,
    phase_residual,
    project,
    prox_linear_step,
    prox_point_step,
    proximal_subgradient_step,
    subgradient,
)

Step = Callable[[Tensor, Tensor, Tensor, Tensor | float], Tensor]  # of x, a, b and α


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Return standard normal numbers in float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64, device=generator.device)


def uniform(generator: torch.Generator, *shape: int) -> Tensor:
    """Return numbers from [0, 1) in float64."""
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)


def sphere(generator: torch.Generator, *shape: int) -> Tensor:
    """Return points of the unit sphere, shape (..., d)."""
    points = normal(generator, *shape)
    return points / torch.linalg.vector_norm(points, dim=-1, keepdim=True)


def phase_value(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return mean |⟨aᵢ, x⟩² − bᵢ| for x (..., d), a (m, d), b (m,); or batches of all three."""
    return ((x @ a.mT) ** 2 - b).abs().mean(-1)


def line_problem(generator: torch.Generator, m: int) -> tuple[Tensor, Tensor]:
    """Return a, shape (m, 1), and noisy b = a² exp(0.7 normal), shape (m,): no x fits them all."""
    a = normal(generator, m, 1)
    return a, a[:, 0] ** 2 * torch.exp(0.7 * normal(generator, m))


def line_prox(x: Tensor, a: Tensor, b: Tensor, lam: float, radius: float) -> Tensor:
    """Return prox_{λφ} of `phase_value` on [−radius, radius] exactly, for d = 1 and x (..., 1).

    y + λφ'(y) rises, by steps at the kinks ±√bᵢ/|aᵢ| and linearly between: its inverse is the prox.
    """
    square, kinks = a[:, 0].numpy() ** 2, (b.sqrt() / a[:, 0].abs()).numpy()
    ends = np.array([-radius, radius])
    y = np.unique(np.concatenate([ends, *(k[np.abs(k) < radius] for k in (kinks, -kinks))]))
    middle = np.abs((y[:-1] + y[1:]) / 2)
    slope = 2 * (square * np.sign(middle[:, None] - kinks)).mean(axis=1)
    pieces = np.stack([y[:-1], y[1:]], axis=1)
    values = pieces * (1 + lam * slope[:, None])
    return torch.as_tensor(np.interp(x.numpy(), values.ravel(), pieces.ravel()))


def sampled(
    step: Step, a: Tensor, b: Tensor, rows: Tensor, alpha: Tensor, radius: float
) -> Callable[[Tensor, int], Tensor]:
    """Return step t of a run: on the samples rows[t], one a run, and back into the ball."""
    return lambda x, t: project(step(x, a[rows[t]], b[rows[t]], alpha), radius)


class Sigmoid(NamedTuple):
    """f = mean of σ(⟨aᵢ, x⟩) = 1/(1 + exp(−⟨aᵢ, x⟩)) on a ball.

    Attributes:
        rows: aᵢ = −yᵢ times the inputs, yᵢ = ±1, shape (n, d).
        radius: of the ball.
    """

    rows: Tensor
    radius: float

    def value(self, x: Tensor) -> Tensor:
        """Return f, shape (...)."""
        return (x @ self.rows.mT).sigmoid().mean(-1)

    def slope(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return the gradients of one row's loss a point, shape (..., d)."""
        p = (rows * x).sum(-1, keepdim=True).sigmoid()
        return p * (1 - p) * rows

    def weak_convexity(self) -> float:
        """Return a ρ, from the largest second derivative of σ, 1/(6√3)."""
        top = torch.linalg.eigvalsh(self.rows.mT @ self.rows / len(self.rows))[-1].item()
        return float(top / (6 * 3**0.5))

    def prox(self, x: Tensor, lam: float) -> Tensor:
        """Return prox_{λφ}(x), λ = 1/(2ρ), by projected gradient steps."""
        y = project(x, self.radius)
        for _ in range(80):  # each leaves two thirds of the distance
            p = (y @ self.rows.mT).sigmoid()
            gradient = (p * (1 - p)) @ self.rows / len(self.rows) + (y - x) / lam
            y = project(y - 2 * lam / 3 * gradient, self.radius)
        return y


def visited(
    step: Callable[[Tensor, int], Tensor],
    x: Tensor,
    horizons: Sequence[int],
    uniforms: Tensor,
) -> list[Tensor]:
    """Return iterates at random times, one of them in each of n equal parts of a run.

    Args:
        step: of all points and the number of the step.
        x: starts, shape (horizons, runs, d); run k has steps for horizon k.
        horizons: T; the iterates are x₀ to x_T.
        uniforms: from [0, 1), shape (horizons, n).

    Returns:
        Of each horizon, shape (n, runs, d).
    """
    n = uniforms.shape[1]
    shares = (torch.arange(n, device=uniforms.device) + uniforms) / n
    times = [
        Counter(output_times(torch.ones_like(shares[0, :1]).repeat(t + 1), u).tolist())
        for t, u in zip(horizons, shares, strict=True)
    ]
    found: list[list[Tensor]] = [[] for _ in horizons]
    for t in range(max(horizons) + 1):
        for k, wanted in enumerate(times):
            found[k] += [x[k]] * wanted[t]
        x = step(x, t)
    return [torch.stack(points) for points in found]


def linear(x: Tensor, a: Tensor, b: Tensor, alpha: Tensor | float) -> Tensor:
    """Step on the linear model of phase retrieval."""
    return proximal_subgradient_step(x, subgradient(phase_residual(x, a, b)), alpha)


def prox_linear(x: Tensor, a: Tensor, b: Tensor, alpha: Tensor | float) -> Tensor:
    """Step on the prox-linear model of phase retrieval."""
    return prox_linear_step(x, phase_residual(x, a, b), alpha)


PHASE_STEPS: dict[str, Step] = {
    "subgradient": linear,
    "prox_linear": prox_linear,
    "prox_point": prox_point_step,
}


def step_sizes(horizons: Sequence[int], c: float, *, decay: bool) -> Tensor:
    """Return c/√(T + 1) for each T, or c for all."""
    lengths = torch.tensor(horizons, dtype=torch.float64) + 1
    return c * (lengths**-0.5 if decay else torch.ones_like(lengths))


def mean_squares(visits: list[Tensor], at: Callable[[Tensor], Envelope]) -> list[float]:
    """Return the mean of ‖∇φ_λ‖² over times and runs, for each horizon."""
    return [at(points).gradient.square().sum(-1).mean().item() for points in visits]


def medians(values: Tensor) -> Tensor:
    """Return the median over the last axis, infinite where it is not finite."""
    return values.nan_to_num(nan=torch.inf).median(dim=-1).values


def decades(medians: Tensor, target: float) -> float:
    """Return over how many decades of steps the medians are below `target`, half a decade each."""
    return 0.5 * int((medians < target).sum())
