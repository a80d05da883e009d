"""The paper's functions against PyTorch's."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from claimbench import Run

from .method import (
    Array,
    Bend,
    hard_gap,
    hard_subgradient,
    hard_value,
    huber,
    lasso_subgradient,
    pseudo_huber,
    smooth_bound,
    soft_threshold,
)
from .rates import best_gap

TIES = np.array([[0.5, 2.0, -1.0, 2.0], [1.5, 0.2, 1.5, -4.0]])


def disagreements(run: Run, zero: float, tie: str) -> dict[str, float]:
    """Return what `functions` does."""
    root, c, beta = (run.rng.standard_normal(shape) for shape in ((6, 4), 4, (3, 4)))
    h, lam, mu = root.T @ root / 6, 1.3, 0.35
    beta[np.arange(3), [1, 3, 0]] = 0
    leaf = torch.tensor(beta, requires_grad=True)
    quadratic = ((leaf @ torch.tensor(h)) * leaf).sum() / 2 - (leaf @ torch.tensor(c)).sum()
    (expected,) = torch.autograd.grad(quadratic + lam * leaf.abs().sum(), leaf)
    lasso = lasso_subgradient(beta, h, c, lam) + lam * zero * (beta == 0)

    point = torch.tensor(run.rng.standard_normal((5, 4)), requires_grad=True)
    hard = point.amax(dim=-1) + mu / 2 * point.square().sum(dim=-1)
    (slopes,) = torch.autograd.grad(hard.sum(), point)
    at_ties = hard_subgradient(TIES, mu) - mu * TIES
    if tie == "last":
        at_ties = hard_subgradient(TIES[:, ::-1], mu)[:, ::-1] - mu * TIES
    subgradients = [
        lasso - expected.numpy(),
        hard_subgradient(point.detach().numpy(), mu) - slopes.numpy(),
        at_ties - np.array([[0, 1, 0, 0], [1, 0, 0, 0]]),
    ]

    delta = 0.4
    x = torch.tensor(run.rng.uniform(-1, 1, 40), requires_grad=True)
    zeros = torch.zeros_like(x)
    values = {
        "huber": functional.huber_loss(x, zeros, reduction="none", delta=delta) / delta,
        "pseudo": (x.square() + delta**2).sqrt(),
    }
    places = x.detach().numpy()
    bends = {"huber": huber(places, delta), "pseudo": pseudo_huber(places, delta)}
    errors = {name: _errors(values[name], x, bend) for name, bend in bends.items()}
    widths = run.rng.uniform(0.1, 0.6, 3)
    shrunk = [
        soft_threshold(places, w) - functional.softshrink(x, w).detach().numpy() for w in widths
    ]
    return {
        "subgradient_error": _largest(subgradients),
        "derivative_error": max(derivative for _, derivative in errors.values()),
        "value_error": max(
            *(value for value, _ in errors.values()),
            _largest([hard_value(point.detach().numpy(), mu) - hard.detach().numpy()]),
        ),
        "shrink_error": _largest(shrunk),
        "gap_error": max(
            abs(hard_gap(37) - 0.0811107105653813), abs(best_gap(37, False) - hard_gap(37))
        ),
        "bound_error": _largest([np.asarray(smooth_bound(1.7, 0.3, 11) - 2.89 / 6.6)]),
    }


def _errors(value: Tensor, x: Tensor, bend: Bend) -> tuple[float, float]:
    """Return the largest error of the value, and of both derivatives."""
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    pairs = [(slope, bend.slope), (curvature, bend.curvature)]
    derivatives = [theirs.detach().numpy() - ours for theirs, ours in pairs]
    return _largest([value.detach().numpy() - bend.value]), _largest(derivatives)


def _largest(errors: list[Array]) -> float:
    return float(max(np.abs(error).max() for error in errors))
