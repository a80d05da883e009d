"""Online Fréchet means on ten balls: regret of RAMSGrad, and the theorem's bound."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from claimbench import Run

from .balls import at_radius, log
from .line import UNIT_BALL
from .method import (
    POINCARE,
    Sums,
    conformal,
    distance,
    exp,
    ramsgrad,
    regret_bound,
    shrink,
    start,
)


def regrets_and_bounds(
    run: Run, sign: float, horizons: Sequence[int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return R_T and its bound at each horizon, with momentum and without, shape (horizons, 2)."""
    alpha, diameter, steps = 0.5, 2.0, max(horizons)
    manifold = POINCARE._replace(project=lambda x: shrink(x, UNIT_BALL))
    centre = at_radius(run, np.full((10, 1), math.tanh(0.25)), 3)
    noise = torch.tensor(run.rng.standard_normal((steps, 10, 3)), dtype=run.dtype)
    z = manifold.project(exp(centre, 0.5 * noise / conformal(centre)))
    x = at_radius(run, np.full((10, 1), math.tanh(0.475)), 3).repeat(2, 1, 1)
    beta1 = torch.tensor([0.9, 0.0], dtype=run.dtype)[:, None, None]
    beta2 = torch.tensor([0.999, 0.9], dtype=run.dtype)[:, None, None]
    state, suffered = start(x), torch.zeros(2, dtype=run.dtype)
    decayed, squares = torch.zeros_like(state.v), torch.zeros_like(state.v)
    regrets, bounds = [], []
    for t in range(1, steps + 1):
        suffered = suffered + halved_squares(x, z[t - 1])
        g, alpha_t, beta1_t = -log(x, z[t - 1]), alpha / math.sqrt(t), beta1 * 0.99 ** (t - 1)
        squares = squares + manifold.square_norm(x, g)
        x, state = ramsgrad(manifold, x, state, g, sign * alpha_t, beta1_t, beta2)
        decayed = decayed + beta1_t * state.v_hat.sqrt() / alpha_t
        if t in horizons:
            best = halved_squares(frechet_mean(centre, z[:t]), z[:t]).sum()
            regrets.append((suffered - best).numpy())
            parts = torch.stack([state.v_hat.sqrt(), decayed, squares.sqrt()]).sum((2, 3)).T
            bounds.append(
                [
                    regret_bound(t, Sums(*sums), alpha, float(b1), float(b2), diameter, -1)
                    for sums, b1, b2 in zip(parts.tolist(), beta1, beta2, strict=True)
                ]
            )
    return np.array(regrets), np.array(bounds)


def halved_squares(x: Tensor, z: Tensor) -> Tensor:
    """Return the sum over the balls of d²(x, z)/2."""
    return distance(x, z).square().sum((-1, -2)) / 2


def frechet_mean(x: Tensor, z: Tensor) -> Tensor:
    """Return the point of least summed squared distance to z (points, balls, d), from x on."""
    for _ in range(50):
        x = exp(x, log(x, z).mean(0) / 2)
    return x
