"""Both methods against PyTorch's SGD, and their gaps against the complexity bounds."""

import numpy as np
import torch

from claimbench import Run
from common.convex import Quadratic
from common.errors import relative
from common.linear_models import Logistic

from .method import Array, fast_start, fast_step, gradient_step, symmetric_preconditioners
from .paths import times
from .polynomials import product_spectrum, rotated


def against_sgd(run: Run, missing: int, momentum: float, steps: int) -> dict[str, float]:
    """Return how far steps with P_3 lie from plain ones; see `plain_steps`."""
    b, a = (rotated(run, np.exp(run.rng.uniform(0, 2, 6))) for _ in range(2))
    loss = Quadratic(a, run.rng.standard_normal(6))
    p = symmetric_preconditioners(b, 3)
    lam, vectors = np.linalg.eigh(p[3])
    root = (vectors * np.sqrt(lam)) @ vectors.T
    m = 1.1 * float(product_spectrum(a, p[3])[-1])
    start, q = run.rng.standard_normal(6), 0.3
    ours = times(p[3 - missing])

    def sgd(beta: float) -> Array:
        z = torch.tensor(np.linalg.solve(root, start), requires_grad=True)
        optimizer = torch.optim.SGD([z], lr=1 / m, momentum=beta, nesterov=beta > 0)
        path = []
        for _ in range(steps):
            z.grad = torch.tensor(root @ loss.gradient(root @ z.detach().numpy()))
            optimizer.step()
            path.append(root @ z.detach().numpy())
        return np.array(path)

    x, fast, growing = start, fast_start(start), fast_start(start)
    v, sum_a, sequence = start, 0.0, start
    paths: list[tuple[Array, ...]] = []
    for _ in range(steps):
        x = gradient_step(x, loss.gradient(x), ours, m)
        fast = fast_step(fast, loss.gradient(fast.y), ours, m, q)
        growing = fast_step(growing, loss.gradient(growing.y), ours, m)
        weight = (1 + np.sqrt(1 + 4 * sum_a)) / 2  # weight² = sum_a + weight
        y = (sum_a * sequence + weight * v) / (sum_a + weight)
        d = p[3] @ loss.gradient(y) / m
        v, sum_a, sequence = v - weight * d, sum_a + weight, y - d
        paths.append((x, fast.y, growing.x, sequence))
    plain, accelerated, growing_path, sequence_path = map(np.array, zip(*paths, strict=True))
    return {
        "gradient_error": relative(plain, sgd(0.0)),
        "fast_error": relative(accelerated, sgd(momentum * (1 - q) / (1 + q))),
        "sequence_error": relative(growing_path, sequence_path),
    }


def bound_shares(run: Run, step_factor: float, steps: int) -> dict[str, float]:
    """Return the largest gaps over their bounds; see `complexity`."""
    rows = run.rng.standard_normal((40, 6)) * np.geomspace(1, 0.05, 6)
    b = rows.T @ rows / 40
    p = symmetric_preconditioners(b / np.trace(b), 5)
    values, product = product_spectrum(b, p), times(p)
    alpha, beta = values[:, :1], values[:, -1:]
    mu, top = 0.2, 3.0
    q = np.sqrt(mu * alpha / (top * beta))

    def distance(x: Array) -> Array:
        """‖x‖² in the norm of P⁻¹, for each τ."""
        return np.array([x @ np.linalg.solve(each, x) for each in p])

    loss = Logistic(rows, np.where(run.rng.random(40) < 0.5, 1.0, -1.0))
    minimum = loss.optimum()
    root = np.linalg.cholesky(b)
    middle = rotated(run, np.concatenate([[mu, top], run.rng.uniform(mu, top, 4)]))
    quadratic = Quadratic(root @ middle @ root.T, np.zeros(6))
    z0 = run.rng.standard_normal(6)
    x = np.zeros((6, 6))
    z, fast, fast_z = x + z0, fast_start(x), fast_start(x + z0)
    m, m_z = beta * loss.bend / step_factor, beta * top / step_factor
    r2, gap = distance(minimum), float(quadratic.value(z0))
    potential = gap + mu * alpha[:, 0] / 2 * distance(z0)
    shares = []
    for k in range(1, steps + 1):
        x = gradient_step(x, loss.gradient(x), product, m)
        fast = fast_step(fast, loss.gradient(fast.y), product, m)
        z = gradient_step(z, quadratic.gradient(z), product, m_z)
        fast_z = fast_step(fast_z, quadratic.gradient(fast_z.y), product, m_z, q)
        left = loss.value(np.stack([x, fast.x])) - loss.value(minimum)
        scale = beta[:, 0] * loss.bend * r2
        shares.append(
            (
                left[0] / (scale / (2 * k)),
                left[1] / (2 * scale / (k + 1) ** 2),
                quadratic.value(z) / ((1 - q[:, 0] ** 2) ** k * gap),
                quadratic.value(fast_z.x) / ((1 - q[:, 0]) ** k * potential),
            )
        )
    worst = np.max(shares, axis=(0, 2)).tolist()
    names = ("gradient_share", "fast_share", "gradient_linear_share", "fast_linear_share")
    return dict(zip(names, worst, strict=True))
