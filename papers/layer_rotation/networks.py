"""Many networks at once on MNIST: data, forward pass with batch normalization, and training."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from common.data import load

from .method import layca, norm

DIGITS, SIDE, BN_EPSILON = 10, 28, 1e-3
BATCH = 100
DECAYS = ((0.6, 0.2), (0.85, 0.2))  # share of the steps after which rates fall, and by which factor

Update = Callable[[list[Tensor], list[Tensor], float], None]


class Task(NamedTuple):
    """Training and test images, one a row, and their digits."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor


def mnist(
    rng: np.random.Generator,
    like: Tensor,
    *,
    per_digit: int,
    pooled: bool = True,
    permuted: bool = False,
    noise: float = 0.0,
) -> Task:
    """Return a random split of mnist5k, standardised by mean and deviation of the training pixels.

    Args:
        rng: draws the images.
        like: gives dtype and device.
        per_digit: training images of each digit, fewer than 500; the rest are for testing.
        pooled: average 2 by 2 pixels, which leaves 14 by 14.
        permuted: reorder the pixels, equally in all images.
        noise: share of the training labels that is replaced by random ones.
    """
    images, labels = load("mnist5k")
    pixels = images.reshape(-1, SIDE, SIDE) / 255.0
    if pooled:
        pixels = pixels.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
    x = pixels.reshape(len(labels), -1)
    by_digit = rng.permuted(np.arange(len(labels)).reshape(DIGITS, -1), axis=1)  # sorted by digit
    train, test = (part.ravel() for part in np.split(by_digit, [per_digit], axis=1))
    x = (x - x[train].mean()) / x[train].std()
    if permuted:
        x = x[:, rng.permutation(x.shape[1])]
    y, random = labels[train], rng.integers(0, DIGITS, len(train))
    y = np.where(rng.random(len(train)) < noise, random, y)
    xs = [torch.as_tensor(x[part]).to(like) for part in (train, test)]
    ys = [torch.as_tensor(digits, device=like.device) for digits in (y, labels[test])]
    return Task(xs[0], ys[0], xs[1], ys[1])


def initial(generator: torch.Generator, sizes: Sequence[int], dtype: torch.dtype) -> list[Tensor]:
    """Return kernels of shape (1, m, n) with entries N(0, 2/m), for layers of the given sizes."""
    return [
        torch.randn(1, m, n, generator=generator, dtype=dtype, device=generator.device)
        * (2 / m) ** 0.5
        for m, n in pairwise(sizes)
    ]


def forward(
    kernels: Sequence[Tensor], x: Tensor, moments: list[tuple[Tensor, Tensor]] | None = None
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Return logits of shape (runs, images, 10), and mean and variance of each hidden layer.

    Kernel, batch normalization without scale and shift, ReLU, and so on; the last kernel gives the
    logits. The networks have no biases.

    Args:
        kernels: of shape (runs, m, n), one a layer.
        x: images, shape (images, pixels).
        moments: to normalize with, as another call returned them; those of `x` where missing.
    """
    seen, h = [], x
    for layer, w in enumerate(kernels[:-1]):
        h = h @ w
        if moments is None:
            variance, mean = torch.var_mean(h, dim=-2, keepdim=True, correction=0)
        else:
            mean, variance = moments[layer]
        seen.append((mean, variance))
        h = torch.relu((h - mean) * (variance + BN_EPSILON).rsqrt())
    return h @ kernels[-1], seen


@torch.no_grad()
def accuracies(kernels: Sequence[Tensor], task: Task) -> tuple[Tensor, Tensor]:
    """Return training and test accuracy of each run, with the moments of the training images."""
    logits, moments = forward(kernels, task.x)
    test, _ = forward(kernels, task.x_test, moments)
    train_hits = (logits.argmax(-1) == task.y).double().mean(-1)
    return train_hits, (test.argmax(-1) == task.y_test).double().mean(-1)


def train(
    kernels: list[Tensor], task: Task, update: Update, generator: torch.Generator, *, steps: int
) -> None:
    """Train all runs on the same batches of 100, in place.

    Args:
        kernels: of shape (runs, m, n), one a layer.
        task: what to learn.
        update: called with kernels, gradients and the factor of the rates at that step.
        generator: draws the order of the images.
        steps: how many.
    """
    per_epoch = len(task.x) // BATCH
    runs = len(kernels[0])
    for t in range(steps):
        if t % per_epoch == 0:
            order = torch.randperm(len(task.x), generator=generator, device=generator.device)
        chosen = order[t % per_epoch * BATCH :][:BATCH]
        leaves = [w.detach().requires_grad_() for w in kernels]
        logits, _ = forward(leaves, task.x[chosen])
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), task.y[chosen].repeat(runs), reduction="sum"
        )
        gradients = torch.autograd.grad(loss / len(chosen), leaves)
        factor = 1.0
        for share, fall in DECAYS:
            factor *= fall if t >= share * steps else 1.0
        update(kernels, list(gradients), factor)


def layca_update(kernels: Sequence[Tensor], rates: Tensor) -> Update:
    """Return Layca on gradient descent; `rates` has shape (layers, runs), ρ_l at the start."""
    norms = [norm(w) for w in kernels]
    rho = rates.to(kernels[0])[:, :, None, None]

    def update(kernels: list[Tensor], gradients: list[Tensor], factor: float) -> None:
        for w, g, r, norm0 in zip(kernels, gradients, rho, norms, strict=True):
            w.copy_(layca(w, g, r * factor, norm0))

    return update


def torch_update(
    kernels: Sequence[Tensor], make: Callable[..., torch.optim.Optimizer], rates: Sequence[float]
) -> Update:
    """Return an optimizer of torch that gives every run its own rate; `rates` are those at first.

    `make` takes groups of parameters, one a run.
    """
    gradients = [torch.zeros_like(w) for w in kernels]
    groups = []
    for run, rate in enumerate(rates):
        parameters = [w[run] for w in kernels]  # views
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g[run]
        groups.append({"params": parameters, "lr": rate})
    optimizer = make(groups)

    def update(_: list[Tensor], new: list[Tensor], factor: float) -> None:
        for g, value in zip(gradients, new, strict=True):
            g.copy_(value)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        optimizer.step()

    return update
