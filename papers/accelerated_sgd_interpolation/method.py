"""Accelerated SGD under interpolation: the generalised scheme and the momentum form.

Mishkin, Pilanci, Schmidt 2024, arXiv 2404.02378. f is L-smooth and convex, μ-strongly if μ > 0, and
its stochastic gradients g obey E g = ∇f and E‖g‖² ≤ ρ ‖∇f‖² (strong growth, which implies
interpolation); the step size is η = 1/(ρL). `generalised_step` is Eq. 5 and `momentum_step` Eq. 6.
The first version of the paper took them for the same method. They are that only if both lines of
Eq. 5 use one and the same stochastic gradient; the proofs need the full one in the v-line, as the
second version says.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Map = Callable[[Array], Array]


class Weights(NamedTuple):
    """Weights of one step of the estimating sequence.

    Attributes:
        alpha: α_k in (0, 1).
        gamma: γ_k > 0, the curvature of the estimating function.
    """

    alpha: float
    gamma: float


def next_alpha(gamma: float, eta: float, mu: float) -> float:
    """Return the root in (0, 1) of α² = η (1 − α) γ + η α μ; for γ = μ that is √(ημ)."""
    b = eta * (gamma - mu)
    return (np.sqrt(b * b + 4 * eta * gamma) - b) / 2


def next_gamma(weights: Weights, mu: float) -> float:
    """Return γ_{k+1} = (1 − α_k) γ_k + α_k μ."""
    alpha, gamma = weights
    return (1 - alpha) * gamma + alpha * mu


def estimating_sequence(gamma: float, eta: float, mu: float, steps: int) -> list[Weights]:
    """Return α_k and γ_k of so many steps, from γ₀ = `gamma`.

    The paper takes γ₀ = μ where μ > 0 (constant weights), and we take γ₀ = ρL = 1/η where μ = 0.
    """
    sequence = []
    for _ in range(steps):
        weights = Weights(next_alpha(gamma, eta, mu), gamma)
        sequence.append(weights)
        gamma = next_gamma(weights, mu)
    return sequence


def extrapolate(w: Array, v: Array, weights: Weights, mu: float) -> Array:
    """Return y_k = (α γ_k v + γ_{k+1} w) / (γ_k + α μ), where gradients are taken."""
    alpha, gamma = weights
    return (alpha * gamma * v + next_gamma(weights, mu) * w) / (gamma + alpha * mu)


def generalised_step(
    w: Array, v: Array, weights: Weights, mu: float, primal: Map, gradient: Map
) -> tuple[Array, Array]:
    """Return w_{k+1} and v_{k+1} of Eq. 5.

    Args:
        w: w_k.
        v: v_k; v₀ = w₀.
        weights: α_k and γ_k.
        mu: μ.
        primal: m, any map with E f(m(y)) ≤ f(y) − η/2 ‖∇f(y)‖², such as a step of SGD.
        gradient: ∇f, the full one. With a stochastic gradient, the same as in `primal`, this is the
            momentum form; no proof is known for it at these weights.
    """
    alpha, gamma = weights
    y = extrapolate(w, v, weights, mu)
    moved = (1 - alpha) * gamma * v + alpha * mu * y - alpha * gradient(y)
    return primal(y), moved / next_gamma(weights, mu)


def momentum_step(
    w: Array, y: Array, g: Array, eta: float, alpha: float, alpha_next: float
) -> tuple[Array, Array]:
    """Return w_{k+1} = y_k − η g and y_{k+1} of Eq. 6; y₀ = w₀.

    y_{k+1} = w_{k+1} + α_k (1 − α_k) / (α_k² + α_{k+1}) (w_{k+1} − w_k)

    Args:
        w: w_k.
        y: y_k.
        g: stochastic gradient at y_k.
        eta: η.
        alpha: α_k.
        alpha_next: α_{k+1}.
    """
    w_next = sgd_step(y, g, eta)
    beta = alpha * (1 - alpha) / (alpha**2 + alpha_next)
    return w_next, w_next + beta * (w_next - w)


def sgd_step(y: Array, g: Array, eta: float) -> Array:
    """Return y − η g."""
    return y - eta * g


def row_growth(a: Array) -> float:
    """Return ρ of 1/(2n) ‖Aw − b‖² for single rows: n λmax((AAᵀ)⁻¹ diag(‖aᵢ‖²)).

    Args:
        a: A, shape (n, p), of rank n.
    """
    length = np.sqrt((a**2).sum(axis=1))
    # The eigenvalues of (AAᵀ)⁻¹ D are those of the symmetric D^½ (AAᵀ)⁻¹ D^½.
    symmetric = length[:, None] * np.linalg.inv(a @ a.T) * length
    return len(a) * float(np.linalg.eigvalsh(symmetric)[-1])
