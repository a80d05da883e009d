"""Aligned-MTL: descent along the gradients' nearest matrix with condition number one.

Senushkin, Patakin, Kuznetsov and Konushin 2023, arXiv 2305.19000, Section 4 and Algorithm 1. This
is the method on the gradients of the shared parameters; the cheaper variant on those of the shared
representation (Aligned-MTL-UB) is the same algebra with another G.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Scale = Literal["min", "median", "rmse"]


class Alignment(NamedTuple):
    """What aligning takes from the Gram matrix M = GᵀG = V Λ Vᵀ.

    Attributes:
        b: B = σ V Λ^{-1/2} Vᵀ over the kept eigenvectors, shape (..., T, T); Ĝ = G B.
        sigma: σ, the singular value that all kept directions get, shape (...); 0 if none is kept.
        rank: R, how many are kept, shape (...).
    """

    b: Tensor
    sigma: Tensor
    rank: Tensor


def alignment(m: Tensor, *, eps: float | None = None, scale: Scale = "min") -> Alignment:
    """Return the alignment of gradients whose Gram matrix is M (Algorithm 1).

    Args:
        m: M, symmetric, shape (..., T, T).
        eps: directions with λ ≤ λ_1 T eps count as absent. None: the rounding unit of M's type. The
            authors' code takes that of torch's default type, float32 mostly, whatever M's is.
        scale: σ of the kept singular values: "min" is the paper's σ_R, with its theorem; "median"
            (the lower of two) and "rmse", the root of their mean square, are larger, and in the
            authors' code only.
    """
    if eps is None:
        eps = torch.finfo(m.dtype).eps
    lam, v = torch.linalg.eigh(m)  # ascending
    kept = lam > lam[..., -1:] * m.shape[-1] * eps
    rank = kept.sum(-1)
    if scale == "rmse":
        square = torch.where(kept, lam, 0).sum(-1, keepdim=True) / rank.clamp(min=1).unsqueeze(-1)
    else:
        first = m.shape[-1] - rank.clamp(min=1)  # of the kept ones
        middle = (rank.clamp(min=1) - 1) // 2 if scale == "median" else 0
        square = lam.gather(-1, (first + middle).unsqueeze(-1))
    factor = torch.where(kept, (square / torch.where(kept, lam, 1)).clamp(min=0).sqrt(), 0)
    b = (v * factor.unsqueeze(-2)) @ v.mT
    sigma = torch.where(rank > 0, square.squeeze(-1), 0).clamp(min=0).sqrt()
    return Alignment(b, sigma, rank)


def aligned(g: Tensor, *, eps: float | None = None, scale: Scale = "min") -> Tensor:
    """Return Ĝ = G B in float64, one gradient a column, for G of shape (..., n, T).

    Of all matrices with orthogonal columns of length σ_R it is the nearest to G. A float32 Gram
    matrix would lose every σ below 3e-4 σ_1.
    """
    g = g.double()
    return g @ alignment(g.mT @ g, eps=eps, scale=scale).b


def direction(g: Tensor, w: Tensor, *, eps: float | None = None, scale: Scale = "min") -> Tensor:
    """Return d = Ĝ w = G (B w), shape (..., n), which stands for the gradient of Σ w_i L_i.

    Args:
        g: G, shape (..., n, T).
        w: preset weights of the tasks, shape (..., T). The paper's sum to one; the authors' code
            adds the columns, w = 1, which makes d T times larger than equal weights do.
        eps: as in `alignment`.
        scale: as in `alignment`.
    """
    g = g.double()
    b = alignment(g.mT @ g, eps=eps, scale=scale).b
    return (g @ (b @ w.to(torch.float64).unsqueeze(-1))).squeeze(-1)


def condition_number(g: Tensor) -> Tensor:
    """Return κ(G) = σ_1 / σ_T of G, shape (..., n, T), in float64: the stability criterion."""
    sigma = torch.linalg.svdvals(g.double())
    return sigma[..., 0] / sigma[..., -1]


def task_gradients(losses: Sequence[Tensor], shared: Sequence[Tensor]) -> Tensor:
    """Return G: in column i the gradient of loss i by all shared parameters, flattened in order."""
    columns = []
    for loss in losses:
        parts = torch.autograd.grad(loss, shared, retain_graph=True)
        columns.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(columns, dim=-1)


def set_gradient(shared: Sequence[Tensor], d: Tensor) -> None:
    """Write d, as flattened by `task_gradients`, into the `grad` of the shared parameters."""
    for p, part in zip(shared, d.split([p.numel() for p in shared]), strict=True):
        p.grad = part.view_as(p).to(p.dtype)
