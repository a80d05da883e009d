"""Gradients of single examples, and how they scatter."""

from collections.abc import Callable

import torch
from torch import Tensor


def gradients(loss: Callable[..., Tensor], theta: Tensor, *rows: Tensor) -> Tensor:
    """Return the gradient of each example's loss, shape (..., n, p).

    The examples take the place of runs, so that one backward pass serves them all.

    Args:
        loss: of θ (..., p) and rows (..., 1, …), a mean over the rows, such as `Mlp.loss`; the rows
            must not act on each other, as they do in a batch norm.
        theta: shape (..., p).
        *rows: with one entry an example, as inputs (n, …) and targets (n,).
    """
    count = len(rows[0])
    each = theta.detach().unsqueeze(-2).expand(*theta.shape[:-1], count, -1)
    each = each.contiguous().requires_grad_()
    values = loss(each, *(part.unsqueeze(1) for part in rows))
    return torch.autograd.grad(values.sum(), each)[0]


def trace_covariance(gradients: Tensor) -> Tensor:
    """Return tr Σ, the unbiased estimate Σᵢ ‖gᵢ − ḡ‖² / (n − 1), shape (...).

    Args:
        gradients: shape (..., n, p), n at least 2.
    """
    centred = gradients - gradients.mean(dim=-2, keepdim=True)
    return centred.square().sum((-1, -2)) / (gradients.shape[-2] - 1)
