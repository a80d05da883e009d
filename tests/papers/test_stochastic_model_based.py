"""Model-based steps: by hand, in float32, and where nothing can move; the prox by SciPy."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from papers.stochastic_model_based.method import (
    Residual,
    blind_residual,
    phase_prox,
    phase_residual,
    phase_weak_convexity,
    project,
    prox_linear_step,
    prox_point_step,
    proximal_subgradient_step,
    subgradient,
)


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_two_steps_of_each_by_hand():
    a, b = double(2.0), double(9.0)[0]  # s = 2x, |4x² − 9|
    x = y = z = double(1.0)
    for _ in range(2):
        x = proximal_subgradient_step(x, subgradient(phase_residual(x, a, b)), 0.125)
        y = prox_linear_step(y, phase_residual(y, a, b), 0.125)
        z = prox_point_step(z, a, b, 0.0625)
    # c = −5, z = 8: x = 1 + 1 = 2; then c = 7, z = 16: x = 2 − 2 = 0
    assert x.tolist() == [0.0]
    # 5/64 < 1/8: y = 1 + 5/8; then c = 25/16, z = 13: y = 13/8 − 25/208
    torch.testing.assert_close(y, double(13 / 8 - 25 / 208))
    # 2α‖a‖² = 1/2: u = 2/(1/2) = 4 is beyond √9, so u = 3
    torch.testing.assert_close(z, double(1.5))


def test_steps_keep_dtype_and_inputs():
    x, a, b = torch.randn(4, 3), torch.randn(4, 3), torch.rand(4)
    kept = x.clone()
    for alpha in (0.1, torch.full((4,), 0.1), torch.tensor(0.1, dtype=torch.float64)):
        residual = phase_residual(x, a, b)
        for after in (
            proximal_subgradient_step(x, subgradient(residual), alpha),
            prox_linear_step(x, residual, alpha),
            prox_point_step(x, a, b, alpha),
        ):
            assert after.dtype == torch.float32
            assert after.shape == x.shape
    assert torch.equal(x, kept)


def test_float32_agrees_with_float64():
    generator = torch.Generator().manual_seed(3)
    x, a = torch.randn(2, 50, 3, generator=generator)
    b = torch.rand(50, generator=generator)
    for step in (
        prox_point_step,
        lambda x, a, b, t: prox_linear_step(x, phase_residual(x, a, b), t),
    ):
        exact = step(x.double(), a.double(), b.double(), 0.3)
        torch.testing.assert_close(step(x, a, b, 0.3).double(), exact, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_moves_without_a_gradient(dtype):
    x, zero = torch.ones(2, 3, dtype=dtype), torch.zeros(2, 3, dtype=dtype)
    one = torch.ones(2, dtype=dtype)
    assert torch.equal(prox_linear_step(x, Residual(one, zero), 0.5), x)
    assert torch.equal(prox_point_step(x, zero, one, 0.5), x)
    assert torch.equal(subgradient(Residual(0 * one, x)), zero)
    assert torch.equal(project(zero, 2.0), zero)


def test_proximal_point_of_negative_measurements_and_at_the_singular_step():
    x, a = double(3.0), double(1.0)
    # u² + 1: one minimum, 3/(1 + 2α)
    torch.testing.assert_close(prox_point_step(x, a, double(-1.0)[0], 0.5), double(1.5))
    # 2α‖a‖² = 1: no candidate below, √b = 4 instead
    torch.testing.assert_close(prox_point_step(x, a, double(16.0)[0], 0.5), double(4.0))


def test_blind_residual_by_hand():
    x = double(1.0, 2.0, 3.0)
    c, z = blind_residual(x, double(2.0, 1.0), double(5.0), double(7.0)[0])
    assert c.item() == 4 * 15 - 7
    assert z.tolist() == [30, 15, 20]


@pytest.mark.parametrize("seed", range(3))
def test_prox_is_the_minimum_that_slsqp_finds(seed):
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(8, 3, generator=generator, dtype=torch.float64)
    b = torch.randn(8, generator=generator, dtype=torch.float64) + 1
    x = torch.randn(3, generator=generator, dtype=torch.float64)
    lam = 0.6 / phase_weak_convexity(a)
    found = phase_prox(x, a, b, lam, 0.8).numpy()
    rows, measured, centre = a.numpy(), b.numpy(), x.numpy()

    def value(v):  # y and one bound tᵢ ≥ ±(sᵢ² − bᵢ) a row
        return v[3:].mean() + ((v[:3] - centre) ** 2).sum() / (2 * lam)

    limits = [
        {"type": "ineq", "fun": lambda v: v[3:] - (rows @ v[:3]) ** 2 + measured},
        {"type": "ineq", "fun": lambda v: v[3:] + (rows @ v[:3]) ** 2 - measured},
        {"type": "ineq", "fun": lambda v: 0.64 - (v[:3] ** 2).sum()},
    ]
    start = np.concatenate([np.full(3, 0.1), np.full(8, 10.0)])
    options = {"maxiter": 1000, "ftol": 1e-14}
    solved = minimize(value, start, method="SLSQP", constraints=limits, options=options)
    np.testing.assert_allclose(found, solved.x[:3], atol=1e-5)


def test_prox_needs_a_small_lambda_and_works_in_float32():
    a, b, x = torch.randn(6, 2), torch.rand(6), torch.randn(5, 2)
    lam = 0.5 / phase_weak_convexity(a)
    exact = phase_prox(x.double(), a.double(), b.double(), lam, 1.0)
    torch.testing.assert_close(phase_prox(x, a, b, lam, 1.0).double(), exact, atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="not below 1/ρ"):
        phase_prox(x, a, b, 4 * lam, 1.0)
