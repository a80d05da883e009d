"""Experiments on TENG: one-dimensional heat, Allen–Cahn and Burgers equations, and its rivals."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from jax.tree_util import Partial

from claimbench import Run, experiment
from common import spectral
from common.errors import largest
from common.fits import power
from common.periodic_nets import NetRate

from .baselines import GRIDS, best_adam, obti_step, task_of, tuned_rivals
from .flows import (
    CHECKPOINTS,
    EQUATIONS,
    FINE,
    NET,
    NODES,
    NU,
    Losses,
    Vector,
    fine_values,
    fitted,
    grid,
    initial,
    integrate,
    relative_error,
    solution,
)
from .method import (
    EULER_ITERATIONS,
    HEUN_ITERATIONS,
    Subset,
    euler_step,
    heun_step,
    tdvp_velocity,
)
from .models import SineProblem, linear, linear_rate, sine, sine_iteration, sine_rate, sine_values


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
def linear_model(run: Run, *, rcond: float = 1e-6) -> dict[str, float]:
    """Time steps of û = x·θ with L û = x·Mθ, against closed forms and NumPy's least squares.

    Args:
        run: the run.
        rcond: where TENG cuts singular values; those of the nodes are 10, 1, …, 5e-5 and 5e-6, so
            that 1e-6 cuts the last one.
    """
    n, p, dt = 32, 8, 0.1
    q, w = (np.linalg.qr(run.rng.standard_normal((rows, p)))[0] for rows in (n, p))
    theta, decay = run.rng.standard_normal(p), run.rng.uniform(1, 2, p)
    sigma = np.array([10, 1, 1, 1, 1, 1, 5e-5, 5e-6])
    x, m, kept = (q * sigma) @ w.T, (w * -decay) @ w.T, w[:, :-1] @ w[:, :-1].T
    model, rate = Partial(linear), Partial(linear_rate, m)
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
    return {
        "euler_error": float(np.max(np.abs(euler.theta - predicted)) / scale),
        "heun_error": float(np.max(np.abs(heun.theta - wanted)) / scale),
        "cut_moves": float(abs((heun.theta - theta) @ w[:, -1]) / scale),
        "loss_error": max(abs(float(a) / (r @ r / (2 * n)) - 1) for a, r in losses),
    }


@experiment
def iterations(run: Run, *, heun: Sequence[int] = HEUN_ITERATIONS) -> dict[str, float]:
    """TENG's steps on û = sin x·θ, where L û is out of reach, against NumPy's Gauss–Newton.

    The misfit that stays makes the iterations converge slowly, so that each of them counts. `heun`:
    how many the stages of TENG-Heun have.
    """
    x, theta, dt = SineProblem.draw(run.rng)
    model, rate = Partial(sine), Partial(sine_rate)
    u, slope = sine_values(theta, x)
    predicted = theta
    for _ in range(7):
        predicted = sine_iteration(predicted, x, u + dt * slope)
    corrected, mean = predicted, (slope + sine_values(predicted, x)[1]) / 2
    for _ in range(5):
        corrected = sine_iteration(corrected, x, u + dt * mean)
    first, second = heun
    found = heun_step(model, rate, theta, x, dt, iterations=(first, second))
    return {
        "euler_error": largest(euler_step(model, rate, theta, x, dt).theta, predicted),
        "heun_error": largest(found.theta, corrected),
    }


@experiment
def random_subsets(run: Run, *, subsets: bool = True) -> dict[str, float]:
    """The 7 + 5 iterations of a TENG-Heun step on û = sin x·θ, each confined to random coordinates.

    `subsets`: if False, every iteration may move all coordinates.
    """
    x, theta, dt = SineProblem.draw(run.rng)
    model, rate = Partial(sine), Partial(sine_rate)
    subset = Subset(run.jax_key(), 9, 7) if subsets else None

    def after(first: int, second: int) -> Vector:
        step = heun_step(model, rate, theta, x, dt, iterations=(first, second), subset=subset)
        return np.asarray(step.theta)

    path = [theta, *(after(i, 0) for i in range(1, 8)), *(after(7, i) for i in range(1, 6))]
    u, slope = sine_values(theta, x)
    mean = (slope + sine_values(path[7], x)[1]) / 2
    draws, errors = [], []
    for i, (start, end) in enumerate(pairwise(path)):
        (moving,) = np.nonzero(end - start)
        target = u + dt * (slope if i < 7 else mean)
        draws.append(tuple(moving))
        errors.append(largest(end, sine_iteration(start, x, target, moving)))
    counts = [len(moving) for moving in draws]
    return {
        "first_moved": counts[0],
        "later_moved_least": min(counts[1:]),
        "later_moved_most": max(counts[1:]),
        "different_draws": len(set(draws)),
        "subset_error": max(errors),
    }


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
        "euler_order": power(dts, euler_errors).exponent,
        "heun_order": power(dts, heun_errors).exponent,
        "euler_error": euler_errors[-1],  # relative, at the last Δt
        "heun_error": heun_errors[-1],
    }


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
        gains[equation] = {rival: errors[rival][-1] / own for rival in GRIDS}
        metrics[f"{equation}_error"] = own
        run.progress(i + 1, len(EQUATIONS))
    for equation, gain in gains.items():
        # error of the best of OBTI-Heun and TDVP-Euler over TENG-Heun's
        metrics[f"{equation}_gain"] = min(gain[r] for r in ("Adam", "L-BFGS", "TDVP-Euler"))
    for rival in GRIDS:
        name = rival.lower().replace("-", "")
        metrics[f"{name}_gain"] = min(gain[rival] for gain in gains.values())  # least over PDEs
    return metrics
