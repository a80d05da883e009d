"""Sharpness of gradient flow solutions (GFS sharpness), for three kinds of loss.

Kreisler, Shpigel Nacson, Soudry, Carmon 2023, arXiv 2305.13064. From every iterate of gradient
descent a fresh gradient flow dx/ds = −∇L(x), x(0) = w, leads to a minimum S(w), and the paper
follows φ(w) = λmax(∇²L(S(w))). Here S(w) comes from conserved quantities for scalar networks, from
a convex problem for squared regression, and from integration for everything else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

Array = npt.NDArray[np.floating]

# Scalar networks: L(w) = ½ (π − 1)², π = w_1 ⋯ w_D, all w_i > 0. Axis 0 of `w` is the depth D, any
# further axes are runs.


def scalar_loss(w: Array) -> Array:
    """Return L(w), one value a run."""
    return 0.5 * (w.prod(axis=0) - 1) ** 2


def scalar_gradient(w: Array) -> Array:
    """Return ∂L/∂w_i = (π − 1) π / w_i; no w_i may be zero."""
    pi = w.prod(axis=0)
    return (pi - 1) * pi / w


def scalar_sharpness(w: Array) -> Array:
    """Return λmax(∇²L(w)) at `w` itself.

    With g_i = 1/w_i the Hessian is π (2π − 1) g gᵀ − π (π − 1) diag(g²).
    """
    g = np.moveaxis(1 / w, 0, -1)
    pi = w.prod(axis=0)[..., None, None]
    outer = pi * (2 * pi - 1) * g[..., :, None] * g[..., None, :]
    diagonal = pi * (pi - 1) * (g**2)[..., None] * np.eye(w.shape[0])
    return np.linalg.eigvalsh(outer - diagonal)[..., -1]


def scalar_flow(w: Array, product: float | Array = 1.0) -> Array:
    """Return the point with that product on the gradient flow curve through `w`; S(w) for one.

    The flow conserves every balance w_i² − w_j², so the point has entries √(δ_i + t) with
    δ_i = w_i² − min_j w_j² and t > 0 the root of Σ log(δ_i + t) = 2 log π. In τ = log t the left
    side is convex and increasing, and τ = (2/D) log π lies right of the root or on it: from there
    Newton's method falls to the root.

    Args:
        w: positive weights, shape (D, ...).
        product: π to move to, positive, a number or one a run.

    Raises:
        RuntimeError: no convergence; `w` is not positive and finite.
    """
    delta = w**2 - (w**2).min(axis=0)
    goal = 2 * np.log(product)
    tau = np.broadcast_to(goal / w.shape[0], w.shape[1:])
    for _ in range(100):
        t = np.exp(tau)
        excess = np.log(delta + t).sum(axis=0) - goal
        step = excess / (t / (delta + t)).sum(axis=0)
        tau = tau - step
        if np.all(np.abs(step) < 1e-13 * (1 + np.abs(tau))):
            return np.sqrt(delta + np.exp(tau))
    raise RuntimeError("scalar_flow: Newton's method did not converge; are all weights positive?")


def scalar_gfs_sharpness(w: Array) -> Array:
    """Return φ(w) = Σ 1/S_i(w)²: at a minimum the Hessian is g gᵀ with g_i = 1/S_i."""
    return (1 / scalar_flow(w) ** 2).sum(axis=0)


@dataclass(frozen=True)
class SquaredRegression:
    """L(w) = 1/(2n) Σ_k (f_k − y_k)² with f = X (u² − v²), squares by element, w = (u, v).

    Points `w` have shape (..., 2d), and so has the gradient; the Hessian has (..., 2d, 2d).

    Attributes:
        x: X, shape (n, d), of rank n.
        y: shape (n,).
    """

    x: Array
    y: Array

    def residual(self, w: Array) -> Array:
        """Return r = f − y, shape (..., n)."""
        u, v = np.split(w, 2, axis=-1)
        return (u**2 - v**2) @ self.x.T - self.y

    def loss(self, w: Array) -> Array:
        """Return L(w), shape (...)."""
        return (self.residual(w) ** 2).mean(axis=-1) / 2

    def gradient(self, w: Array) -> Array:
        """Return (2 u q, −2 v q) with q = Xᵀ r / n."""
        u, v = np.split(w, 2, axis=-1)
        q = self.residual(w) @ self.x / len(self.y)
        return np.concatenate([2 * u * q, -2 * v * q], axis=-1)

    def hessian(self, w: Array) -> Array:
        """Return Jᵀ J / n + 2 diag(q, −q) with J = ∂f/∂w = 2 (X diag(u), −X diag(v))."""
        u, v = np.split(w, 2, axis=-1)
        q = self.residual(w) @ self.x / len(self.y)
        j = 2 * np.concatenate([self.x * u[..., None, :], -self.x * v[..., None, :]], axis=-1)
        diagonal = 2 * np.concatenate([q, -q], axis=-1)[..., None] * np.eye(w.shape[-1])
        return j.swapaxes(-1, -2) @ j / len(self.y) + diagonal

    def sharpness(self, w: Array) -> Array:
        """Return λmax(∇²L(w)) at `w` itself, shape (...)."""
        return np.linalg.eigvalsh(self.hessian(w))[..., -1]

    def flow(self, w: Array) -> Array:
        """Return S(w), the end of the gradient flow from `w`.

        Along the flow u = u₀ exp(−z) and v = v₀ exp(z) with z = Xᵀ ν and dν/ds = (2/n) r. Since
        r = −∇F(ν) for the convex F(ν) = ½ Σ (u₀² exp(−2z) + v₀² exp(2z)) + yᵀ ν, the flow ends at
        the minimum of F, which Newton's method with backtracking finds.

        Raises:
            RuntimeError: no convergence; `w` is not finite.
        """
        u, v = np.split(w, 2, axis=-1)
        nu = np.zeros((*w.shape[:-1], len(self.y)))

        def moved(nu: Array) -> Array:
            z = nu @ self.x
            return np.concatenate([u * np.exp(-z), v * np.exp(z)], axis=-1)

        def potential(nu: Array) -> Array:
            with np.errstate(over="ignore"):  # infinite where a trial step is far too long
                return 0.5 * (moved(nu) ** 2).sum(axis=-1) + nu @ self.y

        for _ in range(100):
            end = moved(nu)
            r = self.residual(end)
            weight = np.add(*np.split(end**2, 2, axis=-1))
            if np.all(np.abs(r) <= 1e-12 * (1 + weight @ np.abs(self.x.T))):
                return end
            curvature_ = 2 * (self.x * weight[..., None, :]) @ self.x.T
            direction = np.linalg.solve(curvature_, r[..., None])[..., 0]
            gain = (r * direction).sum(axis=-1)
            size, before = np.ones_like(gain), potential(nu)
            bound = before + 1e-14 * np.abs(before)
            for _ in range(60):
                lower = potential(nu + size[..., None] * direction) <= bound - 1e-4 * size * gain
                if lower.all():
                    break
                size = np.where(lower, size, size / 2)
            nu = nu + size[..., None] * direction
        raise RuntimeError("SquaredRegression.flow: Newton's method did not converge")

    def gfs_sharpness(self, w: Array) -> Array:
        """Return φ(w), shape (...)."""
        return self.sharpness(self.flow(w))


def integrated_flow(
    gradient: Callable[[Array], Array],
    w: Array,
    residual: Callable[[Array], float],
    *,
    tolerance: float = 1e-8,
    method: str = "RK45",
) -> Array:
    """Return the gradient flow from `w` (one axis) where `residual` has fallen to `tolerance`.

    Integrated by scipy's `solve_ivp` with relative tolerance 1e-10 per step; "Radau", "BDF" and
    "LSODA" are its methods for stiff flows.

    Raises:
        RuntimeError: the flow did not get there.
    """

    def arrived(_: float, x: Array) -> float:
        return residual(x) - tolerance

    arrived.terminal = True  # type: ignore[attr-defined]
    path = solve_ivp(
        lambda _, x: -gradient(x), (0, 1e6), w, method, events=arrived, rtol=1e-10, atol=1e-12
    )
    if path.status != 1:
        raise RuntimeError(f"integrated_flow: did not reach the minimum: {path.message}")
    return path.y[:, -1]


def runge_kutta_flow(
    loss: Callable[[Tensor], Tensor],
    gradient: Callable[[Tensor], Tensor],
    sharpness: Callable[[Tensor], Tensor],
    w: Tensor,
    *,
    target: float,
    length: float = 1.0,
    renew: int = 200,
    steps: int = 40_000,
) -> Tensor:
    """Return, for each of the points `w`, the gradient flow from it where the loss is below target.

    Classical Runge-Kutta of order four. Each point has its own step; the loss is looked at every 10
    steps.

    Args:
        loss: maps (runs, p) to (runs,).
        gradient: maps (runs, p) to (runs, p).
        sharpness: maps (runs, p) to λmax of the Hessian, (runs,); within some per cent will do.
        w: shape (runs, p).
        target: loss at which a point counts as arrived.
        length: of a step, in units of 1/λmax; the stability limit is 2.78.
        renew: after how many steps λmax is looked at again.
        steps: at most; a point that has not arrived by then is returned where it stands.

    Raises:
        RuntimeError: a loss rose, which no flow does: λmax was not positive, or grew too fast.
    """
    end, x, open_ = w.clone(), w, torch.arange(len(w))
    h, before = torch.ones(len(w), 1), loss(w)
    for step in range(steps):
        if step % 10 == 0:
            value = loss(x)
            if not bool((value <= 1.001 * before).all()):
                raise RuntimeError(
                    f"runge_kutta_flow: the loss rose; {length:g}/λmax is too long a step"
                )
            going = value >= target
            end[open_[~going]] = x[~going]
            x, h, open_, before = x[going], h[going], open_[going], value[going]
            if len(open_) == 0:
                return end
        if step % renew == 0:
            h = length / sharpness(x).unsqueeze(-1)
        k1 = gradient(x)
        k2 = gradient(x - h / 2 * k1)
        k3 = gradient(x - h / 2 * k2)
        k4 = gradient(x - h * k3)
        x = x - h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    end[open_] = x
    return end
