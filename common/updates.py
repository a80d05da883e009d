"""Optimizers of flat parameters (runs, p) in which every run has its own hyperparameters.

Formulas and defaults are those of torch.optim. Each function returns a new update, which keeps its
state: one update belongs to one training. A hyperparameter is a number or has one value a run.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Numbers = float | Sequence[float] | Tensor
# θ, gradient and rates (runs, 1) -> θ after a step; the arguments stay as they are
Update = Callable[[Tensor, Tensor, Tensor], Tensor]


def column(values: Numbers, like: Tensor) -> Tensor:
    """Return one value a run as (runs, 1), or a number as (), in the dtype of `like`."""
    found = torch.as_tensor(values, dtype=like.dtype, device=like.device)
    return found.reshape(-1, 1) if found.dim() else found


def sgd(*, momentum: Numbers = 0.0, nesterov: bool = False, decay: Numbers = 0.0) -> Update:
    """Return gradient descent, θ ← θ − η m with m ← μ m + g, or with Nesterov θ − η (g + μ m).

    Args:
        momentum: μ; the first m is the first gradient.
        nesterov: whether it looks ahead.
        decay: λ of λ θ, which is added to the gradient.
    """
    state: list[Tensor] = []

    def update(theta: Tensor, g: Tensor, rate: Tensor) -> Tensor:
        mu = column(momentum, theta)
        g = g + column(decay, theta) * theta
        m = mu * state[0] + g if state else g
        state[:] = [m]
        return theta - rate * (g + mu * m if nesterov else m)

    return update


def adam(
    *,
    beta1: Numbers = 0.9,
    beta2: Numbers = 0.999,
    epsilon: float = 1e-8,
    decay: Numbers = 0.0,
    decoupled: bool = False,
    largest: bool = False,
) -> Update:
    """Return Adam with bias correction (Kingma and Ba 2015).

    Args:
        beta1: of the gradient's average.
        beta2: of its square's.
        epsilon: added to the root.
        decay: λ of λ θ, which is added to the gradient.
        decoupled: instead multiply θ by 1 − η λ before the step.
        largest: divide by the root of the largest second moment so far.
    """
    moments: list[Tensor] = []
    steps = 0

    def update(theta: Tensor, g: Tensor, rate: Tensor) -> Tensor:
        nonlocal steps
        b1, b2, weight = (column(x, theta) for x in (beta1, beta2, decay))
        if not moments:
            moments.extend(torch.zeros_like(theta) for _ in range(3))
        if decoupled:
            theta = theta * (1 - rate * weight)
        else:
            g = g + weight * theta
        steps += 1
        m, v, top = moments
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        top = torch.maximum(top, v) if largest else v
        moments[:] = m, v, top
        root = top.sqrt() / (1 - b2**steps).sqrt() + epsilon
        return theta - rate / (1 - b1**steps) * m / root

    return update


def adamw(
    *,
    beta1: Numbers = 0.9,
    beta2: Numbers = 0.999,
    epsilon: float = 1e-8,
    decay: Numbers = 0.01,
) -> Update:
    """Return Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""
    return adam(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay, decoupled=True)


def amsgrad(
    *,
    beta1: Numbers = 0.9,
    beta2: Numbers = 0.999,
    epsilon: float = 1e-8,
    decay: Numbers = 0.0,
) -> Update:
    """Return AMSGrad (Reddi et al. 2018), with bias correction as torch has it."""
    return adam(beta1=beta1, beta2=beta2, epsilon=epsilon, decay=decay, largest=True)


def rmsprop(
    *,
    alpha: Numbers = 0.99,
    epsilon: float = 1e-8,
    momentum: Numbers = 0.0,
    decay: Numbers = 0.0,
) -> Update:
    """Return RMSProp: u = g / (√v + ε) with v ← α v + (1 − α) g², then θ − η m, m ← μ m + u."""
    state: list[Tensor] = []

    def update(theta: Tensor, g: Tensor, rate: Tensor) -> Tensor:
        a, mu = column(alpha, theta), column(momentum, theta)
        g = g + column(decay, theta) * theta
        v, m = state or (torch.zeros_like(theta), torch.zeros_like(theta))
        v = a * v + (1 - a) * g * g
        m = mu * m + g / (v.sqrt() + epsilon)
        state[:] = v, m
        return theta - rate * m

    return update


def adagrad(*, epsilon: float = 1e-10, decay: Numbers = 0.0) -> Update:
    """Return AdaGrad (Duchi et al. 2011): θ − η g / (√v + ε), v the sum of all squares."""
    state: list[Tensor] = []

    def update(theta: Tensor, g: Tensor, rate: Tensor) -> Tensor:
        g = g + column(decay, theta) * theta
        v = state[0] + g * g if state else g * g
        state[:] = [v]
        return theta - rate * g / (v.sqrt() + epsilon)

    return update
