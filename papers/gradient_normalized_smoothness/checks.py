"""Exact checks: progress of a step, γ(x), matrices, the authors' paths, and edges of the search."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.autograd.functional import hessian

from claimbench import Run
from common.convex import LogSumExp
from common.errors import absolute, relative
from common.objectives import rosenbrock, rosenbrock_gradient

from .method import (
    Array,
    Metric,
    dual_norm,
    fisher_vector,
    inexact_hessian,
    iterate,
    log_sum_exp_matrix,
    metric,
    primal_norm,
    rank_one_step,
    regularized_step,
    smoothness_radius,
    softmax_blocks,
    start,
)
from .problems import Descent, Loss, Power, Rosenbrock, softmax

# From src/methods.py of the authors' repository (commit 9f4ca00), γ₀ = 1: values after 3, 6 and 9
# iterations, and log₂ γ after 0 to 9; for the gradient method values after 3, 6, 9 and 12
PATHS = {
    "softmax, Hessian": (
        (1.7274806784282424, 1.0543761867089188, 1.0542707981183281),
        (0, 1, 2, 3, 4, 2, 3, 4, 5, 6),
    ),
    "softmax, Gauss–Newton": (
        (5.236178319400199, 4.503690489483008, 3.7712847913329486),
        (0, 1, 2, 2, 2, 2, 2, 2, 2, 2),
    ),
    "power, Hessian": (
        (5.247710532939397, 0.059021360294752835, 0.0005879304963456642),
        (0, 1, 2, 3, 4, 5, 5, 4, 4, 3),
    ),
    "power, Fisher": (
        (2.00577260246197, 0.002740684017572339, 1.4927273350321223e-06),
        (0, 1, 2, 3, 4, 5, 6, 7, 5, 4),
    ),
    "Rosenbrock, p = 5": (
        (14582.216411547055, 320.3493416494689, 22.212736356364825),
        (0, 1, 2, 2, 2, 2, 1, 1, 1, 1),
    ),
}
DESCENTS = {
    "Euclidean": (1.6218780138609046, 1.218747989346439, 1.1468476842358213, 1.0963522239392685),
    "metric": (2.9204172892732765, 1.4129471717758078, 1.20519408881558, 1.0976458605153954),
}


def definite(run: Run, n: int) -> Array:
    """Return a random positive definite matrix, shape (n, n)."""
    root = run.rng.standard_normal((n, n))
    return root @ root.T / n + 0.3 * np.eye(n)


def cubic(x: Array) -> tuple[Array, Array, Array]:
    """Return Σ|xᵢ|³/3, its gradient and its Hessian."""
    value = (np.abs(x) ** 3).sum(axis=-1) / 3
    return value, x * np.abs(x), 2 * np.abs(x)[..., None] * np.eye(x.shape[-1])


def progress_shares(run: Run, factor: float, points: int) -> dict[str, float]:
    """Return the least falls over ‖f'(x⁺)‖²/(8λ), and the largest step over γ; see `progress`."""
    lengths = []

    def share(
        value: Callable[[Array], Array],
        gradient: Callable[[Array], Array],
        x: Array,
        h: Array,
        gamma: Array,
        norms: Metric,
    ) -> float:
        lam = dual_norm(gradient(x), norms) / gamma
        after = regularized_step(x, gradient(x), h, lam, norms)
        lengths.append(float((primal_norm(after - x, norms) / gamma).max()))
        promised = dual_norm(gradient(after), norms) ** 2 / (8 * lam)
        return float(((value(x) - value(after)) / promised).min())

    plain = metric(np.eye(4))
    x = 2 * run.rng.standard_normal((points, 4))
    _, g, h = cubic(x)
    found = {
        "cubic_progress": share(
            lambda x: cubic(x)[0],
            lambda x: cubic(x)[1],
            x,
            h,
            factor * np.sqrt(2 * dual_norm(g, plain) / 2),
            plain,
        )
    }
    loss = LogSumExp(run.rng.standard_normal((8, 4)), run.rng.standard_normal(8), 0.5)
    lipschitz = np.linalg.norm(loss.a, axis=1).max() ** 3 / loss.mu**2
    gamma = factor * np.sqrt(2 * dual_norm(loss.gradient(x), plain) / lipschitz)
    found["softmax_progress"] = share(loss.value, loss.gradient, x, loss.hessian(x), gamma, plain)
    loss = LogSumExp(run.rng.standard_normal((8, 2)), run.rng.standard_normal(8), 0.5)
    norms, x = metric(definite(run, 2)), 2 * run.rng.standard_normal((10, 2))
    h = log_sum_exp_matrix(loss.a, softmax(loss, x), loss.mu)
    circle = turns(180)
    measured = [
        smoothness_radius(loss.gradient, point, matrix, circle, norms, 100.0, radii=20)
        for point, matrix in zip(x, h, strict=True)
    ]
    gamma = factor * np.array(measured)
    found["measured_progress"] = share(loss.value, loss.gradient, x, h, gamma, norms)
    return {**found, "length_share": max(lengths)}


def turns(count: int) -> Array:
    """Return directions all around in the plane, shape (count, 2)."""
    angle = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def radius_errors(primal: bool) -> dict[str, float]:
    """Return how far measured γ(x) lie from closed forms; see `radius`."""

    def norms(b: Array) -> Metric:
        return Metric(b, b) if primal else metric(b)

    b, turn = (
        np.diag([2.0, 0.5]),
        np.array([[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]]),
    )
    a = turn @ np.diag([3.0, 1.0]) @ turn.T
    lipschitz = float(np.linalg.eigvals(np.linalg.inv(b) @ a).real.max())
    circle, one, side = turns(720), np.array([[1.7]]), np.array([[1.0], [-1.0]])
    quadratic, cubes = [], []
    for x in np.array([[-1.3, 0.4], [0.7, 2.1], [3.3, -0.2], [0.1, 0.9], [-0.6, -1.1]]):
        found = smoothness_radius(lambda x: x @ a, x, 0 * a, circle, norms(b), 50.0, radii=5)
        quadratic.append(found / (float(dual_norm(x @ a, metric(b))) / lipschitz))
        point = x[:1]
        matrix = 2 * np.abs(point)[:, None]
        found = smoothness_radius(
            lambda x: x * np.abs(x), point, matrix, side, norms(one), 50.0, radii=5
        )
        cubes.append(found / (math.sqrt(1.7) * abs(float(point[0]))))
    end = smoothness_radius(lambda x: x @ a, np.ones(2), a, circle, norms(b), 7.3)
    # f' = 1/2 + 1 − exp(−x) at 0, for h > 0: the shortest of ten lengths decides
    saturating = smoothness_radius(
        lambda x: 1.5 - np.exp(-x),
        np.zeros(1),
        np.zeros((1, 1)),
        2 * np.eye(1),
        metric(np.eye(1)),
        50.0,
        radii=10,
    )
    return {
        "saturating_error": abs(saturating / (-10 * math.log(1 - 0.05)) - 1),
        "quadratic_error": float(np.abs(np.array(quadratic) - 1).max()),
        "cubic_error": float(np.abs(np.array(cubes) - 1).max()),
        "unbounded_error": abs(end - 7.3),
    }


def automatic(function: Callable[[torch.Tensor], torch.Tensor], x: Array) -> Array:
    """Return Hessians at points (..., n) by PyTorch, shape (..., n, n)."""
    found = [hessian(function, torch.tensor(point)).numpy() for point in x.reshape(-1, x.shape[-1])]
    return np.array(found).reshape(*x.shape, x.shape[-1])


def matrix_errors(run: Run, shift: float, primal: bool) -> dict[str, float]:
    """Return how far matrices, steps and norms lie from references; see `matrices`."""
    a, b = run.rng.standard_normal((7, 4)), run.rng.standard_normal(7)
    rows, targets = torch.tensor(a), torch.tensor(b)
    x = run.rng.standard_normal((2, 4))
    loss = LogSumExp(a, b, 0.3)
    g = loss.gradient(x)
    soft = log_sum_exp_matrix(a, softmax(loss, x), 0.3) - g[..., None] * g[..., None, :] / 0.3
    wanted = automatic(lambda w: 0.3 * torch.logsumexp((rows @ w - targets) / 0.3, 0), x)

    w = run.rng.standard_normal((2, 12))
    classes = torch.tensor([0, 2, 1, 1, 0, 2, 2])
    entropy = automatic(
        lambda w: torch.nn.functional.cross_entropy(rows @ w.reshape(3, 4).T, classes), w
    )
    pi = torch.softmax(rows @ torch.tensor(w).reshape(2, 3, 4).mT, -1).numpy()
    joint = np.einsum("smc,mn->smcn", pi, a).reshape(2, 7, 12)
    blocks = softmax_blocks(a, pi) - joint.swapaxes(-1, -2) @ joint / 7

    powers, fishers = [], []
    for p in (2.0, 3.0, 4.5):
        power = Power(a, b, p)
        u = power.residual(x)
        exact = automatic(lambda w, p=p: torch.linalg.norm(rows @ w - targets) ** p / p, x)  # type: ignore[misc]
        powers.append(relative(inexact_hessian(u, a, p + shift), exact))
        v, slope = fisher_vector(u, a, p + shift), power.gradient(x)
        term = (p - 2) * np.linalg.norm(u, axis=-1)[:, None, None] ** -p
        fishers.append(
            relative(v[..., None] * v[..., None, :], term * slope[..., None] * slope[..., None, :])
        )
    point, scaled = run.rng.standard_normal((3, 2)), Rosenbrock(5.0, 1.7)
    exact = automatic(lambda w: 1.7 * rosenbrock(w) ** 2.5 / 5, point)
    left = inexact_hessian(scaled.residual(point), scaled.jacobian(point), 5 + shift)
    powers.append(relative(left + scaled.second(point), exact))
    powers.append(relative(Rosenbrock().gradient(point), rosenbrock_gradient(torch.tensor(point))))

    true = metric(definite(run, 4))
    norms = Metric(true.b, true.b) if primal else true
    lam, h = np.array([0.7, 2.3]), np.stack([definite(run, 4), definite(run, 4)])
    after = regularized_step(x, g, h, lam, norms)
    total = h + lam[:, None, None] * true.b
    v = run.rng.standard_normal((2, 4))
    dense = (
        x
        - np.linalg.solve(
            v[..., None] * v[..., None, :] + lam[:, None, None] * true.b, g[..., None]
        )[..., 0]
    )
    root = np.linalg.cholesky(true.b)
    return {
        "softmax_error": relative(soft, wanted),
        "blocks_error": relative(blocks, entropy),
        "power_error": max(powers),
        "fisher_error": max(fishers),
        "step_error": relative((total @ (x - after)[..., None])[..., 0], g),
        "rank_one_error": relative(rank_one_step(x, g, v, lam, norms), dense),
        "norm_error": max(
            relative(primal_norm(x, norms), np.linalg.norm(x @ root, axis=1)),
            relative(dual_norm(g, norms), np.linalg.norm(np.linalg.solve(root, g.T), axis=0)),
        ),
    }


def path_errors(gamma0: float) -> dict[str, float]:
    """Return how far paths lie from those of the authors' code; see `authors_code`."""
    i, j = np.meshgrid(np.arange(12), np.arange(5), indexing="ij")
    a, b = np.cos(1 + 3 * i + 5 * j + i * j), np.sin(2 * np.arange(12))
    soft, power, fifth = LogSumExp(a, b, 0.3), Power(a[:4], b[:4], 4), Rosenbrock(5.0, 1.0)
    data, small, plain = (
        metric(m) for m in (a.T @ a, a[:4].T @ a[:4] + 0.1 * np.eye(5), np.eye(2))
    )
    x0, x1 = np.array([1.0, -2, 3, -1, 2]), np.array([-2.0, 2.0])

    def path(
        loss: Loss, norms: Metric, x0: Array, step: Callable[[Array, Array, Array], Array]
    ) -> tuple[list[float], list[float]]:
        state = start(loss.value, loss.gradient, x0, gamma0)
        values, gammas = [], [float(np.log2(state.gamma))]
        for _ in range(9):
            x, g = state.x, state.g
            state = iterate(loss.value, loss.gradient, state, lambda lam: step(x, g, lam), norms)  # noqa: B023
            values.append(float(state.value))
            gammas.append(float(np.log2(state.gamma)))
        return values[2::3], gammas

    def dense(matrix: Callable[[Array], Array], norms: Metric) -> Callable[..., Array]:
        return lambda x, g, lam: regularized_step(x, g, matrix(x), lam, norms)

    def gauss_newton(x: Array) -> Array:
        return log_sum_exp_matrix(a, softmax(soft, x), 0.3)

    def power_hessian(x: Array) -> Array:
        return inexact_hessian(power.residual(x), power.a, 4)

    def fisher_step(x: Array, g: Array, lam: Array) -> Array:
        return rank_one_step(x, g, fisher_vector(power.residual(x), power.a, 4), lam, small)

    def inexact(x: Array) -> Array:
        return inexact_hessian(fifth.residual(x), fifth.jacobian(x), 5)

    found = {
        "softmax, Hessian": path(soft, data, x0, dense(soft.hessian, data)),
        "softmax, Gauss–Newton": path(soft, data, x0, dense(gauss_newton, data)),
        "power, Hessian": path(power, small, x0, dense(power_hessian, small)),
        "power, Fisher": path(power, small, x0, fisher_step),
        "Rosenbrock, p = 5": path(fifth, plain, x1, dense(inexact, plain)),
    }
    descents = []
    for name, norms in (("Euclidean", metric(np.eye(5))), ("metric", data)):
        point, values = Descent(x0, float(soft.value(x0))), []
        for _ in range(12):
            point = point.advance(soft, norms)
            values.append(point.value)
        descents.append(np.abs(np.array(values[2::3]) / DESCENTS[name] - 1).max())
    return {
        "value_error": max(
            float(np.abs(np.array(found[name][0]) / values - 1).max())
            for name, (values, _) in PATHS.items()
        ),
        "gamma_error": max(absolute(found[name][1], gammas) for name, (_, gammas) in PATHS.items()),
        "baseline_error": float(max(descents)),
    }


def edge_errors(run: Run, extra: int) -> dict[str, float]:
    """Return how far degenerate cases lie from what is right; see `edges`."""
    a, b = run.rng.standard_normal((9, 4)), run.rng.standard_normal(9)
    norms = metric(definite(run, 4))

    def single(a: Array, b: Array, x: Array, norms: Metric) -> Array:
        loss = LogSumExp(a, b, 0.3)
        state = start(loss.value, loss.gradient, x, 0.5)
        for _ in range(5):
            h, x, g = log_sum_exp_matrix(a, softmax(loss, state.x), 0.3), state.x, state.g
            state = iterate(
                loss.value,
                loss.gradient,
                state,
                lambda lam: regularized_step(x, g, h, lam, norms),  # noqa: B023
                norms,
            )
        if not state.x.dtype == state.value.dtype == state.gamma.dtype == a.dtype:
            return np.full_like(x, np.inf)
        return state.x

    x = run.rng.standard_normal((2, 3, 4))
    together = single(a, b, x, norms)
    alone = np.array([single(a, b, point, norms) for point in x.reshape(6, 4)]).reshape(x.shape)
    small = Metric(*(part.astype(np.float32) for part in norms))
    a32, b32, x32 = (part.astype(np.float32) for part in (a, b, x))
    reduced = single(a32, b32, x32, small)
    zero_error, stuck_error = standing_errors(run)
    return {
        "zero_error": zero_error,
        "stuck_error": stuck_error,
        "indefinite_error": indefinite_error(extra),
        "batch_error": relative(together, alone),
        "float32_error": max(relative(reduced, together), float32_parts(run)),
    }


def float32_parts(run: Run) -> float:
    """Return 0 if matrices and steps of float32 are float32, else infinity."""
    u, j, g = (run.rng.standard_normal(s).astype(np.float32) for s in ((2, 5), (2, 5, 3), (2, 3)))
    norms, lam = metric(np.eye(3, dtype=np.float32)), np.ones(2, np.float32)
    found = (
        inexact_hessian(u, j, 3),
        fisher_vector(u, j, 3),
        softmax_blocks(j[0], np.abs(j)),
        regularized_step(g, g, inexact_hessian(u, j, 3), lam, norms),
        rank_one_step(g, g, g, lam, norms),
    )
    return 0.0 if all(part.dtype == np.float32 for part in found) else math.inf


def standing_errors(run: Run) -> tuple[float, float]:
    """Return how far points move that should not: gradient zero, and no γ accepted."""
    plain, h = metric(np.eye(3)), definite(run, 3)
    x = np.stack([np.zeros(3), run.rng.standard_normal(3)])

    def stay(value: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
        state = start(value, lambda x: x @ h, x, 3.0)
        after = iterate(
            value,
            lambda x: x @ h,
            state,
            lambda lam: regularized_step(x, x @ h, np.broadcast_to(h, (2, 3, 3)), lam, plain),
            plain,
        )
        return after.x, after.gamma

    moved, gamma = stay(lambda x: ((x @ h) * x).sum(axis=-1) / 2, x)
    zero_error = float(np.abs(moved[0]).max() + abs(gamma[0] - 3) + (gamma[1] == 3))
    zero_error += float(np.abs(fisher_vector(np.zeros(3), h, 3)).max())
    first = 1 + np.abs(x)
    moved, gamma = stay(lambda x: 1.0 * (x != first).any(axis=-1), first)
    return zero_error, float(np.abs(moved - first).max() + np.abs(gamma * 2.0**40 / 3 - 1).max())


def indefinite_error(extra: int) -> float:
    """Return how far γ and x⁺ lie from the first definite trial that makes progress.

    Two points of Rosenbrock's function with its exact Hessian, indefinite at both.
    """
    loss, plain = Rosenbrock(), metric(np.eye(2))
    x = np.array([[0.1, 2.0], [-0.3, 1.1]])
    h = inexact_hessian(loss.residual(x), loss.jacobian(x), 2) + loss.second(x)
    state = start(loss.value, loss.gradient, x, 3.0)
    after = iterate(
        loss.value,
        loss.gradient,
        state,
        lambda lam: regularized_step(x, state.g, h, lam, plain),
        plain,
    )
    # one sum is singular, one indefinite, one definite with small eigenvalues
    parts = np.array([[-1, -1], [-3, 4], [-0.5, -0.2]])[..., None] * np.eye(2)
    moved = regularized_step(np.ones((3, 2)), np.full((3, 2), 0.2), parts, np.ones(3), plain)
    errors = [absolute(moved, np.array([[1, 1], [1, 1], [0.6, 0.75]]))]
    for i, (point, g) in enumerate(zip(x, state.g, strict=True)):
        for halvings in range(40):
            lam = np.linalg.norm(g) / 3 * 2**halvings
            total = h[i] + lam * np.eye(2)
            end = point - np.linalg.solve(total, g)
            fall = loss.value(point) - loss.value(end)
            least = np.linalg.norm(loss.gradient(end)) ** 2 / (8 * lam)
            if np.linalg.eigvalsh(total)[0] > 0 and fall >= least:
                break
        errors.append(abs(float(after.gamma[i]) / (2 * 3 / 2.0 ** (halvings + extra)) - 1))
        errors.append(relative(after.x[i], end))
    return max(errors)
