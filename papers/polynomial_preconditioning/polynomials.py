"""Preconditioners to compare with: wrong recursions, the Neumann series, Chebyshev polynomials."""

from collections.abc import Sequence

import numpy as np
from numpy.polynomial.chebyshev import chebval

from claimbench import Run

from .method import Array, symmetric_preconditioners


def recursion(b: Array, tau: int, *, alternating: bool = True, trace_share: float = 1.0) -> Array:
    """Return P_0, …, P_τ, shape (τ + 1, n, n), with what is to be wrong with them.

    Args:
        b: B, shape (n, n).
        tau: τ.
        alternating: signs (−1)^{i−1}; without them the result is made of complete homogeneous
            instead of elementary symmetric polynomials.
        trace_share: U_i has this share of tr B^i.
    """
    if alternating and trace_share == 1:
        return symmetric_preconditioners(b, tau)
    powers = [np.linalg.matrix_power(b, i) for i in range(tau + 1)]
    found = [powers[0]]
    for t in range(1, tau + 1):
        terms = [
            (-1 if alternating and i % 2 == 0 else 1)
            * found[t - i]
            @ (trace_share * np.trace(powers[i]) * powers[0] - powers[i])
            for i in range(1, t + 1)
        ]
        found.append(sum(terms) / t)
    return np.stack(found)


def chebyshev_bound(ends: Sequence[float], tau: int) -> float:
    """Return the condition number of the Chebyshev polynomial of degree τ on all of [λₙ, λ₁]."""
    top = float(np.cosh((tau + 1) * np.arccosh((ends[1] + ends[0]) / (ends[1] - ends[0]))))
    return (1 + 1 / top) / (1 - 1 / top)


def polynomials(b: Array, tau: int, family: str) -> Array:
    """Return a family's polynomials in B of degrees 0, …, τ, shape (τ + 1, n, n).

    "symmetric" is the paper's. "neumann" is Σ_{j≤t} (I − B/λ₁)^j / λ₁. "chebyshev" makes
    1 − λp(λ) as small as can be on [λₙ, λ₁]; both know the spectrum's ends.
    """
    if family == "symmetric":
        return symmetric_preconditioners(b, tau)
    lam, vectors = np.linalg.eigh(b)
    degrees = np.arange(1, tau + 2)[:, None]
    if family == "neumann":
        residual = (1 - lam / lam[-1]) ** degrees
    else:
        middle, half = (lam[-1] + lam[0]) / 2, (lam[-1] - lam[0]) / 2
        first = np.eye(tau + 2)[1:].T
        residual = chebval((middle - lam) / half, first) / chebval(middle / half, first)[:, None]
    return vectors * ((1 - residual) / lam)[:, None, :] @ vectors.T


def product_spectrum(b: Array, p: Array) -> Array:
    """Return the eigenvalues of PB in rising order, for symmetric P of shape (..., n, n)."""
    root = np.linalg.cholesky(b)
    return np.linalg.eigvalsh(root.T @ p @ root)


def condition_number(b: Array, p: Array) -> Array:
    """Return the largest over the smallest modulus of PB's eigenvalues, shape (...)."""
    values = np.abs(product_spectrum(b, p))
    return np.asarray(values.max(axis=-1) / values.min(axis=-1))


def rotated(run: Run, lam: Array) -> Array:
    """Return a matrix with eigenvalues λ in a random orthonormal basis."""
    q, r = np.linalg.qr(run.rng.standard_normal((len(lam), len(lam))))
    q = q * np.sign(np.diag(r))
    return (q * lam) @ q.T


def shuffled(run: Run, b: Array) -> Array:
    """Return B with its coordinates in a random order."""
    order = run.rng.permutation(len(b))
    return b[order][:, order]
