"""Expected gradients of an estimator, over all codes."""

from collections.abc import Callable

import torch
from torch import Tensor

from .estimators import Estimator
from .vae import all_codes

# codes (..., latents, categories) -> (...)
Objective = Callable[[Tensor], Tensor]


def expected_gradient(
    f: Objective, theta: Tensor, estimator: Estimator | None, tau: float = 1.0
) -> Tensor:
    """Return the expectation of an estimator's gradient in θ by enumerating all codes.

    Args:
        f: maps (codes, *batch, latents, categories) to (codes, *batch).
        theta: logits, shape (*batch, latents, categories), of independent latents and problems.
        estimator: None for the exact gradient of E f(D).
        tau: its temperature.
    """
    theta = theta.detach().clone().requires_grad_()
    *batch, latents, categories = theta.shape
    codes = all_codes(latents, categories, theta)
    d = codes.reshape(-1, *[1] * len(batch), latents, categories).expand(-1, *theta.shape)
    probability = (theta.softmax(-1) * d).sum(-1).prod(-1)
    if estimator is None:
        expectation = (probability * f(d).detach()).sum()
    else:
        z, _ = estimator(theta.expand_as(d), d, tau)
        expectation = (probability.detach() * f(z)).sum()
    (gradient,) = torch.autograd.grad(expectation, theta)
    return gradient
