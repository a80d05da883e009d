"""Experiments of the negative comonotonicity paper, on the operators of `operators.py`.

Solutions are x* = 0 and starts have norm 1.
"""

import math
from typing import Any

import numpy as np

from claimbench import Run, experiment
from common.errors import relative
from common.fits import power
from common.stability import crossing

from .method import (
    Operator,
    OptimisticState,
    Points,
    Squares,
    eg_distance_slack,
    eg_last_bound,
    eg_potential,
    eg_residual_slack,
    extragradient_step,
    linear_proximal_point_step,
    og_distance_slack,
    og_last_bound,
    og_potential,
    og_residual_slack,
    optimistic_gradient_step,
    pp_last_bound,
    pp_worst_rotation,
    pp_worst_value,
    proximal_point_step,
    square,
)
from .operators import (
    Array,
    applied,
    matrices,
    nonlinear,
    rotations,
    starts,
    times,
)
from .paths import EXTRAGRADIENT, OPTIMISTIC, averages, follow_eg, follow_og, last_iterates
from .proximal import bound_shares, worst_case

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
    return worst_case(angle_factor)


@experiment
def pp_bound(
    run: Run, *, gammas: tuple[float, ...] = (2.05, 3.0, 10.0), operators: int = 500
) -> dict[str, float]:
    """A hundred steps on random matrices, the three worst cases, and a Rot(2π/3)/2; ρ = 1."""
    return bound_shares(run, gammas, operators)


@experiment
def pp_nonlinear(
    run: Run, *, explicit: bool = False, operators: int = 5, steps: int = 30
) -> dict[str, float]:
    """Proximal steps of nonlinear operators on R⁴, ρ = 0.3 and γ = 0.75, and of a linear one.

    Args:
        explicit: x − γF(x) in the place of the proximal step.
        operators: how many.
        steps: N + 1.
    """
    rho, gamma = 0.3, 0.75

    def step(f: Operator, x: Points) -> Points:
        return x - gamma * f(x) if explicit else proximal_point_step(f, x, gamma)

    equation, share = [], 0.0
    for _ in range(operators):
        f = nonlinear(run, rho)
        x = starts(run, 1)[0, :4]
        x *= 3 / np.linalg.norm(x)
        for n in range(steps):
            after = step(f, x)
            value = f(after)
            equation.append(np.linalg.norm(after - x + gamma * value))
            share = max(share, float(square(value) / (9 * pp_last_bound(n, gamma, rho))))
            x = after
    matrix = matrices(run, 1, rho)[0]
    point = starts(run, 1)[0]
    linear = linear_proximal_point_step(matrix, point, gamma)
    return {
        "equation_error": float(max(equation)),
        "linear_error": relative(step(lambda z: matrix @ z, point), linear),
        "bound_share": share,
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
            linear_proximal_point_step(w.reshape(1, 1, 1), one, g)
            for w, g in zip(z, gamma, strict=True)
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
    return averages(run, EXTRAGRADIENT, rho, gamma1, gamma2, operators, steps)


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
    return averages(run, OPTIMISTIC, rho, gamma1, gamma2, operators, steps)


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
    found, z = last_iterates(run, EXTRAGRADIENT, rho, gamma, operators, scales, steps)
    if np.isfinite(found["rotation_share"]):
        # beyond N = 1000 the path is a power of its first step
        one = extragradient_step(times(z), np.ones((len(z), 1), dtype=complex), gamma, gamma).after
        numbers = np.geomspace(1000, 10_000, 9)
        late = [float((np.abs(z) ** 2 * square(one) ** n).max()) for n in numbers]
        found["exponent"] = power(numbers, late).exponent
    return found


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
    return last_iterates(run, OPTIMISTIC, rho, gamma, operators, scales, steps)[0]


@experiment
def worst_rotations(
    run: Run, *, class_share: float = 1.0, boundary: bool = False
) -> dict[str, float]:
    """Worst ‖F(x_N)‖² over rotations against that over all operators (performance estimation).

    Args:
        class_share: the rotations are ρ-negative comonotone with this share of ρ.
        boundary: only rotations of the boundary, Re(1/z) = −ρ.
    """

    turns = np.zeros(1) if boundary else np.linspace(0, 1, 100)

    def family(rho: float) -> tuple[Operator, Points]:
        z = rotations(class_share * rho, np.linspace(1 / 400, 1, 400), turns)
        return times(z), np.ones((len(z), 1), dtype=complex)

    rho, gamma = 0.999 * 5 / 62, 10 / 31
    eg = follow_eg(*family(1 / 8), 1 / 2, 1 / 2, 10).residual.max(axis=1)
    og = follow_og(*family(rho), gamma, gamma, 10).residual.max(axis=1)
    eg_code = follow_eg(*family(0.1), 1 / 2, 1 / 2, 20).residual[20].max()
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
