"""EnKG where prior and likelihood are Gaussian, so that the posterior mean is known."""

from functools import partial
from typing import Any

import torch

from claimbench import Run, artefact
from common.tuning import pick

from .method import SIGMA_MAX, enkg


@artefact
def gaussian_guidance(run: Run, *, particles: int) -> Any:
    """Of four guidance scales the one with the smallest error ratio on a problem of its own."""
    scales = (0.25, 0.5, 1.0, 2.0)
    ratios = [gaussian_case(run, w, 2, particles)[1] for w in scales]
    return pick(run, "EnKG", {"w": scales}, ratios).setting["w"]


def gaussian_case(run: Run, w: float, updates: int, particles: int) -> tuple[float, float]:
    """Return the misfit of the ensemble's mean, and its distance from the posterior mean.

    The distance is in units of the one between the prior's and the posterior's mean.
    """
    generator = torch.Generator(run.device).manual_seed(run.seed)
    normal = partial(torch.randn, generator=generator, dtype=run.dtype, device=run.device)
    n, m, noise = 16, 4, 0.05
    h = normal(m, n) / n**0.5
    observed = h @ normal(n) + noise * normal(m)
    x = enkg(
        SIGMA_MAX * normal(particles, n),
        lambda x, sigma: x / (1 + sigma**2),
        lambda x: x @ h.T,
        lambda y: y - observed,
        w=w,
        updates=updates,
    ).mean(dim=0)
    identity = torch.eye(m, dtype=run.dtype, device=run.device)
    posterior = h.T @ torch.linalg.solve(h @ h.T + noise**2 * identity, observed)
    misfit = (h @ x - observed).square().sum() / observed.square().sum()
    return misfit.item(), ((x - posterior).norm() / posterior.norm()).item()
