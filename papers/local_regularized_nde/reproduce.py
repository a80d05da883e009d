"""Experiments of the locally regularised neural ODE: the one step, and digits."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, experiment
from common.fits import power

from .method import (
    B_TILDE,
    Field,
    error_estimate,
    initial_step,
    local_error,
    local_regularizer,
    solve,
    state_at,
    stiffness_estimate,
    tsit5_step,
    unbiased_time,
)
from .neural_ode import (
    EXTRA_CALLS,
    SAMPLING,
    TOLERANCE,
    digits_split,
    field,
    network,
    predict,
    still_gradient,
)
from .references import (
    CONSTANT_FIRST_STEP,
    CONSTANT_NFE,
    FIRST_STEPS,
    OSCILLATOR,
    PENDULUM,
    REGULARIZERS,
    SWITCH,
    oscillator,
    pendulum,
    reference_errors,
    stages,
    switch,
)
from .tuning import accuracy_gap, local_weight, model, tuned


@experiment
def error_order(run: Run, *, stiffness: bool = False, missing: int = 0) -> dict[str, float]:
    """Estimates of one step of the pendulum for four lengths, and their slopes in log-log.

    Args:
        stiffness: estimate stiffness instead, which does not get smaller with the step.
        missing: divide by this power of the length.
    """
    u = torch.tensor([1.0, 0.3], dtype=run.dtype, device=run.device)
    estimates, regularizers = [], []
    for h in PENDULUM:
        step = tsit5_step(pendulum, 0.0, u, h, pendulum(0.0, u))
        if stiffness:
            estimate = regularizer = stiffness_estimate(step)
        else:
            estimate = local_error(h, step).norm()
            regularizer = error_estimate(u, h, step, TOLERANCE) * h
        estimates.append(estimate.item() / h**missing)
        regularizers.append(regularizer.item() / h**missing)
    references = np.array(list(PENDULUM.values()))
    run.curve("error estimate", list(PENDULUM), estimates)
    return {
        "estimate_slope": power(list(PENDULUM), estimates).exponent,
        "regularizer_slope": power(list(PENDULUM), regularizers).exponent,
        "reference_error": float(np.abs(estimates / references - 1).max()),
        "weight_sum": abs(math.fsum(B_TILDE)),
    }


@experiment
def adaptive_solve(run: Run, *, tolerance: float = 1e-4) -> dict[str, float]:
    """Adaptive solves of three systems, their steps and the regulariser, against diffrax.

    `tolerance`: the reference numbers are those at 1e-4.
    """

    def state(*values: float) -> Tensor:
        return torch.tensor(values, dtype=run.dtype, device=run.device)

    def constant(t: float, u: Tensor) -> Tensor:
        return torch.zeros_like(u)

    def cubic(t: float, u: Tensor) -> Tensor:
        return torch.full_like(u, 6 * t**2 - 4 * t + 1)

    def first_step(f: Field, u: Tensor) -> float:
        return initial_step(f, 0.0, u, f(0.0, u), tolerance)

    first, second = (
        solve(oscillator, state(2.0, 0.5), (0.0, OSCILLATOR[0]), tolerance),
        solve(switch, state(1.0, -0.3), (0.0, SWITCH[0]), tolerance),
    )
    still = solve(constant, state(1.0, 2.0), (0.0, 1.0), tolerance)
    errors = [reference_errors(first, OSCILLATOR), reference_errors(second, SWITCH)]
    expected = [*FIRST_STEPS.values(), CONSTANT_FIRST_STEP]
    steps = [first_step(oscillator, state(*u)) for u in FIRST_STEPS]
    steps.append(first_step(constant, state(1.0, 2.0)))
    regularizers = [
        local_regularizer(oscillator, state(*u), t, OSCILLATOR[0], tolerance).item()
        for t, u in REGULARIZERS
    ]
    path = solve(cubic, state(0.7), (0.25, 2.0), tolerance)
    times = np.linspace(0.25, 2.0, 50)
    truth = 2 * times**3 - 2 * times**2 + times
    truth += 0.7 - (2 * 0.25**3 - 2 * 0.25**2 + 0.25)
    between = np.array([state_at(path, t).item() for t in times])
    return {
        "oscillator_nfe": first.nfe,
        "oscillator_steps": len(first.errors),
        "switch_nfe_error": abs(second.nfe - SWITCH[-1]),
        "constant_nfe_error": abs(still.nfe - CONSTANT_NFE),
        "state_error": max(state for state, _ in errors),
        "time_error": max(time for _, time in errors),
        "first_step_error": float(np.abs(np.divide(steps, expected) - 1).max()),
        "interpolation_error": float(np.abs(between - truth).max()),
        "regularizer_error": float(
            np.abs(np.divide(regularizers, list(REGULARIZERS.values())) - 1).max()
        ),
    }


@experiment
def linear_system(run: Run, *, stiffness: bool = True) -> dict[str, float]:
    """The regulariser on u' = λu for twenty random λ, against |λ|/3.5068.

    `stiffness`: the stiffness estimate, or else E·h.
    """
    errors = []
    for rate in run.rng.uniform(0.5, 20, 20):

        def f(t: float, u: Tensor, rate: float = rate) -> Tensor:
            return -rate * u

        u = torch.as_tensor(run.rng.standard_normal(10), dtype=run.dtype, device=run.device)
        found = local_regularizer(f, u, 0.0, 1.0, 1e-3, stiffness)
        errors.append(abs(found.item() / (rate / 3.5068) - 1))
    return {"relative_error": max(errors)}


@experiment
def nonlinear_stiffness(run: Run, *, shift: int = 0) -> dict[str, float]:
    """The stiffness estimate of steps of two nonlinear systems, against stages number by number.

    `shift`: the reference takes the pair of stages that lies so much earlier.
    """
    errors = []
    for system in (oscillator, pendulum):

        def numbers(t: float, u: list[float], system: Field = system) -> list[float]:
            return system(t, torch.tensor(u, dtype=run.dtype)).tolist()

        for t, h in run.rng.uniform([0, 0.05], [3, 0.4], (5, 2)).tolist():
            u = torch.as_tensor(run.rng.standard_normal(2), dtype=run.dtype, device=run.device)
            found = stiffness_estimate(tsit5_step(system, t, u, h, system(t, u))).item()
            g, k = stages(numbers, t, u.tolist(), h)
            last, before = 6 - shift, 5 - shift
            expected = math.dist(k[last], k[before]) / math.dist(g[last], g[before]) / 3.5068
            errors.append(abs(found / expected - 1))
    return {"relative_error": max(errors)}


@experiment
def gradient(run: Run, *, first_stage_detached: bool = False) -> dict[str, float]:
    """The regulariser's derivative along a random direction of a small network's parameters.

    `first_stage_detached`: k_1 is a constant, as in the released code.
    """
    generator = run.torch_generator()
    parameters = [p.requires_grad_() for p in network(generator, run.dtype, 5, 7)]

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=run.dtype, device=run.device)

    x, t, end, tolerance = normal(3, 5).requires_grad_(), 0.4, 1.0, 1e-2
    calls = 0

    def f(t: float, u: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return field(parameters)(t, u)

    u = state_at(solve(f, x, (0.0, end), tolerance), t)
    calls = 0
    value = local_regularizer(f, u, t, end, tolerance)
    calls_of_step = calls
    with torch.no_grad():
        h = initial_step(f, t, u, f(t, u), tolerance)

    def fixed(parameters: Sequence[Tensor], k1: Tensor | None = None) -> Tensor:
        f = field(parameters)
        step = tsit5_step(f, t, u.detach(), h, f(t, u.detach()) if k1 is None else k1)
        return error_estimate(u.detach(), h, step, tolerance) * h

    if first_stage_detached:
        value = fixed(parameters, f(t, u).detach())
    *slopes, through = torch.autograd.grad(value, [*parameters[:4], x], allow_unused=True)
    direction = [normal(*p.shape) for p in parameters[:4]]
    along = sum(float((s * d).sum()) for s, d in zip(slopes, direction, strict=True))

    def moved(size: float) -> float:
        with torch.no_grad():
            return fixed([p + size * d for p, d in zip(parameters, direction, strict=False)]).item()

    size = 4e-4  # central difference of order four
    difference = 8 * (moved(size) - moved(-size)) - (moved(2 * size) - moved(-2 * size))
    difference /= 12 * size
    return {
        "derivative_error": abs(along / difference - 1),
        "state_gradient": 0.0 if through is None else float(through.norm()),
        "calls": calls_of_step,
        "still_gradient": still_gradient(parameters, x.detach()),
    }


@experiment
def sampling_times(
    run: Run, *, sampling: str = "biased", draws: int = 3000, tolerance: float = 1e-4
) -> dict[str, float]:
    """Length of the solver's step at drawn times, on the oscillator, against unbiased sampling."""
    u = torch.tensor([2.0, 0.5], dtype=run.dtype, device=run.device)
    solution = solve(oscillator, u, (0.0, 10.0), tolerance)
    times = np.array(solution.times)
    unbiased = np.array([unbiased_time(solution, run.rng) for _ in range(draws)])
    drawn = np.array([SAMPLING[sampling](solution, run.rng) for _ in range(draws)])

    def length(t: np.ndarray) -> float:
        return float(np.diff(times)[np.searchsorted(times, t, side="right") - 1].mean())

    gaps = np.diff(np.sort([times[0], *unbiased, times[-1]]))
    return {
        "step_ratio": length(drawn) / length(unbiased),
        "on_steps": float(np.isin(drawn, times[:-1]).mean()),
        "steps_drawn": float(np.isin(times[:-1], drawn).mean()),
        "unbiased_gap": float(gaps.max() / (times[-1] - times[0])),
        "unbiased_in_first_step": int((unbiased < times[1]).sum()),
    }


@experiment
def digits(
    run: Run,
    *,
    weight: float | None = None,
    dynamics: bool = True,
    steps: int = 2,
    weights: Sequence[float] = (1e6,),
    models: int = 1,
) -> dict[str, float]:
    """A neural ODE on digits: without regulariser, and with both kinds of sampling.

    Args:
        weight: of the regulariser; if left out, tuned over `weights` for unbiased sampling, and
            biased sampling shares it.
        dynamics: whether the regularised models have any, or are the classifier alone.
        steps: of training, in tuning too.
        weights: grid of the regulariser.
        models: trained for each weight in tuning.
    """
    weight = local_weight(run, weight, weights, steps, models)
    base = model(run, "none", 0.0, steps)
    run.curve("without, calls of f", range(steps), base["calls"])
    metrics = {
        "weight": weight,
        "base_nfe": base["nfe"].item(),
        "base_accuracy": base["accuracy"].item(),
    }
    last = slice(-max(1, steps // 4), None)
    for sampling in SAMPLING:
        trained = model(run, sampling, weight, steps, dynamics)
        calls = trained["calls"] + (EXTRA_CALLS if weight == 0 or not dynamics else 0)
        run.curve(f"{sampling}, calls of f", range(steps), calls)
        metrics |= {
            f"nfe_ratio_{sampling}": (trained["nfe"] / base["nfe"]).item(),
            f"accuracy_drop_{sampling}": accuracy_gap(base, trained),
            f"training_nfe_ratio_{sampling}": (
                calls[last].sum() / base["calls"][last].sum()
            ).item(),
        }
    return metrics


@experiment
def local_and_global(
    run: Run,
    *,
    weight: float | None = None,
    steps: int = 2,
    weights: Sequence[float] = (1e6,),
    global_weights: Sequence[float] = (1.0,),
    models: int = 1,
) -> dict[str, float]:
    """The digits with the local regulariser, unbiased, and with Σ E_j h_j over all steps.

    Args:
        weight: of the local regulariser; if left out, tuned over `weights`.
        steps: of training, in tuning too.
        weights: grid of the local regulariser.
        global_weights: grid of the global one, which is differentiated through all steps.
        models: trained for each weight in tuning.
    """
    weight = local_weight(run, weight, weights, steps, models)
    grid = {"weights": list(global_weights), "steps": steps, "models": models}
    global_weight = run.artefact(tuned, regularizer="global", **grid)["weight"]
    local = model(run, "unbiased", weight, steps)
    other = model(run, "global", global_weight, steps)
    run.curve("local, calls of f", range(steps), local["calls"])
    run.curve("global, calls of f", range(steps), other["calls"])
    return {
        "weight": weight,
        "global_weight": global_weight,
        "global_nfe": other["nfe"].item(),
        "global_ratio_unbiased": (local["nfe"] / other["nfe"]).item(),
        "global_gap_unbiased": accuracy_gap(local, other),
    }


@experiment
def prediction_time(
    run: Run,
    *,
    weight: float | None = None,
    steps: int = 2,
    weights: Sequence[float] = (1e6,),
    models: int = 1,
    rounds: int = 2,
) -> dict[str, float]:
    """Time of a prediction for 512 test images, without regulariser over with, unbiased."""
    x = torch.as_tensor(digits_split(False)[2][:512], dtype=run.dtype, device=run.device)
    base = model(run, "none", 0.0, steps)
    weight = local_weight(run, weight, weights, steps, models)
    local = model(run, "unbiased", weight, steps)

    def prediction(trained: dict[str, Tensor]) -> Callable[[], object]:
        parameters = [trained[str(i)] for i in range(6)]
        return lambda: predict(parameters, x)

    return {"speedup": run.time_ratio(prediction(base), prediction(local), rounds=rounds)}
