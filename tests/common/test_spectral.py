"""The spectral solver: against closed forms, and against an integrator of SciPy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from common.spectral import Equation, allen_cahn, burgers, evolve, heat, rate


def grid(n: int, period: float = 2 * np.pi) -> np.ndarray:
    return np.arange(n) * (period / n)


def cole_hopf(x: np.ndarray, t: float, nu: float) -> np.ndarray:
    """Return −2ν φ'/φ for φ = 2 + exp(−νt) cos x, a solution of Burgers' equation."""
    decay = np.exp(-nu * t)
    return 2 * nu * decay * np.sin(x) / (2 + decay * np.cos(x))


def test_heat_is_exact_in_one_step():
    x = grid(16)
    u = evolve(heat(0.3), 1 + np.sin(x) + np.cos(3 * x), 0.7, steps=1)
    expected = 1 + np.exp(-0.3 * 0.7) * np.sin(x) + np.exp(-0.3 * 0.7 * 9) * np.cos(3 * x)
    np.testing.assert_allclose(u, expected, atol=1e-14)


def test_heat_on_a_square_of_another_period():
    x = grid(8, 3.0)
    k = 2 * np.pi / 3
    start = np.sin(k * x)[:, None] * np.cos(2 * k * x)
    u = evolve(heat(0.1), start, 0.5, steps=2, period=3.0)
    np.testing.assert_allclose(u, np.exp(-0.1 * 0.5 * 5 * k**2) * start, atol=1e-14)


def test_burgers_has_the_solution_of_cole_and_hopf():
    x = grid(64)
    u = evolve(burgers(0.2), cole_hopf(x, 0, 0.2), 1.5, steps=150)
    np.testing.assert_allclose(u, cole_hopf(x, 1.5, 0.2), atol=1e-11)


def test_burgers_of_x_plus_y_is_twice_as_fast():
    x = grid(32)
    diagonal = x[:, None] + x
    u = evolve(burgers(0.2), cole_hopf(diagonal, 0, 0.2), 0.5, steps=50)
    np.testing.assert_allclose(u, cole_hopf(diagonal, 1.0, 0.2), atol=1e-9)


def test_allen_cahn_of_a_constant_is_a_bernoulli_equation():
    u = evolve(allen_cahn(0.1), np.full(8, 0.2), 2.0, steps=200)
    np.testing.assert_allclose(u, 0.2 * np.exp(2) / np.sqrt(1 + 0.04 * (np.exp(4) - 1)), rtol=1e-9)


@pytest.mark.parametrize(
    "equation", [allen_cahn(0.1), burgers(0.1), Equation(0.1, reaction=0.5, advection=0.7)]
)
def test_evolution_is_that_of_an_independent_integrator(equation: Equation):
    x = grid(64)
    start = np.exp(np.sin(x)) - 1
    found = solve_ivp(
        lambda _, u: rate(equation, u), (0, 0.5), start, "DOP853", rtol=1e-11, atol=1e-12
    )
    np.testing.assert_allclose(evolve(equation, start, 0.5, steps=200), found.y[:, -1], atol=1e-9)


def test_time_stepping_is_of_order_four():
    start = np.exp(np.sin(grid(32))) - 1
    equation = Equation(0.1, reaction=1.0, advection=1.0)
    exact = evolve(equation, start, 0.5, steps=400)
    coarse, fine = (
        np.abs(evolve(equation, start, 0.5, steps=steps) - exact).max() for steps in (20, 40)
    )
    assert coarse / fine == pytest.approx(16, rel=0.15)


def test_rates_by_hand():
    x = grid(16)
    s, c = np.sin(x), np.cos(x)
    np.testing.assert_allclose(rate(heat(0.5), s), -0.5 * s, atol=1e-14)
    np.testing.assert_allclose(rate(burgers(0.5), s), -s * c - 0.5 * s, atol=1e-14)
    np.testing.assert_allclose(rate(allen_cahn(0.5), s), -0.5 * s + s - s**3, atol=1e-14)


def test_highest_mode_has_no_slope():
    u = np.cos(4 * grid(8))  # alternates between 1 and −1
    np.testing.assert_allclose(rate(burgers(0.5), u), -0.5 * 16 * u, atol=1e-12)


def test_start_is_only_read():
    start = np.sin(grid(8))
    before = start.copy()
    evolve(burgers(0.1), start, 0.1, steps=2)
    np.testing.assert_array_equal(start, before)


@pytest.mark.parametrize("shape", [(7,), (8, 6), (), (0,)])
def test_grid_of_odd_or_unequal_sides(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="equal and even sides, got"):
        evolve(heat(0.1), np.zeros(shape), 1.0, steps=1)
