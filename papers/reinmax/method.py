"""ReinMax: the gradient through a discrete draw, accurate to second order.

Liu, Dong, Liu, Yu, Gao 2023, arXiv 2304.08612. A latent D is one-hot, D ~ π = softmax(θ), and f(D)
is to be minimised in expectation. Straight-Through treats ∂D/∂θ as ∂π/∂θ, which is Euler's method
for the differences f(I_i) − f(D). ReinMax is Heun's, without any second derivative.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def draw(theta: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw D ~ softmax(θ), one-hot along the last axis, in the shape of `theta`."""
    probabilities = theta.detach().softmax(dim=-1)
    index = torch.multinomial(probabilities.flatten(0, -2), 1, generator=generator)
    return torch.zeros_like(probabilities).scatter_(-1, index.view(*theta.shape[:-1], 1), 1.0)


def softmax_vjp(q: Tensor, g: Tensor) -> Tensor:
    """Return q ∘ (g − ⟨q, g⟩), the gradient of ⟨g, softmax⟩ in the logits where softmax is q."""
    return q * (g - (q * g).sum(dim=-1, keepdim=True))


def reinmax_gradient(theta: Tensor, d: Tensor, g: Tensor, tau: float | Tensor) -> Tensor:
    """Return the gradient in θ, with J(q) g for `softmax_vjp`:

        2 J((π_τ + D)/2) g − ½ J(π) g,  π = softmax(θ),  π_τ = softmax(θ/τ)

    Its expectation over D ~ π is exact for quadratic f if τ = 1.

    Args:
        theta: logits θ, categories along the last axis.
        d: the one-hot draw D, in the shape of `theta`.
        g: ∂f/∂D at that draw.
        tau: temperature τ; it smooths the first term alone and divides nothing.
    """
    midpoint = (torch.softmax(theta / tau, dim=-1) + d) / 2
    return 2 * softmax_vjp(midpoint, g) - softmax_vjp(theta.softmax(dim=-1), g) / 2


class _ReinMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, theta: Tensor, d: Tensor, tau: float | Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(theta, d)
        ctx.tau = tau
        return d.clone(), theta.softmax(dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, g_soft: Tensor) -> tuple[Tensor, None, None]:
        theta, d = ctx.saved_tensors
        soft = softmax_vjp(theta.softmax(dim=-1), g_soft)
        return reinmax_gradient(theta, d, g, ctx.tau) + soft, None, None


def reinmax_at(theta: Tensor, d: Tensor, tau: float | Tensor = 1.0) -> tuple[Tensor, Tensor]:
    """Return D and π for the given draw D, with ReinMax's gradient through D and π's own through π.

    Args:
        theta: logits θ, categories along the last axis.
        d: a one-hot draw from softmax(θ), in the shape of `theta`.
        tau: temperature τ, a number or what broadcasts against `theta`.
    """
    return _ReinMax.apply(theta, d, tau)


def reinmax(
    theta: Tensor, tau: float | Tensor = 1.0, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw D ~ π = softmax(θ) and return D and π as `reinmax_at` does."""
    return reinmax_at(theta, draw(theta, generator), tau)
