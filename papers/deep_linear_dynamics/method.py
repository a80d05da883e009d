"""Learning dynamics of deep linear networks, and orthogonal initial weights.

Saxe, McClelland and Ganguli 2013, arXiv 1312.6120. A network of L = N_l − 1 matrices,
y = W_L ⋯ W_1 x, descends the squared error of data with Σ11 = E[x xᵀ] and Σ31 = E[y xᵀ] = U S Vᵀ.
From a decoupled start each mode, a singular value s of Σ31, learns on its own: its strength u is
the product of the L strengths a of the layers. Equation numbers are the paper's.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.integrate import quad
from scipy.optimize import brentq

Array = npt.NDArray[np.floating]


# Descent


class Flow(NamedTuple):
    """τ dW_l/dt for all l, and the end-to-end map W_L ⋯ W_1."""

    rates: Sequence[Array]
    total: Array


def flow(weights: Sequence[Array], sigma31: Array, sigma11: Array) -> Flow:
    """Return the right-hand sides of Eq. 13 (of Eq. 2 for L = 2).

    A step of gradient descent adds λ times the rates. Every product has as many rows as there are
    outputs, so that wide layers cost little.

    Args:
        weights: W_1 to W_L, shapes (..., n_{l+1}, n_l).
        sigma31: Σ31, shape (outputs, inputs).
        sigma11: Σ11, shape (inputs, inputs).
    """
    after = [np.eye(len(sigma31), dtype=sigma31.dtype)]  # W_L ⋯ W_{l+1}, from l = L down
    for w in reversed(weights):
        after.append(after[-1] @ w)
    total = after.pop()
    error = sigma31 - total @ sigma11  # times (W_{l-1} ⋯ W_1)ᵀ, from l = 1 up
    rates = []
    for w, above in zip(weights, reversed(after), strict=True):
        rates.append(above.swapaxes(-1, -2) @ error)
        error = error @ w.swapaxes(-1, -2)
    return Flow(rates, total)


# Initial weights


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Return a random matrix with WᵀW = I, or WWᵀ = I if there are more columns than rows.

    The distribution is the rotation-invariant one: QR of a Gaussian matrix, with R's signs.
    """
    if rows < columns:
        return orthogonal(rng, columns, rows).T
    q, r = np.linalg.qr(rng.standard_normal((rows, columns)))
    return q * np.sign(np.diag(r))


def scaled_gaussian(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Return independent entries of variance 2/(rows + columns), which is 1/N if square."""
    return rng.standard_normal((rows, columns)) * math.sqrt(2 / (rows + columns))


def decoupled(bases: Sequence[Array], strengths: Sequence[Array]) -> list[Array]:
    """Return the decoupled start W_l = R_{l+1} D_l R_lᵀ (Sec. 2).

    Args:
        bases: R_1 to R_{L+1}, shapes (n_l, modes), with orthonormal columns; the first is V, the
            last U.
        strengths: the diagonals of D_1 to D_L, shape (modes,).
    """
    return [
        (after * d) @ before.T
        for before, after, d in zip(bases[:-1], bases[1:], strengths, strict=True)
    ]


# Two layers


def two_layer_strength(t: float | Array, u0: float, s: float, tau: float = 1.0) -> Array:
    """Return u(t) of a mode whose two layers have equal strengths (Eq. 12)."""
    return np.asarray(s / (1 + (s / u0 - 1) * np.exp(-2 * s * np.asarray(t) / tau)))


def two_layer_time(u0: float, uf: float, s: float, tau: float = 1.0) -> float:
    """Return the time from u₀ to u_f, both below s, with equal strengths (Eq. 11)."""
    return tau / (2 * s) * math.log(uf * (s - u0) / (u0 * (s - uf)))


def unequal_time(a: float, b: float, uf: float, s: float, tau: float = 1.0) -> float:
    """Return the time from strengths a, b ≥ 0, not both 0, until their product is u_f < s (App. A).

    With c₀ = |a² − b²| the product u obeys τ du/dt = (s − u) √(c₀² + 4u²), which is Eq. 8 where
    a² − b² is conserved. Its integral is written so that nothing cancels, for a = b neither, where
    it is Eq. 11. It equals Eq. 26 with the factors of 2 that Eq. 25 lacks: `hyperbola_time`.
    """
    c0 = abs(a**2 - b**2)
    root = math.hypot(c0, 2 * s)

    def antiderivative(u: float) -> float:
        return math.log((c0**2 + 4 * s * u + root * math.hypot(c0, 2 * u)) / (s - u))

    return tau / root * (antiderivative(uf) - antiderivative(a * b))


def hyperbola_time(
    theta0: float, thetaf: float, drive: float, c0: float, tau: float = 1.0
) -> float:
    """Return the time from θ₀ to θ_f along τ dθ/dt = drive − c₀ sinh θ, c₀ > 0 (Eq. 26).

    The larger strength is √c₀ cosh(θ/2), the other √c₀ sinh(θ/2). Hence ab = (c₀/2) sinh θ and
    the drive is 2s. Eq. 25 has ab = c₀ sinh θ and s instead, which does not follow.
    """
    root = math.hypot(c0, drive)

    def antiderivative(theta: float) -> float:
        shift = c0 + drive * math.tanh(theta / 2)
        return math.log((root + shift) / (root - shift))

    return tau / root * (antiderivative(thetaf) - antiderivative(theta0))


# Any depth


def learning_time(u0: float, uf: float, s: float, depth: int, tau: float = 1.0) -> float:
    """Return the time from u₀ to u_f, both below s, of L = `depth` equal layers.

    Integrates Eq. 15, τ du/dt = L u^{2−2/L} (s − u), in log u.
    """

    def slowness(x: float) -> float:
        return math.exp(-x * (1 - 2 / depth)) / (depth * (s - math.exp(x)))

    return tau * float(quad(slowness, math.log(u0), math.log(uf), epsabs=0, epsrel=1e-11)[0])


def deep_limit_time(u0: float, uf: float, s: float, depth: float, tau: float = 1.0) -> float:
    """Return the learning time of so many layers in the limit of infinite depth (Eq. 17)."""
    log = math.log(uf * (s - u0) / (u0 * (s - uf)))
    return tau / depth * (log / s**2 + 1 / (s * u0) - 1 / (s * uf))


def curvature(a: float | Array, s: float, depth: int, tau: float = 1.0) -> float | Array:
    """Return λ₁, the Hessian's eigenvalue along (1, …, 1) where all layers have a (Eq. 37)."""
    return ((2 * depth - 1) * a ** (2 * depth - 2) - (depth - 1) * s * a ** (depth - 2)) / tau


def optimum_curvature(s: float, depth: int, tau: float = 1.0) -> float:
    """Return λ₁ at the optimum, the inverse of the optimal rate up to a constant (Eq. 41)."""
    return depth * s ** (2 - 2 / depth) / tau


# Nonlinear networks


def activities(weights: Sequence[Array], x: Array, gain: float) -> list[Array]:
    """Return x¹ to x^{N_l} with x^{l+1} = g W_l tanh(x^l) (Eq. 20).

    Args:
        weights: W_1 to W_L.
        x: x¹, shape (n_1,) or (n_1, inputs).
        gain: g.
    """
    layers = [x]
    for w in weights:
        layers.append(gain * w @ np.tanh(layers[-1]))
    return layers


def jacobian(weights: Sequence[Array], x: Array, gain: float) -> Array:
    """Return ∂x^{N_l}/∂x¹ at x¹ = `x`, shape (n_1,) (Eq. 22)."""
    out = np.eye(len(x))
    for w, layer in zip(weights, activities(weights, x, gain), strict=False):
        out = gain * w @ ((1 - np.tanh(layer) ** 2)[:, None] * out)
    return out


def variance_map(q: float, gain: float) -> float:
    """Return the variance in the next layer, g² ∫ Dz tanh²(√q z) (Eq. 48).

    By the trapezoidal rule, which converges exponentially for a smooth integrand on the line.
    """
    z = np.linspace(-10, 10, 1001)
    weight = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return float(gain**2 * np.sum(weight * np.tanh(math.sqrt(q) * z) ** 2) * (z[1] - z[0]))


def variance_fixed_point(gain: float) -> float:
    """Return q^∞ > 0 with q = g² ∫ Dz tanh²(√q z), for g > 1 (Eq. 49); it is 0 for g ≤ 1."""
    if gain <= 1:
        return 0.0
    # the map's slope at 0 is g², and tanh² < 1
    low = (gain**2 - 1) / (10 * gain**2)
    return float(brentq(lambda q: variance_map(q, gain) - q, low, gain**2, xtol=1e-14))
