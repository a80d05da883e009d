"""Experiments of the AdEMAMix paper: its update, the Rosenbrock race, and language models."""

from collections.abc import Sequence
from typing import Any

import torch

from claimbench import Run, experiment
from common.language import Language

from .method import AdEMAMix, beta3_schedule
from .pretraining import adamw_gains, adamw_to_match, ademamix, memory, tuned
from .probes import (
    BETA2,
    ademamix_steps,
    algorithm_1,
    decays_of_optimizer,
    distance,
    errors_in_half_precision,
    flat,
    gradient_step,
    half_life,
    network,
    single_average,
    slow_moves,
    state_bytes,
    weights_by_age,
)
from .race import races

QUARTERS = (0.9996011954, 0.9998001996, 0.9998667111)  # β3(T/4), β3(T/2), β3(3T/4) by Section 3


@experiment
def schedule(
    run: Run, *, warmup: int = 256_000, beta_start: float = 0.9, linear: bool = False
) -> dict[str, float]:
    """β3(t) towards 0.9999: from the schedule over T steps, and from four steps of the optimizer.

    Args:
        warmup: T; 256,000 is the length of the paper's runs of 110M parameters.
        beta_start: β3(0).
        linear: interpolate β itself instead, which the paper argues against.
    """
    beta3 = 0.9999

    def value(t: int) -> float:
        if linear:
            return beta_start + t / warmup * (beta3 - beta_start)
        return beta3_schedule(t, beta3, beta_start, warmup)

    steps = range(0, warmup + 1, warmup // 256)
    halves = [half_life(value(t)) for t in steps]
    line = [halves[0] + t / warmup * (halves[-1] - halves[0]) for t in steps]
    run.curve("half-life (steps)", steps, halves)
    seen = decays_of_optimizer(beta_start, beta3)
    return {
        # largest distance from the three values, in units of β
        "value_error": max(abs(value(warmup * i // 4) - q) for i, q in enumerate(QUARTERS, 1)),
        # largest distance of the half-life from a straight line, relative
        "line_error": max(abs(h / y - 1) for h, y in zip(halves, line, strict=True)),
        # as value_error, for the decays that the optimizer applied
        "optimizer_error": max(abs(b - q) for b, q in zip(seen, QUARTERS, strict=True)),
        "half_life_end": half_life(value(warmup)),  # steps
    }


@experiment
def alpha_warmup(
    run: Run, *, alpha: float = 5.0, warmup: int | None = 4, steps: int = 8
) -> dict[str, float]:
    """α(t) from how AdEMAMix moves its parameter under a gradient of 1, against min(t α / 4, α).

    What the slow average adds to step t is α(t) (1 - β3^t).
    """
    beta3 = 0.99
    moves = slow_moves([1.0] * steps, alpha=alpha, betas=(0.9, BETA2, beta3), alpha_warmup=warmup)
    seen = [move / (1 - beta3**t) for t, move in enumerate(moves, 1)]
    wanted = [min(t / 4, 1) * alpha for t in range(1, steps + 1)]
    return {
        "alpha_error": max(abs(a / alpha - w / alpha) for a, w in zip(seen, wanted, strict=True)),
        "start_error": max(abs(beta3_schedule(0, 0.9999, b, 10) - b) for b in (0.0, 0.9)),
        "zero_error": abs(beta3_schedule(5, 0.9999, 0.0, 10) - 0.9999**2),
    }


@experiment
def algorithm(
    run: Run,
    *,
    alpha: float = 6.0,
    warmup: int | None = 20,
    bias_corrected: bool = False,
    steps: int = 30,
) -> dict[str, float]:
    """AdEMAMix with everything switched on against Algorithm 1, evaluated number by number.

    Args:
        run: this run.
        alpha: α of the optimizer; that of the reference is 6.
        warmup: T of the optimizer's schedules; the reference has 20.
        bias_corrected: divide the optimizer's slow average by 1 - Πβ3(t), which at each step is
            the same as an α larger by this factor.
        steps: how many, two thirds of them within the warm-up.
    """
    draws = run.rng.normal(0.3, [1.0, 0.01, 30.0], (1 + steps, 3))
    start, *gradients = torch.tensor(draws, dtype=run.dtype, device=run.device)
    theta = ademamix_steps(start, gradients, alpha=alpha, warmup=warmup, corrected=bias_corrected)
    reference = algorithm_1(start, gradients, alpha=6.0, warmup=20)
    return {
        "deviation": distance(theta, reference),  # of θ, relative
        "moved": distance(reference, start),  # in the same unit
    }


@experiment
def half_precision(run: Run, *, state: str = "float32", steps: int = 300) -> dict[str, float]:
    """Averages and steps of parameters in bfloat16 against the same in float64, all relative.

    `state`: what the averages are rounded to after each step.
    """
    draws = torch.tensor(run.rng.normal(0.5, 1.0, (steps, 5)), device=run.device)
    slow, square, step = errors_in_half_precision(draws.bfloat16(), getattr(torch, state))
    return {"slow_average_error": slow, "square_average_error": square, "step_error": step}


@experiment
def adamw_trajectory(
    run: Run, *, alpha: float = 0.0, beta3: float = 0.9999, steps: int = 50
) -> dict[str, float]:
    """AdEMAMix with α = 0 against PyTorch's AdamW: a small network on one batch, with decay."""
    ours, our_loss = network(run)
    theirs, their_loss = network(run)
    start = flat(theirs)
    shared: dict[str, Any] = {"lr": 1e-2, "eps": 1e-8, "weight_decay": 0.1}
    ademamix = AdEMAMix(ours, betas=(0.9, BETA2, beta3), alpha=alpha, **shared)
    adamw = torch.optim.AdamW(theirs, betas=(0.9, BETA2), **shared)
    deviations = []
    for _ in range(steps):
        gradient_step(ademamix, our_loss)
        gradient_step(adamw, their_loss)
        deviations.append(distance(flat(ours), flat(theirs)))
    run.curve("relative deviation", range(1, steps + 1), deviations)
    return {
        "deviation": max(deviations),  # ‖θ - θ_AdamW‖ / ‖θ_AdamW‖, largest over the steps
        "moved": distance(flat(theirs), start),  # way of AdamW, in the same unit
    }


@experiment
def first_step(
    run: Run, *, alpha: float = 5.0, beta3: float = 0.9999, bias_corrected: bool = False
) -> dict[str, float]:
    """The first update against that of PyTorch's Adam, entry by entry, without warm-up.

    Args:
        alpha: α.
        beta3: β3.
        bias_corrected: divide the slow average by 1 - β3^t, the mistake that the paper warns of;
            at t = 1 that is the same as an α larger by this factor.
    """
    if bias_corrected:
        alpha /= 1 - beta3
    ours, our_loss = network(run)
    theirs, their_loss = network(run)
    start = flat(theirs)
    gradient_step(AdEMAMix(ours, lr=1.0, betas=(0.9, BETA2, beta3), alpha=alpha), our_loss)
    gradient_step(torch.optim.Adam(theirs, lr=1.0, betas=(0.9, BETA2)), their_loss)
    ratio = (flat(ours) - start) / (flat(theirs) - start)
    return {
        "smallest_ratio": ratio.min().item(),  # of AdEMAMix's update to Adam's
        "largest_ratio": ratio.max().item(),
        "update_norm": (flat(ours) - start).norm().item(),
    }


@experiment
def gradient_weights(
    run: Run, *, beta1: float = 0.9, beta3: float = 0.9999, alpha: float = 8.0, steps: int = 3000
) -> dict[str, float]:
    """What weight a step gives to the gradient of each age, read off the step itself."""
    weights = weights_by_age(run, (beta1, BETA2, beta3), alpha, steps)
    ages = torch.arange(steps, dtype=run.dtype, device=run.device)
    fast = (1 - beta1) * beta1**ages / (1 - beta1**steps)
    formula = fast + alpha * (1 - beta3) * beta3**ages
    share = weights / weights.sum()
    single = single_average(ages, share[1000:].sum().item())
    run.curve("AdEMAMix", range(steps), share.tolist())
    run.curve("a single average, equal beyond 1000", range(steps), single.tolist())
    return {
        "weight_error": (weights / formula - 1).abs().max().item(),  # relative, largest over ages
        # share of the last ten gradients, over that in the single average
        "recent_gain": (share[:10].sum() / single[:10].sum()).item(),
        "old_share": share[1000:].sum().item(),  # of the gradients 1000 or more steps old
    }


@experiment
def state_memory(run: Run, *, beta1: float = 0.0) -> dict[str, float]:
    """Size of the optimizer's state after a step, against PyTorch's AdamW."""
    ours = state_bytes(run, lambda p: AdEMAMix(p, betas=(beta1, BETA2, 0.9999)))
    adamw = state_bytes(run, lambda p: torch.optim.AdamW(p, betas=(0.9, BETA2)))
    return {"state_ratio": ours / adamw}  # bytes over bytes; 1 says equal


@experiment
def rosenbrock(
    run: Run,
    *,
    beta1: float = 0.9,
    beta3: float = 0.999,
    alpha: float = 9.0,
    rates: Sequence[float] = (0.01,),
    adam_rate_factor: float = 10.0,
    warmup: int | None = None,
    steps: int = 5000,
) -> dict[str, float]:
    """AdEMAMix and Adam from (-3, 5), Adam with each β1 of the paper's sweep.

    Args:
        beta1: β1 of AdEMAMix.
        beta3: β3.
        alpha: α.
        rates: AdEMAMix's learning rates, one race each.
        adam_rate_factor: Adam's learning rate over AdEMAMix's. The paper reduces AdEMAMix's to
            make up for α, without saying by how much; 1 + α makes up for it once m2 is full.
        warmup: T of both schedules; the figure mentions none.
        steps: length of each race. A run that does not arrive counts as arriving at the end.
    """
    arguments = {
        "betas": (beta1, BETA2, beta3),
        "alpha": alpha,
        "beta3_warmup": warmup,
        "alpha_warmup": warmup,
    }
    raced = races(run, arguments, rates, adam_rate_factor, steps)
    return {
        # each the worst for AdEMAMix over the rates
        "steps_ratio": min(r.steps_ratio for r in raced),
        "steps_ratio_low": min(r.steps_ratio_low for r in raced),
        "excess_ratio": max(r.excess_ratio for r in raced),
        "path_ratio": max(r.path_ratio for r in raced),
        "distance_ratio": min(r.distance_ratio for r in raced),
        "ademamix_steps": max(r.arrival for r in raced),
        "arrived": sum(r.arrival < steps for r in raced) / len(raced),  # share of the rates
    }


@experiment
def rosenbrock_equal_rates(
    run: Run,
    *,
    beta3: float = 0.999,
    alpha: float = 9.0,
    rates: Sequence[float] = (0.01,),
    steps: int = 5000,
) -> dict[str, float]:
    """`rosenbrock` with Adam at AdEMAMix's learning rates."""
    return rosenbrock(run, beta3=beta3, alpha=alpha, rates=rates, adam_rate_factor=1.0, steps=steps)


@experiment
def language_model(
    run: Run,
    *,
    alpha: float = 5.0,
    beta3: float = 0.99,
    alpha_warmup: bool = True,
    steps: int = 20,
    rates: Sequence[float] = (0.004,),
    windows: int = 32,
) -> dict[str, float]:
    """AdEMAMix for T steps; AdamW for T, 1.25 T, 1.5 T, 2 T, as far as it takes to be as good.

    Each run has a cosine decay of its own. Both are tuned at T over the same learning rates and β1,
    on another seed. In a seed all runs start from the same model and see the same batches.

    Args:
        alpha: α.
        beta3: β3; its warm-up takes all T steps.
        alpha_warmup: whether that of α does too; without it α = `alpha` from the start.
        steps: T.
        rates: learning rates of the grids.
        windows: how many held-out windows the loss is taken over, at the end of each run.
    """
    grid = {"steps": steps, "rates": list(rates), "windows": windows}
    slow = (alpha, beta3, alpha_warmup)
    best = run.artefact(tuned, slow=slow, **grid)
    loss, curve = Language(run.device, run.dtype).pretrain(
        ademamix(best["beta1"], *slow, steps),
        rate=best["rate"],
        steps=steps,
        seed=run.seed,
        windows=windows,
    )
    run.curve("AdEMAMix", *curve)
    adamw = adamw_to_match(run, loss, **grid)
    for length, curve in adamw.curves.items():
        run.curve(f"AdamW, {length:g} T", *curve)
    return {
        "token_ratio": adamw.steps,  # AdamW's steps over T
        # the same where AdamW is also tuned over the schedule that α's warm-up makes
        "token_ratio_either": adamw_to_match(run, loss, rising_too=True, **grid).steps,
        "loss_gap": adamw.loss - loss,  # nats, at T; positive where AdEMAMix is lower
        "ademamix_loss": loss,  # held-out, nats a character
        "adamw_loss": adamw.loss,
    }


@experiment
def forgetting(
    run: Run,
    *,
    alpha: float = 5.0,
    beta3: float = 0.99,
    rate: float = 0.002,
    before: int = 20,
    after: int = 20,
    batches: int = 1,
) -> dict[str, float]:
    """How long AdEMAMix and AdamW remember a held-out batch that one step was made on.

    Args:
        alpha: α of AdEMAMix; 0 makes it AdamW.
        beta3: β3.
        rate: learning rate of both, equal as in the paper's models of this experiment, and constant
            after a warm-up.
        before: steps before the batch, over which α and β3 reach their values.
        after: steps that it is followed over.
        batches: how many held-out batches are followed, each in a run of its own.
    """
    protocol = {"before": before, "after": after, "batches": batches, "seed": run.seed}
    adamw = run.artefact(adamw_gains, rate=rate, **protocol)
    ours = Language(run.device, run.dtype).gains(
        ademamix(0.9, alpha, beta3, True, before), rate=rate, **protocol
    )
    run.curve("AdamW: gain on the batch (nats)", *adamw)
    run.curve("AdEMAMix: gain on the batch (nats)", *ours)
    return {
        # AdEMAMix's memory over AdamW's; that of AdamW counts as one step at least
        "memory_ratio": memory(*ours) / max(memory(*adamw), 1.0),
        "ademamix_memory": memory(*ours),  # steps
        "adamw_memory": memory(*adamw),
        "ademamix_peak": max(ours[1]),  # nats a character
        "adamw_peak": max(adamw[1]),
    }
