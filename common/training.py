"""Training of many runs at once, each with its own rate, on the same batches."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from common.updates import Numbers, Update, column


class Trained(NamedTuple):
    """What a training leaves.

    Attributes:
        theta: (runs, p), the parameters at the end.
        losses: (steps, runs), of each batch before the step on it.
    """

    theta: Tensor
    losses: Tensor


def batches(
    *rows: Tensor,
    size: int | None,
    steps: int,
    generator: torch.Generator,
    replace: bool = False,
) -> Iterator[tuple[Tensor, ...]]:
    """Yield random batches, by default of one random order after the other.

    What is left of an order and too short for a batch is dropped.

    Args:
        *rows: tensors with one entry a row, as inputs and targets.
        size: rows a batch; None for all rows, in their order, without a draw.
        steps: how many batches.
        generator: draws the orders.
        replace: draw each row of each batch from all rows instead.

    Raises:
        ValueError: a batch is larger than all rows.
    """
    count = len(rows[0])
    if size is not None and not replace and size > count:
        raise ValueError(f"batches of {size} from {count} rows")
    order = torch.empty(0, dtype=torch.int64)
    device = generator.device
    for _ in range(steps):
        if size is None:
            yield rows
            continue
        if replace:
            chosen = torch.randint(count, (size,), generator=generator, device=device)
        else:
            if len(order) < size:
                order = torch.randperm(count, generator=generator, device=device)
            chosen, order = order[:size], order[size:]
        yield tuple(part[chosen.to(part.device)] for part in rows)


def train(
    loss: Callable[..., Tensor],
    theta: Tensor,
    batches: Iterable[tuple[Tensor, ...]],
    update: Update,
    rates: Numbers,
    *,
    schedule: Callable[[int], float] | None = None,
    watch: Callable[[int, Tensor], None] | None = None,
) -> Trained:
    """Return the parameters after one step a batch. A run that diverges disturbs no other.

    Args:
        loss: of θ and what a batch holds, one value a run, such as `Mlp.loss`.
        theta: starts, shape (runs, p); left as it is.
        batches: all there are are used.
        update: one of `common.updates`, new unless it goes on from an earlier training, or any
            function from θ, gradient and rates (runs, 1) to θ.
        rates: a number, or one a run.
        schedule: of the step, counted from 1, gives the factor of the rates.
        watch: called after each step with its number and θ, which it must not change.
    """
    rate = column(rates, theta).expand(len(theta), 1)
    theta, losses = theta.detach(), []
    for step, batch in enumerate(batches, 1):
        leaf = theta.detach().requires_grad_()
        value = loss(leaf, *batch)
        (g,) = torch.autograd.grad(value.sum(), leaf)
        with torch.no_grad():
            factor = 1.0 if schedule is None else schedule(step)
            theta = update(theta, g, rate * factor)
        losses.append(value.detach())
        if watch is not None:
            watch(step, theta)
    return Trained(theta, torch.stack(losses) if losses else theta.new_empty(0, len(theta)))
