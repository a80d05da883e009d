"""Many perceptrons at once on MNIST: trained by Layca or another optimizer, and looked at."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from common.images import Task
from common.nets import HE, Mlp
from common.schedules import stairs
from common.training import batches, train
from common.updates import Update

from .method import layca, layer_rotation, norm

Array = npt.NDArray[np.float64]

SIDE = 28
BATCH = 100
FALLS = ((0.6, 0.2), (0.85, 0.2))  # share of the steps after which rates fall, and by which factor


def perceptron(*widths: int) -> Mlp:
    """Return a ReLU network with batch normalization without scale and shift, and no biases."""
    return Mlp(widths, norm="batch", bias=False, epsilon=1e-3)


DEEP, SHALLOW = perceptron(196, 128, 128, 128, 10), perceptron(SIDE**2, 100, 10)
LAYERS = 4  # of DEEP


def kernels(net: Mlp, theta: Tensor) -> list[Tensor]:
    """Return views of the layers' kernels, shape (runs, outputs, inputs) each."""
    return [w for w, _ in net.layers(theta)]


def rotations(net: Mlp, theta0: Tensor, theta: Tensor) -> Array:
    """Return the layers' rotations, shape (layers, runs)."""
    pairs = zip(kernels(net, theta0), kernels(net, theta), strict=True)
    return np.stack([layer_rotation(a, w).double().cpu().numpy() for a, w in pairs])


class Trained:
    """Runs at their end, one array entry a run.

    Attributes:
        kernels: shape (runs, outputs, inputs), one a layer.
        theta: the same, flat.
        rotations: of each layer, shape (layers, runs).
        rotation: mean over the layers.
        train: training accuracy.
        test: test accuracy, with the moments of the training images.
    """

    def __init__(self, net: Mlp, theta0: Tensor, theta: Tensor, task: Task) -> None:
        self.theta, self.kernels = theta, kernels(net, theta)
        self.rotations = rotations(net, theta0, theta)
        self.rotation = self.rotations.mean(axis=0)
        moments = net.moments(theta, task.x)
        sides = ((task.x, task.y), (task.x_test, task.y_test))
        self.train, self.test = (
            (net.logits(theta, x, moments).argmax(-1) == y).double().mean(-1).cpu().numpy()
            for x, y in sides
        )


def trained(
    net: Mlp,
    task: Task,
    generator: torch.Generator,
    make_update: Callable[[Tensor], Update],
    rates: Sequence[float],
    *,
    steps: int,
) -> Trained:
    """Train a run a rate, all from the same kernels on the same batches, and look at the ends.

    Args:
        net: the network.
        task: what to learn.
        generator: draws the first kernels and the order of the images.
        make_update: called with the starts, (runs, p).
        rates: at first; they fall by `FALLS`.
        steps: batches of 100 images.
    """
    start = net.initial(generator, dtype=task.x.dtype, draw=HE).repeat(len(rates), 1)
    end = train(
        net.loss,
        start,
        batches(task.x, task.y, size=BATCH, steps=steps, generator=generator),
        make_update(start),
        rates,
        schedule=lambda step: stairs(step, steps=steps, falls=FALLS),
    )
    return Trained(net, start, end.theta, task)


def by_layca(
    net: Mlp, shares: Sequence[Sequence[float]] | None = None
) -> Callable[[Tensor], Update]:
    """Return what makes Layca on gradient descent.

    `shares`: for each run the layers' rates ρ_l over its own; all equal if None.
    """

    def make(start: Tensor) -> Update:
        norms = [norm(w) for w in kernels(net, start)]
        each = start.new_ones(len(norms), 1) if shares is None else start.new_tensor(shares).T

        def update(theta: Tensor, g: Tensor, rate: Tensor) -> Tensor:
            layers = zip(kernels(net, theta), kernels(net, g), each, norms, strict=True)
            parts = [
                layca(w, s, (share[:, None] * rate)[..., None], n) for w, s, share, n in layers
            ]
            return torch.cat([w.flatten(1) for w in parts], dim=1)

        return update

    return make


def smoothness(w: Tensor) -> Array:
    """Return the mean correlation of neighbouring pixels of the filters, one value a run.

    Of each filter, less its mean: the mean product of horizontal and vertical neighbours over the
    mean square.

    Args:
        w: kernels of the first layer, shape (runs, filters, pixels).
    """
    images = w.double().unflatten(-1, (SIDE, SIDE))
    images = images - images.mean((-2, -1), keepdim=True)
    across = (images[..., 1:] * images[..., :-1]).mean((-2, -1))
    down = (images[..., 1:, :] * images[..., :-1, :]).mean((-2, -1))
    return ((across + down) / 2 / images.square().mean((-2, -1))).mean(-1).cpu().numpy()
