"""Systems, and what diffrax 0.7.2 gives for them, in float64."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffrax import Tsit5
from torch import Tensor

from .method import Solution

# Tolerance 1e-4 where there is one. Norm of the error of one step from
# (1, 0.3), of length h:
PENDULUM = {
    0.4: 1.5987885438267415e-06,
    0.2: 4.00372291798609e-08,
    0.1: 1.1587040920462736e-09,
    0.05: 3.5251855069143917e-11,
}
# End, middle time, state there, state at the end, calls of f:
OSCILLATOR = (
    *(10.0, 5.602638327498762, (0.17711816304209704, -3.369280295207055)),
    *((-1.324841794158379, 0.13387956965115289), 446),
)
SWITCH = (
    *(2.0, 0.7066809315864231, (1.272265120545648, 0.6310027221035772)),
    *((72.88062894103666, 72.70469056273946), 140),
)
CONSTANT_NFE = 44
# First step of the oscillator from a state, and that of a constant:
FIRST_STEPS = {
    (2.0, 0.5): 0.027288325980657353,
    (0.0, 0.0): 1e-4,
    (1e-6, 0.0): 0.054286510026213805,
    (0.03, 0.02): 0.0533754311974466,
}
CONSTANT_FIRST_STEP = 1e-6
# E·h of the oscillator from a time and a state, to t = 10:
REGULARIZERS = {
    (3.0, (-1.0, 1.5)): 5.471857005594001e-06,
    (9.99, (0.5, -0.7)): 1.374348698913709e-09,
}


def pendulum(t: float, u: Tensor) -> Tensor:
    """Return (u_1, −sin u_0)."""
    return torch.stack([u[1], -torch.sin(u[0])])


def oscillator(t: float, u: Tensor) -> Tensor:
    """Return the slope of Van der Pol's oscillator, μ = 5, forced by sin 3t."""
    return torch.stack([u[1], 5 * (1 - u[0] ** 2) * u[1] - u[0] + math.sin(3 * t)])


def switch(t: float, u: Tensor) -> Tensor:
    """Return a decay with a term that goes from 0 to 100 at t = 0.7 within about 0.02."""
    return -u + 50 * (1 + math.tanh((t - 0.7) / 0.01))


def stages(
    field: Callable[[float, list[float]], list[float]], t: float, u: list[float], h: float
) -> tuple[list[list[float]], list[list[float]]]:
    """Return arguments g_i and values k_i of a step of diffrax's Tsit5, number by number."""
    tableau = Tsit5.tableau
    g, k = [u], [field(t, u)]
    for c, row in zip(tableau.c, tableau.a_lower, strict=True):
        g.append([x + h * sum(w * k[i][j] for i, w in enumerate(row)) for j, x in enumerate(u)])
        k.append(field(t + c * h, g[-1]))
    return g, k


def reference_errors(solution: Solution, reference: tuple[Any, ...]) -> tuple[float, float]:
    """Return the largest error of the middle and last state, and that of the middle time."""
    middle = len(solution.errors) // 2
    _, time, *states, _ = reference
    found = torch.stack([solution.states[middle], solution.states[-1]]).cpu().numpy()
    return float(np.abs(found - states).max()), abs(solution.times[middle] - time)
