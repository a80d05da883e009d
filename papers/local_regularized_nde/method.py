"""Local regularisation of neural differential equations.

Pal, Edelman, Rackauckas 2023, arXiv 2303.02262. A neural ODE u' = f(t, u) is solved by an adaptive
method as usual. Then one time t₁ is drawn, and one more step is taken from u(t₁), of the length
that the solver would choose there. The error estimate of that step times its length, or its
estimate of stiffness, is added to the loss. The solver here is Tsitouras' method of order 5(4).
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Field = Callable[[float, Tensor], Tensor]  # f(t, u); u is the state of all samples together

# Tsitouras 2011: nodes and weights of stages 2 to 7, and the weights of the error estimate. The
# seventh stage is evaluated at the end of the step: its weights give the solution.
C = (0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
A: tuple[tuple[float, ...], ...] = (
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (
        *(5.86145544294642, -12.92096931784711, 8.159367898576159),
        *(-0.071584973281401, -0.02826905039406838),
    ),
    (
        *(0.09646076681806523, 0.01, 0.4798896504144996),
        *(1.379008574103742, -3.290069515436081, 2.324710524099774),
    ),
)
B_TILDE = (
    *(-0.0017800110522257714, -0.0008164344596567469, 0.007880878010261995),
    *(-0.1447110071732629, 0.5823571654525552, -0.45808210592918697, 1 / 66),
)
STABILITY_SIZE = 3.5068  # of the method's stability region


class Step(NamedTuple):
    """One step: the solution at its end, the argument of stage 6, and all seven stages."""

    u: Tensor
    g6: Tensor
    k: list[Tensor]


class Solution(NamedTuple):
    """What an adaptive solve went through; `times`, `states` and `slopes` have an entry more.

    Attributes:
        times: t_0 and the ends of the accepted steps.
        states: u at these times.
        slopes: f there.
        errors: E_j of the accepted steps.
        nfe: how often f was called.
    """

    times: list[float]
    states: list[Tensor]
    slopes: list[Tensor]
    errors: list[Tensor]
    nfe: int


class SolverError(RuntimeError):
    """An adaptive solve that took too many steps."""


def _combine(u: Tensor | None, h: float, weights: tuple[float, ...], k: Sequence[Tensor]) -> Tensor:
    """Return u + h Σ w_i k_i, or h Σ w_i k_i without u."""
    total = k[0] * (h * weights[0]) if u is None else torch.add(u, k[0], alpha=h * weights[0])
    for w, stage in zip(weights[1:], k[1:], strict=False):
        total = torch.add(total, stage, alpha=h * w)
    return total


def _norm(x: Tensor) -> Tensor:
    """Return the root of the mean square; its gradient is zero where x is."""
    square = x.square().mean()
    return torch.where(square > 0, square, 1.0).sqrt() * (square > 0)


def tsit5_step(f: Field, t: float, u: Tensor, h: float, k1: Tensor) -> Step:
    """Return the step of length h from u at t, where f(t, u) = k1."""
    k, g = [k1], u
    for c, row in zip(C, A, strict=True):
        g6, g = g, _combine(u, h, row, k)
        k.append(f(t + c * h, g))
    return Step(g, g6, k)


def local_error(h: float, step: Step) -> Tensor:
    """Return ũ = h Σ b̃_i k_i, the difference of the solutions of order five and four."""
    return _combine(None, h, B_TILDE, step.k)


def error_estimate(u: Tensor, h: float, step: Step, tolerance: float) -> Tensor:
    """Return E = ‖ũ / (atol + rtol max(|u|, |u(t+h)|))‖, ‖·‖ the root of the mean square.

    Both tolerances are the same. A step is accepted where E < 1.
    """
    scale = tolerance * (1 + torch.maximum(u.abs(), step.u.abs()))
    return _norm(local_error(h, step) / scale)


def stiffness_estimate(step: Step) -> Tensor:
    """Return ‖k_7 − k_6‖ / ‖g_7 − g_6‖ over the stability region's size; f(g_i) = k_i.

    0 where g_7 = g_6, as at a field of zeros.
    """
    way = _norm(step.u - step.g6)
    return _norm(step.k[6] - step.k[5]) / torch.where(way > 0, way, 1.0) / STABILITY_SIZE


def initial_step(f: Field, t: float, u: Tensor, k1: Tensor, tolerance: float) -> float:
    """Return the step size that the solver starts with at u, without gradient; calls f once.

    Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.4.
    """
    with torch.no_grad():
        scale = tolerance * (1 + u.abs())
        d0, d1 = _norm(u / scale).item(), _norm(k1 / scale).item()
        h0 = 0.01 * d0 / d1 if min(d0, d1) >= 1e-5 else 1e-6
        d2 = _norm((f(t + h0, u + h0 * k1) - k1) / scale).item() / h0
    top = max(d1, d2)
    h1 = (0.01 / top) ** (1 / 5) if top > 1e-15 else max(1e-6, h0 * 1e-3)
    return min(100 * h0, h1)


def solve(
    f: Field, u: Tensor, interval: tuple[float, float], tolerance: float, max_steps: int = 1000
) -> Solution:
    """Return the adaptive solution over `interval`, differentiable where u or f is.

    Step sizes follow an integral controller and carry no gradient.

    Raises:
        SolverError: more than `max_steps` steps were tried.
    """
    t, end = interval
    k1 = f(t, u)
    h = initial_step(f, t, u, k1, tolerance)
    times, states, slopes = [t], [u], [k1]
    errors: list[Tensor] = []
    for tried in range(1, max_steps + 1):
        last = h >= end - t
        h = end - t if last else h
        step = tsit5_step(f, t, u, h, k1)
        error = error_estimate(u, h, step, tolerance)
        factor = 0.9 * max(error.item(), 1e-9) ** (-1 / 5)
        if error < 1:
            t, u, k1 = end if last else t + h, step.u, step.k[6]
            times.append(t)
            states.append(u)
            slopes.append(k1)
            errors.append(error)
            if last:
                return Solution(times, states, slopes, errors, nfe=2 + 6 * tried)
            h *= min(max(factor, 1), 10)
        else:
            h *= max(factor, 0.2)
    raise SolverError(f"solve: {max_steps} steps did not reach t = {end}")


def state_at(solution: Solution, t: float) -> Tensor:
    """Return u(t) by cubic Hermite interpolation of the solution, for t in its range."""
    i = min(bisect_right(solution.times, t), len(solution.errors)) - 1
    (t0, t1), (u0, u1) = solution.times[i : i + 2], solution.states[i : i + 2]
    k0, k1 = solution.slopes[i : i + 2]
    s = (t - t0) / (t1 - t0)
    values = (1 - s) ** 2 * (1 + 2 * s) * u0 + s**2 * (3 - 2 * s) * u1
    return values + (t1 - t0) * s * (1 - s) * ((1 - s) * k0 - s * k1)


def unbiased_time(solution: Solution, rng: np.random.Generator) -> float:
    """Draw t₁ uniformly from the interval of the solve."""
    return rng.uniform(solution.times[0], solution.times[-1])


def biased_time(solution: Solution, rng: np.random.Generator) -> float:
    """Draw t₁ uniformly from the times that the solver visited, but the end."""
    return float(rng.choice(solution.times[:-1]))


def local_regularizer(
    f: Field, u: Tensor, t: float, end: float, tolerance: float, stiffness: bool = False
) -> Tensor:
    """Return R of one step from u = u(t₁), t = t₁: E·h, or the stiffness estimate.

    Its gradient reaches the parameters of f in all stages of this step, and nothing else: u and h
    are constants. Calls f eight times.
    """
    u = u.detach()
    k1 = f(t, u)
    h = min(initial_step(f, t, u, k1, tolerance), end - t)
    step = tsit5_step(f, t, u, h, k1)
    if stiffness:
        return stiffness_estimate(step)
    return error_estimate(u, h, step, tolerance) * h
