"""What an optimizer does with a gradient, read off from how it moves its parameters."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from claimbench import Run

from .method import AdEMAMix, beta3_schedule

BETA2 = 0.999  # throughout the paper

ETA, BETAS, EPS, DECAY = 0.05, (0.8, 0.95, 0.99), 0.02, 0.3  # of `algorithm_1`: none is usual


def half_life(beta: float) -> float:
    """Return how many of the last gradients have half the weight of an average (App. A.1)."""
    return math.log(0.5) / math.log(beta) - 1


def slow_moves(gradients: Sequence[float], scale: float = 1e12, **arguments: Any) -> list[float]:
    """Return what the slow average alone adds to each step of one float64 parameter.

    ε is so large that the denominator is constant, and η = ε cancels it; the run with α = 0 is
    subtracted, so that step t leaves α(t) m2.
    """
    moves = []
    for weight in (arguments.pop("alpha"), 0.0):
        theta = torch.zeros(1, dtype=torch.float64)
        optimizer = AdEMAMix([theta], lr=scale, eps=scale, alpha=weight, **arguments)
        path = [0.0]
        for g in gradients:
            theta.grad = torch.full_like(theta, g)
            optimizer.step()
            path.append(theta.item())
        moves.append([a - b for a, b in pairwise(path)])
    return [a - b for a, b in zip(*moves, strict=True)]


def decays_of_optimizer(beta_start: float, beta3: float) -> list[float]:
    """Return β3(1), β3(2), β3(3) of an optimizer with T = 4, from a gradient of 1, then zeros.

    What the slow average moves is 1 - β3(1) at first, and shrinks by β3(t) from then on.
    """
    betas = (beta_start, BETA2, beta3)
    slow = slow_moves([1.0, 0.0, 0.0], alpha=1.0, betas=betas, beta3_warmup=4)
    return [1 - slow[0], slow[1] / slow[0], slow[2] / slow[1]]


def ademamix_steps(
    start: Tensor,
    gradients: Sequence[Tensor],
    *,
    alpha: float,
    warmup: int | None,
    corrected: bool,
) -> Tensor:
    """Return AdEMAMix's parameters after a step a gradient, at the settings of `algorithm_1`.

    Args:
        start: the parameters before, (n,).
        gradients: one a step, (n,) each.
        alpha: α.
        warmup: T of both schedules.
        corrected: divide the slow average by 1 - Πβ3(t), which at each step is the same as an α
            larger by this factor.
    """
    theta = start.clone()
    optimizer = AdEMAMix(
        *([theta], ETA, BETAS, alpha, warmup, warmup, EPS, DECAY),
    )
    left = 1.0
    for t, g in enumerate(gradients, 1):
        left *= beta3_schedule(t, BETAS[2], BETAS[0], warmup)
        optimizer.param_groups[0]["alpha"] = alpha / (1 - left) if corrected else alpha
        theta.grad = g
        optimizer.step()
    return theta


def algorithm_1(start: Tensor, gradients: Sequence[Tensor], *, alpha: float, warmup: int) -> Tensor:
    """Return the parameters after a step a gradient as Algorithm 1 has it, number by number."""
    beta1, beta2, beta3 = BETAS
    theta = start.tolist()
    m1, m2, nu = ([0.0] * len(theta) for _ in range(3))
    for t, gradient in enumerate(gradients, 1):
        share = min(t / warmup, 1.0)
        longer = (1 - share) * (half_life(beta1) + 1) + share * (half_life(beta3) + 1)
        beta3_t = 0.5 ** (1 / longer)
        for i, g in enumerate(gradient.tolist()):
            m1[i] = beta1 * m1[i] + (1 - beta1) * g
            m2[i] = beta3_t * m2[i] + (1 - beta3_t) * g
            nu[i] = beta2 * nu[i] + (1 - beta2) * g * g
            top = m1[i] / (1 - beta1**t) + share * alpha * m2[i]
            bottom = math.sqrt(nu[i] / (1 - beta2**t)) + EPS
            theta[i] -= ETA * (top / bottom + DECAY * theta[i])
    return start.new_tensor(theta)


def weights_by_age(run: Run, betas: tuple[float, float, float], alpha: float, steps: int) -> Tensor:
    """Return what weight a step gives to the gradient of each age from 0: (steps,).

    Entry k of the parameter gets a gradient of 1 once, k steps before the end, and zeros
    otherwise. With ε = η much larger than the root of ν, the last step moves it by its weight.
    """
    scale = 1e8
    theta = torch.zeros(steps, dtype=run.dtype, device=run.device)
    impulse = torch.zeros(2 * steps - 1, dtype=run.dtype, device=run.device)
    impulse[steps - 1] = 1
    optimizer = AdEMAMix([theta], lr=scale, eps=scale, betas=betas, alpha=alpha)
    before = theta
    for done in range(steps):
        before = theta.clone()
        theta.grad = impulse[done : done + steps]  # 1 at the age steps - 1 - done
        optimizer.step()
    return before - theta


def state_bytes(run: Run, make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> int:
    """Return the bytes of an optimizer's state after a step on a thousand numbers."""
    theta = torch.ones(1000, dtype=run.dtype, device=run.device)
    theta.grad = torch.ones_like(theta)
    optimizer = make([theta])
    optimizer.step()
    state = optimizer.state_dict()["state"][0]
    return sum(s.nbytes for s in state.values() if isinstance(s, Tensor))


def errors_in_half_precision(gradients: Tensor, state: torch.dtype) -> tuple[float, float, float]:
    """Return how far m2 and ν of an optimizer are from the same averages in float64, relative.

    And how far a step of the parameters is, at most, from that of the averages in float64, over the
    size of parameter and step; rounding to bfloat16 twice makes 2⁻⁷ of it.

    Args:
        gradients: of every step, in half precision, (steps, n).
        state: what the optimizer's averages are rounded to after each step.
    """
    eta, (beta1, beta2, beta3), alpha, decay = 0.01, (0.9, BETA2, 0.9999), 5.0, 0.1
    theta = torch.zeros_like(gradients[0])
    optimizer = AdEMAMix(
        [theta], lr=eta, betas=(beta1, beta2, beta3), alpha=alpha, weight_decay=decay
    )
    m1, m2, nu = (torch.zeros_like(theta, dtype=torch.float64) for _ in range(3))
    averages, step_error = optimizer.state[theta], 0.0
    for t, gradient in enumerate(gradients, 1):
        before, g = theta.double(), gradient.double()
        theta.grad = gradient
        optimizer.step()
        for name in ("m2", "nu"):
            averages[name] = averages[name].to(state).to(averages[name].dtype)
        m1 += (1 - beta1) * (g - m1)
        m2 += (1 - beta3) * (g - m2)
        nu += (1 - beta2) * (g**2 - nu)
        root = (nu / (1 - beta2**t)).sqrt() + 1e-8
        step = eta * ((m1 / (1 - beta1**t) + alpha * m2) / root + decay * before)
        off = (theta.double() - (before - step)).abs() / (before.abs() + step.abs())
        step_error = max(step_error, off.max().item())
    slow, square = distance(averages["m2"].double(), m2), distance(averages["nu"].double(), nu)
    return slow, square, step_error


def network(run: Run) -> tuple[list[Tensor], Callable[[], Tensor]]:
    """Return parameters of an 8-16-1 tanh network and its loss on 64 points, same every time."""
    generator = torch.Generator(run.device).manual_seed(run.seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=run.dtype, device=run.device)

    x, y = normal(64, 8), normal(64, 1)
    w1, b1, w2, b2 = normal(8, 16) / 8**0.5, 0.1 * normal(16), normal(16, 1) / 4, 0.1 * normal(1)
    parameters = [p.requires_grad_() for p in (w1, b1, w2, b2)]
    return parameters, lambda: ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean()


def gradient_step(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor]) -> None:
    """Make one step on a loss."""
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()


def flat(parameters: Sequence[Tensor]) -> Tensor:
    """Return all entries of some parameters, one behind the other."""
    return torch.cat([p.detach().flatten() for p in parameters])


def distance(a: Tensor, b: Tensor) -> float:
    """Return ‖a - b‖ / ‖b‖."""
    return ((a - b).norm() / b.norm()).item()


def single_average(ages: Tensor, old_share: float) -> Tensor:
    """Return the shares of a single average that gives old_share to ages of 1000 and more."""
    low, high = 0.9, 1 - 1e-12
    for _ in range(60):
        beta = (low + high) / 2
        share = beta**ages / (beta**ages).sum()
        low, high = (beta, high) if share[1000:].sum() < old_share else (low, beta)
    return share
