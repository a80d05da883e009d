"""The two-task toy of the authors' optimize_toy.py, which they took over from Nash-MTL."""

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

STARTS = ((-8.5, 7.5), (0.0, 0.0), (9.0, 9.0), (-7.5, -0.5), (9.0, -1.0))
SHARES = (0.5, 0.3, 0.7)  # s; L₁ has the weight s, L₂ 1 − s
FLOOR = 5e-6  # below which the argument of the logarithm is cut off


def losses_and_gradients(x: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Return L₁ and L₂, shape (..., 2), and G with a column a loss, shape (..., 2, 2).

    Above x₂ = 0 a loss is a logarithm that is steep along a curve, below it a paraboloid, and
    c₁ = max(tanh(x₂/2), 0), c₂ = max(tanh(−x₂/2), 0) fade from one to the other:

        L₁ = s (f₁ c₁ + h₁ c₂),  L₂ = (1 − s)(f₂ c₁ + h₂ c₂)
        f₁ = log max(|(−x₁ − 7)/2 + tanh x₂|, 5e-6) + 6
        f₂ = log max(|(−x₁ + 3)/2 − tanh x₂ + 2|, 5e-6) + 6
        h₁ = ((x₁ − 7)² + (x₂ + 8)²/10)/10 − 20
        h₂ = ((x₁ + 7)² + (x₂ + 8)²/10)/10 − 20

    At x₂ = 0, where c₁ and c₂ have a kink, both slopes count, as automatic differentiation has it.

    Args:
        x: points, shape (..., 2).
        share: s, shape (...) or broadcast to it.
    """
    x1, x2 = x.unbind(-1)
    sign = x.new_tensor([1.0, -1.0])
    tanh, fade = x2.tanh().unsqueeze(-1), (x2 / 2).tanh().unsqueeze(-1)
    u = x.new_tensor([-3.5, 3.5]) - x1.unsqueeze(-1) / 2 + sign * tanh
    inside = u.abs() > FLOOR
    f = u.abs().clamp(min=FLOOR).log() + 6
    f_x1 = torch.where(inside, -0.5 / u, 0)
    f_x2 = torch.where(inside, sign * (1 - tanh.square()) / u, 0)
    off, down = x1.unsqueeze(-1) - 7 * sign, (x2 + 8).unsqueeze(-1)
    h = (off.square() + down.square() / 10) / 10 - 20
    c1, c2 = fade.clamp(min=0), (-fade).clamp(min=0)
    slope = (1 - fade.square()) / 2
    c1_x2, c2_x2 = slope * (fade >= 0), -slope * (fade <= 0)
    weight = torch.stack([share, 1 - share], dim=-1)
    g_x1 = f_x1 * c1 + off / 5 * c2
    g_x2 = f_x2 * c1 + f * c1_x2 + down / 50 * c2 + h * c2_x2
    return weight * (f * c1 + h * c2), torch.stack([weight * g_x1, weight * g_x2], dim=-2)


def min_norm(g: Tensor) -> Tensor:
    """Return MGDA's direction for two tasks: the shortest vector of the segment between columns."""
    first, second = g.unbind(-1)
    gap = second - first
    share = (second * gap).sum(-1) / gap.square().sum(-1).clamp(min=1e-300)
    share = share.clamp(0, 1).unsqueeze(-1)
    return share * first + (1 - share) * second


def minimum(share: float) -> float:
    """Return the minimum of L₁ + L₂, on x₁ = 7 (2s − 1) where the paraboloids have theirs."""

    def total(x2: float) -> float:
        point = torch.tensor([7 * (2 * share - 1), x2], dtype=torch.float64)
        return losses_and_gradients(point, torch.tensor(share))[0].sum().item()

    return float(minimize_scalar(total, bounds=(-20, -1), method="bounded").fun)
