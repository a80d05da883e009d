"""Ensemble Kalman diffusion guidance (EnKG): inverse problems with forward calls only.

Zheng, Chu, Wang, Kovachki, Baptista, Yue 2024, arXiv 2409.20175, Algorithm 1, with the step length,
the noise levels and the inner solver of the authors' code. The prior is a diffusion model
x_σ = x_0 + σ n, given by its denoiser D(x, σ) = E[x_0 | x_σ = x]. Ensembles have shape
(..., J, n): J particles, and any number of independent problems before them.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]  # (..., J, n) and σ to (..., J, n)
Map = Callable[[Tensor], Tensor]

SIGMA_MAX = 80.0
SIGMA_MIN = 0.002
RHO = 7.0


def noise_levels(steps: int, sigma_max: float = SIGMA_MAX) -> list[float]:
    """Return `steps` levels from σ_max down to σ_min, equidistant in σ^{1/ρ}, and then zero.

    Args:
        steps: N, at least 2.
        sigma_max: the first level.
    """
    high, low = sigma_max ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    return [(high + i / (steps - 1) * (low - high)) ** RHO for i in range(steps)] + [0.0]


def prediction(x: Tensor, denoiser: Denoiser, sigma: float, sigma_next: float) -> Tensor:
    """Return an Euler step of the probability-flow ODE dx/dσ = (x − D(x, σ)) / σ."""
    return x + (sigma_next - sigma) * (x - denoiser(x, sigma)) / sigma


def clean_estimate(x: Tensor, denoiser: Denoiser, sigma: float, steps: int) -> Tensor:
    """Return x̂_0, the end of the probability-flow ODE from `x` at noise level σ.

    With one step this is D(x, σ).
    """
    if steps == 1:
        return denoiser(x, sigma)
    for level, level_next in pairwise(noise_levels(steps, sigma)):
        x = prediction(x, denoiser, level, level_next)
    return x


def inner_steps(i: int, steps: int) -> int:
    """Return how many Euler steps x̂_0 takes at step i of N: fewer towards the end, at most 20."""
    return min(1 + (steps - i) // 4, 20)


def is_guided(i: int, steps: int, edge: float) -> bool:
    """Say whether step i of N is corrected: all but a share `edge` of them at either end."""
    return edge * steps < i < steps - int(edge * steps)


def guidance(i: int, steps: int, w: float, min_ratio: float) -> float:
    """Return the guidance scale at step i of N: w at first, w · min_ratio at step N."""
    return w * ((1 - min_ratio) * (steps - i) / steps + min_ratio)


def correction(x: Tensor, y: Tensor, e: Tensor, w: float) -> Tensor:
    """Return the corrected particles x^(j) − w/‖K‖_F Σ_l K_jl (x^(l) − x̄).

    K_jl = ⟨e^(j), y^(l) − ȳ⟩ / J. The sum is C_xy e^(j), with the empirical cross-covariance of
    particles and predictions: C_xx Dψᵀ e^(j) as far as x ↦ y = ψ(x) is linear over the ensemble.
    A collapsed ensemble, and one that fits exactly, stay where they are.

    Args:
        x: particles, shape (..., J, n).
        y: their predictions G(x̂_0), shape (..., J, m).
        e: gradient of the negative log-likelihood at y, up to a factor; y − y_observed for Gaussian
            noise.
        w: guidance scale.
    """
    delta_x = x - x.mean(dim=-2, keepdim=True)
    delta_y = y - y.mean(dim=-2, keepdim=True)
    k = e @ delta_y.mT / x.shape[-2]
    length = torch.linalg.matrix_norm(k)[..., None, None]
    return x - w / torch.where(length > 0, length, 1.0) * (k @ delta_x)


def enkg(
    x: Tensor,
    denoiser: Denoiser,
    forward: Map,
    misfit: Map,
    *,
    w: float,
    steps: int = 80,
    updates: int = 2,
    edge: float = 0.05,
    min_ratio: float = 1.0,
) -> Tensor:
    """Return particles that fit the observation, from pure noise (Algorithm 1).

    Args:
        x: noise of standard deviation σ_max, shape (..., J, n).
        denoiser: D.
        forward: G, which maps particles (..., J, n) to predictions (..., J, m).
        misfit: maps predictions to e; see `correction`.
        w: guidance scale.
        steps: N.
        updates: corrections a guided step; without any this samples the prior.
        edge: share of the steps at either end that is not guided.
        min_ratio: what the guidance scale falls to, over w; 1 keeps it constant. The authors' code
            adds the ratio without w, which for its 0.001 makes no difference to speak of.
    """
    for i, (sigma, sigma_next) in enumerate(pairwise(noise_levels(steps))):
        for _ in range(updates if is_guided(i, steps, edge) else 0):
            y = forward(clean_estimate(x, denoiser, sigma, inner_steps(i, steps)))
            x = correction(x, y, misfit(y), guidance(i, steps, w, min_ratio))
        x = prediction(x, denoiser, sigma, sigma_next)
    return x
