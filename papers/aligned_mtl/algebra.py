"""Matrices of gradients, what stands for them in an update, and independent values to compare."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from claimbench import Run
from common.data import load
from common.errors import relative

from .method import aligned, alignment, direction, set_gradient, task_gradients

SHAPES = ((5, 2), (5, 3), (50, 2), (50, 3), (50, 8), (5000, 2), (5000, 3), (5000, 8))  # n, T


def matrix(align: str, g: Tensor, eps: float | None = None) -> Tensor:
    """Return what stands for G in the update, in float64.

    Args:
        align: "aligned"; "raw" for G itself; "normalised" for gradients that are all made as long
            as the aligned ones, which takes away their dominance and leaves their conflict;
            "pcgrad" for gradients without their parts against each other (Yu et al. 2020, Algorithm
            1, the others in their order).
        g: G, shape (..., n, T).
        eps: as in `alignment`.
    """
    g = g.double()
    if align == "aligned":
        return aligned(g, eps=eps)
    if align == "raw":
        return g
    if align == "pcgrad":
        return _without_conflicts(g)
    sigma = alignment(g.mT @ g, eps=eps).sigma[..., None, None]
    return torch.nan_to_num(sigma * g / g.norm(dim=-2, keepdim=True))  # zero columns stay zero


def _without_conflicts(g: Tensor) -> Tensor:
    columns = list(g.unbind(-1))
    out = []
    for i, column in enumerate(columns):
        for j, other in enumerate(columns):
            if i != j:
                product = (column * other).sum(-1, keepdim=True).clamp(max=0)
                column = column - product / other.square().sum(-1, keepdim=True) * other
        out.append(column)
    return torch.stack(out, -1)


def columns(*vectors: Sequence[float]) -> Tensor:
    """Return the matrix with these columns, in float64."""
    return torch.tensor(vectors, dtype=torch.float64).mT


def highest(*values: float) -> float:
    """Return the largest value, NaN if one is."""
    return float(np.max(values))


def lowest(*values: float) -> float:
    """Return the smallest value, NaN if one is."""
    return float(np.min(values))


def largest(x: Tensor) -> float:
    """Return the largest absolute entry."""
    return x.abs().max().item()


def float32_error(eps: float | None) -> float:
    """Return the error of Ĝ for float32 gradients (1, 0) and (1, 2⁻¹²), in units of σ_min.

    Their Gram matrix needs 25 bits, one more than float32 has.
    """
    g = columns((1, 0), (1, 2**-12))
    hat = aligned(g.float(), eps=eps)
    u, sigma, vt = torch.linalg.svd(g)
    return largest(hat - sigma[-1] * u @ vt) / sigma[-1].item()


def written_error() -> float:
    """Return the error of the gradients of a (2, 2) and a (1,) parameter, set from one d."""
    shared = [torch.zeros(2, 2, requires_grad=True), torch.zeros(1, requires_grad=True)]
    set_gradient(shared, torch.arange(1, 6, dtype=torch.float64))
    wanted = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5.0])]
    found = [p.grad for p in shared if p.grad is not None]
    return highest(*(largest(g - w) for g, w in zip(found, wanted, strict=True)))


def scale_error() -> float:
    """Return how far B is from V Λ^{-1/2} Vᵀ times median and root mean square, relative.

    Of gradients with the singular values 1, 2, 4 and 7, once with the smallest repeated away.
    """
    generator = torch.Generator().manual_seed(5)
    left, right = (
        torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64)).Q
        for n in (6, 4)
    )
    errors = []
    for sizes in ((1.0, 2.0, 4.0, 7.0), (0.0, 2.0, 4.0, 7.0)):
        sigma = torch.tensor(sizes, dtype=torch.float64)
        g = (left[:, :4] * sigma) @ right.mT
        kept = right[:, sigma > 0]
        whitened = kept / sigma[sigma > 0] @ kept.mT
        median = sorted(sizes[-len(kept.mT) :])[(len(kept.mT) - 1) // 2]
        mean = math.sqrt(sum(size**2 for size in sizes) / len(kept.mT))
        for scale, wanted in (("median", median), ("rmse", mean)):
            found = alignment(g.mT @ g, scale=scale).b  # type: ignore[arg-type]
            errors.append(relative(found, wanted * whitened))
    return max(errors)


def systems(
    run: Run, draws: int, n: int, t: int, *, decades: float, correlations: Sequence[float]
) -> Tensor:
    """Return random gradients of shape (draws, n, T).

    All columns share a part, so that their correlations in expectation are one of `correlations`
    with random signs; their scales span `decades` decades above one.
    """
    rho = torch.tensor(run.rng.choice(correlations, (draws, 1, 1)))
    signs = torch.tensor(run.rng.choice([-1.0, 1.0], (draws, 1, t)))
    common, own = (torch.tensor(run.rng.standard_normal((draws, n, k))) for k in (1, t))
    scales = torch.tensor(10 ** run.rng.uniform(0, decades, (draws, 1, t)))
    return scales * signs * (rho.sqrt() * common + (1 - rho).sqrt() * own) / math.sqrt(n)


def competitor_gain(run: Run, g: Tensor, hat: Tensor, polar: Tensor, least: Tensor) -> float:
    """Return the smallest ‖Q − G‖ / ‖Ĝ − G‖ − 1, where Q is σ_min times orthonormal columns."""
    own = (hat - g).flatten(1).norm(dim=1)
    worst = math.inf
    for size in np.geomspace(0.01, 100, -(-1000 // len(g))):
        noise = torch.tensor(run.rng.standard_normal(tuple(g.shape)))
        u, _, vt = torch.linalg.svd(polar + size * noise, full_matrices=False)
        theirs = (least * (u @ vt) - g).flatten(1).norm(dim=1)
        worst = lowest(worst, (theirs / own - 1).min().item())
    return worst


def repeated_error(hat: Tensor, g: Tensor) -> float:
    """Return ‖ĜᵀĜ − σ_R² P‖ / σ_R², P the projector on all right singular vectors but the last."""
    _, sigma, vt = torch.linalg.svd(g, full_matrices=False)
    v = vt[:, :-1]
    square = sigma[:, -2, None, None] ** 2
    return (hat.mT @ hat / square - v.mT @ v).flatten(1).norm(dim=1).max().item()


def identity(run: Run, g: Tensor, hat: Tensor) -> tuple[float, float]:
    """Return the identity's largest relative error, and the smallest cosine of Gw and Ĝw."""
    w = torch.tensor(run.rng.dirichlet(np.full(g.shape[-1], 0.5), 1000)).mT  # (T, 1000)
    _, sigma, vt = torch.linalg.svd(g, full_matrices=False)
    root = vt.mT @ (sigma[..., None] * vt)
    wanted = sigma[..., -1:] * (w * (root @ w)).sum(-2)
    product, raw, turned = ((w * (a.mT @ b @ w)).sum(-2) for a, b in ((g, hat), (g, g), (hat, hat)))
    return largest(product / wanted - 1), (product / (raw * turned).sqrt()).min().item()


def digit_gradients(run: Run) -> Tensor:
    """Return G of a 64-32-16 tanh network with heads for parity, at least 5, and which digit."""
    images, labels = load("digits")
    chosen = run.rng.choice(len(images), 256, replace=False)
    x, y = torch.tensor(images[chosen] / 16), torch.tensor(labels[chosen])
    generator = torch.Generator(run.device).manual_seed(run.seed)

    def weight(p: int, q: int) -> Tensor:
        return torch.randn(p, q, generator=generator, dtype=run.dtype) / p**0.5

    shared = [weight(64, 32).requires_grad_(), weight(32, 16).requires_grad_()]
    hidden = torch.tanh(torch.tanh(x @ shared[0]) @ shared[1])
    targets = ((y % 2, 2), ((y >= 5).long(), 2), (y, 10))
    losses = [
        torch.nn.functional.cross_entropy(hidden @ weight(16, classes), target)
        for target, classes in targets
    ]
    return task_gradients(losses, shared)


def step_errors(run: Run, align: str) -> tuple[float, float]:
    """Return errors of G and of the gradient that an optimizer finds, for a network of three tasks.

    The shared parameters are 4 by 6, 6, and 6 by 3. The reference takes each loss's derivative in
    all of them by forward differentiation, and σ_min U Vᵀ w from the decomposition.
    """
    generator = torch.Generator(run.device).manual_seed(run.seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=run.dtype, device=run.device)

    x, shared = draw(30, 4), [draw(4, 6), draw(6), draw(6, 3)]
    targets, factors = draw(3, 30), (1.0, 3.0, 0.2)
    w = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)

    def losses(w1: Tensor, b1: Tensor, w2: Tensor) -> Tensor:
        out = torch.tanh(x @ w1 + b1) @ w2
        return torch.stack(
            [f * (o - y).square().mean() for f, o, y in zip(factors, out.mT, targets, strict=True)]
        )

    slopes = torch.func.jacfwd(losses, argnums=(0, 1, 2))(*shared)
    wanted = torch.cat([slope.flatten(1) for slope in slopes], dim=1).mT
    parameters = [p.clone().requires_grad_() for p in shared]
    for p in parameters:
        p.grad = torch.full_like(p, 7.0)
    g = task_gradients(list(losses(*parameters)), parameters)
    d = direction(g, w) if align == "aligned" else matrix(align, g) @ w
    set_gradient(parameters, d)
    u, sigma, vt = torch.linalg.svd(wanted.double(), full_matrices=False)
    step = sigma[-1] * u @ vt @ w
    parts = step.split([p.numel() for p in shared])
    errors = [
        relative(p.grad, part.reshape(p.shape)) for p, part in zip(parameters, parts, strict=True)
    ]
    columns = [relative(a, b) for a, b in zip(g.mT, wanted.mT, strict=True)]
    return max(columns), max(errors)
