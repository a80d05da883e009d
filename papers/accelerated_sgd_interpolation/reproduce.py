"""Experiments on accelerated SGD: expected losses without sampling, sampled runs, and digits."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import scipy.linalg
import torch

from claimbench import Run, experiment

from .bounds import (
    CONDITIONS,
    DIMENSION,
    all_schemes,
    convex_ratios,
    curves,
    deviation,
    earlier_alpha,
    factors,
    follow,
    growth,
    headline_alpha,
    linear_bound,
    linear_ratios,
    losses,
    spectrum,
)
from .method import Array, estimating_sequence, extrapolate, next_gamma, sgd_step
from .problems import Coordinates, FullBatch, Problem, digits_rows, gaussian_rows
from .schemes import Scheme, expected_losses, scheme_of, trajectory


@experiment
def coefficients(run: Run, *, steps: int = 50, start: float = 1.0) -> dict[str, float]:
    """The weights α and γ against their equation and against what they multiply up to.

    `start`: γ₀ in units of μ for the linear rate, and of 1/η for the one with μ = 0.
    """
    root_errors, gamma_errors, linear_errors, convex_ratios = [], [], [], []
    k = np.arange(1, steps + 1)
    for _ in range(20):
        eta = 10 ** run.rng.uniform(-3, 0)
        mu = 10 ** run.rng.uniform(-4, -1) / eta
        gamma = mu * 10 ** run.rng.uniform(0.5, 2)
        sequence = estimating_sequence(gamma, eta, mu, steps)
        alpha, gammas = np.array(sequence).T
        equation = alpha**2 - eta * (1 - alpha) * gammas - eta * alpha * mu
        root_errors.append(np.abs(equation / alpha**2).max())
        last = next_gamma(sequence[-1], mu)
        moved = (np.append(gammas[1:], last) - mu) / (gamma - mu)
        gamma_errors.append(np.abs(moved - np.cumprod(1 - alpha)).max())
        linear = factors(start * mu, eta, mu, steps) / (1 - np.sqrt(eta * mu)) ** k
        linear_errors.append(np.abs(linear - 1).max())
        convex_ratios.append((factors(start / eta, eta, 0.0, steps) * (k + 2) ** 2 / 4).max())
    return {
        "root_error": float(max(root_errors)),
        "gamma_error": float(max(gamma_errors)),
        "linear_error": float(max(linear_errors)),
        "convex_ratio": float(max(convex_ratios)),
    }


@experiment
def two_forms(run: Run, *, steps: int = 60, dual: str = "stochastic") -> dict[str, float]:
    """Eq. 5 with one gradient in both lines, and Eq. 6, from the same start on the same draws.

    `dual`: gradient in the v-line of Eq. 5, "stochastic" or "full".
    """
    problem = Coordinates(0.3 * spectrum(100, 20))
    eta, mu = 1 / (problem.rho * problem.largest), problem.smallest
    w = run.rng.standard_normal(20)
    draws = run.rng.integers(20, size=steps)
    w_errors, y_errors = [], []
    for gamma in (0.3 * mu, mu, 4 * mu, 1 / eta):
        sequence = estimating_sequence(gamma, eta, mu, steps + 1)
        five = Scheme("semi" if dual == "full" else "stochastic", eta, mu, sequence)
        six = Scheme("momentum", eta, mu, sequence)
        w5, v = map(np.array, zip(*trajectory(problem, five, w, draws), strict=True))
        y5 = np.array([extrapolate(*x, mu) for x in zip(w5, v, sequence, strict=True)])
        w6, y6 = map(np.array, zip(*trajectory(problem, six, w, draws), strict=True))
        w_errors.append(deviation(w5, w6))
        y_errors.append(deviation(y5, y6))
    return {"w_deviation": max(w_errors), "y_deviation": max(y_errors)}


@experiment
def nesterov_sgd(run: Run, *, steps: int = 60, gamma_ratio: float = 1.0) -> dict[str, float]:
    """The momentum form, and torch.optim.SGD with Nesterov's momentum, on the same draws.

    `gamma_ratio`: γ₀ of the momentum form in units of μ.
    """
    problem = Coordinates(0.3 * spectrum(100, 20))
    eta, mu = 1 / (problem.rho * problem.largest), problem.smallest
    w = run.rng.standard_normal(20)
    draws = run.rng.integers(20, size=steps)
    sequence = estimating_sequence(gamma_ratio * mu, eta, mu, steps + 1)
    ours = [y for _, y in trajectory(problem, Scheme("momentum", eta, mu, sequence), w, draws)]
    alpha = (problem.smallest / (problem.rho * problem.largest)) ** 0.5
    y = torch.nn.Parameter(torch.tensor(w))
    optimizer = torch.optim.SGD([y], lr=eta, momentum=(1 - alpha) / (1 + alpha), nesterov=True)
    theirs = [w]
    for draw in draws:
        y.grad = torch.tensor(problem.row_gradient(y.detach().numpy(), draw))
        optimizer.step()
        theirs.append(y.detach().numpy().copy())
    return {"deviation": deviation(np.array(ours), np.array(theirs))}


@experiment
def strong_growth(run: Run, *, points: int = 200, rho_factor: float = 1.0) -> dict[str, float]:
    """E‖g‖² over ρ‖∇f‖², by enumeration of the draws, at random points and at the worst.

    The worst point of least squares comes from the generalised eigenvalue problem of diag(‖aᵢ‖²)
    and AAᵀ. `rho_factor`: multiplies ρ.
    """
    coordinates = Coordinates(spectrum(100))
    rows = gaussian_rows(run.rng)
    lengths = (rows.a**2).sum(axis=1)
    residual = scipy.linalg.eigh(np.diag(lengths), rows.a @ rows.a.T)[1][:, -1]
    worst: dict[str, tuple[Problem, Array]] = {
        "coordinate": (coordinates, np.eye(DIMENSION)[:1]),
        "row": (rows, (np.linalg.pinv(rows.a) @ (rows.b + residual))[None]),
    }
    metrics, largest = {}, []
    for name, (problem, point) in worst.items():
        w = run.rng.standard_normal((points, len(problem.start)))
        largest.append(growth(problem, w).max() / (rho_factor * problem.rho))
        metrics[f"{name}_worst"] = float(growth(problem, point)[0] / (rho_factor * problem.rho))
    return metrics | {"largest_ratio": float(max(largest + list(metrics.values())))}


@experiment
def sufficient_progress(
    run: Run, *, points: int = 200, eta_factor: float = 1.0
) -> dict[str, float]:
    """Expected loss after a step of SGD, by enumeration of the draws, at random points.

    `eta_factor`: step size in units of 1/(ρL).
    """
    violations = []
    problems: list[Problem] = [Coordinates(spectrum(c)) for c in CONDITIONS]
    for problem in (*problems, gaussian_rows(run.rng)):
        y = run.rng.standard_normal((points, len(problem.start)))
        eta = eta_factor / (problem.rho * problem.largest)
        g = problem.row_gradient(y[:, None], np.arange(problem.draws)[None])
        after = problem.value(sgd_step(y[:, None], g, eta)).mean(axis=-1)
        fall = (problem.gradient(y) ** 2).sum(axis=-1) / (2 * problem.rho * problem.largest)
        violations.append(((after - problem.value(y) + fall) / problem.value(y)).max())
    return {"violation": float(max(violations))}


@experiment
def moments(run: Run, *, runs: int = 4000, replacement: bool = True) -> dict[str, float]:
    """The recursion for E f(w_k), against all sequences of five draws and against sampled runs.

    `replacement`: draw every time among all coordinates; else none twice.
    """
    few, many = 5, 20
    pick = product(range(few), repeat=few) if replacement else permutations(range(few))
    everything = np.array(list(pick)).T
    if replacement:
        sampled = run.rng.integers(many, size=(many, runs))
    else:
        sampled = run.rng.permuted(np.tile(np.arange(many)[:, None], runs), axis=0)
    errors, distances = [], []
    small, large = Coordinates(run.rng.uniform(1, 10, few)), Coordinates(spectrum(10, many))
    for problem, draws in ((small, everything), (large, sampled)):
        for scheme in all_schemes(problem, many):
            w = np.broadcast_to(problem.start, (draws.shape[1], problem.draws))
            losses = np.array([problem.value(w) for w, _ in trajectory(problem, scheme, w, draws)])
            expected = expected_losses(problem, scheme)[: len(losses)]
            mean = losses.mean(axis=1)
            errors.append(np.abs(mean / expected - 1).max() if problem is small else 0.0)
            noise = losses[-1].std() / runs**0.5
            distances.append(abs(mean[-1] - expected[-1]) / noise if problem is large else 0.0)
    return {"enumeration_error": float(max(errors)), "standard_errors": float(max(distances))}


@experiment
def strongly_convex(run: Run, *, steps: int = 600, scheme: str = "semi") -> dict[str, float]:
    """E f(w_k) of Eq. 5 over the bound with √ρ, at two condition numbers; the largest over k."""
    return linear_ratios(run, scheme, steps)


@experiment
def headline(
    run: Run, *, steps: int = 600, scheme: str = "momentum", alpha: str = "headline"
) -> dict[str, float]:
    """E f(w_k) of Eq. 6 over the same bound.

    `alpha`: "headline", √(μ/(ρL)), or "without_rho", √(μ/L).
    """
    return linear_ratios(run, scheme, steps, alpha)


@experiment
def sampled_runs(
    run: Run,
    *,
    runs: int = 20,
    steps: int = 300,
    scheme: str = "momentum",
    alpha: str = "headline",
) -> dict[str, float]:
    """f(w_k) over the bound with √ρ after the last step: mean and median of sampled runs."""
    metrics = {}
    for condition in CONDITIONS:
        problem = Coordinates(spectrum(condition))
        method = scheme_of(scheme, problem, steps, alpha=headline_alpha(problem, alpha))
        draws = run.rng.integers(problem.draws, size=(steps, runs))
        w = np.broadcast_to(problem.start, (runs, problem.draws))
        losses = np.array([problem.value(w) for w, _ in trajectory(problem, method, w, draws)])
        run.curve(f"median, L/μ = {condition}", range(steps + 1), np.median(losses, axis=1))
        ratio = losses[-1] / linear_bound(problem, problem.rho, steps)[-1]
        metrics[f"mean_ratio_{condition}"] = float(ratio.mean())
        metrics[f"median_ratio_{condition}"] = float(np.median(ratio))
    return metrics


@experiment
def convex(run: Run, *, steps: int = 600, scheme: str = "semi") -> dict[str, float]:
    """E f(w_k) of Eq. 5 over the bound with 4/(k + 2)², where μ = 0; the largest over k."""
    return convex_ratios(run, scheme, steps)


@experiment
def convex_headline(run: Run, *, steps: int = 600, scheme: str = "momentum") -> dict[str, float]:
    """E f(w_k) of Eq. 6 over the same bound."""
    return convex_ratios(run, scheme, steps)


@experiment
def pure_stochastic(run: Run, *, dual: str = "stochastic") -> dict[str, float]:
    """E f(w_k) over (1 − 1/d)^k f(w₀) for four methods on f = ½‖w‖², k up to 3d.

    `dual`: gradient in the v-line of AGD, "stochastic" or "full".
    """
    smallest, sgd_largest = [], []
    for d in (20, 50, 100):
        problem = Coordinates(np.ones(d))
        floor = (1 - 1 / d) ** np.arange(3 * d + 1) * problem.value(problem.start)
        alphas = {"stochastic": [1 / d, 0.5 / d, d**-0.5], "momentum": [0.5 / d, d**-0.5]}
        agd = [
            scheme_of("semi" if dual == "full" else name, problem, 3 * d, alpha=alpha)
            for name, choices in alphas.items()
            for alpha in choices
        ]
        sgd = expected_losses(problem, scheme_of("sgd", problem, 3 * d)) / floor
        sgd_largest.append(sgd.max())
        ratios = [expected_losses(problem, scheme) / floor for scheme in agd]
        smallest.append(min(sgd.min(), *(ratio.min() for ratio in ratios)))
    return {"smallest_ratio": float(min(smallest)), "sgd_ratio": float(max(sgd_largest))}


@experiment
def earlier_rate(run: Run, *, steps: int = 2000, alpha: str = "earlier") -> dict[str, float]:
    """E f(w_k) over the bound with ρ in the place of √ρ, for Eq. 5 with one gradient in both lines.

    `alpha`: "earlier", √(μ/L)/ρ, or "headline", √ρ times as much.
    """
    metrics = {}
    for condition in CONDITIONS:
        problem = Coordinates(spectrum(condition))
        weight = earlier_alpha(problem) * (problem.rho**0.5 if alpha == "headline" else 1)
        losses = expected_losses(problem, scheme_of("stochastic", problem, steps, alpha=weight))
        bound = linear_bound(problem, problem.rho**2, steps)
        curves(run, f"L/μ = {condition}", losses, bound)
        metrics[f"worst_ratio_{condition}"] = float((losses / bound).max())
    return metrics


@experiment
def digits(
    run: Run,
    *,
    cap: int = 60000,
    target: float = 1e-3,
    oracle: str = "row",
    momentum: bool = True,
) -> dict[str, float]:
    """Steps until a share `target` of the first loss, on the same draws, at most `cap`.

    Args:
        cap: how long every method is followed.
        target: share of the first loss.
        oracle: "row", single rows of digits; "full", all of them at every step, where ρ = 1; or
            "coordinate", the problem of the other experiments.
        momentum: false puts SGD with the same step size in the place of both schemes.
    """
    rows = digits_rows(run.rng)
    full = FullBatch(rows.a, rows.b)
    choices: dict[str, Problem] = {
        "row": rows,
        "full": full,
        "coordinate": Coordinates(spectrum(100)),
    }
    problem = choices[oracle]
    draws = run.rng.integers(problem.draws, size=cap)
    sgd = scheme_of("sgd", problem, 0)
    same = losses(problem, sgd, draws)
    run.curve("SGD at 1/(ρL)", range(len(same)), same)
    steps, gains = {}, {}
    for name in ("semi", "momentum"):
        scheme = scheme_of(name if momentum else "sgd", problem, cap)
        path = losses(problem, scheme, draws, target)
        run.curve(name, range(len(path)), path)
        steps[name] = len(path) - 1 if path[-1] <= target else cap
        k = min(len(path), len(same)) - 1
        # times the fall of log f by SGD in as many steps; 0 where the scheme's has not fallen
        gains[name] = max(np.log(path[k]) / min(np.log(same[k]), -1e-12), 0.0)
    own = replace(sgd, eta=1 / problem.largest_draw)
    agd = follow(full, scheme_of("momentum", full, cap), draws, target)
    return {
        "semi_log_gain": float(gains["semi"]),
        "momentum_log_gain": float(gains["momentum"]),
        "semi_steps": steps["semi"],
        "momentum_steps": steps["momentum"],
        "sgd_gap": float(same[-1]),
        "sgd_own_ratio": follow(problem, own, draws, target) / steps["momentum"],
        "agd_ratio": steps["semi"] / agd,
        "agd_steps": agd,
        "rho": problem.rho,
        "condition": problem.largest / problem.smallest,
    }
