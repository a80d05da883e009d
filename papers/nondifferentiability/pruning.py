"""Networks trained with an l1 penalty, by gradient and by proximal steps."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, artefact
from common.images import split
from common.nets import Mlp
from common.training import batches, train
from common.updates import Update, adam, sgd

NET = Mlp((784, 128, 10))
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
RATES = (0.01, 0.1)
TAIL = 100  # steps that norms are averaged over: even, since iterates alternate


class Ends(NamedTuple):
    """What trainings end in, for each penalty and rate, shape (6, 2).

    Attributes:
        zeros: share of the weights that are exactly zero at the end.
        norms: ‖W‖₁, the mean over the last steps.
    """

    zeros: Tensor
    norms: Tensor


def ends(run: Run, arm: str, *, rows: int, batch: int, steps: int) -> Ends:
    """Train with each penalty and rate; see `trained`."""
    found = run.artefact(trained, arm=arm, seed=run.seed, rows=rows, batch=batch, steps=steps)
    return Ends(*(torch.as_tensor(found[name]) for name in Ends._fields))


@artefact
def trained(
    run: Run, *, arm: str, seed: int, rows: int, batch: int, steps: int
) -> dict[str, Tensor]:
    """`Ends` of networks of one start on the same batches, all penalties and rates at once.

    Args:
        run: this run.
        arm: "sgd" and "adam" on the loss plus λ‖W‖₁; "squared", SGD on the loss plus λ‖W‖²/2;
            "proximal", SGD on the loss with a soft threshold of ηλ after each step.
        seed: decides on rows, start and batches.
        rows: of FashionMNIST.
        batch: of so many of them.
        steps: one a batch.
    """
    like = torch.zeros((), dtype=run.dtype, device=run.device)
    task = split("fashion_mnist", np.random.default_rng(seed), like, train=rows, test=10)
    generator = torch.Generator(run.device).manual_seed(seed)
    start = NET.initial(generator, dtype=run.dtype)
    counted = weights_of(NET).to(start)
    penalties = torch.tensor(PENALTIES).repeat_interleave(len(RATES)).to(start)
    runs = len(penalties)

    def loss(theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
        found = NET.loss(theta, x, y)
        if arm == "proximal":
            return found
        size = theta.square() / 2 if arm == "squared" else theta.abs()
        return found + penalties * (size @ counted)

    update = adam() if arm == "adam" else sgd()
    if arm == "proximal":
        update = thresholded(update, penalties[:, None] * counted)
    norms: list[Tensor] = []

    def watch(step: int, theta: Tensor) -> None:
        run.progress(step, steps)
        if step > steps - min(TAIL, steps // 2 * 2):
            norms.append(theta.abs() @ counted)

    rounds = batches(task.x, task.y, size=batch, steps=steps, generator=generator)
    rates = torch.tensor(RATES).repeat(len(PENALTIES)).to(start)
    end = train(loss, start.repeat(runs, 1), rounds, update, rates, watch=watch)
    zeros = (end.theta == 0).to(start) @ counted / counted.sum()
    grid = (len(PENALTIES), len(RATES))
    return {"zeros": zeros.view(grid), "norms": torch.stack(norms).mean(dim=0).view(grid)}


def weights_of(net: Mlp) -> Tensor:
    """Return 1 for each of θ's entries that is a weight, and 0 for biases, shape (p,)."""
    marked = torch.zeros(net.size)
    for w in net.weights(marked):
        w.fill_(1)
    return marked


def thresholded(update: Update, penalties: Tensor) -> Update:
    """Return an update that moves each entry towards zero by η times its penalty afterwards."""

    def proximal(theta: Tensor, g: Tensor, rate: Tensor) -> Tensor:
        theta = update(theta, g, rate)
        return theta.sign() * (theta.abs() - rate * penalties).clamp(min=0)

    return proximal
