"""Rivals: optimisation-based time integration (OBTI), the time-dependent variational principle."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from claimbench import Run, artefact
from common.least_squares import values_and_slopes
from common.periodic_nets import NetRate
from common.tuning import pick

from .flows import (
    CHECKPOINTS,
    EQUATIONS,
    NET,
    NODES,
    Losses,
    Vector,
    fine_values,
    fitted,
    integrate,
    relative_error,
    solution,
)
from .method import tdvp_velocity, values

Minimise = Callable[[Vector, Vector, int], Vector]
"""(θ, u*, gradients) ↦ θ with a lower loss ½ mean (u* − û)²."""


def obti_step(
    minimise: Minimise, rate: NetRate, theta: Any, dt: float, gradients: Sequence[int]
) -> tuple[Vector, Losses]:
    """Take a step of Euler (one entry of `gradients`) or Heun (two) with TENG's targets and starts.

    Returns θ and for each stage the losses before and after.
    """
    u, slope = (np.asarray(values(field, theta, NODES)) for field in (NET, rate))
    losses = []
    for stage, count in enumerate(gradients):
        mean = slope if stage == 0 else (slope + np.asarray(values(rate, theta, NODES))) / 2
        target = u + dt * mean
        before, _ = loss_and_gradient(theta, target)
        theta = minimise(theta, target, count)
        after, _ = loss_and_gradient(theta, target)
        losses.append([before, after])
    return theta, losses


def loss_and_gradient(theta: Vector, target: Vector) -> tuple[float, Vector]:
    """Return ½ mean (u* − û)² and its gradient by θ."""
    u, jacobian = values_and_slopes(NET, theta, NODES)
    residual = target - u
    return float(residual @ residual) / (2 * len(u)), -residual @ jacobian / len(u)


def adam(rate: float, theta: Vector, target: Vector, gradients: int) -> Vector:
    """Return θ after so many steps of Adam, whose learning rate falls to zero as a cosine does."""
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t in range(1, gradients + 1):
        _, g = loss_and_gradient(theta, target)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        eta = rate * (1 + math.cos(math.pi * (t - 1) / gradients)) / 2
        theta = theta - eta * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return theta


def best_adam(theta: Vector, target: Vector, gradients: int) -> Vector:
    """Return the best of what Adam gives at its three learning rates."""
    found = [adam(rate, theta, target, gradients) for rate in GRIDS["Adam"][1]]
    return min(found, key=lambda theta: loss_and_gradient(theta, target)[0])


def lbfgs(memory: float, theta: Vector, target: Vector, gradients: int) -> Vector:
    """Return θ after L-BFGS with at least so many gradients, those of its line searches counted.

    Where it ends early, because a line search finds nothing better, it starts anew from there until
    a start brings nothing.
    """
    from scipy.optimize import minimize  # half a second, which no other experiment needs to pay

    used, value = 0, math.inf
    while used < gradients:
        options = {"maxcor": int(memory), "maxfun": gradients - used, "ftol": 0, "gtol": 0}
        found = minimize(loss_and_gradient, theta, (target,), "L-BFGS-B", jac=True, options=options)
        used += found.nfev
        if not found.fun < value or found.nit == 0:
            break
        theta, value = found.x, found.fun
    return theta


def tdvp_step(tableau: str, rate: NetRate, theta: Vector, dt: float, rcond: float) -> Vector:
    """Take a step of θ̇, the velocity of TDVP, by the "Euler" or the classical "RK4" method."""

    def velocity(theta: Vector) -> Vector:
        return np.asarray(tdvp_velocity(NET, rate, theta, NODES, rcond))

    a = velocity(theta)
    if tableau == "Euler":
        return theta + dt * a
    b = velocity(theta + dt / 2 * a)
    c = velocity(theta + dt / 2 * b)
    d = velocity(theta + dt * c)
    return theta + dt / 6 * (a + 2 * b + 2 * c + d)


GRIDS = {
    "Adam": ("first rate", (1e-2, 1e-3, 1e-4)),
    "L-BFGS": ("pairs kept", (20, 50, 100)),
    "TDVP-Euler": ("rcond", (1e-4, 1e-6, 1e-8)),
    "TDVP-RK4": ("rcond", (1e-4, 1e-6, 1e-8)),
}


@dataclass(frozen=True)
class Task:
    """An equation and a fitted network, to be followed to T.

    Attributes:
        rate: L û.
        theta: θ at the start.
        exact: the evolution of the fitted network at the checkpoints and the start, fine values.
        dt: Δt.
        time: T.
    """

    rate: NetRate
    theta: Vector
    exact: Vector
    dt: float
    time: float

    def errors(self, run: Run, step: Callable[[Any], tuple[Any, Losses]]) -> list[float]:
        """Return a method's relative errors at the checkpoints, of which the last is the end.

        They are infinite where it does not arrive, and where a checkpoint lies within a step.
        """
        steps, errors = round(self.time / self.dt), [math.inf] * CHECKPOINTS

        def watch(done: int, theta: Any) -> None:
            run.progress(done, steps)
            checkpoint, rest = divmod(done * CHECKPOINTS, steps)
            if rest == 0:
                errors[checkpoint - 1] = relative_error(theta, self.exact[checkpoint])

        integrate(step, self.theta, steps, watch)
        return errors

    def rival_errors(
        self, run: Run, rival: str, setting: float, gradients: Sequence[int]
    ) -> list[float]:
        """Return `errors` of a rival with a setting of GRIDS; `gradients` are OBTI's a stage."""

        def obti(theta: Any) -> tuple[Vector, Losses]:
            optimizer = {"Adam": adam, "L-BFGS": lbfgs}[rival]
            return obti_step(partial(optimizer, setting), self.rate, theta, self.dt, gradients)

        def tdvp(theta: Any) -> tuple[Vector, Losses]:
            theta = tdvp_step(rival.removeprefix("TDVP-"), self.rate, theta, self.dt, setting)
            return theta, [[theta.sum()]]  # there is no loss; what is no number ends it all

        return self.errors(run, tdvp if rival.startswith("TDVP") else obti)


def task_of(
    run: Run, seed: int, *, equation: str, dt: float, time: float, fit_iterations: int
) -> Task:
    """Return the task of a key of EQUATIONS, with the network that `seed` initialises."""
    theta = run.artefact(fitted, seed=seed, iterations=fit_iterations)["theta"]
    path = [fine_values(theta)]
    for _ in range(CHECKPOINTS):
        path.append(solution(EQUATIONS[equation], path[-1], time / CHECKPOINTS))
    return Task(NetRate.of(EQUATIONS[equation], NET), theta, np.array(path), dt, time)


@artefact
def tuned(run: Run, *, problem: Mapping[str, Any], gradients: Sequence[int]) -> dict[str, float]:
    """For each rival its setting with the least error at the end, on a network of its own."""
    task, best = task_of(run, run.seed, **problem), {}
    for rival, (name, settings) in GRIDS.items():
        ends = [task.rival_errors(run, rival, s, gradients)[-1] for s in settings]
        what = f"{rival}, {problem['equation']}"
        best[rival] = pick(run, what, {name: settings}, ends, budget=3).setting[name]
    return best


@artefact
def tuned_rivals(
    run: Run, *, seed: int, problem: Mapping[str, Any], gradients: Sequence[int]
) -> dict[str, list[float]]:
    """For each rival its relative errors at the checkpoints, with its tuned setting."""
    settings = run.artefact(tuned, problem=problem, gradients=gradients)
    task = task_of(run, seed, **problem)
    return {
        rival: task.rival_errors(run, rival, setting, gradients)
        for rival, setting in settings.items()
    }
