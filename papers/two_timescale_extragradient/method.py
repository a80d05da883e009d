"""Two-timescale extragradient for min_x max_y f(x, y), and what decides where it converges.

Chae, Kim and Kim 2023, arXiv 2305.16242. With z = (x, y), F(z) = (∇ₓf, −∇ᵧf) and
Λ = diag(I/τ, I), a step of τ-EG is z⁺ = z − ηΛF(z − ηΛF(z)). Near a stationary point the second
derivatives A = f_xx, B = f_yy and C = f_xy decide, through H_τ = Λ DF. B may be singular.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[Any]
Field = Callable[[Array], Array]  # F, of points (..., n)


# The method


def timescales(tau: float, nx: int, ny: int, dtype: npt.DTypeLike = float) -> Array:
    """Return the diagonal of Λ: 1/τ for each of nx entries of x, 1 for each of ny of y."""
    return np.repeat(np.array([1 / tau, 1], dtype), [nx, ny])


def gradient_step(f: Field, z: Array, eta: float | Array, scales: Array) -> Array:
    """Return z − ηΛF(z), a step of two-timescale gradient descent ascent (τ-GDA).

    Args:
        f: F, the gradient in x and minus the gradient in y.
        z: points (x, y), shape (..., n).
        eta: η, broadcast against z.
        scales: the diagonal of Λ, shape (n,).
    """
    return z - eta * (scales * f(z))


def extragradient_step(f: Field, z: Array, eta: float | Array, scales: Array) -> Array:
    """Return z − ηΛF(z − ηΛF(z)), a step of τ-EG; arguments as of `gradient_step`."""
    return z - eta * (scales * f(gradient_step(f, z, eta, scales)))


class TwoTimescaleExtragradient(torch.optim.Optimizer):
    """τ-EG for tensors, with gradients by backpropagation.

    Args:
        x: parameters that minimise; their step size is η/τ.
        y: parameters that maximise; their step size is η.
        lr: η.
        tau: τ; at 1 this is extragradient.

    Raises:
        ValueError: τ is not positive, or η negative.
    """

    def __init__(
        self, x: Iterable[Tensor], y: Iterable[Tensor], *, lr: float, tau: float = 10.0
    ) -> None:
        if not (tau > 0 and lr >= 0):
            raise ValueError(f"tau must be positive and lr not negative, got {tau} and {lr}")
        groups = [{"params": list(x), "scale": 1 / tau}, {"params": list(y), "scale": -1.0}]
        super().__init__(groups, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take a step and return f where it began.

        Args:
            closure: clears the gradients, computes f, calls backward, and returns f. It is called
                twice, here and at the extrapolated point, whose gradients are left behind.

        Raises:
            ValueError: there is no closure.
        """
        if closure is None:
            raise ValueError("extragradient needs a closure: it takes two gradients a step")
        start = [[p.clone() for p in group["params"]] for group in self.param_groups]
        value = torch.enable_grad()(closure)()
        self._move(start)
        torch.enable_grad()(closure)()
        self._move(start)
        return value

    def _move(self, start: list[list[Tensor]]) -> None:
        """Set all parameters to `start` less a step along their present gradients."""
        for group, points in zip(self.param_groups, start, strict=True):
            for p, point in zip(group["params"], points, strict=True):
                p.copy_(point)
                if p.grad is not None:
                    p.sub_(p.grad, alpha=group["lr"] * group["scale"])


# What a step does to an eigenvector of H_τ


def gradient_factor(lam: Array, eta: float | Array) -> Array:
    """Return 1 − ηλ, by which a step of τ-GDA multiplies an eigenvector of H_τ to λ."""
    return 1 - eta * lam


def extragradient_factor(lam: Array, eta: float | Array) -> Array:
    """Return 1 − ηλ + η²λ², the same for τ-EG; stable where its modulus is below 1 (Prop. 6.5)."""
    return 1 - eta * lam * (1 - eta * lam)


def flow_is_stable(lam: Array, s: float | Array) -> Array:
    """Tell where λ lies outside the closed disc Re(1/λ) ≤ −s, s = η/2 (Prop. 6.1).

    That is where the continuous-time limit of τ-EG decays; λ = 0 is not stable.
    """
    return np.asarray(np.real(lam) + s * np.abs(lam) ** 2 > 0)


# The stationary point


class Point(NamedTuple):
    """Second derivatives at a stationary point.

    Attributes:
        a: A = f_xx, shape (nx, nx).
        b: B = f_yy, shape (ny, ny).
        c: C = f_xy, shape (nx, ny).
    """

    a: Array
    b: Array
    c: Array


def jacobian(point: Point, tau: float) -> Array:
    """Return H_τ = Λ [[A, C], [−Cᵀ, −B]], shape (nx + ny, nx + ny)."""
    return np.block([[point.a / tau, point.c / tau], [-point.c.T, -point.b]])


def eigenvalues(point: Point, tau: float) -> Array:
    """Return those of H_τ, complex, shape (nx + ny,).

    They are computed of Λ^½ DF Λ^½, which is similar to H_τ and keeps its scales apart.
    """
    root = tau**0.5
    balanced = np.block([[point.a / tau, point.c / root], [-point.c.T / root, -point.b]])
    return np.linalg.eigvals(balanced) + 0j


class Structure(NamedTuple):
    """What the eigenvalues of H_τ tend to, as ε = 1/τ → 0 (Theorem 5.3).

    Attributes:
        fast: the nonzero eigenvalues of −B; as many eigenvalues of H_τ tend to them.
        sigma: σ, the nonzero singular values of C₂, which is C on the kernel of B.
        u: their left singular vectors, shape (nx, len(sigma)).
        complement: U, an orthonormal basis of what the range of C₂ leaves of x, shape (nx, k).
        schur: S = A − C B⁺ Cᵀ, shape (nx, nx).
    """

    fast: Array
    sigma: Array
    u: Array
    complement: Array
    schur: Array

    @property
    def iota(self) -> Array:
        """uᵀSu/2: pairs of eigenvalues are ±iσ√ε + iota ε + o(ε), where all σ are different.

        In the plane such a pair runs into zero along x = iota y²/σ², hence "hemicurvature"; how
        the paper normalises it could not be confirmed.
        """
        return np.einsum("ij,ik,kj->j", self.u, self.schur, self.u) / 2

    @property
    def restricted_schur(self) -> Array:
        """S_res = UᵀSU, shape (k, k); the other eigenvalues are ε times its own, up to o(ε)."""
        return self.complement.T @ self.schur @ self.complement

    @property
    def threshold(self) -> float:
        """2 s₀ = max −2 iota/σ²: above it τ-EG is attracted by pairs, for large τ (Theorem 6.6).

        τ-GDA is repelled at every step size where it is not negative; −∞ without pairs.
        """
        return float(np.max(-2 * self.iota / self.sigma**2, initial=-np.inf))


def structure(point: Point, tolerance: float | None = None) -> Structure:
    """Return it; no part of it depends on the choice of bases but for signs and order.

    Args:
        point: A, B and C.
        tolerance: eigenvalues of B and singular values of C₂ below this share of ‖B‖ and ‖C‖ count
            as zero; by default n times the precision of the numbers, n the larger of nx and ny.
    """
    nx, ny = point.c.shape
    share = max(nx, ny) * np.finfo(point.c.dtype).eps if tolerance is None else tolerance
    beta, vectors = np.linalg.eigh(point.b)
    regular = np.abs(beta) > share * np.abs(beta).max()
    into_range = point.c @ vectors[:, regular]
    u, sigma, _ = np.linalg.svd(point.c @ vectors[:, ~regular])
    rank = int((sigma > share * np.linalg.norm(point.c, 2)).sum())
    schur = point.a - (into_range / beta[regular]) @ into_range.T
    return Structure(-beta[regular], sigma[:rank], u[:, :rank], u[:, rank:], schur)


def may_be_minimax(point: Point, tolerance: float | None = None) -> bool:
    """Tell whether B ≤ 0 and S_res ≥ 0, the refined second-order necessary condition.

    Where it does not hold the point is strict non-minimax, and τ-EG avoids it (Theorem 6.7).

    Args:
        point: A, B and C.
        tolerance: as of `structure`; also by how much of ‖S‖ S_res may be negative.
    """
    found = structure(point, tolerance)
    share = len(point.a) * np.finfo(point.a.dtype).eps if tolerance is None else tolerance
    least = np.linalg.eigvalsh(found.restricted_schur).min(initial=np.inf)
    return bool((found.fast > 0).all() and least >= -share * np.linalg.norm(found.schur, 2))
