"""Proximal point, extragradient and optimistic gradient, with their guarantees for operators F
that are ρ-negative comonotone, ⟨F(x) − F(y), x − y⟩ ≥ −ρ‖F(x) − F(y)‖², and mostly L-Lipschitz.

Gorbunov, Taylor, Horváth and Gidel 2022, arXiv 2210.13831. Every bound is for F(x*) = 0 and
‖x₀ − x*‖ = 1; for other starts it is multiplied by ‖x₀ − x*‖². Theorems, lemmas and their
constants as in the paper's appendix and the authors' notebooks.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import root

Points = npt.NDArray[Any]  # (..., d), real or complex
Squares = npt.NDArray[np.float64]  # squared norms, (...)
Operator = Callable[[Points], Points]


# The methods


def proximal_point_step(f: Operator, x: Points, gamma: float) -> Points:
    """Return x⁺ with x⁺ = x − γ F(x⁺), for any F, by Powell's hybrid method.

    Args:
        f: F, a function of one real point.
        x: shape (d,).
        gamma: γ > 2ρ; the solution is unique then.

    Raises:
        ArithmeticError: the solver does not get there.
    """
    found = root(lambda z: z - x + gamma * f(z), x, tol=1e-14)
    residual = np.linalg.norm(found.fun)
    if not residual <= 1e-10 * (1 + np.linalg.norm(x)):
        raise ArithmeticError(f"no proximal step found: a residual of {residual:.1e} is left")
    after: Points = found.x
    return after


def linear_proximal_point_step(matrix: Points, x: Points, gamma: float) -> Points:
    """Return the same for linear F, in closed form.

    Args:
        matrix: F, shape (..., d, d).
        x: shape (..., d).
        gamma: γ > 2ρ; I + γF is invertible then.
    """
    return np.linalg.solve(np.eye(x.shape[-1]) + gamma * matrix, x[..., None])[..., 0]


class ExtragradientStep(NamedTuple):
    """The extrapolated point x̃, and the next iterate x⁺."""

    middle: Points
    after: Points


def extragradient_step(
    f: Operator, x: Points, gamma1: float | Points, gamma2: float | Points
) -> ExtragradientStep:
    """Return x̃ = x − γ₁ F(x) and x⁺ = x − γ₂ F(x̃)."""
    middle = x - gamma1 * f(x)
    return ExtragradientStep(middle, x - gamma2 * f(middle))


class OptimisticState(NamedTuple):
    """An iterate x_k, k ≥ 1, and F(x̃_{k−1}), the value that the next step extrapolates with."""

    x: Points
    past: Points


def optimistic_gradient_start(f: Operator, x0: Points, gamma2: float) -> OptimisticState:
    """Return x₁ = x₀ − γ₂ F(x̃₀) and F(x̃₀), with x̃₀ = x₀."""
    past = f(x0)
    return OptimisticState(x0 - gamma2 * past, past)


def optimistic_gradient_step(
    f: Operator, state: OptimisticState, gamma1: float | Points, gamma2: float | Points
) -> OptimisticState:
    """Return x_{k+1} = x_k − γ₂ F(x̃_k) and F(x̃_k), with x̃_k = x_k − γ₁ F(x̃_{k−1})."""
    value = f(state.x - gamma1 * state.past)
    return OptimisticState(state.x - gamma2 * value, value)


# What is guaranteed of the iterates


def pp_last_bound(n: float | Squares, gamma: float, rho: float) -> Any:
    """Return the bound on ‖F(x_{N+1})‖² for N = n ≥ 0 and γ > 2ρ (Theorem 3.1)."""
    return 1 / (gamma * (gamma - 2 * rho) * (n + 1))


def pp_worst_value(n: int, gamma: float, rho: float) -> float:
    """Return ‖F(x_{N+1})‖² of the worst operator, N ≥ max(ρ²/(γ(γ − 2ρ)), 1) (Theorem 3.2)."""
    return 1 / (gamma * (gamma - 2 * rho) * n * (1 + 1 / n) ** (n + 1))


def pp_worst_rotation(n: float, gamma: float, rho: float) -> complex:
    """Return the worst operator of Theorem 3.2 as the complex number a exp(iθ).

    It multiplies R² = C: it turns by θ in [π/2, π] and scales by a = |cos θ|/ρ, where
    cos θ = −ρ/√(N γ (γ − 2ρ)).
    """
    cosine = -rho / math.sqrt(n * gamma * (gamma - 2 * rho))
    return abs(cosine) / rho * complex(cosine, math.sqrt(1 - cosine**2))


def eg_average_bound(
    n: float | Squares, gamma1: float, gamma2: float, lipschitz: float = 1.0
) -> Any:
    """Return the bound on the mean of ‖F(x_k)‖², k = 0, …, n (Theorem 4.1, best iterate).

    It needs 2ρ < γ₁ < 1/L and 0 < γ₂ ≤ γ₁ − 2ρ, and no more than comonotonicity about x*.
    """
    return 1 / (gamma1 * gamma2 * (1 - (lipschitz * gamma1) ** 2) * (n + 1))


def og_average_bound(
    n: float | Squares, gamma1: float, gamma2: float, lipschitz: float = 1.0
) -> Any:
    """Return the bound on the mean of ‖F(x_k)‖², k = 0, …, n (best iterate of OG).

    It needs 2ρ < γ₁ < 1/L and 0 < γ₂ ≤ min(1/L − γ₁, γ₁ − 2ρ).
    """
    return 1 / (gamma1 * gamma2 * (1 - (lipschitz * (gamma1 + gamma2)) ** 2) * (n + 1))


def eg_last_bound(n: float | Squares, gamma: float, rho: float) -> Any:
    """Return the bound on ‖F(x_N)‖², N = n, for 4ρ ≤ γ₁ = γ₂ = γ ≤ 1/(2L) (from Theorem C.4)."""
    return 28 / (n * gamma**2 + 320 * gamma * rho)


def og_last_bound(n: float | Squares, gamma: float, rho: float) -> Any:
    """Return the bound on ‖F(x_N)‖², N = n, for 4ρ ≤ γ₁ = γ₂ = γ ≤ 10/(31L) (from Theorem C.9)."""
    return 717 / (n * gamma * (gamma - 3 * rho) + 800 * gamma**2)


def eg_potential(
    k: int, distance: Squares, residual: Squares, gamma: float, rho: float, lipschitz: float = 1.0
) -> Squares:
    """Return Φ_k of Theorem C.4, from ‖x_k − x*‖² and ‖F(x_k)‖²; it never increases."""
    slope = gamma**2 * (1 - 5 * rho / (2 * gamma) - (lipschitz * gamma) ** 2)
    return distance + (k * slope + 40 * gamma * rho) * residual


def og_potential(
    k: int, distance: Squares, psi: Squares, gamma: float, rho: float, lipschitz: float = 1.0
) -> Squares:
    """Return the potential of Theorem C.9, k ≥ 1; it never increases.

    Args:
        k: number of the iterate.
        distance: ‖x_k − x*‖².
        psi: ‖F(x_k)‖² + ‖F(x_k) − F(x̃_{k−1})‖².
        gamma: γ.
        rho: ρ.
        lipschitz: L.
    """
    slope = gamma * (gamma - 3 * rho) / (2 + 6 * (lipschitz * gamma) ** 2)
    return distance + (k * slope + 400 * gamma**2) * psi


# What is guaranteed of one step. Each returns right minus left side, which is never negative.


def eg_distance_slack(
    x: Points,
    f: Operator,
    gamma1: Points,
    gamma2: Points,
    rho: float,
    lipschitz: float = 1.0,
) -> Squares:
    """Return what the distance to x* = 0 falls by beyond Lemma C.1, for any step sizes (..., 1)."""
    middle, after = extragradient_step(f, x, gamma1, gamma2)
    g1, g2 = gamma1[..., 0], gamma2[..., 0]
    fall = g2 * (g1 - 2 * rho - g2) * square(f(middle))
    fall = fall + g1 * g2 * (1 - (lipschitz * g1) ** 2) * square(f(x))
    return square(x) - fall - square(after)


def eg_residual_slack(
    x: Points, f: Operator, gamma: Points, rho: float, lipschitz: float = 1.0
) -> Squares:
    """Return what ‖F‖² falls by beyond Lemma C.3, for any γ₁ = γ₂ = γ, shape (..., 1)."""
    middle, after = extragradient_step(f, x, gamma, gamma)
    g, f0, f1, f2 = gamma[..., 0], f(x), f(middle), f(after)
    fall = (1 / 2 - 2 * (lipschitz * g) ** 2) * square(f1 - f0)
    fall = fall + (1 / 2 - rho / g) * square(f1 - f2) + (1 / 2 - 2 * rho / g) * square(f0 - f2)
    return square(f0) - fall - square(f2)


def og_distance_slack(
    state: OptimisticState, f: Operator, gamma1: Points, gamma2: Points, rho: float
) -> Squares:
    """Return what the distance to x* = 0 falls by beyond Lemma C.6, for any step sizes (..., 1)."""
    after, value = optimistic_gradient_step(f, state, gamma1, gamma2)
    g1, g2 = gamma1[..., 0], gamma2[..., 0]
    fall = g2 * (g1 - 2 * rho - g2) * square(value)
    fall = fall + g1 * g2 * (square(state.past) - square(value - state.past))
    return square(state.x) - fall - square(after)


def og_residual_slack(state: OptimisticState, f: Operator, gamma: float) -> Squares:
    """Return what ‖F(x_k)‖² + ‖F(x_k) − F(x̃_{k−1})‖² falls by beyond Lemma C.8.

    It needs k ≥ 1 and 4ρ ≤ γ₁ = γ₂ = γ ≤ 10/(31L).
    """
    after, value = optimistic_gradient_step(f, state, gamma, gamma)
    fall = square(value - state.past) / 100
    return og_psi(state, f) - fall - og_psi(OptimisticState(after, value), f)


def og_psi(state: OptimisticState, f: Operator) -> Squares:
    """Return ‖F(x_k)‖² + ‖F(x_k) − F(x̃_{k−1})‖²."""
    residual = f(state.x)
    return square(residual) + square(residual - state.past)


def square(x: Points) -> Squares:
    """Return ‖x‖², over the last axis."""
    return np.sum(x.real**2 + x.imag**2, axis=-1)
