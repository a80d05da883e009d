"""Second derivatives of a loss: products, whole matrices, and the largest eigenvalue.

A loss here maps points of shape (..., p) to values of shape (...), each point on its own, so that
one call serves many runs at once.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor], Tensor]
Product = Callable[[Tensor], Tensor]


def gradient(loss: Loss, w: Tensor) -> Tensor:
    """Return ∇L at each of the points `w`, of the same shape (..., p)."""
    w = w.detach().requires_grad_()
    return torch.autograd.grad(loss(w).sum(), w)[0]


def hessian_product(loss: Loss, w: Tensor) -> Product:
    """Return the map v ↦ ∇²L(w) v.

    The graph of the gradient is built once; every call of the map is one backward pass.

    Args:
        loss: twice differentiable.
        w: points, shape (..., p).

    Returns:
        A function of vectors of the shape of `w`, one a point.
    """
    w = w.detach().requires_grad_()
    (first,) = torch.autograd.grad(loss(w).sum(), w, create_graph=True)

    def product(v: Tensor) -> Tensor:
        return torch.autograd.grad(first, w, grad_outputs=v, retain_graph=True)[0]

    return product


def hessian(loss: Loss, w: Tensor) -> Tensor:
    """Return ∇²L at each of the points `w`, shape (..., p, p), by p Hessian-vector products."""
    product = hessian_product(loss, w)
    basis = torch.eye(w.shape[-1], dtype=w.dtype, device=w.device)
    return torch.stack([product(e.expand_as(w)) for e in basis], dim=-1)


def largest_eigenvalue(
    product: Product, start: Tensor, *, tolerance: float = 1e-6, iterations: int = 200
) -> Tensor:
    """Return the algebraically largest eigenvalue of symmetric matrices, by Lanczos.

    Every new vector is orthogonalised twice against all earlier ones. With θ the largest eigenvalue
    of the k by k tridiagonal matrix, s the last entry of its eigenvector and β the norm of the next
    Lanczos vector before scaling, some eigenvalue lies within |β s| of θ (Parlett 1998, The
    Symmetric Eigenvalue Problem, section 13.2). A matrix is done once |β s| ≤ tolerance |θ|.

    Args:
        product: maps vectors of the shape of `start` to the matrices' products with them.
        start: one vector a matrix, shape (..., n), not orthogonal to the eigenvector sought;
            a random one will do.
        tolerance: relative, on |β s|.
        iterations: products at most; n of them give the exact value.

    Returns:
        Shape (...), the dtype of `start`.

    Raises:
        RuntimeError: `iterations` products were not enough.
    """
    size = start.shape[-1]
    q = start / start.norm(dim=-1, keepdim=True)
    basis = q.unsqueeze(-2)
    alphas: list[Tensor] = []
    betas: list[Tensor] = []
    best = torch.zeros_like(start[..., 0])
    done = torch.zeros_like(best, dtype=torch.bool)
    tiny = 10 * size * torch.finfo(start.dtype).eps
    for _ in range(min(iterations, size)):
        z = product(q)
        alphas.append((q * z).sum(-1))
        for _ in range(2):
            z = z - ((basis @ z.unsqueeze(-1)).mT @ basis).squeeze(-2)
        beta = z.norm(dim=-1)
        theta, last = _largest_of_tridiagonal(alphas, betas)
        best = torch.where(done, best, theta)
        # β near zero: the vectors span an invariant subspace, and θ is as exact as it can be.
        scale = theta.abs() + torch.stack(alphas).abs().amax(0)
        done = done | ((beta * last).abs() <= tolerance * theta.abs()) | (beta <= tiny * scale)
        if bool(done.all()):
            return best
        betas.append(beta)
        q = z / torch.where(beta > 0, beta, 1.0).unsqueeze(-1)
        basis = torch.cat([basis, q.unsqueeze(-2)], dim=-2)
    if iterations < size:
        raise RuntimeError(f"Lanczos: no eigenvalue to {tolerance:g} in {iterations} products")
    return best


def _largest_of_tridiagonal(alphas: list[Tensor], betas: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the largest eigenvalue, and the last entry of its eigenvector."""
    matrix = torch.diag_embed(torch.stack(alphas, dim=-1))
    if betas:
        side = torch.diag_embed(torch.stack(betas, dim=-1), offset=1)
        matrix = matrix + side + side.mT
    values, vectors = torch.linalg.eigh(matrix)
    return values[..., -1], vectors[..., -1, -1]
