"""Steps that minimise a stochastic model of a weakly convex function, and their guarantees.

Davis and Drusvyatskiy 2018, arXiv 1803.06523. To minimise φ = f + r, f(x) = E f(x, ξ):

    x_{t+1} = argmin_y  r(y) + f_{x_t}(y, ξ_t) + ‖y − x_t‖² / (2 α_t)

where the model f_x(·, ξ) has the mean f at x, and E f_x(y, ξ) ≤ f(y) + τ/2 ‖y − x‖². Here are the
models of the paper's examples, f = |c(x, ξ)|: the linear one, the prox-linear one
|c + ⟨z, y − x⟩| with z = ∇c, and for phase retrieval the sampled function itself. Progress is
measured by ∇φ_λ(x) = (x − prox_{λφ}(x))/λ, φ_λ(x) = min_y φ(y) + ‖y − x‖²/(2λ), λ < 1/ρ.

Points have shape (..., d), and one sample belongs to each.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Residual(NamedTuple):
    """c, shape (...), and its gradient z, shape (..., d)."""

    c: Tensor
    z: Tensor


class Envelope(NamedTuple):
    """φ_λ(x), shape (...); ∇φ_λ(x) and prox_{λφ}(x), shape (..., d)."""

    value: Tensor
    gradient: Tensor
    prox: Tensor


# The problems


def phase_residual(x: Tensor, a: Tensor, b: Tensor) -> Residual:
    """Return ⟨a, x⟩² − b and 2⟨a, x⟩ a, for a of shape (..., d) and b of shape (...)."""
    s = (a * x).sum(-1)
    return Residual(s**2 - b, 2 * s[..., None] * a)


def blind_residual(x: Tensor, u: Tensor, v: Tensor, b: Tensor) -> Residual:
    """Return ⟨u, p⟩⟨v, q⟩ − b and its gradient in x = (p, q), one vector after the other.

    Args:
        x: p and q, shape (..., d₁ + d₂).
        u: shape (..., d₁).
        v: shape (..., d₂).
        b: shape (...).
    """
    p, q = x.split((u.shape[-1], v.shape[-1]), dim=-1)
    left, right = (u * p).sum(-1, keepdim=True), (v * q).sum(-1, keepdim=True)
    return Residual((left * right)[..., 0] - b, torch.cat((right * u, left * v), dim=-1))


# The steps


def subgradient(residual: Residual) -> Tensor:
    """Return sign(c) z, a subgradient of |c| of shape (..., d); 0 where c is 0."""
    return residual.c.sign()[..., None] * residual.z


def proximal_subgradient_step(
    x: Tensor,
    g: Tensor,
    alpha: Tensor | float,
    prox: Callable[[Tensor], Tensor] = lambda y: y,
) -> Tensor:
    """Return prox_{αr}(x − α g), the minimum for the linear model with subgradient g.

    For a smooth f and an indicator r it is the projected stochastic gradient method.

    Args:
        x: shape (..., d).
        g: shape (..., d).
        alpha: α, a number or of a shape that broadcasts to (...).
        prox: that of αr; r = 0 without.
    """
    return prox(x - _column(alpha, x) * g)


def prox_linear_step(x: Tensor, residual: Residual, alpha: Tensor | float) -> Tensor:
    """Return argmin_y |c + ⟨z, y − x⟩| + ‖y − x‖²/(2α), a clipped Gauss–Newton step.

    It is x − clip(c/‖z‖², −α, α) z, and x where z = 0. `alpha` as above.
    """
    size = residual.z.square().sum(-1)
    newton = torch.where(size > 0, residual.c / size.where(size > 0, torch.ones_like(size)), 0)
    limit = _column(alpha, x)
    return x - newton[..., None].clamp(-limit, limit) * residual.z


def prox_point_step(x: Tensor, a: Tensor, b: Tensor, alpha: Tensor | float) -> Tensor:
    """Return argmin_y |⟨a, y⟩² − b| + ‖y − x‖²/(2α), a global one: it need not be unique.

    It lies on the line x + t a, where u = ⟨a, y⟩ is one of s/(1 ± 2α‖a‖²), s = ⟨a, x⟩, and ±√b.
    x where a = 0. b is mostly positive, but need not be. `alpha` as above.
    """
    s, size = (a * x).sum(-1), a.square().sum(-1)
    size = size.where(size > 0, torch.ones_like(size))
    k = 2 * _column(alpha, x)[..., 0] * size
    root = b.clamp(min=0).sqrt() + torch.zeros_like(s)
    below = (1 - k).where(k != 1, torch.ones_like(k))
    u = torch.stack((s / (1 + k), s / below, root, -root))
    best = ((u**2 - b).abs() + (u - s) ** 2 / k).argmin(0, keepdim=True)
    return x + ((u.gather(0, best)[0] - s) / size)[..., None] * a


def project(x: Tensor, radius: float) -> Tensor:
    """Return the nearest point of the ball about zero: the prox of its indicator r."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x * (radius / norm.clamp(min=radius))


# The measure of stationarity


def output_times(alphas: Tensor, uniforms: Tensor) -> Tensor:
    """Return times t*, drawn with probability α_t/Σα, from uniform numbers in [0, 1)."""
    shares = alphas.cumsum(0) / alphas.sum()
    return torch.searchsorted(shares[:-1].contiguous(), uniforms, right=True)


def envelope(
    phi: Callable[[Tensor], Tensor], prox: Callable[[Tensor], Tensor], x: Tensor, lam: float
) -> Envelope:
    """Return φ_λ and its gradient; `prox` is that of λφ, and λ < 1/ρ."""
    p = prox(x)
    distance = (p - x).square().sum(-1)
    return Envelope(phi(p) + distance / (2 * lam), (x - p) / lam, p)


def phase_prox(
    x: Tensor, a: Tensor, b: Tensor, lam: float, radius: float, iterations: int = 20_000
) -> Tensor:
    """Return prox_{λφ}(x) for φ = mean |⟨aᵢ, x⟩² − bᵢ| on a ball, by ADMM; ours, not the paper's.

    |s² − b| + s² is convex in s = ⟨a, y⟩, and what is left, ‖y − x‖²/(2λ) − mean ⟨aᵢ, y⟩², is
    convex in y since λ < 1/ρ. ADMM works on copies s of Ay and z of y, with multipliers u and v.

    Args:
        x: inside the ball or not, shape (..., d).
        a: A, shape (m, d).
        b: shape (m,).
        lam: λ.
        radius: of the ball about zero.
        iterations: at most; fewer, once a step changes nothing above a hundred rounding errors.

    Raises:
        ValueError: λ is not below 1/ρ.
    """
    if not lam * phase_weak_convexity(a) < 1:
        raise ValueError(f"λ = {lam} is not below 1/ρ; the prox may not be unique")
    m, d = a.shape
    kappa, weight = 8.0, 2 / lam  # of the copies; any positive numbers would do
    eye = torch.eye(d, dtype=a.dtype, device=a.device)
    inverse = torch.linalg.inv(eye / lam + (kappa - 2) / m * a.mT @ a + weight * eye)
    root, shrink = b.clamp(min=0).sqrt(), kappa / (4 + kappa)
    z = project(x, radius)
    s = z @ a.mT
    u, v = torch.zeros_like(s), torch.zeros_like(z)
    tolerance = 100 * torch.finfo(x.dtype).eps * (1 + x.abs().max())
    for _ in range(iterations):
        y = (x / lam + kappa / m * (s - u) @ a + weight * (z - v)) @ inverse
        w = y @ a.mT + u
        s_next = torch.where(w**2 <= b, w, w.sign() * torch.maximum(shrink * w.abs(), root))
        z_next = project(y + v, radius)
        change = max(
            (w - s_next - u).abs().max(), (s_next - s).abs().max(), (z_next - y).abs().max()
        )
        u, v, s, z = w - s_next, v + y - z_next, s_next, z_next
        if change <= tolerance:
            break
    return z


# The guarantees


def phase_weak_convexity(a: Tensor) -> float:
    """Return ρ = τ = 2 λmax(mean aᵢaᵢᵀ) of phase retrieval, for a of shape (m, d)."""
    return 2 * torch.linalg.eigvalsh(a.mT @ a / len(a))[-1].item()


def phase_second_moment(a: Tensor, radius: float) -> float:
    """Return G², the largest mean ‖2⟨aᵢ, x⟩aᵢ‖² over the ball: 4 radius² λmax(mean ‖aᵢ‖² aᵢaᵢᵀ)."""
    moment = a.mT @ (a.square().sum(-1, keepdim=True) * a) / len(a)
    return 4 * radius**2 * torch.linalg.eigvalsh(moment)[-1].item()


def best_gamma(gap: float, rho: float, second_moment: float) -> float:
    """Return the γ of α = γ/√(T + 1) for which `stationarity_bound` at ρ̄ = 2ρ is lowest."""
    return (gap / (rho * second_moment)) ** 0.5


def stationarity_bound(
    gap: float, rho: float, rho_bar: float, second_moment: float, alphas: Tensor
) -> float:
    """Return the bound on E‖∇φ_{1/ρ̄}(x_{t*})‖² of the projected subgradient method.

    Args:
        gap: φ_{1/ρ̄}(x₀) − min φ.
        rho: ρ.
        rho_bar: ρ̄ > ρ.
        second_moment: E‖G‖² at most, everywhere.
        alphas: α_t, shape (T + 1,).
    """
    noise = rho_bar / 2 * second_moment * alphas.square().sum().item()
    return rho_bar / (rho_bar - rho) * (gap + noise) / alphas.sum().item()


def subgradient_step_bound(
    envelope: Envelope, alpha: Tensor | float, rho: float, rho_bar: float, second_moment: float
) -> Tensor:
    """Return the bound on E φ_{1/ρ̄}(x⁺) after a projected subgradient step from x, shape (...).

    `envelope` is that of x at λ = 1/ρ̄; other arguments as in `stationarity_bound`.
    """
    fall = alpha * (rho_bar - rho) / rho_bar * envelope.gradient.square().sum(-1)
    return envelope.value - fall + rho_bar / 2 * alpha**2 * second_moment


def model_step_bound(
    envelope: Envelope,
    alpha: Tensor | float,
    tau: float,
    eta: float,
    rho_bar: float,
    lipschitz_square: float,
) -> Tensor:
    """Return the bound on E φ_{1/ρ̄}(x⁺) after a step on any model, shape (...).

    With β = 1/α it is φ_{1/ρ̄}(x) − (ρ̄ − τ − η)/(2ρ̄(β − η)) ‖∇φ_{1/ρ̄}(x)‖²
    + 2ρ̄L²/((β − ρ̄)(β − η)), from the three-point inequality of the subproblem.

    Args:
        envelope: of x, at λ = 1/ρ̄.
        alpha: α < 1/ρ̄.
        tau: τ, how far models may overestimate f.
        eta: η, the weak convexity of the models.
        rho_bar: ρ̄ > τ + η.
        lipschitz_square: E L(ξ)², for models that are L(ξ)-Lipschitz.
    """
    beta = 1 / alpha
    square = envelope.gradient.square().sum(-1)
    fall = (rho_bar - tau - eta) / (2 * rho_bar * (beta - eta)) * square
    return (
        envelope.value - fall + 2 * rho_bar * lipschitz_square / ((beta - rho_bar) * (beta - eta))
    )


def _column(values: Tensor | float, like: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)[..., None]
