"""Polynomial programming over Bernoulli variables: tuning, and one run."""

from itertools import product
from typing import Any

import torch
from torch import Tensor

from claimbench import Run, artefact
from common.tuning import pick

from .estimators import sampler

TARGET = 0.45  # of polynomial programming
POLYNOMIAL_BATCH = 64


def polynomial_loss(z: Tensor, p: float) -> Tensor:
    """Return the mean over latents of |z₁ − 0.45|^p, z₁ the first of two categories."""
    return (z[..., 0] - TARGET).abs().pow(p).mean(-1)


@artefact
def tuned_polynomial(
    run: Run, *, name: str, stream: int, steps: int, rates: list[float], taus: list[float]
) -> dict[str, float]:
    """The setting with the lowest final loss on 8 latents."""
    settings = [{"rate": r, "tau": t} for r, t in product(rates, taus)]
    above, _ = programme(run, name, run.seed + stream, 8, steps, settings)
    grid = {"rate": rates, "tau": taus}
    return pick(run, f"{name}, arm {stream}", grid, above).setting


@artefact
def solved_polynomial(
    run: Run,
    *,
    name: str,
    stream: int,
    steps: int,
    seed: int,
    latents: int,
    setting: dict[str, float],
) -> dict[str, Any]:
    """How far above the optimum one run ends, and its curve."""
    above, curve = programme(run, name, seed + stream, latents, steps, [setting])
    return {"above": above[0], "curve": curve}


def programme(
    run: Run, name: str, seed: int, latents: int, steps: int, settings: list[dict[str, float]]
) -> tuple[list[float], tuple[list[int], list[float]]]:
    """Run Adam on quadratic programming, all settings at once.

    Returns:
        The expected loss less the optimum's at the end, one a setting, and the first one's on the
        way, against steps.
    """
    generator = torch.Generator(device=run.device).manual_seed(seed)
    sample = sampler(name)
    start = torch.empty(latents, 2, dtype=run.dtype, device=run.device)
    start.uniform_(-0.01, 0.01, generator=generator)
    logits = [start.clone().requires_grad_() for _ in settings]
    groups = [
        {"params": [theta], "lr": setting["rate"]}
        for theta, setting in zip(logits, settings, strict=True)
    ]
    optimizer = torch.optim.Adam(groups, fused=True)
    tau = start.new_tensor([setting["tau"] for setting in settings]).reshape(-1, 1, 1, 1)

    def above() -> list[float]:
        pi = torch.stack(logits).detach().softmax(-1)
        high, low = (1 - TARGET) ** 2, TARGET**2  # the losses of z = 1 and of z = 0
        return ((high - low) * pi[..., 0]).mean(-1).tolist()

    curve: tuple[list[int], list[float]] = ([], [])
    for step in range(steps + 1):
        if step % max(1, steps // 100) == 0:
            curve[0].append(step)
            curve[1].append(above()[0])
        if step == steps:
            break
        theta = torch.stack(logits).unsqueeze(1).expand(-1, POLYNOMIAL_BATCH, -1, -1)
        z, _ = sample(theta, tau, generator)
        optimizer.zero_grad()
        polynomial_loss(z, 2.0).mean(1).sum().backward()
        optimizer.step()
    return above(), curve
