"""Learning MNIST with deep linear networks: the task, and its learning time at the best rate."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from common.data import load

from .method import Array, flow, orthogonal, scaled_gaussian

MakeWeights = Callable[[np.random.Generator, int, int], Array]
STARTS: dict[str, MakeWeights] = {"orthogonal": orthogonal, "gaussian": scaled_gaussian}


class Task(NamedTuple):
    """Σ11 and Σ31 of a regression on one-hot labels, and the loss of least squares."""

    sigma11: Array
    sigma31: Array
    least: float

    def loss(self, w: Array) -> Array:
        """Return E |y − W x|² / 2 for W of shape (..., outputs, inputs)."""
        fit = w @ self.sigma11 - 2 * self.sigma31
        return 0.5 * (1 + (fit * w).sum(axis=(-2, -1)))


def pooled_mnist(dtype: type) -> Task:
    """Return the task of telling digits from 7 by 7 pixels, each the mean of 16, from 0 to 1."""
    images, labels = load("mnist5k")
    x = (images / 255).reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
    y = np.eye(10)[labels]
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    least = ((y - x @ best) ** 2).sum() / (2 * len(x))
    return Task((x.T @ x / len(x)).astype(dtype), (y.T @ x / len(x)).astype(dtype), float(least))


def fewest_iterations(
    task: Task, weights: Sequence[Array], rates: int, cap: int
) -> tuple[float, bool]:
    """Return the iterations to 4/3 of the least loss with the best rate, linear in between.

    The rates are 10^{-2.5} to 100 in units of 1/(L λmax(Σ11)), evenly in logarithms. All descend
    side by side; one whose loss passes 1000 is dropped. The second value says whether the best rate
    is the first or last; without any within `cap` iterations the result is (cap, False).
    """
    top = np.linalg.eigvalsh(task.sigma11)[-1]
    grid = np.logspace(-2.5, 2, rates) / (len(weights) * top)
    index, before, goal = np.arange(rates), np.full(rates, np.inf), 4 / 3 * task.least
    dtype = task.sigma11.dtype
    nets = [np.repeat(w[None].astype(dtype), rates, axis=0) for w in weights]
    for step in range(cap + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # the largest rates blow up
            directions, total = flow(nets, task.sigma31, task.sigma11)
            loss = task.loss(total)
        learnt = np.flatnonzero(loss <= goal)
        if len(learnt) and step > 0:
            counts = step - (goal - loss[learnt]) / (before[learnt] - loss[learnt])
            best = int(index[learnt[counts.argmin()]])
            return float(counts.min()), best in (0, rates - 1)
        keep = loss < 1000
        if not keep.all():
            index, loss = index[keep], loss[keep]
            nets = [w[keep] for w in nets]
            directions = [d[keep] for d in directions]
        rate = grid[index].astype(dtype)[:, None, None]
        for w, direction in zip(nets, directions, strict=True):
            w += rate * direction
        before = loss
    return float(cap), False
