"""What autodiff gives, to be compared with A in closed form: paths of descent, and spectra."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from claimbench import Run
from common import curvature
from common.errors import largest

from .method import (
    Domain,
    Fields,
    Model,
    fourier,
    kernel_composition,
    loss,
    matrix,
    minus_laplacian,
    poisson_matrix,
    preconditioned_step,
    simplified_step,
    tangents,
    values,
)
from .models import normal, periodic


class Poisson(NamedTuple):
    """The problem −u'' = f for Fourier features, and where descent starts."""

    domain: Domain
    data: Fields
    lam: float
    start: Tensor

    def scaled(self, p: Tensor) -> Model:
        """Return the model in θ̂, where θ = P θ̂."""
        return lambda theta, x: fourier(p @ theta, x)

    def gradient(self, model: Model, theta: Tensor) -> Tensor:
        """Return the gradient of a model's loss."""

        def value(theta: Tensor) -> Tensor:
            found = values(model, minus_laplacian, theta, self.domain)
            return loss(found, self.data, self.domain, self.lam)

        return curvature.gradient(value, theta)

    def plain_errors(self, a: Tensor, b: Tensor, steps: int) -> float:
        """Return the largest distance between descent and the iteration with A and B, relative."""
        eta = 1 / torch.linalg.eigvalsh(a)[-1].item()
        theta = exact = self.start
        errors = []
        for _ in range(steps):
            theta = theta - eta * self.gradient(fourier, theta)
            exact = simplified_step(exact, self.start, a, b, eta)
            errors.append(largest(theta, exact))
        return max(errors)

    def preconditioned_errors(
        self, p: Tensor, told: Tensor, a: Tensor, b: Tensor, steps: int
    ) -> float:
        """Return the same for descent on θ̂, seen in θ̂ and in θ.

        Args:
            p: P.
            told: what the closed forms are told of it.
            a: Â.
            b: B̂.
            steps: of descent.
        """
        eta = 1 / torch.linalg.eigvalsh((a + a.mT) / 2)[-1].item()
        model, start = self.scaled(p), torch.linalg.solve(p, self.start)
        theta = exact = start
        seen = self.start
        errors = []
        for _ in range(steps):
            theta = theta - eta * self.gradient(model, theta)
            exact = simplified_step(exact, start, a, b, eta)
            seen = preconditioned_step(seen, self.gradient(fourier, seen), told, eta)
            errors += [largest(theta, exact), largest(p @ theta, seen)]
        return max(errors)


def mixture_spectra(run: Run, modes: int, n: int, kernel: bool) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues of A, by autodiff, and of D*D∘TT*, for n mixed Fourier features.

    `kernel`: false leaves TT* out.
    """
    lam, m = 2.0, 2 * modes + 1
    domain = periodic(run, 4 * modes)
    left, _, right = torch.linalg.svd(normal(run, m, n), full_matrices=False)
    mixture = left * (1 + normal(run, m).abs()) @ right
    phi = tangents(
        lambda theta, x: fourier(mixture @ theta, x), minus_laplacian, normal(run, n), domain
    )
    operator = poisson_matrix(modes, torch.tensor(lam, device=run.device))
    if kernel:
        operator = kernel_composition(operator, mixture)
    a = torch.linalg.eigvalsh(matrix(phi, domain, lam))
    return a, torch.linalg.eigvals(operator).real.sort().values


def waves(modes: int, x: Tensor) -> Tensor:
    """Return φ_k(x) from k = −K to K one by one, by their definition: (q, 2K + 1)."""
    each = [
        torch.cos(k * x) if k < 0 else torch.sin(k * x) if k else torch.ones_like(x) / math.sqrt(2)
        for k in range(-modes, modes + 1)
    ]
    return torch.stack(each, dim=-1) / math.sqrt(math.pi)
