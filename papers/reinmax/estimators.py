"""ReinMax and its rivals in one form: a hard draw D that has a gradient, and softmax(θ)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .method import draw, reinmax, reinmax_at

GUMBELS = 100  # of Rao-Blackwellised Gumbel-softmax

# θ, a draw D, τ -> D with some gradient, and softmax(θ)
Estimator = Callable[[Tensor, Tensor, Any], tuple[Tensor, Tensor]]
# θ, τ, generator -> the same of a draw of its own
Sampler = Callable[[Tensor, Any, torch.Generator], tuple[Tensor, Tensor]]


def straight_through(theta: Tensor, d: Tensor, tau: Any) -> tuple[Tensor, Tensor]:
    """D with the gradient of softmax(θ/τ)."""
    return _swap(torch.softmax(theta / tau, dim=-1), d), theta.softmax(dim=-1)


def mean(theta: Tensor, d: Tensor, tau: Any) -> tuple[Tensor, Tensor]:
    """ReinMax with π_τ in place of the midpoint (π_τ + D)/2, so without Heun's second slope."""
    pi = theta.softmax(dim=-1)
    tempered = tau * torch.softmax(theta / tau, dim=-1)  # its gradient has no 1/τ
    return _swap(2 * tempered - pi / 2, d), pi


def surrogate(theta: Tensor, d: Tensor, tau: Any) -> tuple[Tensor, Tensor]:
    """ReinMax as the paper writes it: an expression that automatic differentiation goes through."""
    pi = theta.softmax(dim=-1)
    midpoint = (torch.softmax(theta / tau, dim=-1) + d) / 2
    shifted = ((midpoint.log() - theta).detach() + theta).softmax(dim=-1)
    return _swap(2 * shifted - pi / 2, d), pi


def _swap(soft: Tensor, d: Tensor) -> Tensor:
    """Return D with the gradient of `soft`."""
    return d + (soft - soft.detach())


ESTIMATORS: dict[str, Estimator] = {
    "reinmax": reinmax_at,
    "straight-through": straight_through,
    "mean": mean,
}


def gumbel(theta: Tensor, tau: Any, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Straight-Through Gumbel-softmax: Jang, Gu, Poole 2017, Section 2.2."""
    noise = torch.empty_like(theta).exponential_(generator=generator)
    noisy = theta - noise.log()
    d = one_hot(noisy.argmax(dim=-1), theta.shape[-1]).to(theta.dtype)
    return _swap(torch.softmax(noisy / tau, dim=-1), d), theta.softmax(dim=-1)


def gumbel_rao(theta: Tensor, tau: Any, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rao-Blackwellised Gumbel-softmax: Paulus, Maddison, Krause 2021, Section 4.

    The Gumbel variables are drawn anew, 100 times, from their law given the draw D.
    """
    pi = theta.softmax(dim=-1)
    d = draw(theta, generator)
    noise = theta.new_empty(GUMBELS, *theta.shape).exponential_(generator=generator)
    first = (noise * d).sum(dim=-1, keepdim=True)  # arrival of the largest
    noisy = -torch.where(d.bool(), first, noise / pi.detach() + first).log()
    relaxed = (((noisy - theta).detach() + theta) / tau).softmax(dim=-1)
    return _swap(relaxed.mean(dim=0), d), pi


def sampler(name: str) -> Sampler:
    """Return the estimator of that name with draws of its own."""
    if name == "reinmax":
        return reinmax
    if name in ("gumbel", "gumbel-rao"):
        return gumbel if name == "gumbel" else gumbel_rao
    estimator = ESTIMATORS[name]
    return lambda theta, tau, generator: estimator(theta, draw(theta, generator), tau)
