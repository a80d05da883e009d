"""RAMSGrad along a line through the ball's origin, where two steps can be taken by hand.

There x = tanh(s/2) e at the signed distance s, a gradient of length l is l/λ e, Exp adds lengths,
and transport keeps them.
"""

import math

import torch
from torch import Tensor

from common.errors import absolute

from .method import POINCARE, conformal, ramsgrad, shrink, start

UNIT_BALL = math.tanh(1 / 2)  # |x| at the hyperbolic distance 1 from the origin


def line(s: tuple[float, ...], dtype: torch.dtype) -> Tensor:
    """Return the points at these signed distances, shape (len(s), 3)."""
    return (torch.tensor(s, dtype=dtype)[:, None] / 2).tanh() * _direction(dtype)


def two_steps_errors(dtype: torch.dtype, maximum: bool) -> tuple[float, float]:
    """Return the errors of points and of states after two steps; β1 = β2 = 1/2 and α = 1/√t.

    The first factor has gradients 3 and -1, so that m = 1.5 and 0.25, v = 4.5 and 2.75, v̂ = 4.5
    twice; the second has 0 and -2, and the third 0 and 0.
    """
    x = line((0.5, -0.25, 0.75), dtype)
    state = start(x)
    for t, gradients in enumerate(((3.0, 0.0, 0.0), (-1.0, -2.0, 0.0)), 1):
        x, state = ramsgrad(
            *(POINCARE, x, state, _gradient(x, gradients), t**-0.5, 0.5, 0.5), maximum=maximum
        )
    after = line((0.5 - 1 / math.sqrt(2) - 1 / 12, 0.25, 0.75), dtype)
    found = torch.stack([_lengths(x, state.tau), state.v.sum(-1), state.v_hat.sum(-1)])
    expected = [[0.25, -1.0, 0.0], [2.75, 2.0, 0.0], [4.5, 2.0, 0.0]]
    return absolute(x, after), absolute(found, expected)


def projected_error(dtype: torch.dtype) -> float:
    """Return the error of a step from 0.9 by 1 that ends at the edge of the set |s| ≤ 1."""
    inside = POINCARE._replace(project=lambda x: shrink(x, UNIT_BALL))
    x = line((0.9,), dtype)
    x, state = ramsgrad(inside, x, start(x), _gradient(x, (-3.0,)), 1.0, 0.5, 0.5)
    return absolute(x, line((1.0,), dtype)) + absolute(_lengths(x, state.tau), [-1.5])


def _gradient(x: Tensor, lengths: tuple[float, ...]) -> Tensor:
    return torch.tensor(lengths, dtype=x.dtype)[:, None] * _direction(x.dtype) / conformal(x)


def _lengths(x: Tensor, v: Tensor) -> Tensor:
    return conformal(x)[:, 0] * (v @ _direction(x.dtype))


def _direction(dtype: torch.dtype) -> Tensor:
    return torch.tensor([2 / 3, 1 / 3, 2 / 3], dtype=dtype)
