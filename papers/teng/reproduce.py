"""Experiments on TENG: one-dimensional heat, Allen–Cahn and Burgers equations, and its rivals."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from jax import Array
from jax.tree_util import Partial

from claimbench import Run, artefact, experiment
from common import spectral
from common.least_squares import levenberg_marquardt, values_and_slopes
from common.periodic_nets import NetRate, PeriodicNet

from .method import (
    EULER_ITERATIONS,
    HEUN_ITERATIONS,
    Subset,
    euler_step,
    heun_step,
    tdvp_velocity,
    values,
)

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


@experiment
def first_iteration(run: Run, *, nodes: int = 256, iteration: int = 1) -> dict[str, float]:
    """One iteration of a TENG-Euler step on the heat equation, against TDVP's Euler step.

    `iteration`: which one. The network is as initialised.
    """
    dt, rcond = 0.05, 1e-6
    x, rate = grid(nodes), NetRate.of(EQUATIONS["heat"], NET)
    theta = NET.init(run.rng)
    before, after = (
        np.asarray(euler_step(NET, rate, theta, x, dt, iterations=i, rcond=rcond).theta)
        for i in (iteration - 1, iteration)
    )
    update = after - before
    tdvp = dt * np.asarray(tdvp_velocity(NET, rate, theta, x, rcond))
    return {
        # largest entry of the difference, relative to the largest of the update
        "difference": float(np.max(np.abs(update - tdvp)) / np.max(np.abs(update))),
        "update_norm": float(np.linalg.norm(update)),
    }


@experiment
def linear_model(run: Run, *, rcond: float = 1e-6, subsets: bool = True) -> dict[str, float]:
    """Time steps of û = x·θ with L û = x·Mθ, against closed forms and NumPy's least squares.

    Args:
        run: the run.
        rcond: where TENG cuts singular values; those of the nodes are 10, 1, …, 5e-5 and 5e-6, so
            that 1e-6 cuts the last one.
        subsets: if False, every iteration may move all coordinates.
    """
    n, p, dt = 32, 8, 0.1
    q, w = (np.linalg.qr(run.rng.standard_normal((rows, p)))[0] for rows in (n, p))
    theta, decay = run.rng.standard_normal(p), run.rng.uniform(1, 2, p)
    sigma = np.array([10, 1, 1, 1, 1, 1, 5e-5, 5e-6])
    x, m, kept = (q * sigma) @ w.T, (w * -decay) @ w.T, w[:, :-1] @ w[:, :-1].T
    model, rate = Partial(_linear), Partial(_linear_rate, m)
    euler = euler_step(model, rate, theta, x, dt, iterations=1, rcond=rcond)
    heun = heun_step(model, rate, theta, x, dt, iterations=(1, 1), rcond=rcond)
    predicted = theta + kept @ (dt * m @ theta)
    slope = m @ theta + m @ predicted
    wanted = theta + kept @ (dt / 2 * slope)
    losses = (
        (heun.losses[0][0], x @ (dt * m @ theta)),
        (heun.losses[1][0], x @ (theta + dt / 2 * slope - predicted)),
    )
    scale = np.max(np.abs(wanted - theta))
    oblique = run.rng.standard_normal((n, p))  # of orthogonal columns some would not move again
    moved, error = _subset_moves(run, oblique, theta, m, dt) if subsets else ([p, p, p], 0.0)
    return {
        "euler_error": float(np.max(np.abs(euler.theta - predicted)) / scale),
        "heun_error": float(np.max(np.abs(heun.theta - wanted)) / scale),
        "cut_moves": float(abs((heun.theta - theta) @ w[:, -1]) / scale),
        "loss_error": max(abs(float(a) / (r @ r / (2 * n)) - 1) for a, r in losses),
        "first_moved": moved[0],
        "later_moved_least": min(moved[1:]),
        "later_moved_most": max(moved[1:]),
        "subset_error": error,
    }


def _linear(theta: Array, x: Array) -> Array:
    return x @ theta


def _linear_rate(m: Array, theta: Array, x: Array) -> Array:
    return x @ (m @ theta)


def _subset_moves(
    run: Run, x: Vector, theta: Vector, m: Vector, dt: float
) -> tuple[list[int], float]:
    """Return how many coordinates iterations with subsets move, and how far from least squares.

    The iterations are the first two of TENG-Euler and the first of TENG-Heun's second stage.
    """
    model, rate, subset = Partial(_linear), Partial(_linear_rate, m), Subset(run.jax_key(), 2, 3)
    first, second = (
        np.asarray(euler_step(model, rate, theta, x, dt, iterations=i, subset=subset).theta)
        for i in (1, 2)
    )
    corrected = heun_step(model, rate, theta, x, dt, iterations=(1, 1), subset=subset).theta
    target = x @ (theta + dt * m @ theta)
    corrector = x @ (theta + dt / 2 * (m @ theta + m @ first))
    counts, errors = [], []
    for start, end, goal in (
        (theta, first, target),
        (first, second, target),
        (first, np.asarray(corrected), corrector),
    ):
        change = end - start
        (moving,) = np.nonzero(change)
        wanted = np.linalg.lstsq(x[:, moving], goal - x @ start, rcond=None)[0]
        counts.append(len(moving))
        errors.append(float(np.max(np.abs(change[moving] - wanted)) / np.max(np.abs(wanted))))
    return counts, max(errors)


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


@experiment
def heat(
    run: Run,
    *,
    dts: Sequence[float] = (0.05, 0.04, 0.025),
    time: float = 1.0,
    fit_iterations: int = 1000,
    corrector: bool = True,
    inner: str = "natural gradient",
) -> dict[str, float]:
    """TENG-Euler and TENG-Heun on the heat equation at several Δt: per-step losses, and orders.

    Errors are against the exact evolution of the fitted network, so that the fit does not count.

    Args:
        run: the run.
        dts: Δt, each of which divides `time`.
        time: T.
        fit_iterations: Levenberg–Marquardt iterations of the initial fit.
        corrector: if False, Heun's second stage is left out.
        inner: "natural gradient", or "Adam" with as many gradients a stage, each stage at the best
            of three learning rates.
    """
    rate = NetRate.of(EQUATIONS["heat"], NET)
    start = run.artefact(fitted, seed=run.seed, iterations=fit_iterations)["theta"]
    exact = solution(EQUATIONS["heat"], fine_values(start), time)

    def euler(theta: Any, dt: float) -> tuple[Any, Losses]:
        if inner == "Adam":
            return obti_step(best_adam, rate, theta, dt, (EULER_ITERATIONS,))
        return euler_step(NET, rate, theta, NODES, dt)

    def heun(theta: Any, dt: float) -> tuple[Any, Losses]:
        if not corrector:
            return euler(theta, dt)
        if inner == "Adam":
            return obti_step(best_adam, rate, theta, dt, HEUN_ITERATIONS)
        return heun_step(NET, rate, theta, NODES, dt)

    euler_errors, heun_errors, last_losses, falls = [], [], [], []
    for i, dt in enumerate(dts):
        steps = round(time / dt)
        path = integrate(partial(euler, dt=dt), start, steps)
        euler_errors.append(relative_error(path.theta, exact))
        path = integrate(partial(heun, dt=dt), start, steps)
        heun_errors.append(relative_error(path.theta, exact))
        last = max(path.last_losses)
        last_losses.append(last)
        falls.append(max(path.first_losses) / last if math.isfinite(last) else 0.0)
        times = [dt * (k + 1) for k in range(len(path.last_losses))]
        run.curve(f"first loss of a step, Δt = {dt}", times, path.first_losses)
        run.curve(f"last loss of a step, Δt = {dt}", times, path.last_losses)
        run.progress(i + 1, len(dts))
    run.curve("error of TENG-Euler against Δt", dts, euler_errors)
    run.curve("error of TENG-Heun against Δt", dts, heun_errors)
    return {
        "final_loss": max(last_losses),  # of TENG-Heun, largest over stages, steps and Δt
        "loss_fall": min(falls),  # largest first over largest last loss, least over Δt
        "euler_order": order(dts, euler_errors),
        "heun_order": order(dts, heun_errors),
        "euler_error": euler_errors[-1],  # relative, at the last Δt
        "heun_error": heun_errors[-1],
    }


def order(dts: Sequence[float], errors: Sequence[float]) -> float:
    """Return the slope of log error against log Δt; infinite where an error is."""
    if not all(map(math.isfinite, errors)):
        return math.inf
    return float(np.polyfit(np.log(dts), np.log(errors), 1)[0])


@experiment
def burgers(
    run: Run,
    *,
    dt: float = 0.025,
    time: float = 1.0,
    fit_iterations: int = 1000,
    advection: float = 1.0,
) -> dict[str, float]:
    """TENG-Heun on Burgers' equation against the solution from u(·, 0) itself.

    `advection` scales −u u_x in L as TENG sees it.
    """
    equation, u_start = EQUATIONS["burgers"], initial(FINE)
    rate = NetRate.of(spectral.Equation(NU, advection=advection), NET)
    start = run.artefact(fitted, seed=run.seed, iterations=fit_iterations)["theta"]
    steps = round(time / dt)
    times, errors = [0.0], [relative_error(start, u_start)]
    every = max(1, steps // CHECKPOINTS)

    def watch(done: int, theta: Any) -> None:
        run.progress(done, steps)
        if done % every == 0 and done < steps:
            times.append(done * dt)
            errors.append(relative_error(theta, solution(equation, u_start, times[-1])))

    path = integrate(lambda theta: heun_step(NET, rate, theta, NODES, dt), start, steps, watch)
    times.append(time)
    errors.append(relative_error(path.theta, solution(equation, u_start, time)))
    run.curve("relative error", times, errors)
    run.curve("last loss of a step", range(1, len(path.last_losses) + 1), path.last_losses)
    return {
        "error": errors[-1],  # relative L², at the end
        "fit_error": errors[0],  # the same at the start
        "final_loss": max(path.last_losses),
    }


# Rivals: optimisation-based time integration (OBTI) and the time-dependent variational principle.

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
    found = [adam(rate, theta, target, gradients) for rate in SETTINGS["Adam"]]
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


SETTINGS = {
    "Adam": (1e-2, 1e-3, 1e-4),  # first learning rate
    "L-BFGS": (20, 50, 100),  # pairs of vectors kept
    "TDVP-Euler": (1e-4, 1e-6, 1e-8),  # rcond
    "TDVP-RK4": (1e-4, 1e-6, 1e-8),
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
        """Return `errors` of a rival with a setting of SETTINGS; `gradients` are OBTI's a stage."""

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
    for rival, settings in SETTINGS.items():
        ends = {s: task.rival_errors(run, rival, s, gradients)[-1] for s in settings}
        best[rival] = min(ends, key=lambda setting: ends[setting])
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


@experiment
def rivals(
    run: Run,
    *,
    dt: float = 0.0125,
    time: float = 1.0,
    fit_iterations: int = 1000,
    gradients_per_iteration: int = 10,
    iterations: Sequence[int] = HEUN_ITERATIONS,
    rcond: float = 1e-6,
) -> dict[str, float]:
    """TENG-Heun against OBTI-Heun with Adam and L-BFGS, and TDVP with Euler and RK4, on three PDEs.

    Args:
        run: the run.
        dt: Δt, the same for all.
        time: T.
        fit_iterations: as for `heat`.
        gradients_per_iteration: full-batch gradients that OBTI gets for each of the 7 + 5
            iterations of TENG-Heun, whatever `iterations` says.
        iterations: TENG-Heun's iterations in its two stages.
        rcond: TENG-Heun's; it is not tuned, while each rival has the best of three settings.
    """
    first, second = iterations
    gradients = [gradients_per_iteration * count for count in HEUN_ITERATIONS]
    gains: dict[str, dict[str, float]] = {}
    metrics: dict[str, float] = {}
    for i, equation in enumerate(EQUATIONS):
        problem: dict[str, Any] = {"equation": equation, "dt": dt, "time": time}
        problem |= {"fit_iterations": fit_iterations}
        task = task_of(run, run.seed, **problem)

        def step(theta: Any, rate: NetRate = task.rate) -> tuple[Any, Losses]:
            return heun_step(NET, rate, theta, NODES, dt, iterations=(first, second), rcond=rcond)

        errors = {"TENG-Heun": task.errors(run, step)}
        errors |= run.artefact(tuned_rivals, seed=run.seed, problem=problem, gradients=gradients)
        times = [time * (k + 1) / CHECKPOINTS for k in range(CHECKPOINTS)]
        for name, ys in errors.items():
            run.curve(f"{equation}: {name}", times, ys)
        own = errors["TENG-Heun"][-1]
        gains[equation] = {rival: errors[rival][-1] / own for rival in SETTINGS}
        metrics[f"{equation}_error"] = own
        run.progress(i + 1, len(EQUATIONS))
    for equation, gain in gains.items():
        # error of the best of OBTI-Heun and TDVP-Euler over TENG-Heun's
        metrics[f"{equation}_gain"] = min(gain[r] for r in ("Adam", "L-BFGS", "TDVP-Euler"))
    for rival in SETTINGS:
        name = rival.lower().replace("-", "")
        metrics[f"{name}_gain"] = min(gain[rival] for gain in gains.values())  # least over PDEs
    return metrics
