"""Derivatives by complex steps, exact to rounding."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from .method import Array, activities, curvature, flow, jacobian, optimum_curvature


def flow_error(rng: np.random.Generator, told_white: bool) -> float:
    """Return how far the flow of three networks, 5, 4, 6 and 3 units, is from their loss's slope.

    `told_white`: the flow is told Σ11 = I, which the inputs do not have.
    """
    x, y = rng.standard_normal((30, 5)), rng.standard_normal((30, 3))
    nets = [rng.standard_normal((3, after, before)) / 2 for before, after in pairwise((5, 4, 6, 3))]
    sigma11 = np.eye(5) if told_white else x.T @ x / len(x)
    rates, total = flow(nets, y.T @ x / len(x), sigma11)
    errors = [np.abs(total - nets[2] @ nets[1] @ nets[0]).max()]
    errors += [np.abs(a + b).max() for a, b in zip(rates, loss_slopes(nets, x, y), strict=True)]
    return float(max(errors))


def loss_slopes(weights: Sequence[Array], x: Array, y: Array) -> Iterator[Array]:
    """Yield the derivative in each of three layers of the mean of |y − W₃W₂W₁x|² / 2.

    Args:
        weights: shapes (nets, n_{l+1}, n_l).
        x: inputs, (count, n_1).
        y: targets, (count, n_4).
    """
    for i, w in enumerate(weights):
        slope = np.empty_like(w)
        for row, column in np.ndindex(w.shape[1:]):
            moved = [net.astype(complex) for net in weights]
            moved[i][:, row, column] += 1e-30j
            rest = y - x @ (moved[2] @ moved[1] @ moved[0]).swapaxes(-1, -2)
            loss = (rest**2).sum(axis=(-2, -1)) / (2 * len(x))
            slope[:, row, column] = loss.imag / 1e-30
        yield slope


def energy_hessian(a: Array, s: float) -> Array:
    """Return the second derivatives of (s − Π a)² / 2, exact to rounding."""
    points = a[:, None] + 1e-30j * np.eye(len(a))  # a column a direction
    product = points.prod(axis=0)
    gradient = (product - s) * product / points
    return gradient.imag / 1e-30


def tanh_jacobians(weights: Sequence[Array], rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the Jacobian of Eq. 22 at a random point and gain 1.3, and that of Eq. 20's layers."""
    point = rng.standard_normal(len(weights[0]))
    moved = point[:, None] + 1e-30j * np.eye(len(point))
    return jacobian(weights, point, 1.3), activities(weights, moved, 1.3)[-1].imag / 1e-30


def hessian_errors(spread: float) -> dict[str, float]:
    """Compare the Hessian of E(a) = (s − Π a)² / 2τ with Eqs. 37 and 41, at several L and s.

    `spread`: the first layer has this multiple of the others' strength.
    """
    tau = 2.0
    eigenvector, tops, elsewhere = [], [], []
    for depth in (2, 3, 8, 20):
        for s in (0.5, 1.0, 3.0):
            optimum = s ** (1 / depth)
            top = optimum_curvature(s, depth, tau)
            for share in (0.3, 0.7, 1.0):
                a = np.full(depth, share * optimum)
                a[0] *= spread
                matrix = energy_hessian(a, s) / tau
                along = matrix.sum(axis=1) - curvature(share * optimum, s, depth, tau)
                eigenvector.append(np.abs(along).max() / top)
            tops.append(abs(np.linalg.eigvalsh(matrix)[-1] / top - 1))
            visited = curvature(optimum * np.linspace(0, 1, 200, endpoint=False), s, depth, tau)
            elsewhere.append(np.max(visited) / curvature(optimum, s, depth, tau))
    return {
        "eigenvector_error": float(max(eigenvector)),  # in units of λ₁ at the optimum
        "top_error": float(max(tops)),  # of the largest eigenvalue at the optimum, relative
        "largest_elsewhere": float(max(elsewhere)),  # λ₁ over that at the optimum
    }
