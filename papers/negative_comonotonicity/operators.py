"""Linear operators that are ρ-negative comonotone, in two families.

A *rotation* is F(x) = a Rot(θ) x on R² = C, held as the complex number z = a exp(iθ); it is in the
class where Re(1/z) ≥ −ρ, and L-Lipschitz where |z| ≤ L. A *matrix* is 8 × 8, random and not normal.
"""

import math

import numpy as np
import numpy.typing as npt

from claimbench import Run
from common.stability import crossing

from .method import Operator, Points

Array = npt.NDArray[np.float64]

DIMENSION = 8  # of the matrices


def rotations(rho: float, scales: Array, turns: Array) -> Points:
    """Return z = a exp(iθ), cos θ = −aρ + (1 + aρ) t², for all scales a and turns t in [0, 1].

    t = 0 is the boundary of the class, Re(1/z) = −ρ; t = 1 is a multiple of the identity.
    """
    a, t = np.meshgrid(scales, turns, indexing="ij")
    low = -np.minimum(a * rho, 1)
    cosine = low + (1 - low) * t**2
    z: Points = (a * (cosine + 1j * np.sqrt(np.maximum(1 - cosine**2, 0)))).ravel()
    return z


def times(z: Points) -> Operator:
    """Return the operator that multiplies points of shape (len(z), 1) by z."""
    return lambda x: z[:, None] * x


def matrices(run: Run, count: int, rho: float) -> Points:
    """Return random F, shape (count, 8, 8), with L = 1 that are ρ-negative comonotone, not less.

    F⁻¹ = c (S + K − t I) with S positive semidefinite and singular and K skew is ct-negative
    comonotone; c sets L to 1, and bisection over t sets ct to ρ.
    """
    base = inverse_monotone(run, count)
    eye = np.eye(DIMENSION)

    def least(t: Array) -> Points:
        shifted = base - t[:, None, None] * eye
        return np.linalg.svd(shifted, compute_uv=False)[:, -1]

    high = np.linalg.norm(base, axis=(1, 2))
    t = crossing(lambda t: t < rho * least(t), np.zeros(count), high)
    return least(t)[:, None, None] * np.linalg.inv(base - t[:, None, None] * eye)


def inverse_monotone(run: Run, count: int) -> Points:
    """Return S + K of `matrices`, with scales over two decades."""
    draws = run.rng.standard_normal((3, count, DIMENSION, DIMENSION))
    factor = draws[0, :, :, : DIMENSION // 2]
    sizes = 10 ** run.rng.uniform(-1, 1, (2, count, 1, 1))
    skew = (draws[1] - draws[1].mT) / 2
    out: Points = sizes[0] * factor @ factor.mT / DIMENSION + sizes[1] * skew
    return out


def applied(f: Points) -> Operator:
    """Return the operator that multiplies points of shape (count, 8) by the matrices."""
    return lambda x: (f @ x[..., None])[..., 0]


def starts(run: Run, count: int) -> Points:
    """Return random points of norm 1, shape (count, 8)."""
    x = run.rng.standard_normal((count, DIMENSION))
    out: Points = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return out


def class_error(f: Points, rho: float, lipschitz: float = math.inf) -> float:
    """Return by how much a matrix, shape (count, d, d), misses its class; 0 or less if none does.

    Comonotonicity is the least eigenvalue of (F + F*)/2 + ρ F*F, in units of ‖F‖².
    """
    adjoint = f.conj().mT
    norms = np.linalg.norm(f, 2, axis=(1, 2))
    least = np.linalg.eigvalsh((f + adjoint) / 2 + rho * adjoint @ f)[:, 0]
    return float(max(np.max(-least / norms**2), np.max(norms / lipschitz) - 1))


def nonlinear(run: Run, rho: float) -> Operator:
    """Return a random nonlinear F on R⁴ that is ρ-negative comonotone, not less, for one point.

    F⁻¹(v) = K v + (ρ/2) tanh v − ρ v. K is skew, and so large (2ρ to 4ρ) that F⁻¹ can be inverted
    everywhere; far out, where tanh is flat, nothing makes up for −ρ.
    """
    turn = np.linalg.qr(run.rng.standard_normal((4, 4)))[0]
    sizes = rho * run.rng.uniform(2, 4, 2)
    skew = np.zeros((4, 4))
    skew[[0, 2], [1, 3]], skew[[1, 3], [0, 2]] = sizes, -sizes
    k = turn @ skew @ turn.T

    def f(x: Points) -> Points:
        v = np.linalg.solve(k - rho * np.eye(4), x)
        for _ in range(50):
            tanh = np.tanh(v)
            rest = k @ v + rho / 2 * tanh - rho * v - x
            if np.linalg.norm(rest) <= 1e-15 * (1 + np.linalg.norm(x)):
                break
            v = v - np.linalg.solve(k + np.diag(rho / 2 * (1 - tanh**2) - rho), rest)
        return v

    return f
