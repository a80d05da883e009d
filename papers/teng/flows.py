"""What all integrations share: network, equations, nodes, the initial fit, and errors."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from jax import Array

from claimbench import Run, artefact
from common import spectral
from common.least_squares import levenberg_marquardt
from common.periodic_nets import PeriodicNet

from .method import values

NET = PeriodicNet(width=10, depth=4)
NU = 0.1
EQUATIONS = {
    "heat": spectral.heat(NU),
    "allen_cahn": spectral.allen_cahn(NU),
    "burgers": spectral.burgers(NU),
}
REFERENCE_STEPS = 400  # in a unit of time
CHECKPOINTS = 10

Vector = npt.NDArray[np.float64]
Losses = Iterable[Sequence[Any]]
"""For each stage of a time step its losses, from the first to the last."""


def grid(n: int, shift: float = 0.0) -> Vector:
    """Return n equidistant points of [0, 2π), shape (n, 1), moved by `shift` of their distance."""
    return (np.arange(n, dtype=np.float64)[:, None] + shift) * (2 * np.pi / n)


NODES = grid(128)
FINE = grid(256)  # where errors are measured: the nodes and the points midway


def initial(x: Vector) -> Vector:
    """Return exp(sin x) − I₀(1) + 0.3 cos 2x, which has mean zero, at points (n, 1)."""
    x = x[:, 0]
    u: Vector = np.exp(np.sin(x)) - 1.26606588 + 0.3 * np.cos(2 * x)
    return u


@artefact
def fitted(run: Run, *, seed: int, iterations: int) -> dict[str, Vector]:
    """Parameters of the network that `seed` initialises, fitted to u(·, 0), relative error 1e-6."""
    y = initial(NODES)
    start, tolerance = NET.init(np.random.default_rng(seed)), 1e-6 * math.sqrt(np.mean(y**2))
    theta = levenberg_marquardt(NET, start, NODES, y, tolerance=tolerance, iterations=iterations)
    return {"theta": theta}


def fine_values(theta: Array | Vector) -> Vector:
    """Return û on the fine grid."""
    halves = [np.asarray(values(NET, theta, grid(len(NODES), shift))) for shift in (0, 0.5)]
    return np.stack(halves, axis=1).ravel()


def relative_error(theta: Array | Vector, reference: Vector) -> float:
    """Return ‖û − u‖ / ‖u‖ on the fine grid; infinite where û is no number."""
    error = float(np.linalg.norm(fine_values(theta) - reference) / np.linalg.norm(reference))
    return error if math.isfinite(error) else math.inf


def solution(equation: spectral.Equation, start: Vector, time: float) -> Vector:
    """Return u at `time` on the fine grid, from values there."""
    steps = max(1, math.ceil(time * REFERENCE_STEPS))
    return spectral.evolve(equation, start, time, steps=steps)


@dataclass
class Path:
    """What an integration leaves.

    Attributes:
        theta: θ after the last step.
        first_losses: loss with which each step begins.
        last_losses: for each step the largest loss with which a stage ends, infinite if one is no
            number.
    """

    theta: Array | Vector
    first_losses: list[float] = field(default_factory=list)
    last_losses: list[float] = field(default_factory=list)


def integrate(
    step: Callable[[Any], tuple[Array | Vector, Losses]],
    theta: Array | Vector,
    steps: int,
    watch: Callable[[int, Any], None] = lambda done, theta: None,
) -> Path:
    """Take `steps` steps, or fewer if a loss is no longer a number."""
    path = Path(theta)
    for done in range(1, steps + 1):
        path.theta, losses = step(path.theta)
        stages = [[float(loss) for loss in stage] for stage in losses]
        last = [stage[-1] if math.isfinite(stage[-1]) else math.inf for stage in stages]
        path.first_losses.append(stages[0][0])
        path.last_losses.append(max(last))
        if math.inf in last:
            break
        watch(done, path.theta)
    return path
