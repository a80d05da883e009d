"""How far a point is from the minimum that a search finds."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .method import project
from .problems import normal


def excess(
    generator: torch.Generator,
    value: Callable[[Tensor], Tensor],
    point: Tensor,
    x: Tensor,
    along: Tensor,
    reach: Tensor,
    radius: float = math.inf,
) -> float:
    """Return value(point) less the lowest value found, relative to 1 + that; the largest of n.

    The search goes along lines, on a grid that is refined about its best point, and to random
    neighbours of `point` at all distances.

    Args:
        generator: of the neighbours.
        value: of points (..., n, d), shape (..., n).
        point: shape (n, d).
        x: where the lines start, shape (n, d).
        along: their directions, shape (n, d).
        reach: how many times these they go to both sides, shape (n,).
        radius: of the ball about zero in which the minimum is sought.
    """

    def inside(y: Tensor) -> Tensor:
        return y if radius == math.inf else project(y, radius)

    grid = torch.linspace(-1, 1, 401, dtype=x.dtype)[:, None]
    centre = torch.zeros_like(reach)
    found = [value(point)]
    for _ in range(6):
        t = centre + reach * grid
        values = value(inside(x + t[..., None] * along))
        at = values.argmin(0, keepdim=True)
        centre, reach = t.gather(0, at)[0], reach / 50
        found.append(values.gather(0, at)[0])
    distances = torch.logspace(-7, 0, 30, dtype=x.dtype).repeat(5)[:, None, None]
    neighbours = inside(point + distances * normal(generator, len(distances), *point.shape))
    found.append(value(neighbours).amin(0))
    lowest = torch.stack(found).amin(0)
    return ((value(point) - lowest) / (1 + lowest.abs())).max().item()
