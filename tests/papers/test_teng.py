"""TENG: steps by hand, NumPy's least squares, and the rivals' own implementations."""

import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax.tree_util import Partial

from claimbench import Run
from common import spectral
from common.periodic_nets import NetRate
from papers.teng.baselines import (
    adam,
    lbfgs,
    loss_and_gradient,
    obti_step,
    task_of,
    tdvp_step,
)
from papers.teng.flows import FINE, NET, NODES, fine_values, initial, integrate, relative_error
from papers.teng.method import (
    Subset,
    euler_step,
    heun_step,
    natural_gradient,
    project,
    tdvp_velocity,
    values,
)
from papers.teng.reproduce import first_iteration, random_subsets

POINT = np.zeros((1, 1))
RCOND = 1e-6


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@Partial
def square(theta, x):
    """û = θ², the same everywhere."""
    return theta[0] ** 2


@Partial
def identity(theta, x):
    """û = θ."""
    return theta[0]


@Partial
def decay_of_square(theta, x):
    """L û = −û for `square`."""
    return -(theta[0] ** 2)


@Partial
def decay(theta, x):
    """L û = −û for `identity`."""
    return -theta[0]


@Partial
def waves(theta, x):
    """û = Σ θ_k cos(k x), for 12 entries of θ."""
    return theta @ jnp.cos(jnp.arange(12.0) * x[0])


def theta_of_net(seed: int = 0) -> np.ndarray:
    return NET.init(np.random.default_rng(seed))


def heat_rate() -> NetRate:
    return NetRate.of(spectral.heat(0.1), NET)


def test_two_iterations_on_a_square_are_those_of_newton():
    # θ ← θ + (2 − θ²) / (2 θ): 1, 3/2, 17/12
    theta, losses = natural_gradient(square, np.ones(1), POINT, np.array([2.0]), 2, RCOND)
    assert float(theta[0]) == pytest.approx(17 / 12, rel=1e-14)
    expected = [(2 - s**2) ** 2 / 2 for s in (1, 3 / 2, 17 / 12)]
    np.testing.assert_allclose(losses, expected, rtol=1e-10)


def test_euler_step_by_hand():
    # u* = 1 − Δt = 0.64, and one iteration from θ = 1 gives 1 − 0.36 / 2
    step = euler_step(square, decay_of_square, np.ones(1), POINT, 0.36, iterations=1)
    assert float(step.theta[0]) == pytest.approx(0.82, rel=1e-14)
    step = euler_step(square, decay_of_square, np.ones(1), POINT, 0.36)
    assert float(step.theta[0]) == pytest.approx(0.8, rel=1e-14)
    assert [len(losses) for losses in step.losses] == [8]


def test_heun_step_by_hand():
    step = heun_step(identity, decay, np.ones(1), POINT, 0.1)
    assert float(step.theta[0]) == pytest.approx(1 - 0.1 + 0.005, rel=1e-14)
    assert [len(losses) for losses in step.losses] == [8, 6]


def test_second_stage_of_heun_starts_at_the_predictor():
    # θ̃ = 0.82 after one iteration; u* = 1 − 0.18 (1 + 0.82²); one more from there
    step = heun_step(square, decay_of_square, np.ones(1), POINT, 0.36, iterations=(1, 1))
    target = 1 - 0.18 * (1 + 0.82**2)
    assert float(step.losses[1][0]) == pytest.approx((target - 0.82**2) ** 2 / 2, rel=1e-12)
    assert float(step.theta[0]) == pytest.approx(0.82 + (target - 0.82**2) / 1.64, rel=1e-12)


@pytest.mark.parametrize(("step", "expected"), [(euler_step, 1), (heun_step, 2)])
def test_order_in_time(step: Any, expected: int):
    def error(dt: float) -> float:
        theta: Any = np.ones(1)
        for _ in range(round(1 / dt)):
            theta = step(identity, decay, theta, POINT, dt).theta
        return abs(float(theta[0]) - math.exp(-1))

    assert math.log2(error(0.02) / error(0.01)) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("rcond", [1e-3, 1e-6])
def test_projection_is_numpys_least_squares(rcond: float):
    theta, v = theta_of_net(), np.sin(3 * NODES[:, 0])
    jacobian = jax.vmap(jax.grad(NET), (None, 0))(theta, NODES)
    expected = np.linalg.lstsq(np.asarray(jacobian), v, rcond=rcond)[0]
    found = project(NET, theta, NODES, v, rcond)
    assert np.abs(found - expected).max() < 1e-8 * np.abs(expected).max()


def test_projection_on_some_coordinates_is_least_squares_of_these():
    x = np.linspace(0, 3, 9)[:, None]
    chosen, v = np.array([7, 2, 5]), np.exp(x[:, 0])
    columns = np.cos(np.arange(12) * x)[:, chosen]
    found = np.asarray(project(waves, np.zeros(12), x, v, 1e-12, jnp.asarray(chosen)))
    np.testing.assert_allclose(found[chosen], np.linalg.lstsq(columns, v)[0], rtol=1e-9)
    assert np.count_nonzero(found) == 3


def test_projection_on_some_coordinates_keeps_their_columns_alone():
    x, p = jnp.linspace(0, 3, 40_000)[:, None], 2000
    u = Partial(lambda theta, at: jnp.sin(theta @ jnp.cos(jnp.arange(p) * at[0])))
    arguments = (u, jnp.ones(p), x, jnp.ones(len(x)), 1e-6, jnp.arange(10))
    analysis = project.lower(*arguments).compile().memory_analysis()
    assert analysis is not None
    needed = analysis.temp_size_in_bytes
    assert needed < len(x) * p * 8 / 3


def test_iteration_is_the_projection_of_the_misfit():
    theta, target = theta_of_net(), initial(NODES)
    expected = theta + project(NET, theta, NODES, target - values(NET, theta, NODES), RCOND)
    found, _ = natural_gradient(NET, theta, NODES, target, 1, RCOND)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_first_iteration_is_tdvp():
    theta, rate = theta_of_net(), heat_rate()
    found = np.asarray(euler_step(NET, rate, theta, NODES, 0.1, iterations=1).theta) - theta
    expected = 0.1 * np.asarray(tdvp_velocity(NET, rate, theta, NODES, RCOND))
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


def changed(theta: Any) -> int:
    return int(np.count_nonzero(np.asarray(theta)))


def test_subset_is_larger_in_the_first_iteration_of_a_step_alone():
    x = np.linspace(0, 3, 20)[:, None]
    subset, start, rate = Subset(jax.random.key(1), 6, 2), np.zeros(12), Partial(lambda t, x: x[0])
    first = euler_step(waves, rate, start, x, 1.0, iterations=1, subset=subset)
    assert changed(first.theta) == 6
    both = euler_step(waves, rate, start, x, 1.0, iterations=2, subset=subset)
    assert changed(both.theta - first.theta) == 2
    second_stage = heun_step(waves, rate, start, x, 1.0, iterations=(0, 1), subset=subset)
    assert changed(second_stage.theta) == 2


def test_subset_is_drawn_from_its_key():
    x = np.linspace(0, 3, 20)[:, None]
    rate, ends = Partial(lambda theta, x: x[0]), []
    for seed in (1, 1, 2):
        subset = Subset(jax.random.key(seed), 4, 4)
        ends.append(euler_step(waves, rate, np.zeros(12), x, 1.0, subset=subset).theta)
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.abs(ends[0] - ends[2]).max() > 1e-6


def test_subset_larger_than_all_parameters_is_all_of_them():
    x, rate = np.linspace(0, 3, 20)[:, None], Partial(lambda theta, x: x[0])
    subset = Subset(jax.random.key(0), 1536, 1024)
    found = euler_step(waves, rate, np.zeros(12), x, 0.5, rcond=1e-12, subset=subset)
    expected = euler_step(waves, rate, np.zeros(12), x, 0.5, rcond=1e-12)
    np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-8, atol=1e-9)


def test_steps_work_under_jit():
    rate, theta = heat_rate(), 0.3 * theta_of_net()
    step = jax.jit(lambda theta: heun_step(NET, rate, theta, NODES, 0.01, iterations=(1, 1)).theta)
    eager = heun_step(NET, rate, theta, NODES, 0.01, iterations=(1, 1)).theta
    np.testing.assert_allclose(step(theta), eager, rtol=1e-6)


def test_loss_and_gradient_of_the_rivals():
    theta, target = theta_of_net(), initial(NODES)
    residual = target - np.asarray(values(NET, theta, NODES))
    jacobian = np.asarray(jax.vmap(jax.grad(NET), (None, 0))(theta, NODES))
    value, gradient = loss_and_gradient(theta, target)
    assert value == pytest.approx(np.mean(residual**2) / 2)
    np.testing.assert_allclose(gradient, -jacobian.T @ residual / len(NODES), atol=1e-12)


def test_adam_is_pytorchs_with_a_cosine():
    theta, target, steps = theta_of_net(), initial(NODES), 7
    theirs = torch.tensor(theta)
    optimizer = torch.optim.Adam([theirs], lr=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        theirs.grad = torch.tensor(loss_and_gradient(theirs.numpy(), target)[1])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(adam(0.02, theta, target, steps), theirs.numpy(), rtol=1e-9)


def test_lbfgs_spends_its_gradients_and_no_more_than_a_line_search_beyond(monkeypatch):
    calls = []

    def counted(theta, target):
        calls.append(theta)
        return loss_and_gradient(theta, target)

    monkeypatch.setattr("papers.teng.baselines.loss_and_gradient", counted)
    theta, target = theta_of_net(), initial(NODES)
    found = lbfgs(20, theta, target, 60)
    assert 60 <= len(calls) <= 80
    assert loss_and_gradient(found, target)[0] < 1e-2 * loss_and_gradient(theta, target)[0]


def test_obti_step_has_the_targets_and_starts_of_teng():
    rate, start, targets, starts = heat_rate(), theta_of_net(), [], []

    def minimise(theta, target, gradients):
        starts.append(theta)
        targets.append(target)
        return np.asarray(natural_gradient(NET, theta, NODES, target, gradients, RCOND)[0])

    theta, losses = obti_step(minimise, rate, start, 0.01, (7, 5))
    teng = heun_step(NET, rate, start, NODES, 0.01)
    np.testing.assert_allclose(theta, teng.theta, rtol=1e-10)
    np.testing.assert_allclose([float(s[0]) for s in losses], [s[0] for s in teng.losses])
    u, slope = values(NET, start, NODES), values(rate, start, NODES)
    np.testing.assert_allclose(targets[0], u + 0.01 * slope)
    np.testing.assert_allclose(
        targets[1], u + 0.005 * (slope + values(rate, starts[1], NODES)), rtol=1e-12
    )


def test_tdvp_steps_have_orders_one_and_four():
    rate, start = heat_rate(), 0.3 * theta_of_net()

    def end(tableau: str, steps: int) -> np.ndarray:
        theta = start
        for _ in range(steps):
            theta = tdvp_step(tableau, rate, theta, 0.02 / steps, 1e-3)
        return theta

    exact = end("RK4", 16)
    errors = {
        tableau: [np.abs(end(tableau, steps) - exact).max() for steps in (1, 2)]
        for tableau in ("Euler", "RK4")
    }
    assert errors["Euler"][0] / errors["Euler"][1] == pytest.approx(2, rel=0.2)
    assert errors["RK4"][0] < 1e-3 * errors["Euler"][0]


def test_integration_ends_where_the_loss_is_no_number():
    def step(theta):
        loss = math.nan if theta == 2 else 0.5
        return theta + 1, [[1.0, loss], [1.0, 0.25]]

    path = integrate(step, np.zeros(1), 10)
    assert float(path.theta[0]) == 3
    assert path.last_losses == [0.5, 0.5, math.inf]
    assert path.first_losses == [1.0, 1.0, 1.0]


def test_fine_values_are_those_of_the_fine_grid():
    theta = theta_of_net()
    np.testing.assert_allclose(fine_values(theta), values(NET, theta, FINE), atol=1e-13)


def test_relative_error():
    u = fine_values(theta_of_net())
    assert relative_error(theta_of_net(), u) == 0
    assert relative_error(theta_of_net(), 2 * u) == pytest.approx(0.5)
    assert relative_error(np.full(NET.size, math.nan), u) == math.inf


def test_initial_function_has_mean_zero():
    u = initial(FINE)
    assert abs(u.mean()) < 1e-8
    assert u.max() == pytest.approx(math.e - 1.26606588 - 0.3, abs=1e-4)


def test_tasks_start_at_the_network_and_end_at_the_evolution_of_the_network():
    task = task_of(Run(), 3, equation="heat", dt=0.05, time=0.5, fit_iterations=20)
    start = fine_values(task.theta)
    np.testing.assert_array_equal(task.exact[0], start)
    wave_numbers = np.fft.rfftfreq(256, 1 / 256)
    spectrum = np.fft.rfft(start) * np.exp(-0.1 * 0.5 * wave_numbers**2)
    np.testing.assert_allclose(task.exact[-1], np.fft.irfft(spectrum), atol=1e-12)
    assert relative_error(task.theta, initial(FINE)) < 1e-2


def test_errors_of_a_method_that_stops_are_infinite_from_there():
    task = task_of(Run(), 3, equation="heat", dt=0.1, time=1.0, fit_iterations=5)
    done: list[int] = []

    def stand_still(theta):
        done.append(1)
        return theta, [[math.nan if len(done) == 3 else 1.0]]

    errors = task.errors(Run(), stand_still)
    assert len(errors) == 10
    assert 0 < errors[0] < errors[1] < math.inf
    assert errors[2:] == [math.inf] * 8


def test_first_iteration_experiment_tells_the_first_from_the_second():
    run = Run(seed=5, precision="float64")
    assert first_iteration(run, nodes=128)["difference"] < 1e-9
    assert first_iteration(Run(seed=5), nodes=128, iteration=2)["difference"] > 1e-3


def test_random_subsets_experiment_tells_draws_that_are_kept(monkeypatch):
    run = Run(seed=2, precision="float64")
    assert random_subsets(run)["different_draws"] == 12
    fold_in = jax.random.fold_in
    monkeypatch.setattr("jax.random.fold_in", lambda key, _: fold_in(key, 0))
    assert random_subsets(Run(seed=2, precision="float64"))["different_draws"] < 12
