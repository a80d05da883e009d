"""What the experiments compare losses with: bounds, weights, and steps to a target."""

from typing import Any

import numpy as np
import numpy.typing as npt

from claimbench import Run

from .method import Array, estimating_sequence
from .problems import Coordinates, Problem
from .schemes import Scheme, expected_losses, scheme_of, trajectory

DIMENSION = 50
CONDITIONS = (1, 100)  # L/μ
BLOWN_UP = 1e12  # of the first loss


def spectrum(condition: float, dimension: int = DIMENSION) -> Array:
    """Return λ from 1 to L/μ, evenly in the logarithm."""
    return np.geomspace(1, condition, dimension)


def factors(gamma: float, eta: float, mu: float, steps: int) -> Array:
    """Return the products of 1 − α_0, …, 1 − α_{k−1} for k = 1, …, steps."""
    return np.cumprod(1 - np.array([w.alpha for w in estimating_sequence(gamma, eta, mu, steps)]))


def deviation(a: Array, b: Array) -> float:
    """Return the largest distance between rows, relative to the longest row of b."""
    return float(np.linalg.norm(a - b, axis=1).max() / np.linalg.norm(b, axis=1).max())


def growth(problem: Problem, w: Array) -> Array:
    """Return E‖g‖²/‖∇f‖² at points (m, p)."""
    g = problem.row_gradient(w[:, None], np.arange(problem.draws)[None])
    return (g**2).sum(axis=-1).mean(axis=-1) / (problem.gradient(w) ** 2).sum(axis=-1)


def all_schemes(problem: Coordinates, steps: int) -> list[Scheme]:
    """Return the schemes with the weights that the experiments give them."""
    earlier = earlier_alpha(problem)
    return [
        *(scheme_of(name, problem, steps) for name in ("semi", "stochastic", "momentum", "sgd")),
        *(scheme_of(name, problem, steps, convex=True) for name in ("semi", "momentum")),
        scheme_of("stochastic", problem, steps, alpha=earlier),
    ]


def earlier_alpha(problem: Problem) -> float:
    """Return α = √(μ/L)/ρ of Vaswani, Bach and Schmidt 2019."""
    return (problem.smallest / problem.largest) ** 0.5 / problem.rho


def headline_alpha(problem: Problem, alpha: str) -> float:
    """Return α: "headline", √(μ/(ρL)), or "without_rho", √(μ/L)."""
    rho = {"headline": problem.rho, "without_rho": 1.0}[alpha]
    return (problem.smallest / (rho * problem.largest)) ** 0.5


def linear_bound(problem: Problem, rho: float, steps: int) -> Array:
    """Return (1 − √(μ/(ρL)))^k (f(w₀) + μ/2 ‖w₀‖²), k = 0, …, steps."""
    factor = 1 - (problem.smallest / (rho * problem.largest)) ** 0.5
    w = problem.start
    return factor ** np.arange(steps + 1) * (problem.value(w) + problem.smallest / 2 * w @ w)


def curves(run: Run, name: str, losses: Array, bound: Array) -> None:
    """Keep both curves, as far as the losses are finite."""
    ends = int(np.isfinite(losses).sum())
    run.curve(f"E f, {name}", range(ends), losses[:ends].tolist())
    run.curve(f"bound, {name}", range(ends), bound[:ends].tolist())


def linear_ratios(run: Run, scheme: str, steps: int, alpha: str = "headline") -> dict[str, float]:
    """Return the largest E f(w_k) over the bound with √ρ, for each condition number."""
    metrics = {}
    for condition in CONDITIONS:
        problem = Coordinates(spectrum(condition))
        weight = headline_alpha(problem, alpha)
        losses = expected_losses(problem, scheme_of(scheme, problem, steps, alpha=weight))
        bound = linear_bound(problem, problem.rho, steps)
        curves(run, f"L/μ = {condition}", losses, bound)
        metrics[f"worst_ratio_{condition}"] = float((losses / bound).max())
    return metrics


def convex_ratios(run: Run, scheme: str, steps: int) -> dict[str, float]:
    """Return the largest E f(w_k) over the bound with 4/(k + 2)², for two spectra; γ₀ = ρL."""
    metrics = {}
    for name, smallest in (("round", 1.0), ("flat", 1e-4)):
        problem = Coordinates(np.geomspace(smallest, 1, DIMENSION))
        losses = expected_losses(problem, scheme_of(scheme, problem, steps, convex=True))
        w = problem.start
        first = problem.value(w) + problem.rho * problem.largest / 2 * w @ w
        bound = 4 / (np.arange(steps + 1) + 2) ** 2 * first
        curves(run, name, losses, bound)
        metrics[f"worst_ratio_{name}"] = float((losses / bound).max())
    return metrics


def follow(problem: Problem, scheme: Scheme, draws: npt.NDArray[Any], target: float) -> int:
    """Return the steps until f ≤ target · f(w₀), or how many draws there are.

    A run that exceeds 1e12 f(w₀) ends there and counts as not arrived.
    """
    gaps = losses(problem, scheme, draws, target)
    return len(gaps) - 1 if gaps[-1] <= target else len(draws)


def losses(problem: Problem, scheme: Scheme, draws: npt.NDArray[Any], target: float = 0.0) -> Array:
    """Return f(w_k) / f(w₀), k = 0, 1, …, until it reaches the target or exceeds 1e12."""
    first = float(problem.value(problem.start))
    gaps = []
    for w, _ in trajectory(problem, scheme, problem.start, draws):
        gaps.append(float(problem.value(w)) / first)
        if gaps[-1] <= target or gaps[-1] > BLOWN_UP:
            break
    return np.array(gaps)
