"""Learning MNIST with deep linear networks: the task, and the iterations that it takes."""

import math
from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

from common.data import load

from .method import Array, flow, orthogonal, scaled_gaussian
from .modes import descent

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
    return _task(_pixels(), dtype)


def whitened_mnist(dtype: type, kept: int) -> Task:
    """Return the task on the leading principal components of those pixels, so that Σ11 = I."""
    x = _pixels()
    x = x - x.mean(axis=0)
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    if sizes[kept - 1] <= 1e-8 * sizes[0]:
        raise ValueError(f"the pixels have fewer than {kept} principal components")
    return _task(left[:, :kept] * math.sqrt(len(x)), dtype)


def _pixels() -> Array:
    images, _ = load("mnist5k")
    pooled: Array = (images / 255).reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
    return pooled


def _task(x: Array, dtype: type) -> Task:
    y = np.eye(10)[load("mnist5k")[1]]
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    least = ((y - x @ best) ** 2).sum() / (2 * len(x))
    return Task((x.T @ x / len(x)).astype(dtype), (y.T @ x / len(x)).astype(dtype), float(least))


def hidden_layers(
    rng: np.random.Generator, start: str, inputs: int, units: int, depth: int
) -> list[Array]:
    """Return W_1 to W_L of a network with ten outputs, of orthogonal or Gaussian matrices."""
    sizes = [inputs, *[units] * (depth - 1), 10]
    return [STARTS[start](rng, after, before) for before, after in pairwise(sizes)]


def iterations(task: Task, weights: Sequence[Array], rate: float, goal: float, cap: int) -> float:
    """Return the steps until the loss reaches `goal`, linear in between; `cap` at most."""
    start = [w.astype(task.sigma11.dtype) for w in weights]
    before = math.inf
    for step, total in enumerate(islice(descent(start, task.sigma31, task.sigma11, rate), cap + 1)):
        loss = float(task.loss(total))
        if loss <= goal:
            return step - (goal - loss) / (before - loss) if step else 0.0
        before = loss
    return float(cap)


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
