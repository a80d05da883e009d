"""Diffusion guidance without derivatives of the forward model, as the paper compares with it.

DPG, SCG and DPS with Gaussian-smoothed gradients follow the authors' code: one sample a chain, on
the variance-preserving noise schedule, x = s (x_0 + σ n). Several chains run side by side, shape
(chains, n). The denoiser has to be linear and symmetric, so that it is its own transposed Jacobian.
"""

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from .navier_stokes import Inversion


@dataclass(frozen=True)
class Noise:
    """One step of the noise schedule.

    Attributes:
        sigma: σ.
        scale: s.
        shrink: what x is multiplied by, 1 − Δt s'/s.
        factor: what the score is multiplied by, 2 s² σ σ' Δt; the noise gets its root.
    """

    sigma: float
    scale: float
    shrink: float
    factor: float


def schedule(steps: int) -> list[Noise]:
    """Return the variance-preserving schedule, times from 1 to 0.001 and a last one at σ = 0.01."""

    def exponent(t: float) -> float:
        return 19.9 * t**2 / 2 + 0.1 * t

    end = (math.sqrt(0.1**2 + 2 * 19.9 * math.log(0.01**2 + 1)) - 0.1) / 19.9
    times = [*torch.linspace(1, 1e-3, steps, dtype=torch.float64).tolist(), end]
    out = []
    for t, t_next in pairwise(times):
        sigma, scale = math.sqrt(math.expm1(exponent(t))), math.exp(-exponent(t) / 2)
        slope = 19.9 * t + 0.1  # of the exponent
        shrink = 1 + slope / 2 * (t - t_next)
        factor = 2 * scale**2 * math.exp(exponent(t)) * slope / 2 * (t - t_next)
        out.append(Noise(sigma, scale, shrink, max(factor, 0.0)))
    return out


@dataclass(frozen=True)
class Task:
    """What every baseline gets.

    Attributes:
        problem: forward model and prior.
        y: observations, (chains, m).
        calls: forward calls a chain, all told.
        generator: of all its randomness.
    """

    problem: Inversion
    y: Tensor
    calls: int
    generator: torch.Generator

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(
            shape, generator=self.generator, dtype=self.y.dtype, device=self.y.device
        )

    def start(self, noise: Noise) -> Tensor:
        """Return x at the first level."""
        n = self.problem.prior.variances.numel()
        return self.normal(len(self.y), n) * noise.sigma * noise.scale

    def denoise(self, x: Tensor, noise: Noise) -> Tensor:
        """Return D(x / s, σ)."""
        return self.problem.prior.denoise(x / noise.scale, noise.sigma)

    def step(self, x: Tensor, clean: Tensor, noise: Noise, guide: Tensor | float = 0.0) -> Tensor:
        """Return x one level on, by the reverse SDE with `guide` added to the score."""
        score = (clean - x / noise.scale) / noise.sigma**2 / noise.scale
        random = math.sqrt(noise.factor) * self.normal(*x.shape)
        return noise.shrink * x + noise.factor * (score + guide) + random

    def losses(self, x: Tensor) -> Tensor:
        """Return ‖G(x) − y‖² of (chains, queries, n)."""
        return self.problem.loss(x, self.y[:, None])


def dpg(task: Task, scale: Tensor, *, chain: int) -> Tensor:
    """Return a sample a chain by diffusion policy gradient (Tang et al. 2023).

    Args:
        task: see `Task`.
        scale: guidance scales, (chains, 1).
        chain: diffusion steps, over which the calls are spread evenly.
    """
    levels = schedule(chain)
    queries = task.calls // chain - 1
    x = task.start(levels[0])
    z = before = None
    for i, noise in enumerate(levels):
        clean = task.denoise(x, noise)
        reference = task.losses(clean[:, None])  # (chains, 1)
        z = reference if z is None else 0.9 * z + 0.1 * reference
        radius = (z / x.shape[-1]).sqrt() / 2
        shift = radius[..., None] * task.normal(len(x), queries, x.shape[-1])
        rewards = torch.exp((reference - task.losses(clean[:, None] + shift)) / z)
        advantage = rewards - (rewards.sum(dim=-1, keepdim=True) - rewards) / (queries - 1)
        gradient = -(advantage[..., None] * shift).mean(dim=1) / radius**2
        gradient = task.denoise(gradient, noise)
        momentum = 0.1 * (chain - i - 1) / chain
        mixed = gradient if before is None else momentum * before + (1 - momentum) * gradient
        before = gradient
        guide = -scale * mixed / (mixed.norm(dim=-1, keepdim=True) + 1e-7)
        x = task.step(x, clean, noise, guide)
    return x


def scg(task: Task, *, chain: int) -> Tensor:
    """Return a sample a chain by stochastic control guidance (Huang et al. 2024).

    From a quarter of the way on each step is drawn several times, and the draw is kept whose
    denoised field fits best. The authors' code leaves out one step there, which we do not.
    """
    levels = schedule(chain)
    first = chain // 4
    candidates = max(task.calls // (chain - 1 - first), 2)
    x = task.start(levels[0])
    for i, noise in enumerate(levels[:-1]):
        clean = task.denoise(x, noise)
        if i < first:
            x = task.step(x, clean, noise)
            continue
        many = x[:, None].expand(-1, candidates, -1)
        many = task.step(many, clean[:, None], noise)
        best = task.losses(task.denoise(many, levels[i + 1])).argmin(dim=-1)
        x = many[torch.arange(len(x), device=x.device), best]
    return task.denoise(x, levels[-1])


def dps_smoothed(task: Task, scale: Tensor, *, chain: int, central: bool) -> Tensor:
    """Return a sample a chain by diffusion posterior sampling with Gaussian-smoothed gradients.

    Args:
        task: see `Task`.
        scale: guidance scales, (chains, 1).
        chain: diffusion steps, over which the calls are spread evenly.
        central: differences of both sides, at half as many directions.
    """
    levels = schedule(chain)
    calls, mu = task.calls // chain - 1, 0.01
    directions = calls // 2 if central else calls
    x = task.start(levels[0])
    for noise in levels:
        clean = task.denoise(x, noise)[:, None]
        u = task.normal(len(x), directions, x.shape[-1])
        loss, up = task.losses(clean), task.losses(clean + mu * u)
        slope = (up - task.losses(clean - mu * u)) / 2 if central else up - loss
        gradient = task.denoise((slope[..., None] * u).mean(dim=1) / mu, noise)
        x = task.step(x, clean[:, 0], noise) - scale * gradient / (2 * loss.sqrt())
    return x


class Scaled(Protocol):
    """A baseline with a guidance scale."""

    def __call__(self, task: Task, scale: Tensor, *, chain: int) -> Tensor:
        """Return a sample a chain."""


SCALED: dict[
    str, tuple[Scaled, float]
] = {  # guidance scale in the middle of the grid, by the authors' settings
    "DPG": (dpg, 8.0),
    "DPS, forward": (partial(dps_smoothed, central=False), 1.0),
    "DPS, central": (partial(dps_smoothed, central=True), 1.0),
}
