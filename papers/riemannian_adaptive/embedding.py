"""Embedding a hierarchy in the Poincaré ball: loss, negatives, training of several runs at once.

The task is that of Nickel and Kiela 2017, arXiv 1705.08039. Points have shape (nodes, runs, d).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from claimbench import Run, artefact
from common.data import load
from common.tuning import pick

from .method import POINCARE, Manifold, State, conformal, distance, ramsgrad, start

NEGATIVES = 10
DIMENSION = 5
BATCH = 50


class Method(NamedTuple):
    """An optimizer with the rates that are to be run.

    Attributes:
        rates: one a run.
        manifold: the ball, with exponential map or retraction.
        beta1: decay of the gradients' average.
        beta2: decay of the squared norms' average; None keeps v at 1.
        maximum: RAMSGrad instead of RADAM.
        euclidean: the Euclidean gradient in place of the Riemannian one.
    """

    rates: tuple[float, ...]
    manifold: Manifold
    beta1: float = 0.0
    beta2: float | None = None
    maximum: bool = False
    euclidean: bool = False


class Hierarchy(NamedTuple):
    """Pairs of a node and an ancestor, (pairs, 2), and whether two nodes are such a pair."""

    pairs: npt.NDArray[np.int64]
    related: npt.NDArray[np.bool_]


def mammals() -> Hierarchy:
    """Return the transitive closure of WordNet's mammals."""
    pairs = load("wordnet_mammals").inputs
    related = np.eye(pairs.max() + 1, dtype=bool)
    related[pairs[:, 0], pairs[:, 1]] = True
    return Hierarchy(pairs, related)


def draw(tree: Hierarchy, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return node, ancestor and ten nodes that are no ancestors, for all pairs in random order."""
    pairs = rng.permutation(tree.pairs)
    nodes = pairs[:, :1].repeat(NEGATIVES, axis=1)
    negatives = rng.integers(len(tree.related), size=nodes.shape)
    while (wrong := tree.related[nodes, negatives]).any():
        negatives[wrong] = rng.integers(len(tree.related), size=wrong.sum())
    return np.concatenate([pairs, negatives], axis=1)


def loss_and_gradient(x: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each run, and the Riemannian gradient of the sum.

    The loss of a row u, v, v' … is -log(e^(-d(u, v)) / Σ e^(-d(u, v'))), the sum with v. The
    gradient of d(u, v) at u is the unit vector away from v, -(⊖u ⊕ v)/(λ_u |⊖u ⊕ v|).

    Args:
        x: shape (nodes, runs, d).
        batch: indices of nodes (rows, 2 + negatives).
    """
    rows, width = batch.shape[0], batch.shape[1] - 1
    u = x[batch[:, 0]].unsqueeze(1)
    v = x[batch[:, 1:].flatten()].unflatten(0, (rows, width))
    uv = (u * v).sum(-1, keepdim=True)
    uu, vv = u.square().sum(-1, keepdim=True), v.square().sum(-1, keepdim=True)
    apart = (uu - 2 * uv + vv).clamp_min(1e-24).sqrt()
    d = 2 * (apart / ((1 - uu) * (1 - vv)).sqrt()).asinh()
    log_share = torch.log_softmax(-d, dim=1)
    slope = -log_share.exp()
    slope[:, 0] += 1
    slope = slope / (2 * apart * (1 - 2 * uv + uu * vv).sqrt())
    at_u = slope * (1 - uu) * ((1 - 2 * uv + vv) * u - (1 - uu) * v)
    at_v = slope * (1 - vv) * ((1 - 2 * uv + uu) * v - (1 - vv) * u)
    g = torch.zeros_like(x)
    g.index_add_(0, batch[:, 0], at_u.sum(1))
    g.index_add_(0, batch[:, 1:].flatten(), at_v.flatten(0, 1))
    return -log_share[:, 0].mean((0, -1)), g


def train(
    tree: Hierarchy,
    methods: list[Method],
    rng: np.random.Generator,
    *,
    epochs: int,
    dtype: torch.dtype,
) -> tuple[npt.NDArray[np.float64], Tensor]:
    """Train all methods at all their rates on the same batches, from the same start.

    The first tenth of the epochs has a tenth of the rates.

    Returns:
        Mean loss over each epoch, shape (epochs, runs), and the points, shape (nodes, runs, d).
    """
    nodes = len(tree.related)
    initial = torch.tensor(rng.uniform(-1e-3, 1e-3, (nodes, 1, DIMENSION)), dtype=dtype)
    points = [initial.repeat(1, len(method.rates), 1) for method in methods]
    states = [start(x) for x in points]
    rates = [torch.tensor(method.rates, dtype=dtype)[:, None] for method in methods]
    counts = [len(method.rates) for method in methods]
    losses = []
    for epoch in range(epochs):
        scale = 0.1 if epoch < epochs / 10 else 1.0
        rows = torch.from_numpy(draw(tree, rng))
        batches = rows[: len(rows) // BATCH * BATCH].split(BATCH)
        total = torch.zeros(sum(counts), dtype=dtype)
        for chosen in batches:
            loss, gradient = loss_and_gradient(torch.cat(points, dim=1), chosen)
            total += loss
            for i, g in enumerate(gradient.split(counts, dim=1)):
                points[i], states[i] = _step(methods[i], points[i], states[i], g, scale * rates[i])
        losses.append((total / len(batches)).numpy())
    return np.array(losses), torch.cat(points, dim=1)


def _step(method: Method, x: Tensor, state: State, g: Tensor, rate: Tensor) -> tuple[Tensor, State]:
    manifold = method.manifold
    if method.beta2 is None:
        return rsgd(manifold, x, g, rate), state
    if method.euclidean:
        g = g * conformal(x) ** 2
    return ramsgrad(manifold, x, state, g, rate, method.beta1, method.beta2, maximum=method.maximum)


def mean_average_precision(x: Tensor, related: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return each run's MAP: how well nodes near a node are its ancestors.

    For each node that has ancestors all other nodes are ranked by their distance; the precision at
    the rank of an ancestor is the share of ancestors among the nodes up to it; the mean over the
    ancestors is the node's average precision, and MAP its mean over the nodes.

    Args:
        x: points, shape (nodes, runs, d).
        related: whether the second node is an ancestor of the first, shape (nodes, nodes); the
            diagonal is left out.
    """
    ancestors = related & ~np.eye(len(related), dtype=bool)
    some = ancestors.any(axis=1)
    found = []
    for points in x.unbind(1):
        d = distance(points.unsqueeze(1), points).squeeze(-1).fill_diagonal_(torch.inf)
        order = d.argsort(dim=1).numpy()
        hits = np.take_along_axis(ancestors, order, axis=1)[some]
        precision = hits.cumsum(axis=1) / np.arange(1, len(related) + 1)
        found.append(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())
    return np.array(found)


def rsgd(manifold: Manifold, x: Tensor, g: Tensor, rate: float | Tensor) -> Tensor:
    """Return x after one step of Riemannian SGD, the baseline."""
    return manifold.project(manifold.exp(x, -rate * g))


@artefact
def tuned(
    run: Run, *, epochs: int, rates: Sequence[float], adaptive_rates: Sequence[float]
) -> dict[str, float]:
    """Return the best rate of each method, by the mean loss over the last epoch."""
    methods = {
        "rsgd": Method(tuple(rates), POINCARE),
        "radam": Method(tuple(adaptive_rates), POINCARE, 0.9, 0.999),
        "ramsgrad": Method(tuple(adaptive_rates), POINCARE, 0.9, 0.999, maximum=True),
    }
    losses, _ = train(mammals(), list(methods.values()), run.rng, epochs=epochs, dtype=run.dtype)
    finals = np.split(losses[-1], [len(rates), len(rates) + len(adaptive_rates)])
    return {
        name: pick(run, name, {"rate": method.rates}, final).setting["rate"]
        for (name, method), final in zip(methods.items(), finals, strict=True)
    }


@artefact
def tuned_without_adaptivity(run: Run, *, epochs: int, rates: Sequence[float]) -> dict[str, float]:
    """Return the best rate of RADAM with β1 = 0 and v = 1, on batches of its own."""
    losses, _ = train(
        mammals(), [Method(tuple(rates), POINCARE)], run.rng, epochs=epochs, dtype=run.dtype
    )
    return pick(run, "without adaptivity", {"rate": rates}, losses[-1]).setting
