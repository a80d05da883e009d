"""GFS sharpness: small cases by hand, and independent solvers and derivatives."""

import numpy as np
import pytest
import torch
from torch.autograd import functional as autograd

from common.curvature import gradient
from papers.gfs_sharpness.method import (
    SquaredRegression,
    integrated_flow,
    runge_kutta_flow,
    scalar_flow,
    scalar_gfs_sharpness,
    scalar_gradient,
    scalar_loss,
    scalar_sharpness,
)
from papers.gfs_sharpness.networks import TanhNetwork, sharpness

DEPTHS = pytest.mark.parametrize("depth", [2, 3, 4, 6])


def weights(depth: int, runs: int = 8) -> np.ndarray:
    return np.exp(0.5 * np.random.default_rng(depth).standard_normal((depth, runs)))


def test_scalar_loss_and_gradient_by_hand():
    w = np.array([[2.0], [1.0], [2.0]])  # π = 4
    assert scalar_loss(w).tolist() == [4.5]
    assert scalar_gradient(w).ravel().tolist() == [6, 12, 6]


def test_balance_of_two_layers_by_hand():
    w = np.array([2.0, 1.0])
    after = w - 0.1 * scalar_gradient(w)
    np.testing.assert_allclose(after, [1.9, 0.8])
    assert after[0] ** 2 - after[1] ** 2 == pytest.approx(3 * (1 - 0.1**2))


@DEPTHS
def test_step_multiplies_every_balance(depth: int):
    w, eta = weights(depth), 0.05
    pi = w.prod(axis=0)
    after = w - eta * scalar_gradient(w)
    factor = 1 - (eta * (pi - 1) * pi / (w[0] * w[1])) ** 2
    np.testing.assert_allclose(
        after[0] ** 2 - after[1] ** 2, (w[0] ** 2 - w[1] ** 2) * factor, rtol=1e-10
    )


def test_scalar_flow_of_two_layers_by_hand():
    # a² − b² = 3 and a b = 1, so a² + b² = √13, which is the sharpness too
    a, b = scalar_flow(np.array([2.0, 1.0]))
    assert a**2 == pytest.approx((13**0.5 + 3) / 2)
    assert b**2 == pytest.approx((13**0.5 - 3) / 2)
    assert scalar_gfs_sharpness(np.array([2.0, 1.0])) == pytest.approx(13**0.5)


@DEPTHS
def test_scalar_flow_is_the_integrated_flow(depth: int):
    w = weights(depth)
    ends = [
        integrated_flow(scalar_gradient, x, lambda x: abs(x.prod() - 1), tolerance=1e-10)
        for x in w.T
    ]
    np.testing.assert_allclose(scalar_flow(w), np.transpose(ends), rtol=1e-8)


@DEPTHS
def test_scalar_flow_to_another_product(depth: int):
    w, goal = weights(depth), np.linspace(0.5, 1.5, 8)
    end = scalar_flow(w, goal)
    np.testing.assert_allclose(end.prod(axis=0), goal, rtol=1e-12)
    np.testing.assert_allclose(end**2 - end[0] ** 2, w**2 - w[0] ** 2, rtol=1e-9, atol=1e-12)


def test_scalar_flow_of_very_unequal_weights():
    w = np.array([30.0, 20.0, 1e-3, 1e-3])
    end = scalar_flow(w)
    assert end.prod() == pytest.approx(1, rel=1e-12)
    assert end[2] == end[3] == pytest.approx(1 / np.sqrt(600), rel=1e-4)


def test_scalar_flow_of_equal_weights():
    assert scalar_flow(np.full(5, 0.3)).tolist() == [1] * 5


def test_scalar_flow_refuses_what_is_not_finite():
    with pytest.raises(RuntimeError, match="are all weights positive"):
        scalar_flow(np.array([1.0, np.nan]))


@DEPTHS
def test_scalar_sharpness_by_autodiff(depth: int):
    w = weights(depth)
    dense = torch.stack(
        [autograd.hessian(lambda p: 0.5 * (p.prod() - 1) ** 2, x) for x in torch.tensor(w.T)]
    )
    expected = torch.linalg.eigvalsh(dense)[:, -1].numpy()
    np.testing.assert_allclose(scalar_sharpness(w), expected, rtol=1e-10)


@DEPTHS
def test_both_sharpnesses_agree_at_a_minimum(depth: int):
    end = scalar_flow(weights(depth))
    np.testing.assert_allclose(scalar_sharpness(end), scalar_gfs_sharpness(end), rtol=1e-10)


@pytest.fixture
def problem() -> SquaredRegression:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((4, 7))
    return SquaredRegression(x, x @ rng.standard_normal(7))


@pytest.fixture
def regression_weights() -> np.ndarray:
    return np.abs(np.random.default_rng(7).normal(0.7, 0.2, (3, 14)))


def test_squared_regression_derivatives_by_autodiff(problem, regression_weights):
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)

    def loss(w: torch.Tensor) -> torch.Tensor:
        u, v = w[:7], w[7:]
        return torch.mean((x @ (u * u - v * v) - y) ** 2) / 2

    w = regression_weights
    points = torch.tensor(w)
    values = torch.stack([loss(p) for p in points])
    gradients = torch.stack([autograd.jacobian(loss, p) for p in points])
    hessians = torch.stack([autograd.hessian(loss, p) for p in points])
    largest = torch.linalg.eigvalsh(hessians)[:, -1]
    np.testing.assert_allclose(problem.loss(w), values, rtol=1e-10)
    np.testing.assert_allclose(problem.gradient(w), gradients, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(problem.hessian(w), hessians, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(problem.sharpness(w), largest, rtol=1e-10)


def test_squared_regression_flow_is_the_integrated_flow(problem, regression_weights):
    ends = [
        integrated_flow(
            problem.gradient,
            w,
            lambda w: np.abs(problem.residual(w)).max(),
            tolerance=1e-9,
            method="Radau",
        )
        for w in regression_weights
    ]
    np.testing.assert_allclose(problem.flow(regression_weights), ends, rtol=1e-6)
    expected = [np.linalg.eigvalsh(problem.hessian(w))[-1] for w in ends]
    np.testing.assert_allclose(problem.gfs_sharpness(regression_weights), expected, rtol=1e-6)


def test_squared_regression_flow_of_one_weight_by_hand():
    # u² − v² = 2 and u v = 3, so u² = 1 + √10
    u, v = SquaredRegression(np.array([[1.0]]), np.array([2.0])).flow(np.array([1.5, 2.0]))
    assert u**2 == pytest.approx(1 + 10**0.5)
    assert u * v == pytest.approx(3)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
def test_squared_regression_flow_from_far_away(problem, regression_weights, scale: float):
    end = problem.flow(scale * regression_weights)
    np.testing.assert_allclose(problem.residual(end), 0, atol=1e-6)
    u, v = np.split(regression_weights, 2, axis=-1)
    np.testing.assert_allclose(end[:, :7] * end[:, 7:], scale**2 * u * v, rtol=1e-10)


def test_squared_regression_flow_refuses_what_is_not_finite(problem):
    with pytest.raises(RuntimeError, match="did not converge"):
        problem.flow(np.full(14, np.nan))


def test_integrated_flow_says_when_it_does_not_arrive():
    with pytest.raises(RuntimeError, match="did not reach the minimum"):
        integrated_flow(lambda x: 0 * x, np.ones(2), lambda x: float(x.sum()))


def test_runge_kutta_steps_by_hand():
    # at step 1/λ on λx²/2 a step multiplies x by 1 − 1 + 1/2 − 1/6 + 1/24 = 0.375
    scales = torch.tensor([2.0, 5.0], dtype=torch.float64)
    w = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    end = runge_kutta_flow(
        lambda x: scales * x[:, 0] ** 2 / 2,
        lambda x: scales[:, None] * x,
        lambda x: scales[: len(x)],
        w,
        target=0.0,
        steps=10,
    )
    torch.testing.assert_close(end, w * 0.375**10)


def scalar_loss_of_rows(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (x.prod(-1) - 1) ** 2


def scalar_gradient_of_rows(x: torch.Tensor) -> torch.Tensor:
    return gradient(scalar_loss_of_rows, x)


TOP_OF_ROWS = sharpness(scalar_loss_of_rows, torch.ones(4, dtype=torch.float64), 1e-3)


def test_runge_kutta_flow_is_the_scalar_flow():
    w = scalar_flow(weights(4), np.linspace(0.8, 1.3, 8))
    minimum = scalar_flow(w[:, :1])
    points = torch.tensor(np.concatenate([w, minimum], axis=1).T)
    before = points.clone()
    end = runge_kutta_flow(
        scalar_loss_of_rows,
        scalar_gradient_of_rows,
        TOP_OF_ROWS,
        points,
        target=1e-16,
    )
    assert scalar_loss_of_rows(end).max() < 1e-16
    assert torch.equal(end[8], points[8])
    np.testing.assert_allclose(end[:8].T, scalar_flow(w), rtol=3e-4)
    assert torch.equal(points, before)


def test_runge_kutta_flow_refuses_a_step_that_is_too_long():
    # λmax is tiny near zero and grows a hundredfold on the way to the minimum
    w = torch.tensor([[0.1, 0.1, 0.1, 9.0]], dtype=torch.float64)
    with pytest.raises(RuntimeError, match="the loss rose"):
        runge_kutta_flow(scalar_loss_of_rows, scalar_gradient_of_rows, TOP_OF_ROWS, w, target=1e-16)


def test_tanh_network_is_torchs_network():
    network = TanhNetwork(np.random.default_rng(8), torch.float64)
    assert network.x.shape == (50, 64)
    assert network.x.mean(0).abs().max() < 1e-12
    assert network.y.sum(1).tolist() == [1] * 50
    generator = torch.Generator().manual_seed(9)
    w = network.initial(generator)
    assert w.shape == (1510,)
    assert w[:1280].var().item() == pytest.approx(1 / 64, rel=0.15)
    assert w[1300:1500].var().item() == pytest.approx(1 / 20, rel=0.3)
    assert w[1280:1300].tolist() + w[1500:].tolist() == [0] * 30
    points = w + 0.1 * torch.randn(3, 1510, generator=generator, dtype=w.dtype)
    layers = torch.nn.Sequential(
        torch.nn.Linear(64, 20), torch.nn.Tanh(), torch.nn.Linear(20, 10)
    ).double()
    for point, loss, slope in zip(
        points, network.loss(points), network.gradient(points), strict=True
    ):
        torch.nn.utils.vector_to_parameters(point, layers.parameters())
        expected = (layers(network.x) - network.y).square().sum() / 100
        torch.testing.assert_close(loss, expected.detach())
        slopes = torch.autograd.grad(expected, list(layers.parameters()))
        torch.testing.assert_close(slope, torch.nn.utils.parameters_to_vector(slopes))
