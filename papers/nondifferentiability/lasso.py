"""The LASSO by gradient and proximal steps, over a range of penalties."""

from collections.abc import Iterable, Iterator
from itertools import repeat

import numpy as np

from claimbench import Run
from common.fits import power

from .iterates import last
from .method import Array, bouncing_norm, descend, lasso_subgradient, soft_threshold

RATIOS = np.array([0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100])  # of λ to λ_max
TAIL = 200  # iterates that norms are averaged over: even, since they alternate
NEAR_ZERO = 1e-12


def penalised(
    step: str, h: Array, c: Array, lam: Array, alpha: float, start: Array, steps: int
) -> Iterator[Array]:
    """Yield iterates on ½ βᵀHβ − cᵀβ + λ‖β‖₁, by the steps that `lasso` names."""
    if step == "proximal":
        beta = start
        for _ in range(steps):
            beta = soft_threshold(beta - alpha * (beta @ h - c), alpha * lam)
            yield beta
        return
    sizes: Iterable[float | Array] = repeat(alpha, steps)
    if step == "over-penalty":
        sizes = repeat(alpha / np.maximum(lam / np.abs(c).max(), 1), steps)
    elif step == "decaying":
        sizes = alpha / np.sqrt(np.arange(1, steps + 1))
    yield from descend(lambda beta: lasso_subgradient(beta, h, c, lam), start, sizes)


def norms_by_penalty(run: Run, step: str, x: Array, y: Array, steps: int) -> dict[str, float]:
    """Return what `lasso` does, for rows x (n, d) and targets y (n,), with α = 0.01."""
    alpha, d = 0.01, x.shape[1]
    h, c = x.T @ x / len(x), x.T @ y / len(x)
    lam = RATIOS[:, None] * np.abs(c).max()
    start = 0.1 * run.rng.standard_normal((len(lam), d))
    tail = last(TAIL, penalised(step, h, c, lam, alpha, start, steps))
    norms = np.maximum(np.mean([np.abs(beta).sum(axis=-1) for beta in tail], axis=0), NEAR_ZERO)
    (solved,) = last(1, penalised("proximal", h, c, lam, alpha, start, steps))
    solution = np.abs(solved).sum(axis=-1)
    run.curve("gradient method", RATIOS, norms)
    run.curve("solution", RATIOS, solution)
    ratios, far = norms[1:] / norms[:-1], RATIOS >= 5
    level = norms[far] / bouncing_norm(d, alpha, lam[far, 0])
    return {
        "ratio_below": float(ratios[RATIOS[1:] <= 1].max()),
        "ratio_beyond": float(ratios[RATIOS[:-1] >= 2].min()),
        "slope": power(RATIOS[far], norms[far]).exponent,
        "level_low": float(level.min()),
        "level_high": float(level.max()),
        "zeros": float((tail[-1] == 0).sum()),
        "solution_beyond": float(solution[RATIOS > 1].max()),
    }
