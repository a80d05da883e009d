"""What physics-informed training conditions: the matrix A, its dynamics, and preconditioners.

De Ryck, Bonnet, Mishra, de Bézenac 2023, arXiv 2310.05801, Sections 2 and 3. The problem is
Du = f inside a domain and u = g on its boundary; a model u(θ, x) is linearised at θ₀, with tangent
functions φ_i = ∂u/∂θ_i.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Model = Callable[[Tensor, Tensor], Tensor]
"""u(θ, x): parameters of shape (n,) and a point of shape () to a value of shape ()."""
Function = Callable[[Tensor], Tensor]
Operator = Callable[[Function], Function]
"""D, a linear operator: a function of one point to another."""


class Domain(NamedTuple):
    """Quadrature points and boundary points.

    Attributes:
        x: points inside, shape (q,).
        weight: of the quadrature, shape (q,).
        ends: boundary points that are counted, shape (b,).
    """

    x: Tensor
    weight: Tensor
    ends: Tensor


class Fields(NamedTuple):
    """Something at all points of a domain.

    Attributes:
        inside: shape (q,); of tangents (q, n).
        ends: shape (b,); of tangents (b, n).
    """

    inside: Tensor
    ends: Tensor


def minus_laplacian(u: Function) -> Function:
    """Return −u''."""
    second = torch.func.grad(torch.func.grad(u))
    return lambda x: -second(x)


def values(model: Model, operator: Operator, theta: Tensor, domain: Domain) -> Fields:
    """Return Du_θ inside and u_θ at the ends."""

    def u(x: Tensor) -> Tensor:
        return model(theta, x)

    return Fields(torch.vmap(operator(u))(domain.x), torch.vmap(u)(domain.ends))


def tangents(model: Model, operator: Operator, theta: Tensor, domain: Domain) -> Fields:
    """Return Dφ_i inside and φ_i at the ends, one column a parameter."""

    def residual(theta: Tensor, x: Tensor) -> Tensor:
        return operator(lambda y: model(theta, y))(x)

    inside = torch.vmap(torch.func.grad(residual), (None, 0))(theta, domain.x)
    return Fields(inside, torch.vmap(torch.func.grad(model), (None, 0))(theta, domain.ends))


def loss(found: Fields, data: Fields, domain: Domain, lam: float) -> Tensor:
    """Return L = ½ ‖Du − f‖² + λ/2 ‖u − g‖² for data (f, g) at the points."""
    inside = (domain.weight * (found.inside - data.inside) ** 2).sum()
    return (inside + lam * ((found.ends - data.ends) ** 2).sum()) / 2


def matrix(phi: Fields, domain: Domain, lam: float | Tensor) -> Tensor:
    """Return A_ij = ⟨Dφ_i, Dφ_j⟩ + λ ⟨φ_i, φ_j⟩_boundary, shape (..., n, n) for λ (...)."""
    lam = torch.as_tensor(lam, dtype=phi.ends.dtype, device=phi.ends.device)[..., None, None]
    inside = phi.inside.mT @ (domain.weight[:, None] * phi.inside)
    return inside + lam * (phi.ends.mT @ phi.ends)


def vector(phi: Fields, found: Fields, data: Fields, domain: Domain, lam: float) -> Tensor:
    """Return B_i = ⟨Dφ_i, f − Du_θ₀⟩ + λ ⟨φ_i, g − u_θ₀⟩_boundary, which is −∇L(θ₀)."""
    inside = phi.inside.mT @ (domain.weight * (data.inside - found.inside))
    return inside + lam * (phi.ends.mT @ (data.ends - found.ends))


def simplified_step(theta: Tensor, start: Tensor, a: Tensor, b: Tensor, eta: float) -> Tensor:
    """Return (I − ηA) θ + η (A θ₀ + B): gradient descent on the linearised model."""
    return theta - eta * (a @ (theta - start)) + eta * b


def preconditioned_step(theta: Tensor, gradient: Tensor, p: Tensor, eta: float) -> Tensor:
    """Return θ − η P Pᵀ ∇L: the step of gradient descent on θ̂, with θ = P θ̂, seen in θ."""
    return theta - eta * (p @ (p.mT @ gradient))


def preconditioned(a: Tensor, p: Tensor) -> Tensor:
    """Return Â = Pᵀ A P, which takes the place of A."""
    return p.mT @ a @ p


def kernel_composition(operator: Tensor, features: Tensor) -> Tensor:
    """Return the operator D*D∘TT*, boundary term included, in an orthonormal basis.

    Args:
        operator: D*D with the boundary term in that basis, shape (m, m).
        features: T, the coefficients of the φ_i as columns, shape (m, n).
    """
    return operator @ features @ features.mT


def condition_number(a: Tensor, *, blocks: bool = False) -> Tensor:
    """Return κ = λmax/λmin of symmetric matrices (..., n, n), ∞ unless λmin > 0.

    With `blocks` the third last axis counts the diagonal blocks of one matrix.
    """
    eigenvalues = torch.linalg.eigvalsh(a)
    if blocks:
        eigenvalues = eigenvalues.flatten(-2)
    low, high = eigenvalues.amin(-1), eigenvalues.amax(-1)
    return torch.where(low > 0, high / low, torch.inf)


def fourier(theta: Tensor, x: Tensor) -> Tensor:
    """Return Σ θ_k φ_k(x), |k| ≤ K: cos(kx)/√π for k < 0, 1/√(2π), sin(kx)/√π for k > 0."""
    return features(theta.shape[-1] // 2, x) @ theta


def features(modes: int, x: Tensor) -> Tensor:
    """Return all φ_k(x) from k = −K to K, K = `modes`, shape (..., 2K + 1)."""
    kx = x[..., None] * torch.arange(1, modes + 1, dtype=x.dtype, device=x.device)
    constant = torch.full_like(x[..., None], 1 / math.sqrt(2))
    return torch.cat([kx.cos().flip(-1), constant, kx.sin()], dim=-1) / math.sqrt(math.pi)


def poisson_matrix(modes: int, lam: float | Tensor) -> Tensor:
    """Return A = diag(k⁴) + λ v vᵀ, v_k = φ_k(π), for −u'' and the features up to K = `modes`.

    Args:
        modes: K.
        lam: λ, a number or shape (...); counting both ends of the interval doubles it.

    Returns:
        Shape (..., 2K + 1, 2K + 1), float64.
    """
    lam = torch.as_tensor(lam, dtype=torch.float64)[..., None, None]
    k = torch.arange(-modes, modes + 1, dtype=torch.float64, device=lam.device)
    v = features(modes, k.new_tensor(math.pi))
    return torch.diag(k**4) + lam * torch.outer(v, v)


def poisson_preconditioner(modes: int, gamma: float) -> Tensor:
    """Return the diagonal of P for −u'': 1/k², and γ for the constant, shape (2K + 1,)."""
    k = torch.arange(-modes, modes + 1, dtype=torch.float64)
    p = k**-2
    p[modes] = gamma
    return p


def advection_matrix(modes: int, beta: float, lam: float | Tensor) -> Tensor:
    """Return the blocks of A for u_t + βu_x = 0 and features e^{i(kx + 2πmt)}, |k|, |m| ≤ K.

    Space is (−π, π), time (0, 1); λ weighs the initial condition. Only features of equal k meet,
    and the block of k is diag((2πm + βk)²) + λ11ᵀ.

    Returns:
        Blocks of k = 0 to K, shape (..., K + 1, 2K + 1, 2K + 1), float64; that of −k has the
        eigenvalues of that of k.
    """
    lam = torch.as_tensor(lam, dtype=torch.float64)[..., None, None, None]
    m = torch.arange(-modes, modes + 1, dtype=torch.float64, device=lam.device)
    frequency = 2 * math.pi * m + beta * m[modes:, None]
    return torch.diag_embed(frequency**2) + lam


def diagonal_preconditioner(a: Tensor) -> Tensor:
    """Return the diagonal of P = diag(A)^(−1/2), shape (..., n)."""
    return a.diagonal(dim1=-2, dim2=-1) ** -0.5


def inverse_root(a: Tensor) -> Tensor:
    """Return P = A^(−1/2), whose step is that of Gauss–Newton."""
    eigenvalues, vectors = torch.linalg.eigh(a)
    return vectors * eigenvalues**-0.5 @ vectors.mT
