"""Curvature: against closed forms and NumPy's dense eigenvalues."""

import numpy as np
import pytest
import torch

from common.curvature import gradient, hessian, hessian_product, largest_eigenvalue


def rosenbrock(w: torch.Tensor) -> torch.Tensor:
    x, y = w.unbind(-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def rosenbrock_hessian(x: float, y: float) -> list[list[float]]:
    return [[2 - 400 * y + 1200 * x**2, -400 * x], [-400 * x, 200.0]]


POINTS = [(-1.2, 1.0), (1.0, 1.0), (0.3, -2.0)]


@pytest.fixture
def points() -> torch.Tensor:
    return torch.tensor(POINTS, dtype=torch.float64)


def symmetric(rng: np.random.Generator, size: int, values: np.ndarray) -> np.ndarray:
    """Return matrices with the given eigenvalues, shape (..., size), in random directions."""
    q, _ = np.linalg.qr(rng.standard_normal((*values.shape, size)))
    return q * values[..., None, :] @ q.swapaxes(-1, -2)


def product_with(matrices: np.ndarray):
    m = torch.tensor(matrices)
    return lambda v: (m @ v.unsqueeze(-1)).squeeze(-1)


def test_gradient_of_each_point(points):
    expected = [[-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)] for x, y in POINTS]
    torch.testing.assert_close(gradient(rosenbrock, points), points.new_tensor(expected))


def test_hessian_of_each_point(points):
    expected = points.new_tensor([rosenbrock_hessian(x, y) for x, y in POINTS])
    torch.testing.assert_close(hessian(rosenbrock, points), expected)


def test_hessian_product_serves_several_vectors(points):
    matrices = points.new_tensor([rosenbrock_hessian(x, y) for x, y in POINTS])
    product = hessian_product(rosenbrock, points)
    for v in (torch.ones_like(points), points):
        torch.testing.assert_close(product(v), (matrices @ v.unsqueeze(-1)).squeeze(-1))


def test_points_are_only_read(points):
    before = points.clone()
    hessian_product(rosenbrock, points)(points)
    assert not points.requires_grad
    assert torch.equal(points, before)


def test_largest_eigenvalue_of_random_matrices():
    rng = np.random.default_rng(1)
    matrices = symmetric(rng, 40, rng.standard_normal((7, 40)))
    start = torch.tensor(rng.standard_normal((7, 40)))
    found = largest_eigenvalue(product_with(matrices), start, tolerance=1e-10)
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrices)[:, -1], rtol=1e-9)


def test_largest_is_not_largest_in_modulus():
    rng = np.random.default_rng(2)
    values = np.stack([np.linspace(-50, 1, 30), np.linspace(-50, -3, 30)])
    matrices = symmetric(rng, 30, values)
    start = torch.tensor(rng.standard_normal((2, 30)))
    found = largest_eigenvalue(product_with(matrices), start, tolerance=1e-10)
    np.testing.assert_allclose(found, [1, -3], rtol=1e-8)


def test_invariant_subspaces_end_early_beside_a_full_matrix():
    rng = np.random.default_rng(3)
    values = np.stack([np.full(20, -2.0), np.repeat([1.0, 5.0], 10), np.linspace(0, 9, 20)])
    matrices = symmetric(rng, 20, values)
    start = torch.tensor(rng.standard_normal((3, 20)))
    found = largest_eigenvalue(product_with(matrices), start, tolerance=1e-12)
    np.testing.assert_allclose(found, [-2, 5, 9], rtol=1e-10)


def test_isolated_eigenvalue_takes_few_products():
    rng = np.random.default_rng(4)
    values = np.append(np.linspace(0, 1, 499), 2.0)
    product, calls = product_with(symmetric(rng, 500, values)), []

    def counted(v: torch.Tensor) -> torch.Tensor:
        calls.append(v)
        return product(v)

    found = largest_eigenvalue(counted, torch.tensor(rng.standard_normal(500)), tolerance=1e-6)
    assert found.item() == pytest.approx(2, rel=1e-6)
    assert len(calls) < 40


def test_too_few_products():
    product = product_with(np.diag(np.linspace(0, 1, 100)))
    start = torch.ones(100, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="no eigenvalue to 1e-06 in 3 products"):
        largest_eigenvalue(product, start, iterations=3)


def test_network_in_single_precision():
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(12, 4, generator=generator)

    def loss(w: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(x @ w[..., :20].unflatten(-1, (4, 5)))
        return ((hidden @ w[..., 20:].unsqueeze(-1)).squeeze(-1) - 1).square().mean(-1)

    w = torch.randn(3, 25, generator=generator)
    found = largest_eigenvalue(hessian_product(loss, w), torch.randn(3, 25, generator=generator))
    assert found.dtype == torch.float32
    dense = np.stack([torch.autograd.functional.hessian(loss, row) for row in w])
    np.testing.assert_allclose(found, np.linalg.eigvalsh(dense)[:, -1], rtol=1e-4)
