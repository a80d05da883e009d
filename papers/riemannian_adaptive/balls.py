"""Points, descents and means on Poincaré balls, and the ball's operations beside geoopt's."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor

from claimbench import Run
from common.errors import absolute, largest

from .embedding import loss_and_gradient, mean_average_precision
from .method import (
    POINCARE,
    RETRACTION,
    Manifold,
    clip,
    conformal,
    distance,
    exp,
    length,
    mobius_add,
    ramsgrad,
    riemannian_gradient,
    start,
    transport,
)


def log(x: Tensor, y: Tensor) -> Tensor:
    """Return Log_x(y), the tangent vector at x with Exp_x(Log_x(y)) = y; the gradient at x of
    d²(x, y)/2 is its negative.
    """
    w = mobius_add(-x, y)
    size = length(w)
    return 2 / conformal(x) * size.atanh() * w / torch.where(size > 0, size, 1)


def at_radius(run: Run, radius: npt.NDArray[np.float64], d: int) -> Tensor:
    """Return points of that Euclidean radius (..., 1) in random directions, shape (..., d)."""
    direction = run.rng.standard_normal((*radius.shape[:-1], d))
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return torch.tensor(radius * direction, dtype=run.dtype)


def descend(manifold: Manifold, x: Tensor, anchors: Tensor) -> Tensor:
    """Return a hundred iterates of RAMSGrad on the sum of squared distances to the anchors."""
    state, path = start(x), []
    for t in range(1, 101):
        g = -2 * log(x, anchors).sum(0, keepdim=True)
        x, state = ramsgrad(manifold, x, state, g, 0.1 / math.sqrt(t), 0.9, 0.999)
        path.append(x)
    return torch.cat(path)


def operation_error(run: Run, ball: Any) -> float:
    """Return the largest error of the ball's operations against geoopt's, relative."""
    x = at_radius(run, run.rng.uniform(0, 0.95, (200, 1)), 4)
    y = at_radius(run, run.rng.uniform(0, 0.95, (200, 1)), 4)
    v = torch.tensor(run.rng.standard_normal((200, 4)), dtype=run.dtype) / conformal(x)
    outside = at_radius(run, run.rng.uniform(0.99998, 1.2, (200, 1)), 4)
    pairs = (
        (exp(x, v), ball.expmap(x, v)),
        (log(x, y), ball.logmap(x, y)),
        (distance(x, y), ball.dist(x, y, keepdim=True)),
        (transport(x, y, v), ball.transp(x, y, v)),
        (POINCARE.square_norm(x, v), ball.inner(x, v, keepdim=True)),
        (RETRACTION.project(RETRACTION.exp(x, v)), ball.projx(x + v)),
        (riemannian_gradient(x, v), ball.egrad2rgrad(x, v)),
        (clip(outside), ball.projx(outside)),
    )
    return max(largest(ours, theirs) for ours, theirs in pairs)


def embedding_errors(run: Run, ball: Any) -> tuple[float, float]:
    """Return the errors of the embedding's loss and gradient against geoopt's and autodiff's."""
    x = at_radius(run, run.rng.uniform(0.1, 0.95, (30, 2, 1)), 5)
    batch = torch.tensor(np.array([run.rng.permutation(30)[:12] for _ in range(20)]))
    ours, g = loss_and_gradient(x, batch)
    leaf = x.clone().requires_grad_()
    d = ball.dist(leaf[batch[:, 0]].unsqueeze(1), leaf[batch[:, 1:]])
    losses = -torch.log_softmax(-d, dim=1)[:, 0]
    theirs = ball.egrad2rgrad(x, torch.autograd.grad(losses.sum(), leaf)[0])
    return absolute(ours, losses.mean(0).detach()), largest(g, theirs)


def map_error(run: Run) -> float:
    """Return the error of the embedding's MAP against scikit-learn's average precision."""
    x = at_radius(run, run.rng.uniform(0.1, 0.95, (25, 2, 1)), 3)
    related = np.eye(25, dtype=bool) | (run.rng.uniform(size=(25, 25)) < 0.2)
    related[7] = np.arange(25) == 7  # without an ancestor
    expected = []
    for points in x.unbind(1):
        d = distance(points.unsqueeze(1), points).squeeze(-1).numpy()
        scores = [
            average_precision_score(np.delete(related[i], i), -np.delete(d[i], i))
            for i in range(25)
            if related[i].sum() > 1
        ]
        expected.append(np.mean(scores))
    return absolute(mean_average_precision(x, related), expected)
