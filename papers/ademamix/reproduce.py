"""Experiments of the AdEMAMix paper: its update, the Rosenbrock race, and language models."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, artefact, experiment
from common.comparison import steps_to_match
from common.language import Language, MakeOptimizer
from common.objectives import rosenbrock_gradient

from .method import AdEMAMix, beta3_schedule

ADAM_BETA1 = (0.9, 0.99, 0.999, 0.9999)  # the sweep of Fig. 2
BETA2 = 0.999  # throughout the paper
BALL = 0.1  # distance from Rosenbrock's minimum that counts as arrival; ours

# Way from (-3, 5) straight to the floor y = x² at (-√5, 5), then along it to (1, 1): 7.92
FLOOR = [x * math.hypot(1, 2 * x) / 2 + math.asinh(2 * x) / 4 for x in (1, 5**0.5)]
WAY = 3 - 5**0.5 + sum(FLOOR)

DECAY = 0.1  # λ of the language models, Table 2
LENGTHS = (1.0, 1.25, 1.5, 2.0)  # of AdamW's runs, in units of AdEMAMix's
BETA1 = (0.0, 0.6, 0.9)  # what both optimizers are tuned over besides the learning rate

# β3(T/4), β3(T/2), β3(3T/4) from 0.9 to 0.9999, computed from Section 3's formula
QUARTERS = (0.9996011954, 0.9998001996, 0.9998667111)


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
    seen = _decays_of_optimizer(beta_start, beta3)
    return {
        # largest distance from the three values, in units of β
        "value_error": max(abs(value(warmup * i // 4) - q) for i, q in enumerate(QUARTERS, 1)),
        # largest distance of the half-life from a straight line, relative
        "line_error": max(abs(h / y - 1) for h, y in zip(halves, line, strict=True)),
        # as value_error, for the decays that the optimizer applied
        "optimizer_error": max(abs(b - q) for b, q in zip(seen, QUARTERS, strict=True)),
        "half_life_end": half_life(value(warmup)),  # steps
    }


def half_life(beta: float) -> float:
    """Return how many of the last gradients have half the weight of an average (App. A.1)."""
    return math.log(0.5) / math.log(beta) - 1


def _decays_of_optimizer(beta_start: float, beta3: float) -> list[float]:
    """Return β3(1), β3(2), β3(3) of an optimizer with T = 4, from how it moves its parameter.

    One gradient of 1, then zeros. ε is so large that the denominator is constant, and η = ε
    cancels it; the run with α = 0 is subtracted, so that the slow average alone is left. It is
    1 - β3(1) at first, and shrinks by β3(t) from then on.
    """
    scale = 1e12
    moves = []
    for alpha in (1.0, 0.0):
        theta = torch.zeros(1, dtype=torch.float64)
        optimizer = AdEMAMix(
            [theta],
            lr=scale,
            eps=scale,
            betas=(beta_start, BETA2, beta3),
            alpha=alpha,
            beta3_warmup=4,
        )
        path = [0.0]
        for t in range(3):
            theta.grad = torch.full_like(theta, float(t == 0))
            optimizer.step()
            path.append(theta.item())
        moves.append([a - b for a, b in pairwise(path)])
    slow = [a - b for a, b in zip(*moves, strict=True)]
    return [1 - slow[0], slow[1] / slow[0], slow[2] / slow[1]]


@experiment
def alpha_warmup(
    run: Run, *, alpha: float = 5.0, warmup: int | None = 4, steps: int = 8
) -> dict[str, float]:
    """α(t) from how AdEMAMix moves its parameter under a gradient of 1, against min(t α / 4, α).

    As in `_decays_of_optimizer` ε is so large that the denominator is constant, and the run with
    α = 0 is subtracted. What is left of step t is α(t) (1 - β3^t).
    """
    scale, beta3 = 1e12, 0.99
    paths = []
    for weight in (alpha, 0.0):
        theta = torch.zeros(1, dtype=run.dtype)
        optimizer = AdEMAMix(
            [theta],
            lr=scale,
            eps=scale,
            betas=(0.9, BETA2, beta3),
            alpha=weight,
            alpha_warmup=warmup,
        )
        path = [0.0]
        for _ in range(steps):
            theta.grad = torch.ones_like(theta)
            optimizer.step()
            path.append(theta.item())
        paths.append(path)
    gaps = [b - a for a, b in zip(*paths, strict=True)]
    seen = [(b - a) / (1 - beta3**t) for t, (a, b) in enumerate(pairwise(gaps), 1)]
    wanted = [min(t / 4, 1) * alpha for t in range(1, steps + 1)]
    return {
        "alpha_error": max(abs(a / alpha - w / alpha) for a, w in zip(seen, wanted, strict=True)),
        "start_error": max(abs(beta3_schedule(0, 0.9999, b, 10) - b) for b in (0.0, 0.9)),
        "zero_error": abs(beta3_schedule(5, 0.9999, 0.0, 10) - 0.9999**2),
    }


@experiment
def adamw_trajectory(
    run: Run, *, alpha: float = 0.0, beta3: float = 0.9999, steps: int = 50
) -> dict[str, float]:
    """AdEMAMix with α = 0 against PyTorch's AdamW: a small network on one batch, with decay."""
    ours, our_loss = _network(run)
    theirs, their_loss = _network(run)
    start = _flat(theirs)
    shared: dict[str, Any] = {"lr": 1e-2, "eps": 1e-8, "weight_decay": 0.1}
    ademamix = AdEMAMix(ours, betas=(0.9, BETA2, beta3), alpha=alpha, **shared)
    adamw = torch.optim.AdamW(theirs, betas=(0.9, BETA2), **shared)
    deviations = []
    for _ in range(steps):
        _gradient_step(ademamix, our_loss)
        _gradient_step(adamw, their_loss)
        deviations.append(_distance(_flat(ours), _flat(theirs)))
    run.curve("relative deviation", range(1, steps + 1), deviations)
    return {
        "deviation": max(deviations),  # ‖θ - θ_AdamW‖ / ‖θ_AdamW‖, largest over the steps
        "moved": _distance(_flat(theirs), start),  # way of AdamW, in the same unit
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
    ours, our_loss = _network(run)
    theirs, their_loss = _network(run)
    start = _flat(theirs)
    _gradient_step(AdEMAMix(ours, lr=1.0, betas=(0.9, BETA2, beta3), alpha=alpha), our_loss)
    _gradient_step(torch.optim.Adam(theirs, lr=1.0, betas=(0.9, BETA2)), their_loss)
    ratio = (_flat(ours) - start) / (_flat(theirs) - start)
    return {
        "smallest_ratio": ratio.min().item(),  # of AdEMAMix's update to Adam's
        "largest_ratio": ratio.max().item(),
        "update_norm": (_flat(ours) - start).norm().item(),
    }


def _network(run: Run) -> tuple[list[Tensor], Callable[[], Tensor]]:
    """Return parameters of an 8-16-1 tanh network and its loss on 64 points, same every time."""
    generator = torch.Generator(run.device).manual_seed(run.seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=run.dtype, device=run.device)

    x, y = normal(64, 8), normal(64, 1)
    w1, b1, w2, b2 = normal(8, 16) / 8**0.5, 0.1 * normal(16), normal(16, 1) / 4, 0.1 * normal(1)
    parameters = [p.requires_grad_() for p in (w1, b1, w2, b2)]
    return parameters, lambda: ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).mean()


def _gradient_step(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor]) -> None:
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()


def _flat(parameters: Sequence[Tensor]) -> Tensor:
    return torch.cat([p.detach().flatten() for p in parameters])


def _distance(a: Tensor, b: Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


@experiment
def gradient_weights(
    run: Run, *, beta1: float = 0.9, beta3: float = 0.9999, alpha: float = 8.0, steps: int = 3000
) -> dict[str, float]:
    """What weight a step gives to the gradient of each age, read off the step itself.

    Entry k of the parameter gets a gradient of 1 once, k steps before the end, and zeros
    otherwise. With ε = η much larger than the root of ν, the last step moves it by its weight.
    """
    scale = 1e8
    theta = torch.zeros(steps, dtype=run.dtype, device=run.device)
    impulse = torch.zeros(2 * steps - 1, dtype=run.dtype, device=run.device)
    impulse[steps - 1] = 1
    optimizer = AdEMAMix([theta], lr=scale, eps=scale, betas=(beta1, BETA2, beta3), alpha=alpha)
    for done in range(steps):
        if done == steps - 1:
            before = theta.clone()
        theta.grad = impulse[done : done + steps]  # 1 at the age steps - 1 - done
        optimizer.step()
    weights = before - theta

    ages = torch.arange(steps, dtype=run.dtype, device=run.device)
    fast = (1 - beta1) * beta1**ages / (1 - beta1**steps)
    formula = fast + alpha * (1 - beta3) * beta3**ages
    share = weights / weights.sum()
    single = _single_average(ages, share[1000:].sum().item())
    run.curve("AdEMAMix", range(steps), share.tolist())
    run.curve("a single average, equal beyond 1000", range(steps), single.tolist())
    return {
        "weight_error": (weights / formula - 1).abs().max().item(),  # relative, largest over ages
        # share of the last ten gradients, over that in the single average
        "recent_gain": (share[:10].sum() / single[:10].sum()).item(),
        "old_share": share[1000:].sum().item(),  # of the gradients 1000 or more steps old
    }


def _single_average(ages: Tensor, old_share: float) -> Tensor:
    """Return the shares of a single average that gives old_share to ages of 1000 and more."""
    low, high = 0.9, 1 - 1e-12
    for _ in range(60):
        beta = (low + high) / 2
        share = beta**ages / (beta**ages).sum()
        low, high = (beta, high) if share[1000:].sum() < old_share else (low, beta)
    return share


@experiment
def state_memory(run: Run, *, beta1: float = 0.0) -> dict[str, float]:
    """Size of the optimizer's state after a step, against PyTorch's AdamW."""
    sizes = []
    for make in (
        lambda p: AdEMAMix(p, betas=(beta1, BETA2, 0.9999)),
        lambda p: torch.optim.AdamW(p, betas=(0.9, BETA2)),
    ):
        theta = torch.ones(1000, dtype=run.dtype, device=run.device)
        theta.grad = torch.ones_like(theta)
        optimizer = make([theta])
        optimizer.step()
        state = optimizer.state_dict()["state"][0]
        sizes.append(sum(s.nbytes for s in state.values() if isinstance(s, Tensor)))
    return {"state_ratio": sizes[0] / sizes[1]}  # bytes over bytes; 1 says equal


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
    races = []
    for rate in rates:
        path = _race(run, arguments, rate, rate * adam_rate_factor, steps)
        distance = (path - 1).norm(dim=-1)  # to (1, 1)
        for i, name in enumerate(("AdEMAMix", *(f"Adam, β1 = {b}" for b in ADAM_BETA1))):
            run.curve(f"{name}, distance at η = {rate}", range(steps + 1), distance[:, i].tolist())
        races.append(_compare(path, distance))
    columns = zip(*races, strict=True)
    steps_ratio, steps_ratio_low, excess_ratio, path_ratio, distance_ratio, arrival = columns
    return {
        # each the worst for AdEMAMix over the rates
        "steps_ratio": min(steps_ratio),  # fewest steps of Adam to arrive over AdEMAMix's
        "steps_ratio_low": min(steps_ratio_low),  # the same for Adam with β1 = 0.9 alone
        # path beyond the way through the valley, AdEMAMix's over that of Adam with β1 = 0.999
        "excess_ratio": max(excess_ratio),
        "path_ratio": max(path_ratio),  # the same for the whole path
        "distance_ratio": min(distance_ratio),  # Adam's least distance at the end over AdEMAMix's
        "ademamix_steps": max(arrival),  # steps to arrive
        "arrived": sum(a < steps for a in arrival) / len(arrival),  # share of the rates
    }


def _compare(path: Tensor, distance: Tensor) -> tuple[float, ...]:
    """Return the metrics of `rosenbrock` for one race, in its order."""
    steps = len(path) - 1
    length = path.diff(dim=0).norm(dim=-1).sum(dim=0)
    excess = (length - WAY).clamp(min=0)
    near = distance < BALL
    arrival = torch.where(near.any(dim=0), near.int().argmax(dim=0), steps)
    low, slow = (1 + ADAM_BETA1.index(b) for b in (0.9, 0.999))
    return (
        (arrival[1:].min() / arrival[0]).item(),
        (arrival[low] / arrival[0]).item(),
        (excess[0] / excess[slow]).item() if excess[slow] > 0 else math.inf,
        (length[0] / length[slow]).item(),
        (distance[-1, 1:].min() / distance[-1, 0]).item(),
        arrival[0].item(),
    )


def _race(run: Run, arguments: dict[str, Any], rate: float, adam_rate: float, steps: int) -> Tensor:
    """Return the iterates of AdEMAMix, then of Adam with each β1: (steps + 1, runs, 2)."""
    points = torch.tensor([-3.0, 5.0], dtype=run.dtype, device=run.device)
    points = points.repeat(1 + len(ADAM_BETA1), 1)
    gradient = torch.zeros_like(points)
    first, *rest = points  # one parameter a run, a view of points
    for p, g in zip((first, *rest), gradient, strict=True):
        p.grad = g
    ademamix = AdEMAMix([first], lr=rate, **arguments)
    groups = [{"params": [p], "betas": (b, BETA2)} for p, b in zip(rest, ADAM_BETA1, strict=True)]
    adam = torch.optim.Adam(groups, lr=adam_rate, fused=True)

    path = points.new_empty((steps + 1, *points.shape))
    path[0] = points
    for t in range(1, steps + 1):
        gradient.copy_(rosenbrock_gradient(points))
        ademamix.step()
        adam.step()
        path[t] = points
    return path


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
    """AdEMAMix for T steps, AdamW for T, 1.25 T, 1.5 T and 2 T, each with its own cosine decay.

    Both are tuned at T over the same learning rates and β1, on another seed. In a seed all runs
    start from the same model and see the same batches.

    Args:
        alpha: α.
        beta3: β3; its warm-up takes all T steps.
        alpha_warmup: whether that of α does too; without it α = `alpha` from the start.
        steps: T.
        rates: learning rates of the grids.
        windows: how many held-out windows the loss is taken over, at the end of each run.
    """
    grid = {"steps": steps, "rates": list(rates), "windows": windows}
    adamw = run.artefact(adamw_lengths, seed=run.seed, **grid)
    slow = (alpha, beta3, alpha_warmup)
    best = run.artefact(tuned, slow=slow, **grid)
    loss, curve = Language(run.device, run.dtype).pretrain(
        _ademamix(best["beta1"], *slow, steps),
        rate=best["rate"],
        steps=steps,
        seed=run.seed,
        windows=windows,
    )
    run.curve("AdEMAMix", *curve)
    for length, curve in zip(LENGTHS, adamw["curves"], strict=True):
        run.curve(f"AdamW, {length:g} T", *curve)
    return {
        "token_ratio": steps_to_match(loss, LENGTHS, adamw["losses"]),  # AdamW's steps over T
        "loss_gap": adamw["losses"][0] - loss,  # nats, at T; positive where AdEMAMix is lower
        "ademamix_loss": loss,  # held-out, nats a character
        "adamw_loss": adamw["losses"][0],
        "adamw_loss_double": adamw["losses"][-1],  # after 2 T steps
    }


@artefact
def tuned(
    run: Run,
    *,
    slow: tuple[float, float, bool] | None,
    steps: int,
    rates: list[float],
    windows: int,
) -> dict[str, Any]:
    """The learning rate and β1 with the lowest held-out loss after T steps.

    `slow`: α, β3 of AdEMAMix and whether α is warmed up, or None for AdamW. With them come all
    losses, a row a rate; a run that diverges counts as infinite.
    """
    language = Language(run.device, run.dtype)
    grid = list(product(rates, BETA1))
    losses = []
    for i, (rate, beta1) in enumerate(grid):
        make = _adamw(beta1) if slow is None else _ademamix(beta1, *slow, steps)
        loss, _ = language.pretrain(make, rate=rate, steps=steps, seed=run.seed, windows=windows)
        losses.append(loss if math.isfinite(loss) else math.inf)
        run.progress(i + 1, len(grid))
    rate, beta1 = grid[losses.index(min(losses))]
    return {"rate": rate, "beta1": beta1, "losses": np.reshape(losses, (len(rates), -1)).tolist()}


@artefact
def adamw_lengths(
    run: Run, *, seed: int, steps: int, rates: list[float], windows: int
) -> dict[str, Any]:
    """AdamW's held-out loss at each of its lengths, and the training losses on the way."""
    best = run.artefact(tuned, slow=None, steps=steps, rates=rates, windows=windows)
    language = Language(run.device, run.dtype)
    losses, curves = [], []
    for i, length in enumerate(LENGTHS):
        loss, curve = language.pretrain(
            _adamw(best["beta1"]),
            rate=best["rate"],
            steps=round(length * steps),
            seed=seed,
            windows=windows,
        )
        losses.append(loss)
        curves.append(curve)
        run.progress(i + 1, len(LENGTHS))
    return {"losses": losses, "curves": curves}


def _adamw(beta1: float) -> MakeOptimizer:
    return partial(torch.optim.AdamW, betas=(beta1, BETA2), weight_decay=DECAY, fused=True)


def _ademamix(
    beta1: float, alpha: float, beta3: float, alpha_warmup: bool, warmup: int
) -> MakeOptimizer:
    return partial(
        AdEMAMix,
        betas=(beta1, BETA2, beta3),
        alpha=alpha,
        beta3_warmup=warmup,
        alpha_warmup=warmup if alpha_warmup else None,
        weight_decay=DECAY,
    )


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
    ademamix = Language(run.device, run.dtype).gains(
        _ademamix(0.9, alpha, beta3, True, before), rate=rate, **protocol
    )
    run.curve("AdamW: gain on the batch (nats)", *adamw)
    run.curve("AdEMAMix: gain on the batch (nats)", *ademamix)
    return {
        # AdEMAMix's memory over AdamW's; that of AdamW counts as one step at least
        "memory_ratio": _memory(*ademamix) / max(_memory(*adamw), 1.0),
        "ademamix_memory": _memory(*ademamix),  # steps
        "adamw_memory": _memory(*adamw),
        "ademamix_peak": max(ademamix[1]),  # nats a character
        "adamw_peak": max(adamw[1]),
    }


def _memory(steps: Sequence[int], gains: Sequence[float]) -> float:
    """Return the area under the gains over their peak, in steps; 0 if nothing was gained."""
    peak = max(gains)
    return steps[0] * sum(gains) / peak if peak > 0 else 0.0


@artefact
def adamw_gains(
    run: Run, *, rate: float, before: int, after: int, batches: int, seed: int
) -> tuple[list[int], list[float]]:
    """AdamW's side of `forgetting`: steps and gains, as `Language.gains` gives them."""
    return Language(run.device, run.dtype).gains(
        _adamw(0.9), rate=rate, before=before, after=after, batches=batches, seed=seed
    )
