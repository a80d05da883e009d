"""Gradient descent on linear least-squares losses, and on others with autodiff."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from claimbench import Run

from .method import features, fourier, minus_laplacian, tangents
from .models import TARGET, normal, periodic, scaling

ACCURACY = 1e-6  # error that counts as solved
# θ (..., n) -> loss (...), its gradient (..., n)
ValueAndGradient = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Linear:
    """A linear least-squares loss ½ ‖R θ − t‖², the physics-informed one of a linear model.

    Attributes:
        rows: R, the rows √w Dφ(x) inside and √λ φ(x) at the ends.
        target: t.
    """

    rows: Tensor
    target: Tensor

    @classmethod
    def poisson(cls, run: Run, p: Tensor, lam: float, f: Callable[[Tensor], Tensor]) -> "Linear":
        """Return the loss of −u'' = f, u(π) = 0, for Fourier features scaled by `p`."""
        modes = len(p) // 2
        domain = periodic(run, 4 * max(modes, TARGET))
        phi = tangents(fourier, minus_laplacian, torch.zeros_like(p), domain)
        root = domain.weight.sqrt()
        rows = torch.cat([root[:, None] * phi.inside, math.sqrt(lam) * phi.ends]) * p
        return cls(rows, torch.cat([root * f(domain.x), torch.zeros_like(domain.ends)]))

    def value_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss, shape (...), and Rᵀ(R θ − t), for θ of shape (..., n)."""
        residual = (self.rows @ theta[..., None])[..., 0] - self.target
        gradient = (self.rows.mT @ residual[..., None])[..., 0]
        return residual.square().sum(-1) / 2, gradient

    def eigenvalues(self) -> Tensor:
        """Return the eigenvalues of A, increasing."""
        return torch.linalg.eigvalsh(self.rows.mT @ self.rows)

    def solution(self) -> Tensor:
        """Return θ*, where the gradient vanishes."""
        return torch.linalg.lstsq(self.rows, self.target[:, None]).solution[:, 0]


def differentiated(loss: Callable[[Tensor], Tensor]) -> ValueAndGradient:
    """Return a loss, of shape (...) for θ of shape (..., n), with its gradient by autodiff."""

    def value_and_gradient(theta: Tensor) -> tuple[Tensor, Tensor]:
        theta = theta.detach().requires_grad_()
        value = loss(theta)
        return value.detach(), torch.autograd.grad(value.sum(), theta)[0]

    return value_and_gradient


def descend(loss: ValueAndGradient, theta: Tensor, rates: Tensor, steps: int) -> list[Tensor]:
    """Return the losses along gradient descent from several θ (..., n), each with its own rate."""
    curve = []
    for _ in range(steps):
        value, gradient = loss(theta)
        curve.append(value)
        theta = theta - rates[..., None] * gradient
    return [*curve, loss(theta)[0]]


def errors_of_descent(
    problem: Linear, *, factor: float, accuracy: float, limit: int = 100_000
) -> list[float]:
    """Return ‖θ_k − θ*‖ / ‖θ_0 − θ*‖ of descent from zero until it is below `accuracy`.

    The step is `factor` times the best constant one, 2/(λmin + λmax).
    """
    values = problem.eigenvalues()
    eta = factor * 2 / (values[0] + values[-1]).item()
    solution = problem.solution()
    theta = torch.zeros_like(solution)
    errors = [1.0]
    while errors[-1] > accuracy and len(errors) <= limit:
        theta = theta - eta * problem.value_and_gradient(theta)[1]
        errors.append(((theta - solution).norm() / solution.norm()).item())
    return errors


def poisson_pair(run: Run, modes: int, power: float) -> tuple[Linear, Linear]:
    """Return the plain loss, λ = 1, and the preconditioned one, γ = 10, for one random f."""
    coefficients = normal(run, 2 * modes + 1)
    coefficients[modes] = 0
    p = scaling(modes, 10.0, power).to(run.device)

    def f(x: Tensor) -> Tensor:
        return features(modes, x) @ coefficients

    plain = Linear.poisson(run, torch.ones_like(p), 1.0, f)
    return plain, Linear.poisson(run, p, 2 * math.pi / 100, f)


def contraction(problem: Linear) -> float:
    """Return −log((κ − 1)/(κ + 1)), how much of log error the best constant step takes away."""
    values = problem.eigenvalues()
    return 2 * math.atanh((values[0] / values[-1]).item())


def floored(values: Tensor, start: Tensor) -> Tensor:
    """Return final losses: at least 1e-20 of their start, and infinite where descent diverged."""
    return torch.maximum(values.nan_to_num(torch.inf, torch.inf), 1e-20 * start)
