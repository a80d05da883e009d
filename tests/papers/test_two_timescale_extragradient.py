"""Two-timescale extragradient: degenerate cases, single precision, promises of the optimizer."""

import numpy as np
import pytest
import torch

from papers.two_timescale_extragradient.method import (
    Point,
    TwoTimescaleExtragradient,
    eigenvalues,
    extragradient_step,
    flow_is_stable,
    jacobian,
    may_be_minimax,
    structure,
    timescales,
)
from papers.two_timescale_extragradient.points import inner_maximum


def point(nx: int, ny: int, seed: int = 0) -> Point:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((nx, nx)), rng.standard_normal((ny, ny))
    return Point((a + a.T) / 2, -b @ b.T, rng.standard_normal((nx, ny)))


def test_eigenvalues_are_those_of_the_jacobian():
    found = eigenvalues(point(3, 4), 7.0)
    expected = np.linalg.eigvals(jacobian(point(3, 4), 7.0))
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), rtol=1e-10)
    assert np.iscomplexobj(eigenvalues(Point(*(np.eye(1),) * 2, np.zeros((1, 1))), 2.0))


def test_step_keeps_single_precision():
    z = np.array([[1.0, 2.0, 3.0]], dtype=np.float32)
    after = extragradient_step(lambda z: 2 * z, z, 0.1, timescales(4.0, 1, 2, np.float32))
    assert after.dtype == np.float32
    np.testing.assert_allclose(after, [[0.9525, 1.68, 2.52]], rtol=1e-6)


def test_step_stays_where_the_field_vanishes():
    z = np.zeros(3)
    assert extragradient_step(np.sin, z, 0.5, timescales(4.0, 1, 2)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_structure_of_a_kernel_that_rounding_hides(dtype: type):
    a, _, c = point(4, 5)
    vector = np.random.default_rng(1).standard_normal(5)
    found = structure(Point(*(m.astype(dtype) for m in (a, -np.outer(vector, vector), c))))
    assert [len(found.fast), len(found.sigma), found.complement.shape] == [1, 4, (4, 0)]
    assert found.fast[0] == pytest.approx(vector @ vector, rel=1e-5)
    assert found.schur.dtype == dtype


def test_structure_without_coupling():
    a, b, c = point(2, 3)
    found = structure(Point(a, 0 * b, 0 * c))
    assert [len(found.fast), len(found.sigma)] == [0, 0]
    assert found.threshold == -np.inf
    np.testing.assert_allclose(found.complement @ found.restricted_schur @ found.complement.T, a)


def test_tolerance_decides_what_is_zero():
    small = Point(np.eye(1), np.array([[-1.0, 0.0], [0.0, -0.01]]), np.ones((1, 2)))
    assert len(structure(small).fast) == 2
    assert len(structure(small, 0.05).fast) == 1
    below = Point(np.diag([1.0, -0.01]), -np.eye(1), np.zeros((2, 1)))
    assert not may_be_minimax(below)
    assert may_be_minimax(below, 0.05)


def test_weak_coupling_is_no_coupling_below_the_tolerance():
    weak = Point(np.eye(2), np.zeros((2, 2)), np.diag([1.0, 1e-3]))
    assert len(structure(weak).sigma) == 2
    assert len(structure(weak, 0.01).sigma) == 1


def test_flow_by_hand():
    lam = np.array([0, 1, -1, 1j, -0.1 + 1j, -2 + 0.1j])
    assert flow_is_stable(lam, 0.2).tolist() == [False, True, False, True, True, False]
    assert not flow_is_stable(np.array(1j), 0.0)


def test_inner_maximum_by_random_search():
    rng = np.random.default_rng(2)
    b = -np.array([[[1.0, 0.5], [0.5, 0.3]], [[1.0, 2.0], [2.0, 4.0]]])
    g = rng.standard_normal((2, 3, 2))
    turns, lengths = rng.uniform(0, 7, 200_000), 0.7 * rng.random(200_000) ** 0.5
    lengths[:100_000] = 0.7
    y = lengths[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    values = g @ y.T + ((y @ b) * y).sum(axis=-1)[:, None] / 2
    np.testing.assert_allclose(inner_maximum(g, b, 0.7), values.max(axis=-1), atol=1e-4)


def test_inner_maximum_inside_the_ball_and_without_slope_along_the_kernel():
    b = np.array([[[-2.0, 0.0], [0.0, 0.0]]])
    assert inner_maximum(np.array([[[1.0, 0.0]]]), b, 0.9)[0, 0] == pytest.approx(0.25)
    assert inner_maximum(np.array([[[4.0, 0.0]]]), b, 0.9)[0, 0] == pytest.approx(3.6 - 0.81)


def test_optimizer_returns_the_first_value_and_calls_twice():
    x, y = (torch.tensor([v], requires_grad=True) for v in (1.0, 2.0))
    optimizer = TwoTimescaleExtragradient([x], [y], lr=0.1, tau=4.0)
    values = []

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = (x * y).sum()
        value.backward()
        values.append(value.item())
        return value

    assert optimizer.step(closure).item() == 2
    assert len(values) == 2
    assert values[1] == pytest.approx(0.95 * 2.1)
    assert x.item() == pytest.approx(1 - 0.025 * 2.1)
    assert y.item() == pytest.approx(2 + 0.1 * 0.95)


def test_optimizer_follows_a_scheduler_and_takes_the_default_timescale():
    x, y = (torch.tensor(1.0, requires_grad=True) for _ in range(2))
    optimizer = TwoTimescaleExtragradient([x], [y], lr=1.0)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 0.5)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = x + 2 * y
        value.backward()
        return value

    optimizer.step(closure)
    assert [x.item(), y.item()] == [pytest.approx(0.95), 2]


def test_optimizer_refuses():
    x = [torch.zeros(1, requires_grad=True)]
    y = [torch.zeros(1, requires_grad=True)]
    with pytest.raises(ValueError, match="tau must be positive and lr not negative, got 0 and 1"):
        TwoTimescaleExtragradient(x, y, lr=1, tau=0)
    with pytest.raises(ValueError, match="got 2 and -1"):
        TwoTimescaleExtragradient(x, y, lr=-1, tau=2)
    with pytest.raises(ValueError, match="needs a closure"):
        TwoTimescaleExtragradient(x, y, lr=1).step()
