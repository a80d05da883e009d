"""Experiments of the negative comonotonicity paper, on the operators of `operators.py`.

Solutions are x* = 0 and starts have norm 1.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from claimbench import Run, experiment

from .method import (
    Operator,
    OptimisticState,
    Points,
    Squares,
    eg_average_bound,
    eg_distance_slack,
    eg_last_bound,
    eg_potential,
    eg_residual_slack,
    extragradient_step,
    og_average_bound,
    og_distance_slack,
    og_last_bound,
    og_potential,
    og_psi,
    og_residual_slack,
    optimistic_gradient_start,
    optimistic_gradient_step,
    pp_last_bound,
    pp_worst_rotation,
    pp_worst_value,
    proximal_point_step,
    square,
)
from .operators import (
    DIMENSION,
    Array,
    applied,
    class_error,
    crossing,
    inverse_monotone,
    matrices,
    rotations,
    starts,
    times,
)

# γ and N with ρ = 1, Theorem 3.2's value, and the optimum of the performance-estimation problem in
# the iterates that the authors' repository stores
PP_CASES = (
    (2.05, 40, 0.0886212073047, 0.0886188),
    (3.0, 10, 0.0116831299827, 0.0116820),
    (3.0, 40, 0.0030278912496, 0.00302678),
)

# N and the optimum of the performance-estimation problem, over all operators, solved anew with
# PEPit and Clarabel; EG with L = 1, ρ = 1/8, γ = 1/2, and OG with ρ = 0.999 · 5/62, γ = 10/31
EG_WORST = ((1, 0.984375), (2, 0.968994), (5, 0.924278), (10, 0.854291))
OG_WORST = ((1, 1.156035), (2, 1.174305), (5, 1.004496), (10, 0.762811))


# Proximal point


@experiment
def pp_worst_case(run: Run, *, angle_factor: float = 1.0) -> dict[str, float]:
    """N + 1 steps on Theorem 3.2's operator, and on a fine grid of all rotations; ρ = 1.

    `angle_factor`: the operator is that of N times this factor.
    """
    rho = 1.0
    c = np.arange(1, 200_001) / 200_000
    boundary = c * (-c + 1j * np.sqrt(1 - c**2))
    a = np.geomspace(0.01, 100, 300)
    shares = np.linspace(-1, 0.98, 200)
    cosine = -np.minimum(a * rho, 1)[:, None] * shares
    interior = (a[:, None] * (cosine + 1j * np.sqrt(1 - cosine**2))).ravel()
    values, errors, sups, insides, shares_of_bound, peps, members = [], [], [], [], [], [], []
    for gamma, n, reference, pep in PP_CASES:
        z = np.array([pp_worst_rotation(angle_factor * n, gamma, rho)])
        x = np.ones((1, 1), dtype=complex)
        for _ in range(n + 1):
            x = proximal_point_step(z[:, None, None], x, gamma)
        value = float(square(z * x)[0])
        values.append(value / reference)
        errors.append(abs(value / pp_worst_value(n, gamma, rho) - 1))
        sups.append(abs(_pp_worst(boundary, gamma, n + 1) / value - 1))
        insides.append(_pp_worst(interior, gamma, n + 1) / value)
        shares_of_bound.append(value / pp_last_bound(n, gamma, rho))
        peps.append(abs(value / pep - 1))
        members.append(abs((1 / z[0]).real + rho))
    return {
        "reference_error": max(abs(v - 1) for v in values),
        "formula_error": max(errors),
        "sup_error": max(sups),  # largest value of the boundary over the operator's
        "interior_share": max(insides),  # largest value elsewhere over the operator's
        "least_share": min(shares_of_bound),  # of the upper bound
        "largest_share": max(shares_of_bound),
        "pep_error": max(peps),
        "class_error": max(members),
    }


def _pp_worst(z: Points, gamma: float, steps: int) -> float:
    """Return the largest ‖F(x)‖² after `steps` steps: |z|² |m|^(2 steps) where one step gives m."""
    one = proximal_point_step(z[:, None, None], np.ones((len(z), 1), dtype=complex), gamma)
    return float((np.abs(z) ** 2 * square(one) ** steps).max())


@experiment
def pp_bound(
    run: Run, *, gammas: tuple[float, ...] = (2.05, 3.0, 10.0), operators: int = 500
) -> dict[str, float]:
    """A hundred steps on random matrices, the three worst cases, and a Rot(2π/3)/2; ρ = 1."""
    rho, steps = 1.0, 100
    f = np.linalg.inv(inverse_monotone(run, operators) - rho * np.eye(DIMENSION))
    turned = [pp_worst_rotation(n, gamma, rho) for gamma, n, _, _ in PP_CASES]
    z = np.array([*turned, complex(-1 / 4, math.sqrt(3) / 4)])[:, None, None]
    families = ((f, starts(run, operators)), (z, np.ones((len(z), 1), dtype=complex)))
    shares, distance_rise, residual_rise = [], -np.inf, -np.inf
    for matrix, start in families:
        share = 0.0
        for gamma in gammas:
            x, residual = start, square(applied(matrix)(start))
            for n in range(steps + 1):
                after = proximal_point_step(matrix, x, gamma)
                now = square(applied(matrix)(after))
                share = max(share, now.max() / abs(pp_last_bound(n, gamma, rho)))
                distance_rise = max(distance_rise, (square(after) / square(x)).max() - 1)
                if n > 0:
                    residual_rise = max(residual_rise, (now / residual).max() - 1)
                x, residual = after, now
        shares.append(float(share))
    return {
        "matrix_share": shares[0],  # of the bound
        "rotation_share": shares[1],
        "distance_rise": float(distance_rise),  # largest in a step, of ‖x‖², relative
        "residual_rise": float(residual_rise),  # the same of ‖F(x)‖²
        "class_error": max(class_error(matrix, rho) for matrix, _ in families),
    }


@experiment
def pp_threshold(run: Run, *, share: float = 1.0) -> dict[str, float]:
    """The γ at which proximal point turns from growth to decay on rotations with 1/z = −ρ + iy.

    `share`: the operators have 1/z = −share ρ + iy instead.
    """
    rho = np.repeat((0.1, 1.0, 5.0), 5)
    z = 1 / (-share * rho + 1j * rho * np.tile((0.1, 0.5, 1.0, 3.0, 10.0), 3))
    one = np.ones((1, 1), dtype=complex)

    def grows(gamma: Array) -> Any:
        steps = [
            proximal_point_step(w.reshape(1, 1, 1), one, g) for w, g in zip(z, gamma, strict=True)
        ]
        return square(np.concatenate(steps)) >= 1

    found = crossing(grows, rho, 4 * rho)
    return {"threshold_error": float(np.abs(found / rho - 2).max())}  # in units of ρ


# Step sizes of extragradient


@experiment
def eg_threshold(run: Run, *, gamma1: float = 1.0) -> dict[str, float]:
    """The largest γ₂ with which extragradient contracts on Rot(θ), cos θ = −ρ, L = 1."""
    q = np.array([0.1, 0.2, 0.3, 0.4, 0.45])
    f = times(-q + 1j * np.sqrt(1 - q**2))
    one = np.ones((len(q), 1), dtype=complex)

    def contracts(gamma2: Array) -> Any:
        return square(extragradient_step(f, one, gamma1, gamma2[:, None]).after) < 1

    low = np.full(len(q), 1e-6)
    found = np.where(contracts(low), crossing(contracts, low, np.full(len(q), 2.0)), 0)
    return {"threshold_error": float(np.abs(found - (1 - 2 * q)).max())}


@experiment
def eg_impossible(run: Run, *, rho: float = 0.5) -> dict[str, float]:
    """Growth a step of the operator that is to fail, for 40,000 pairs of step sizes; L = 1.

    It is F = L I where γ₁ > 1/L, and else F = L Rot(θ) with cos θ = −ρL.
    """
    sizes = np.geomspace(1e-3, 10, 200)
    gamma1, gamma2 = (g.ravel() for g in np.meshgrid(sizes, sizes))
    turned = complex(-rho, math.sqrt(1 - rho**2))
    z = np.where(gamma1 > 1, 1, turned)
    one = np.ones((len(z), 1), dtype=complex)
    after = extragradient_step(times(z), one, gamma1[:, None], gamma2[:, None]).after
    return {"least_growth": float(np.sqrt(square(after).min()))}


# Averages


@experiment
def eg_average(
    run: Run,
    *,
    rho: float = 0.1,
    gamma1: float = 0.5,
    gamma2: float = 0.3,
    operators: int = 100,
    steps: int = 200,
) -> dict[str, float]:
    """Mean ‖F(x_k)‖² of extragradient over k ≤ N, for all N up to `steps`; L = 1."""

    def path(f: Operator, x: Points) -> Array:
        return follow_eg(f, x, gamma1, gamma2, steps)[1]

    bound = eg_average_bound(np.arange(steps + 1.0), gamma1, gamma2)
    return _averages(run, path, bound, rho, operators)


@experiment
def og_average(
    run: Run,
    *,
    rho: float = 0.1,
    gamma1: float = 0.5,
    gamma2: float = 0.2,
    operators: int = 100,
    steps: int = 200,
) -> dict[str, float]:
    """Mean ‖F(x_k)‖² of optimistic gradient over k ≤ N, for all N up to `steps`; L = 1."""

    def path(f: Operator, x: Points) -> Array:
        return follow_og(f, x, gamma1, gamma2, steps)[1]

    bound = og_average_bound(np.arange(steps + 1.0), gamma1, gamma2)
    return _averages(run, path, bound, rho, operators)


def _averages(
    run: Run, path: Callable[[Operator, Points], Array], bound: Array, rho: float, operators: int
) -> dict[str, float]:
    z = rotations(rho, np.geomspace(0.02, 1, 60), np.linspace(0, 1, 30))
    f = matrices(run, operators, rho)
    families = (
        (times(z), np.ones((len(z), 1), dtype=complex)),
        (applied(f), starts(run, operators)),
    )
    means = []
    for operator, start in families:
        residual = path(operator, start)
        mean = np.cumsum(residual, axis=0) / np.arange(1, len(residual) + 1)[:, None]
        means.append(np.where(np.isfinite(mean), mean, np.inf).max(axis=1))
    run.curve("bound", range(len(bound)), bound)
    run.curve("worst rotation", range(len(bound)), means[0])
    return {
        "rotation_share": float((means[0] / bound).max()),
        "matrix_share": float((means[1] / bound).max()),
        "bound_30": float(bound[30]),
        "rotation_30": float(means[0][30]),
        "class_error": max(class_error(f, rho, 1.0), class_error(z[:, None, None], rho, 1.0)),
    }


# Last iterates


def follow_eg(
    f: Operator, x: Points, gamma1: float, gamma2: float, steps: int
) -> tuple[Squares, Squares]:
    """Return ‖x_k‖² and ‖F(x_k)‖² for k = 0, …, steps, shape (steps + 1, count) each."""
    distance, residual = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps + 1):
            distance.append(square(x))
            residual.append(square(f(x)))
            x = extragradient_step(f, x, gamma1, gamma2).after
    return np.array(distance), np.array(residual)


def follow_og(
    f: Operator, x0: Points, gamma1: float, gamma2: float, steps: int
) -> tuple[Squares, Squares, Squares]:
    """Return ‖x_k‖² and ‖F(x_k)‖² as `follow_eg` does, and ‖F(x_k)‖² + ‖F(x_k) − F(x̃_{k−1})‖².

    The last begins with k = 1, and is one row shorter.
    """
    distance, residual, psi = [square(x0)], [square(f(x0))], []
    with np.errstate(over="ignore", invalid="ignore"):
        state = optimistic_gradient_start(f, x0, gamma2)
        for _ in range(steps):
            distance.append(square(state.x))
            residual.append(square(f(state.x)))
            psi.append(og_psi(state, f))
            state = optimistic_gradient_step(f, state, gamma1, gamma2)
    return np.array(distance), np.array(residual), np.array(psi)


@experiment
def eg_last(
    run: Run,
    *,
    rho: float = 0.125,
    gamma: float = 0.5,
    operators: int = 100,
    scales: int = 60,
    steps: int = 1000,
) -> dict[str, float]:
    """Extragradient's bound and potential along its paths, on rotations and matrices; L = 1."""
    z, f, families = _families(run, rho, operators, scales)
    bound = eg_last_bound(np.arange(steps + 1.0), gamma, rho)
    shares, worst, rise, residual_rise = [], np.empty(0), -np.inf, -np.inf
    for operator, start in families:
        distance, residual = follow_eg(operator, start, gamma, gamma, steps)
        if not np.isfinite(residual).all():
            return dict.fromkeys(LAST_METRICS, np.inf)
        potential = [
            eg_potential(k, distance[k], residual[k], gamma, rho) for k in range(steps + 1)
        ]
        rise = max(rise, largest_rise(np.array(potential)))
        residual_rise = max(residual_rise, largest_rise(residual))
        shares.append(float((residual.max(axis=1) / bound).max()))
        worst = residual.max(axis=1) if not len(worst) else worst
    run.curve("bound", range(steps + 1), bound)
    run.curve("worst rotation", range(steps + 1), worst)
    # beyond N = 1000 the path is a power of its first step
    one = extragradient_step(times(z), np.ones((len(z), 1), dtype=complex), gamma, gamma).after
    numbers = np.geomspace(1000, 10_000, 9)
    late = [float((np.abs(z) ** 2 * square(one) ** n).max()) for n in numbers]
    error = max(class_error(f, rho, 1.0), class_error(z[:, None, None], rho, 1.0))
    values = (*shares, rise, residual_rise, slope(numbers, np.array(late)), error)
    return dict(zip(LAST_METRICS, values, strict=True))


@experiment
def og_last(
    run: Run,
    *,
    rho: float = 0.999 * 5 / 62,
    gamma: float = 10 / 31,
    operators: int = 100,
    scales: int = 60,
    steps: int = 1000,
) -> dict[str, float]:
    """Optimistic gradient's bound and potential along its paths, as `eg_last`."""
    z, f, families = _families(run, rho, operators, scales)
    bound = og_last_bound(np.arange(steps + 1.0), gamma, rho)
    shares, worst, rise, psi_rise = [], np.empty(0), -np.inf, -np.inf
    for operator, start in families:
        distance, residual, psi = follow_og(operator, start, gamma, gamma, steps)
        if not np.isfinite(psi).all():
            return dict.fromkeys(LAST_METRICS, np.inf)
        potential = [
            og_potential(k, distance[k], psi[k - 1], gamma, rho) for k in range(1, steps + 1)
        ]
        rise = max(rise, largest_rise(np.array(potential)))
        psi_rise = max(psi_rise, largest_rise(psi))
        shares.append(float((residual.max(axis=1) / bound).max()))
        worst = residual.max(axis=1) if not len(worst) else worst
    run.curve("bound", range(steps + 1), bound)
    run.curve("worst rotation", range(steps + 1), worst)
    numbers = np.arange(50, steps + 1, 50)
    error = max(class_error(f, rho, 1.0), class_error(z[:, None, None], rho, 1.0))
    values = (*shares, rise, psi_rise, slope(numbers.astype(float), worst[numbers]), error)
    return dict(zip(LAST_METRICS, values, strict=True))


LAST_METRICS = (
    "rotation_share",  # of the bound, largest over N
    "matrix_share",
    "potential_rise",  # largest in a step, in units of the first value
    "residual_rise",  # the same, of ‖F(x_k)‖² for extragradient and Lemma C.8's Ψ_k for optimistic
    "exponent",  # of N, in the worst ‖F(x_N)‖² over rotations
    "class_error",
)


def _families(
    run: Run, rho: float, operators: int, scales: int
) -> tuple[Points, Points, tuple[tuple[Operator, Points], tuple[Operator, Points]]]:
    """Return rotations, matrices, and operator and starts of both."""
    z = rotations(rho, np.geomspace(0.01, 1, scales), np.linspace(0, 1, scales // 3))
    f = matrices(run, operators, rho)
    first = (times(z), np.ones((len(z), 1), dtype=complex))
    return z, f, (first, (applied(f), starts(run, operators)))


def largest_rise(values: Array) -> float:
    """Return the largest rise from a row to the next, in units of the first row."""
    return float((np.diff(values, axis=0) / values[0]).max())


def slope(numbers: Array, values: Array) -> float:
    """Return the exponent of a power law fitted in logarithms; inf where values are not finite."""
    if not np.isfinite(values).all():
        return math.inf
    return float(np.polyfit(np.log(numbers), np.log(values), 1)[0])


@experiment
def worst_rotations(run: Run, *, class_share: float = 1.0) -> dict[str, float]:
    """Worst ‖F(x_N)‖² over rotations against that over all operators (performance estimation).

    `class_share`: the rotations are ρ-negative comonotone with this share of ρ.
    """

    def family(rho: float) -> tuple[Operator, Points]:
        z = rotations(class_share * rho, np.linspace(1 / 400, 1, 400), np.linspace(0, 1, 100))
        return times(z), np.ones((len(z), 1), dtype=complex)

    rho, gamma = 0.999 * 5 / 62, 10 / 31
    eg = follow_eg(*family(1 / 8), 1 / 2, 1 / 2, 10)[1].max(axis=1)
    og = follow_og(*family(rho), gamma, gamma, 10)[1].max(axis=1)
    eg_code = follow_eg(*family(0.1), 1 / 2, 1 / 2, 20)[1][20].max()
    # the authors' code extrapolates in the first step too, from F(x₀)
    f, x = family(0.05)
    state = OptimisticState(x, f(x))
    for _ in range(10):
        state = optimistic_gradient_step(f, state, gamma, gamma)
    return {
        "eg_error": max(abs(float(eg[n]) / value - 1) for n, value in EG_WORST),
        "og_error": max(abs(float(og[n]) / value - 1) for n, value in OG_WORST),
        "eg_code_value": float(eg_code),
        "og_code_value": float(square(f(state.x)).max()),
    }


@experiment
def formulas(run: Run, *, gamma_factor: float = 1.0) -> dict[str, float]:
    """Bounds, potentials and the slack of Lemma C.8 at a point each, against values by hand.

    PP has γ = 2, ρ = 1/2 and N = 2; EG and OG have γ = 1/4, ρ = 1/16, ‖x‖² = 3, ‖F‖² or Ψ = 2,
    k = 4 and N = 10. The slack is that of F(x) = ix with γ = 0.3 at x = 1, from
    F(x̃_{k−1}) = (1 + i)/2.

    `gamma_factor`: γ is multiplied by it.
    """
    pp, gamma, lemma = (gamma_factor * g for g in (2, 1 / 4, 0.3))
    rho, three, two = 1 / 16, np.array([3.0]), np.array([2.0])
    state = OptimisticState(np.array([[1.0 + 0j]]), np.array([[0.5 + 0.5j]]))
    found = {
        "pp_bound_error": (pp_last_bound(2, pp, 1 / 2), 1 / 6),
        "pp_value_error": (pp_worst_value(2, pp, 1 / 2), 2 / 27),
        "pp_rotation_error": (pp_worst_rotation(2, pp, 1 / 2), (-1 + 1j * math.sqrt(15)) / 8),
        "eg_bound_error": (eg_last_bound(10, gamma, rho), 224 / 45),
        "og_bound_error": (og_last_bound(10, gamma, rho), 7648 / 535),
        "eg_potential_error": (eg_potential(4, three, two, gamma, rho)[0], 141 / 32),
        "og_potential_error": (og_potential(4, three, two, gamma, rho)[0], 1008 / 19),
        "og_slack_error": (og_residual_slack(state, times(np.array([1j])), lemma)[0], 0.49845),
    }
    return {name: float(abs(value / by_hand - 1)) for name, (value, by_hand) in found.items()}


# One step


@experiment
def one_step(run: Run, *, rho_factor: float = 1.0, operators: int = 500) -> dict[str, float]:
    """Slack of four lemmas at random points, with step sizes over two decades; L = 2, ρ = 0.1.

    `rho_factor`: the lemmas are told ρ times this factor.
    """
    lipschitz, rho = 2.0, 0.1
    told = rho_factor * rho
    gamma1, gamma2 = 10 ** run.rng.uniform(-1.3, 0.7, (2, operators, 1))

    def slacks(f: Operator, x: Points, past: Points) -> list[Squares]:
        return [
            eg_distance_slack(x, f, gamma1, gamma2, told, lipschitz),
            eg_residual_slack(x, f, gamma1, told, lipschitz),
            og_distance_slack(OptimisticState(x, f(past)), f, gamma1, gamma2, told),
        ]

    x, past = starts(run, operators), starts(run, operators)
    general = slacks(applied(lipschitz * matrices(run, operators, lipschitz * rho)), x, past)
    narrow = applied(lipschitz * matrices(run, operators, 5 / 62))
    general.append(og_residual_slack(OptimisticState(x, narrow(past)), narrow, 10 / 31 / lipschitz))
    cosine = -lipschitz * rho
    turned = times(np.full(operators, lipschitz * complex(cosine, math.sqrt(1 - cosine**2))))
    x, past = (p[:, :1] + 1j * p[:, 1:2] for p in (x, past))
    extremal = slacks(turned, x, past)
    return {
        "least_slack": float(min(slack.min() for slack in general)),
        "extremal_slack": float(max(np.abs(slack).max() for slack in extremal)),
    }
