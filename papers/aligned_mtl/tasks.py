"""Three tasks on rotated Fashion-MNIST images: the class, a thumbnail, and the angle."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from common.data import Examples, load

from .algebra import matrix
from .method import direction, set_gradient, task_gradients

HELD_OUT = 1000  # images for validation
TESTED = 2000  # images of the test set
TRAIN_SET = 60_000  # of Fashion-MNIST's 70,000 come first
BATCH = 128
WIDTHS = (196, 128, 64)  # of the encoder
OUTPUTS = (10, 49, 1)  # of the heads

Update = Callable[[Tensor], Tensor]  # from G to what stands for the shared gradient


class Part(NamedTuple):
    """Images (n, 196), classes (n,), thumbnails (n, 49) and angles in units of 45° (n, 1)."""

    images: Tensor
    classes: Tensor
    thumbnails: Tensor
    angles: Tensor


class Data(NamedTuple):
    """Images for training, for choosing the learning rate, and for the result."""

    train: Part
    validation: Part
    test: Part


class Errors(NamedTuple):
    """Share of wrong classes, squared errors of thumbnail and angle; of trained tasks alone."""

    validation: list[float]
    test: list[float]


@cache
def _fashion() -> Examples:
    return load("fashion_mnist")


def make(rng: np.random.Generator, images: int, device: str) -> Data:
    """Return random images, each turned by its own angle between −45° and 45°."""
    pixels, labels = _fashion()
    early = rng.choice(TRAIN_SET, images + HELD_OUT, replace=False)
    late = TRAIN_SET + rng.choice(len(pixels) - TRAIN_SET, TESTED, replace=False)
    parts = []
    for rows in (early[:images], early[images:], late):
        angles = torch.tensor(rng.uniform(-1, 1, len(rows)), dtype=torch.float32)
        square = torch.tensor(pixels[rows], dtype=torch.float32).view(-1, 1, 28, 28) / 255
        turned = _turned(square, angles * torch.pi / 4)
        small = functional.avg_pool2d(turned, 2)
        part = Part(
            small.flatten(1),
            torch.tensor(labels[rows]),
            functional.avg_pool2d(small, 2).flatten(1),
            angles[:, None],
        )
        parts.append(Part(*(tensor.to(device) for tensor in part)))
    return Data(*parts)


def _turned(square: Tensor, angle: Tensor) -> Tensor:
    sine, cosine, zero = angle.sin(), angle.cos(), torch.zeros_like(angle)
    rows = [torch.stack(row, -1) for row in ((cosine, -sine, zero), (sine, cosine, zero))]
    grid = functional.affine_grid(torch.stack(rows, 1), list(square.shape), align_corners=False)
    return functional.grid_sample(square, grid, align_corners=False)


class Network:
    """An encoder of two ReLU layers with a linear head a task, as lists of parameters."""

    def __init__(self, generator: torch.Generator, device: str) -> None:
        def layer(p: int, q: int) -> list[Tensor]:
            weight = torch.randn(p, q, generator=generator) * (2 / p) ** 0.5
            bias = torch.zeros(q)
            return [tensor.to(device).requires_grad_() for tensor in (weight, bias)]

        a, b, c = WIDTHS
        self.shared = layer(a, b) + layer(b, c)
        self.heads = [layer(c, outputs) for outputs in OUTPUTS]

    def outputs(self, images: Tensor) -> list[Tensor]:
        """Return what the heads say, one tensor a task."""
        w1, b1, w2, b2 = self.shared
        hidden = torch.relu(torch.relu(images @ w1 + b1) @ w2 + b2)
        return [hidden @ w + b for w, b in self.heads]

    def losses(self, part: Part) -> list[Tensor]:
        """Return cross-entropy and two mean squared errors."""
        classes, thumbnails, angles = self.outputs(part.images)
        return [
            functional.cross_entropy(classes, part.classes),
            functional.mse_loss(thumbnails, part.thumbnails),
            functional.mse_loss(angles, part.angles),
        ]

    @torch.no_grad()
    def errors(self, part: Part) -> list[float]:
        """Return the share of wrong classes, at least one image's, and the two squared errors."""
        _, *squares = self.losses(part)
        wrong = (self.outputs(part.images)[0].argmax(-1) != part.classes).double().mean().item()
        return [max(wrong, 1 / len(part.images)), *(square.item() for square in squares)]


def train(
    data: Data,
    seed: int,
    steps: int,
    rate: float,
    weights: tuple[float, ...],
    update: Update | None,
) -> Network:
    """Return a network after `steps` of Adam on the weighted losses.

    Args:
        data: what it is trained on, in random batches that depend on the seed alone.
        seed: of the initial weights and the batches.
        steps: number of steps.
        rate: learning rate.
        weights: factors of the three losses; a task whose factor is 0 is left out.
        update: makes the shared parameters' gradient out of G; None adds the losses. Heads
            follow their own losses.
    """
    generator = torch.Generator().manual_seed(seed)
    device = str(data.train.images.device)
    network = Network(generator, device)
    every = [*network.shared, *(p for head in network.heads for p in head)]
    adam = torch.optim.Adam(every, lr=rate, fused=True)
    for _ in range(steps):
        rows = torch.randint(len(data.train.images), (BATCH,), generator=generator).to(device)
        losses = network.losses(Part(*(tensor[rows] for tensor in data.train)))
        losses = [weight * loss for weight, loss in zip(weights, losses, strict=True) if weight > 0]
        adam.zero_grad()
        total = torch.stack(losses).sum()
        if update is None:
            total.backward()
        else:
            d = update(task_gradients(losses, network.shared))
            total.backward(inputs=[p for head in network.heads for p in head])
            set_gradient(network.shared, d)
        adam.step()
    return network


def case(
    data: Data,
    seed: int,
    steps: int,
    rate: float,
    method: str,
    number: int,
    factor: float,
    eps: float | None,
) -> Errors:
    """Train one case and return its errors.

    Args:
        data: images.
        seed: of initial weights and batches.
        steps: number of steps.
        rate: learning rate.
        method: "single" for one task alone, "sum", or what stands for G as in `algebra.matrix`.
        number: which task is trained alone, or which loss is multiplied.
        factor: what it is multiplied by.
        eps: rank tolerance of "aligned".
    """
    if method == "single":
        weights = tuple(float(i == number) for i in range(3))
    else:
        weights = tuple(factor if i == number else 1.0 for i in range(3))

    def follow(g: Tensor) -> Tensor:
        if method == "aligned":
            return direction(g, g.new_ones(g.shape[-1]), eps=eps)
        return matrix(method, g, eps).sum(-1)

    network = train(
        data, seed, steps, rate, weights, None if method in ("single", "sum") else follow
    )
    validation, test = network.errors(data.validation), network.errors(data.test)
    if method == "single":
        return Errors(validation[number : number + 1], test[number : number + 1])
    return Errors(validation, test)
