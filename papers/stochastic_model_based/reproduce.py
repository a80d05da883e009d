"""Experiments on model-based steps: robust phase retrieval, blind deconvolution, sigmoid loss."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, experiment
from common.data import load
from common.fits import power

from . import checks
from .method import (
    Envelope,
    best_gamma,
    blind_residual,
    envelope,
    phase_prox,
    phase_second_moment,
    phase_weak_convexity,
    project,
    prox_linear_step,
    proximal_subgradient_step,
    stationarity_bound,
    subgradient,
)
from .problems import (
    PHASE_STEPS,
    Sigmoid,
    decades,
    line_problem,
    line_prox,
    mean_squares,
    medians,
    normal,
    phase_value,
    sampled,
    sphere,
    step_sizes,
    uniform,
    visited,
)

ALPHAS = 10 ** torch.linspace(-4, 1, 11, dtype=torch.float64)


# Rates


@experiment
def line_rates(
    run: Run,
    *,
    horizons: Sequence[int] = (100, 400, 1600, 6400),
    replicas: int = 200,
    times: int = 30,
    c: float = 0.3,
    decay: bool = True,
) -> dict[str, float]:
    """Exponents in T of the mean squared gradient, three methods on one noisy problem in R.

    `decay`: α = c/√(T + 1), and else c.
    """
    generator, radius = run.torch_generator(), 3.0
    a, b = line_problem(generator, 60)
    lam = 1 / (2 * phase_weak_convexity(a))
    start = (1.5 + 0.5 * uniform(generator, replicas, 1)).expand(len(horizons), -1, -1)
    rows = torch.randint(len(a), (max(horizons) + 1, replicas), generator=generator)
    times_ = uniform(generator, len(horizons), times)
    alpha = step_sizes(horizons, c, decay=decay)[:, None]
    at = partial(
        envelope,
        partial(phase_value, a=a, b=b),
        partial(line_prox, a=a, b=b, lam=lam, radius=radius),
    )
    exponents = {}
    for name, step in PHASE_STEPS.items():
        # in one variable the constraint only cuts off, where the subproblem is convex
        move = sampled(step, a, b, rows, alpha, radius)
        visits = visited(move, start, horizons, times_)
        found = mean_squares(visits, lambda x: at(x, lam))
        run.curve(name, horizons, found)
        exponents[f"{name}_exponent"] = power(horizons, found).exponent
    return exponents | {"largest_exponent": max(exponents.values())}


@experiment
def sigmoid_rate(
    run: Run,
    *,
    horizons: Sequence[int] = (200, 800, 3200, 12800),
    replicas: int = 16,
    times: int = 25,
    c: float = 1.0,
    decay: bool = True,
) -> dict[str, float]:
    """The exponent in T for single-sample projected SGD on mean 1/(1 + exp(y⟨a, x⟩)), ‖x‖ ≤ 3.

    `decay`: α = c/√(T + 1), and else c.
    """
    generator, radius = run.torch_generator(), 3.0
    inputs, targets = load("breast_cancer")
    standard = torch.as_tensor((inputs - inputs.mean(axis=0)) / inputs.std(axis=0))
    loss = Sigmoid(standard * torch.as_tensor(1.0 - 2.0 * targets)[:, None], radius)
    lam, rows = 1 / (2 * loss.weak_convexity()), loss.rows
    draws = torch.randint(len(rows), (max(horizons) + 1, replicas), generator=generator)
    alpha = step_sizes(horizons, c, decay=decay)[:, None]
    start = torch.zeros(len(horizons), replicas, rows.shape[1], dtype=torch.float64)
    inside = partial(project, radius=radius)
    visits = visited(
        lambda x, t: proximal_subgradient_step(x, loss.slope(x, rows[draws[t]]), alpha, inside),
        start,
        horizons,
        uniform(generator, len(horizons), times),
    )
    prox = partial(loss.prox, lam=lam)
    found = mean_squares(visits, lambda x: envelope(loss.value, prox, x, lam))
    run.curve("mean squared gradient", horizons, found)
    return {"exponent": power(horizons, found).exponent}


@experiment
def phase_rate(
    run: Run,
    *,
    horizons: Sequence[int] = (100, 400, 1600, 6400),
    replicas: int = 40,
    times: int = 30,
    decay: bool = True,
    gamma_factor: float = 1.0,
) -> dict[str, float]:
    """The mean squared gradient against its bound, phase retrieval with d = 10 on a ball.

    Args:
        decay: α = γ/√(T + 1), and else γ.
        gamma_factor: times the γ that makes the bound lowest.
    """
    generator, radius = run.torch_generator(), 2.0
    a = normal(generator, 30, 10)
    solution, start = sphere(generator, 2, 10)
    b = (a @ solution) ** 2
    rho, moment = phase_weak_convexity(a), phase_second_moment(a, radius)
    lam = 1 / (2 * rho)

    def at(x: Tensor) -> Envelope:
        prox = partial(phase_prox, a=a, b=b, lam=lam, radius=radius, iterations=300)
        return envelope(partial(phase_value, a=a, b=b), prox, x, lam)

    gap = at(start).value.item()  # min φ is 0
    alpha = step_sizes(horizons, gamma_factor * best_gamma(gap, rho, moment), decay=decay)
    rows = torch.randint(len(a), (max(horizons) + 1, replicas), generator=generator)

    move = sampled(PHASE_STEPS["subgradient"], a, b, rows, alpha[:, None], radius)
    visits = visited(
        move,
        start.expand(len(horizons), replicas, -1),
        horizons,
        uniform(generator, len(horizons), times),
    )
    found = mean_squares(visits, at)
    bounds = [
        stationarity_bound(gap, rho, 2 * rho, moment, size.repeat(t + 1))
        for size, t in zip(alpha, horizons, strict=True)
    ]
    run.curve("mean squared gradient", horizons, found)
    run.curve("bound", horizons, bounds)
    return {
        "largest_share": float(np.max(np.divide(found, bounds))),
        "exponent": power(horizons, found).exponent,
    }


# One step, and what is exact


@experiment
def envelope_descent(
    run: Run, *, points: int = 3000, biased: bool = False, tau_factor: float = 1.0
) -> dict[str, float]:
    """The expected envelope after a step from random points, by enumeration, against the bounds.

    Args:
        points: how many, with α over four decades.
        biased: samples with larger b/a² are drawn more often.
        tau_factor: the check of the models is told τ times this factor.
    """
    return checks.envelope_descent(run, points, biased, tau_factor)


@experiment
def closed_forms(
    run: Run, *, problems: int = 2000, clipped: bool = True, roots: bool = True
) -> dict[str, float]:
    """Values of the subproblems at the closed forms against those of a search, d = 3.

    Args:
        problems: how many, with α over three decades and some negative b.
        clipped: false takes the whole Gauss–Newton step.
        roots: false leaves ±√b out of the candidates of the proximal point.
    """
    return checks.closed_forms(run, problems, clipped, roots)


@experiment
def line_envelope(run: Run, *, lam: float = 0.2) -> dict[str, float]:
    """The envelope of |x² − 1| on a grid that holds 0; ρ = 2."""
    return checks.line_envelope(lam)


@experiment
def phase_envelope(run: Run, *, points: int = 30, iterations: int = 20_000) -> dict[str, float]:
    """The prox of phase retrieval with d = 5, some of the points outside the ball.

    `iterations`: of the solver, at most.
    """
    return checks.phase_envelope(run, points, iterations)


@experiment
def formulas(run: Run, *, alpha_factor: float = 1.0) -> dict[str, float]:
    """Bounds, moduli and times at a point each, against values by hand.

    `alpha_factor`: step sizes are multiplied by it.
    """
    return checks.formulas(alpha_factor)


# Step sizes


@experiment
def phase_steps(
    run: Run, *, replicas: int = 50, passes: int = 60, linear: str = ""
) -> dict[str, float]:
    """Loss after constant steps from 1e-4 to 10: medians over problems with d = 10 and m = 30.

    `linear`: the method whose model is replaced by the linear one.
    """
    generator, d, m = run.torch_generator(), 10, 30
    a, each = normal(generator, replicas, m, d), torch.arange(replicas)
    solution, start = sphere(generator, 2, replicas, 1, d)
    b = ((a * solution).sum(-1)) ** 2
    rows = torch.randint(m, (passes * m, replicas), generator=generator)
    first = phase_value(start, a, b[:, None])[:, 0]
    samples = list(zip(a[each, rows], b[each, rows], strict=True))
    alpha = ALPHAS[:, None]
    losses: dict[str, Tensor] = {}
    for name, step in PHASE_STEPS.items():
        if name == linear:
            losses[name] = losses["subgradient"]
            continue
        x = start[:, 0].expand(len(ALPHAS), -1, -1)
        for row, measured in samples:
            x = step(x, row, measured, alpha)
        losses[name] = phase_value(x[:, :, None], a, b[:, None])[..., 0]
        run.curve(name, ALPHAS, medians(losses[name]))
    easy = {name: decades(medians(loss / first), 0.1) for name, loss in losses.items()}
    reached = {name: decades(medians(loss), 1e-8) for name, loss in losses.items()}
    return {f"{name}_decades": found for name, found in reached.items()} | {
        "subgradient_easy": easy["subgradient"],
        "prox_linear_margin": easy["prox_linear"] - easy["subgradient"],
        "prox_point_margin": easy["prox_point"] - easy["subgradient"],
    }


@experiment
def blind_steps(
    run: Run, *, replicas: int = 50, passes: int = 60, linear: bool = False
) -> dict[str, float]:
    """The same for mean |⟨uᵢ, p⟩⟨vᵢ, q⟩ − bᵢ|. `linear`: no prox-linear model."""
    generator, d, m = run.torch_generator(), 10, 60
    u, v = normal(generator, 2, replicas, m, d)
    solution, start = sphere(generator, 2, 2, replicas, d)
    b = torch.einsum("rmi,ri,rmj,rj->rm", u, solution[0], v, solution[1])
    rows, each = (
        torch.randint(m, (passes * m, replicas), generator=generator),
        torch.arange(replicas),
    )
    reached = {}
    for name in ("subgradient", "prox_linear"):
        x = torch.cat(tuple(start), dim=-1).expand(len(ALPHAS), -1, -1)
        for row in rows:
            residual = blind_residual(x, u[each, row], v[each, row], b[each, row])
            if name == "subgradient" or linear:
                x = proximal_subgradient_step(x, subgradient(residual), ALPHAS[:, None])
            else:
                x = prox_linear_step(x, residual, ALPHAS[:, None])
        loss = blind_residual(x[:, :, None], u, v, b).c.abs().mean(-1)
        reached[name] = decades(medians(loss), 1e-8)
        run.curve(name, ALPHAS, medians(loss))
    return {
        "subgradient_decades": reached["subgradient"],
        "prox_linear_margin": reached["prox_linear"] - reached["subgradient"],
    }
