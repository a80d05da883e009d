"""Losses of the experiments, and iterations counted to a target."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import scipy.special

from claimbench import Run
from common.convex import LogSumExp
from common.data import load
from common.images import pixels
from common.linear_models import Logistic, Softmax

from .method import (
    Array,
    Metric,
    State,
    dual_norm,
    iterate,
    log_sum_exp_matrix,
    metric,
    primal_norm,
    regularized_step,
    start,
)

Point = TypeVar("Point")


class Loss(Protocol):
    """f and f'."""

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""

    def gradient(self, w: Array) -> Array:
        """Return f', shape (..., n)."""


@dataclass(frozen=True)
class Power:
    """f = ‖Ax − b‖^p / p.

    Attributes:
        a: A, shape (m, n).
        b: shape (m,).
        p: 2 or more.
    """

    a: Array
    b: Array
    p: float

    def residual(self, w: Array) -> Array:
        """Return u = Ax − b, shape (..., m)."""
        return w @ self.a.T - self.b

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        return np.asarray(np.linalg.norm(self.residual(w), axis=-1) ** self.p / self.p)

    def gradient(self, w: Array) -> Array:
        """Return ‖u‖^(p−2) Aᵀu, shape (..., n)."""
        u = self.residual(w)
        return np.linalg.norm(u, axis=-1, keepdims=True) ** (self.p - 2) * (u @ self.a)


@dataclass(frozen=True)
class Rosenbrock:
    """f = s ‖u‖^p / p, u = (1 − x, 10 (y − x²)); p = 2 and s = 2 is Rosenbrock's function.

    Attributes:
        p: 2 or more.
        scale: s.
    """

    p: float = 2.0
    scale: float = 2.0

    def residual(self, w: Array) -> Array:
        """Return s^(1/p) u, shape (..., 2)."""
        x, y = w[..., 0], w[..., 1]
        return np.stack([1 - x, 10 * (y - x**2)], axis=-1) * self.scale ** (1 / self.p)

    def jacobian(self, w: Array) -> Array:
        """Return its derivative, shape (..., 2, 2)."""
        one = np.ones_like(w[..., 0])
        rows = [[-one, 0 * one], [-20 * w[..., 0], 10 * one]]
        found = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
        return found * self.scale ** (1 / self.p)

    def value(self, w: Array) -> Array:
        """Return f, shape (...)."""
        return np.asarray(np.linalg.norm(self.residual(w), axis=-1) ** self.p / self.p)

    def gradient(self, w: Array) -> Array:
        """Return f', shape (..., 2)."""
        u = self.residual(w)
        size = np.linalg.norm(u, axis=-1, keepdims=True) ** (self.p - 2)
        return size * (u[..., None, :] @ self.jacobian(w))[..., 0, :]

    def second(self, w: Array) -> Array:
        """Return what the inexact Hessian leaves out, ‖u‖^(p−2) Σ uᵢ ∇²uᵢ, shape (..., 2, 2)."""
        u = self.residual(w)
        size = np.linalg.norm(u, axis=-1) ** (self.p - 2) * u[..., 1] * self.scale ** (1 / self.p)
        return -20 * size[..., None, None] * np.diag([1.0, 0.0])


def smooth_maximum(run: Run, rows: int, columns: int, mu: float) -> LogSumExp:
    """Return a smooth maximum whose minimum is 0: A and b uniform in [−1, 1], rows shifted."""
    a, b = run.rng.uniform(-1, 1, (rows, columns)), run.rng.uniform(-1, 1, rows)
    loss = LogSumExp(a, b, mu)
    return LogSumExp(a - loss.gradient(np.zeros(columns)), b, mu)


def softmax(loss: LogSumExp, w: Array) -> Array:
    """Return π, the softmax of (Ax − b)/μ, shape (..., m)."""
    return np.asarray(scipy.special.softmax((w @ loss.a.T - loss.b) / loss.mu, axis=-1))


class Goal(NamedTuple):
    """f*, the gap to reach, and how many iterations there are for it."""

    lowest: float
    target: float
    limit: int


class Path:
    """Gaps of an iteration, and how many steps they took.

    Attributes:
        gaps: at the start and after each iteration.
        steps: iterations until the gap is at most the target, the last counted by the share of it
            that the gap's logarithm takes; the limit where it is not.
        gammas: what `record` gave, one an iteration.
    """

    def __init__(
        self,
        advance: Callable[[Point], Point],
        gap: Callable[[Point], float],
        point: Point,
        goal: Goal,
        record: Callable[[Point], float] = lambda point: 0.0,
    ) -> None:
        self.gaps, self.gammas = [gap(point)], [record(point)]
        while self.gaps[-1] > goal.target and len(self.gaps) <= goal.limit:
            point = advance(point)
            self.gaps.append(gap(point))
            self.gammas.append(record(point))
        self.steps = float(len(self.gaps) - 1)
        if len(self.gaps) > 1 and self.gaps[-1] <= goal.target:
            last, now = (math.log(max(value, 1e-300)) for value in self.gaps[-2:])
            self.steps -= 1 - (last - math.log(goal.target)) / (last - now)


def newton_path(
    loss: Loss,
    matrix: Callable[[Array], Array],
    norms: Metric,
    x0: Array,
    goal: Goal,
    *,
    fixed: float = 0.0,
    constant: float = 0.0,
) -> Path:
    """Return the path of the method.

    Args:
        loss: f.
        matrix: x to H(x).
        norms: of the method.
        x0: start.
        goal: where it ends.
        fixed: γ of each step, without a search; 0 searches.
        constant: λ of each step; 0 takes it from γ.
    """

    def advance(state: State) -> State:
        h = matrix(state.x)

        def trial(lam: Array) -> Array:
            return regularized_step(state.x, state.g, h, lam, norms)

        if not (fixed or constant):
            return iterate(loss.value, loss.gradient, state, trial, norms)
        lam = np.array(constant) if constant else dual_norm(state.g, norms) / fixed
        after = trial(lam)
        return State(after, loss.value(after), loss.gradient(after), state.gamma)

    return Path(
        advance,
        lambda state: float(state.value) - goal.lowest,
        start(loss.value, loss.gradient, x0),
        goal,
        lambda state: float(state.gamma) / 2,
    )


class Descent:
    """The gradient method with line search of the authors' code, in a metric.

    A step x − B⁻¹f'(x)/L is taken if f falls to what L promises, with L doubled until then and
    halved afterwards.

    Attributes:
        x: the point.
        value: f there.
        size: L.
    """

    def __init__(self, x: Array, value: float, size: float = 1.0) -> None:
        self.x, self.value, self.size = x, value, size

    def advance(self, loss: Loss, norms: Metric) -> "Descent":
        """Return the next point."""
        g, size = loss.gradient(self.x), self.size
        for _ in range(30):
            h = -(norms.inverse @ g) / size
            value = float(loss.value(self.x + h))
            if value <= self.value + g @ h + size / 2 * float(primal_norm(h, norms)) ** 2:
                return Descent(self.x + h, value, max(size / 2, 1e-5))
            size *= 2
        return Descent(self.x + h, value, size)


def descent_path(loss: Loss, norms: Metric, x0: Array, goal: Goal) -> Path:
    """Return the path of `Descent`; arguments as in `newton_path`."""
    return Path(
        lambda point: point.advance(loss, norms),
        lambda point: point.value - goal.lowest,
        Descent(x0, float(loss.value(x0))),
        goal,
    )


def maximum_paths(run: Run, loss: LogSumExp, matrix: str, limit: int) -> dict[str, Path]:
    """Return four paths on a smooth maximum, with their curves; `matrix` as in `logsumexp`."""
    rows, columns = loss.a.shape

    def approximation(x: Array) -> Array:
        pi = softmax(loss, x)
        pi = {"zero": 0 * pi, "uniform": 0 * pi + 1 / rows}.get(matrix, pi)
        return log_sum_exp_matrix(loss.a, pi, loss.mu)

    data, x0 = metric(loss.a.T @ loss.a), np.ones(columns)
    goal = Goal(float(loss.value(np.zeros(columns))), 1e-8, limit)
    paths = {
        "newton": newton_path(loss, approximation, data, x0, goal),
        "exact": newton_path(loss, loss.hessian, data, x0, goal),
        "metric": descent_path(loss, data, x0, goal),
        "plain": descent_path(loss, metric(np.eye(columns)), x0, goal),
    }
    for name, path in paths.items():
        run.curve(name, range(len(path.gaps)), path.gaps)
    return paths


def logistic_regression() -> tuple[Logistic, Metric]:
    """Return the loss of standardised breast cancer data, and the metric AᵀA/m + 1e-6 I."""
    inputs, labels = load("breast_cancer")
    a = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    loss = Logistic(a, np.where(labels == 1, 1.0, -1.0), ridge=1e-3)
    return loss, metric(a.T @ a / len(a) + 1e-6 * np.eye(a.shape[1]))


def softmax_regression(run: Run, rows: int) -> tuple[Softmax, Metric]:
    """Return the loss of random digits, pooled to 4 by 4 pixels, and that metric in each block."""
    _, labels = load("digits")
    drawn = run.rng.permutation(len(labels))[:rows]
    a = pixels("digits", pool=2)[drawn]
    a = (a - a.mean(axis=0)) / a.std(axis=0)
    block = a.T @ a / rows + 1e-6 * np.eye(a.shape[1])
    loss = Softmax(a, labels[drawn].astype(np.int64), 10, ridge=1e-3)
    return loss, metric(np.kron(np.eye(10), block))


def far_start(run: Run, loss: Logistic | Softmax, n: int, limit: int) -> tuple[Array, Goal]:
    """Return a random start of norm 10, and a millionth of its gap as the goal."""
    x0 = run.rng.standard_normal(n)
    x0 *= 10 / np.linalg.norm(x0)
    lowest = float(loss.value(loss.optimum()))
    return x0, Goal(lowest, 1e-6 * (float(loss.value(x0)) - lowest), limit)


def line_share(gaps: list[float]) -> float:
    """Return R² of a straight line through the log-gaps of the second half; 0 for a constant."""
    late = np.log(np.maximum(gaps[len(gaps) // 2 :], 1e-300))
    steps = np.arange(len(late))
    left = late - np.polyval(np.polyfit(steps, late, 1), steps)
    spread = float(((late - late.mean()) ** 2).sum())
    return 1 - float((left**2).sum()) / spread if spread else 0.0


def ratios(
    run: Run, ours: Path, loss: Loss, data: Metric, x0: Array, goal: Goal
) -> dict[str, float]:
    """Return the iterations of both gradient methods over ours, with their curves."""
    plain = descent_path(loss, metric(np.eye(len(x0))), x0, goal)
    other = descent_path(loss, data, x0, goal)
    paths = {"method": ours, "gradient method": plain, "gradient method, metric": other}
    for name, path in paths.items():
        run.curve(name, range(len(path.gaps)), path.gaps)
    return {
        "plain_ratio": plain.steps / ours.steps,
        "metric_ratio": other.steps / ours.steps,
        "steps": ours.steps,
    }
