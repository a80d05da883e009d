"""Experiments of the Riemannian adaptive optimization paper; the embedding is `embedding.py`'s."""

import math
from collections.abc import Sequence
from typing import Any

import geoopt
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from claimbench import Run, experiment
from common.errors import absolute
from common.fits import power

from .balls import (
    at_radius,
    descend,
    embedding_errors,
    map_error,
    operation_error,
)
from .embedding import (
    Method,
    mammals,
    mean_average_precision,
    rsgd,
    train,
    tuned,
    tuned_without_adaptivity,
)
from .frechet import regrets_and_bounds
from .line import projected_error, two_steps_errors
from .method import (
    EUCLIDEAN,
    POINCARE,
    RETRACTION,
    Sums,
    conformal,
    distance,
    exp,
    inner,
    mobius_add,
    ramsgrad,
    regret_bound,
    riemannian_gradient,
    start,
    zeta,
)

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ADAPTIVE_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
TINY = 1e-300  # an ε that only keeps torch's optimizers from dividing 0 by 0


# Exact statements


@experiment
def flat_space(run: Run, *, joint: bool = False) -> dict[str, float]:
    """Logistic regression on random batches, RAMSGrad on R^n beside torch's optimizers.

    torch's bias correction is undone in the rate. The last feature is zero in 19 of 20 examples,
    so that its gradient begins with zeros. `joint`: R^n is one factor.
    """
    alpha, beta1, beta2, steps, examples, features = 0.1, 0.9, 0.999, 200, 200, 20
    x = torch.tensor(run.rng.standard_normal((examples, features)), dtype=run.dtype)
    x[:190, -1] = 0
    y = (torch.tensor(run.rng.standard_normal(examples)) + x[:, 0] > 0).to(run.dtype)
    batches = torch.tensor(run.rng.integers(examples, size=(steps, 16)))
    initial = torch.tensor(run.rng.standard_normal(features), dtype=run.dtype)

    def gradient(w: Tensor, chosen: Tensor) -> Tensor:
        return x[chosen].T @ (torch.sigmoid(x[chosen] @ w) - y[chosen]) / len(chosen)

    def error(name: str) -> float:
        w = torch.nn.Parameter(initial.clone())
        theirs: Any
        if name == "adagrad":
            theirs = torch.optim.Adagrad([w], lr=alpha, eps=TINY)
        else:
            theirs = torch.optim.Adam([w], betas=(beta1, beta2), eps=TINY, amsgrad=name == "ams")
        point = initial.reshape((1, -1) if joint else (-1, 1))
        state, largest = start(point), 0.0
        for t, chosen in enumerate(batches, 1):
            rate, w.grad = alpha / math.sqrt(t), gradient(w.detach(), chosen)
            if name != "adagrad":
                theirs.param_groups[0]["lr"] = rate * uncorrected(t, beta1, beta2)
            theirs.step()
            g = gradient(point.flatten(), chosen).reshape(point.shape)
            decays = (0.0, 1 - 1 / t) if name == "adagrad" else (beta1, beta2)
            point, state = ramsgrad(
                EUCLIDEAN, point, state, g, rate, *decays, maximum=name == "ams"
            )
            largest = max(largest, float((point.flatten() - w.detach()).abs().max()))
        return largest

    return {
        "amsgrad_error": error("ams"),
        "adam_error": error("adam"),
        "adagrad_error": error("adagrad"),
    }


def uncorrected(t: int, beta1: float, beta2: float) -> float:
    """Return what Adam's rate is multiplied by at step t to undo its bias correction."""
    return (1 - beta1**t) / math.sqrt(1 - beta2**t)


@experiment
def isometries(run: Run, *, norm: str = "riemannian", rotate: bool = True) -> dict[str, float]:
    """RAMSGrad on four balls of dimensions 2 to 5, and on the same problem moved by isometries.

    The loss is the sum of squared distances to three anchors. `norm`: "coordinatewise" averages
    the squares of the coordinates λ g_j, each for itself. `rotate`: without it transport only
    keeps the length.
    """
    manifold = POINCARE._replace(project=lambda x: x)
    if norm == "coordinatewise":
        manifold = manifold._replace(square_norm=lambda x, v: (conformal(x) * v) ** 2)
    if not rotate:
        manifold = manifold._replace(transport=lambda x, y, v: conformal(x) / conformal(y) * v)
    deviation = 0.0
    for d in (2, 3, 4, 5):
        points = at_radius(run, run.rng.uniform(0.1, 0.7, (4, 1)), d)
        turn = torch.tensor(np.linalg.qr(run.rng.standard_normal((d, d)))[0], dtype=run.dtype)
        by = at_radius(run, run.rng.uniform(0.1, 0.5, (1, 1)), d)

        def move(x: Tensor, turn: Tensor = turn, by: Tensor = by) -> Tensor:
            return mobius_add(by, x @ turn.T)

        here = descend(manifold, points[:1], points[1:])
        there = descend(manifold, move(points[:1]), move(points[1:]))
        deviation = max(deviation, float(distance(move(here), there).max()))
    return {"deviation": deviation}


@experiment
def library(run: Run, *, bias_corrected: bool = False) -> dict[str, float]:
    """Six balls of dimension 3 under a loss that couples them, beside geoopt, from autodiff.

    `bias_corrected`: geoopt's optimizer as it is.
    """
    ball = geoopt.PoincareBallExact(c=1.0)
    anchors = at_radius(run, run.rng.uniform(0.1, 0.7, (4, 1, 1)), 3)
    initial = at_radius(run, run.rng.uniform(0.1, 0.7, (6, 1)), 3)

    def gradient(x: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_()
        loss = torch.logsumexp(ball.dist2(leaf, anchors).sum(0), dim=0)
        return torch.autograd.grad(loss, leaf)[0]

    def error(name: str) -> float:
        point = geoopt.ManifoldParameter(initial.clone(), manifold=ball)
        theirs: Any
        if name == "rsgd":
            theirs = geoopt.optim.RiemannianSGD([point], lr=0.03)
        else:
            theirs = geoopt.optim.RiemannianAdam([point], eps=0.0, amsgrad=name == "ramsgrad")
        x, state, largest = initial, start(initial), 0.0
        for t in range(1, 51):
            point.grad = gradient(point)
            if name != "rsgd":
                correction = 1.0 if bias_corrected else uncorrected(t, 0.9, 0.999)
                theirs.param_groups[0]["lr"] = 0.03 * correction
            theirs.step()
            g = riemannian_gradient(x, gradient(x))
            if name == "rsgd":
                x = rsgd(POINCARE, x, g, 0.03)
            else:
                x, state = ramsgrad(
                    POINCARE, x, state, g, 0.03, 0.9, 0.999, maximum=name == "ramsgrad"
                )
            largest = max(largest, float((x - point.detach()).abs().max()))
        return largest

    loss_error, gradient_error = embedding_errors(run, ball)
    return {
        "radam_error": error("radam"),
        "ramsgrad_error": error("ramsgrad"),
        "rsgd_error": error("rsgd"),
        "operation_error": operation_error(run, ball),
        "gradient_error": gradient_error,
        "loss_error": loss_error,
        "map_error": map_error(run),
    }


@experiment
def two_steps(run: Run, *, maximum: bool = True) -> dict[str, float]:
    """RAMSGrad along a line through the origin (`line.py`), the bound, and degenerate cases."""
    step_error, state_error = two_steps_errors(run.dtype, maximum)
    float32_error = max(two_steps_errors(torch.float32, maximum))
    x = torch.tensor([[0.3, -0.2]], dtype=run.dtype, requires_grad=True)
    apart = distance(x, x.detach())
    (slope,) = torch.autograd.grad(apart.sum(), x)
    zetas = (
        zeta(-1, 1) - 1.3130352854993313,
        zeta(-4, 1) - 2.0746294414550963,
        zeta(0, 5) - 1,
    )
    # D²/(2(1 - β1)) = 4, γ = 5/8, and the last factor (2/tanh 2 + 1)/2
    bound = 4 * (2 / 0.5 * 3 + 7) + 0.5 * 1.5447635291914069 / 0.05625 * 1.5373147207275481 * 5
    sums = Sums(root_v=3, decayed=7, gradient=5)
    return {
        "step_error": step_error,
        "state_error": state_error,
        "float32_error": float32_error,
        "equal_points_error": absolute(slope, torch.zeros_like(slope)) + apart.item(),
        "projected_error": projected_error(run.dtype),
        "zeta_error": max(abs(z) for z in zetas),
        "bound_error": abs(regret_bound(4, sums, 0.5, 0.5, 0.64, 2, -1) / bound - 1),
    }


@experiment
def triangles(run: Run, *, kappa: float = -1.0, count: int = 100_000) -> dict[str, float]:
    """Random triangles of the Poincaré ball of dimension 3; `kappa`: the curvature in ζ."""
    rng = run.rng
    b, c = np.exp(rng.uniform(math.log(0.01), math.log(5), count)), rng.uniform(1, 5, count)
    angle = rng.uniform(0, np.pi, count)
    # the law of cosines, without its cancellation
    half = np.sinh((b - c) / 2) ** 2 + np.sinh(b) * np.sinh(c) * np.sin(angle / 2) ** 2
    a = 2 * np.arcsinh(np.sqrt(half))
    factor = np.array([zeta(kappa, length) for length in c])
    straight = c**2 - 2 * b * c * np.cos(angle)

    frame = np.linalg.qr(rng.standard_normal((count, 3, 2)))[0]
    first, second = (torch.tensor(v, dtype=run.dtype) for v in np.moveaxis(frame, -1, 0))
    cosine, sine, to_b, to_c = (
        torch.tensor(v, dtype=run.dtype)[:, None] for v in (np.cos(angle), np.sin(angle), b, c)
    )
    x = at_radius(run, np.tanh(rng.uniform(0, 0.5, (count, 1))), 3)
    y = exp(x, to_b * first / conformal(x))
    z = exp(x, to_c * (cosine * first + sine * second) / conformal(x))
    side = distance(y, z)[:, 0].numpy()
    return {
        "violations": int((a**2 > (factor * b**2 + straight) * (1 + 1e-9)).sum()),
        "largest_share": float(((a**2 - straight) / (factor * b**2)).max()),
        "side_error": float((np.abs(side - a) / (1 + a)).max()),
    }


# Regret


@experiment
def regret(
    run: Run, *, sign: float = 1.0, horizons: Sequence[int] = (100, 200, 400, 1000, 2000, 5000)
) -> dict[str, float]:
    """Online Fréchet means on ten balls of dimension 3, X the geodesic ball of radius 1 in each.

    The losses are d²(x, z_t)/2 with z_t about a centre at the distance 1/2, the start is at 0.95.
    With momentum (β1 = 0.9 · 0.99^(t-1), β2 = 0.999) and without (β1 = 0, β2 = 0.9), α = 1/2.
    `sign`: of the steps.
    """
    regrets, bounds = regrets_and_bounds(run, sign, horizons)
    share, average = (regrets / bounds).max(0), regrets / np.array(horizons)[:, None]
    for name, values in zip(("with momentum", "without momentum"), average.T, strict=True):
        run.curve(f"average regret {name}", horizons, values)
    exponent = [power(horizons, values).exponent for values in average.T]
    return {
        "momentum_share": float(share[0]),
        "plain_share": float(share[1]),
        "momentum_exponent": exponent[0],
        "plain_exponent": exponent[1],
    }


# Embedding WordNet's mammals


@experiment
def embedding(
    run: Run,
    *,
    adaptive: bool = True,
    epochs: int = 70,
    rates: Sequence[float] = RATES,
    adaptive_rates: Sequence[float] = ADAPTIVE_RATES,
) -> dict[str, float]:
    """RADAM and RAMSGrad beside RSGD, all tuned; the same start, batches and negatives.

    `adaptive`: without it v stays 1 and β1 is 0, which leaves RSGD, with a tuning and a random
    stream of its own.
    """
    best = run.artefact(tuned, epochs=epochs, rates=rates, adaptive_rates=adaptive_rates)
    tree = mammals()
    baseline = Method((best["rsgd"],), POINCARE)
    if adaptive:
        methods = [
            baseline,
            Method((best["radam"],), POINCARE, 0.9, 0.999),
            Method((best["ramsgrad"],), POINCARE, 0.9, 0.999, maximum=True),
        ]
        losses, points = train(tree, methods, run.rng, epochs=epochs, dtype=run.dtype)
    else:
        rate = run.artefact(tuned_without_adaptivity, epochs=epochs, rates=rates)["rate"]
        plain, x = train(tree, [baseline], run.rng, epochs=epochs, dtype=run.dtype)
        arm = [Method((rate,), POINCARE)]
        twin, y = train(tree, arm, run.rng, epochs=epochs, dtype=run.dtype)
        losses, points = np.concatenate([plain, twin, twin], axis=1), torch.cat([x, y, y], dim=1)
    precision = mean_average_precision(points, tree.related)
    for name, values in zip(("RSGD", "RADAM", "RAMSGrad"), losses.T, strict=True):
        run.curve(name, range(1, epochs + 1), values)
    goal = losses[-1, 0]

    def epochs_to_goal(losses: npt.NDArray[np.float64]) -> float:
        below = losses <= goal
        return float(np.argmax(below) + 1) if below.any() else math.inf

    return {
        "radam_loss_ratio": float(losses[-1, 1] / goal),
        "radam_epoch_ratio": epochs_to_goal(losses[:, 1]) / epochs,
        "ramsgrad_loss_ratio": float(losses[-1, 2] / goal),
        "ramsgrad_epoch_ratio": epochs_to_goal(losses[:, 2]) / epochs,
        "rsgd_map": float(precision[0]),
        "radam_map_gain": float(precision[1] - precision[0]),
        "ramsgrad_map_gain": float(precision[2] - precision[0]),
    }


@experiment
def retraction(
    run: Run,
    *,
    metric: bool = True,
    epochs: int = 70,
    rates: Sequence[float] = RATES,
    adaptive_rates: Sequence[float] = ADAPTIVE_RATES,
) -> dict[str, float]:
    """RADAM with Exp and transport, and with a retraction and no transport, at the same rate.

    `metric`: without it the second takes Euclidean gradients and norms.
    """
    best = run.artefact(tuned, epochs=epochs, rates=rates, adaptive_rates=adaptive_rates)
    flat = RETRACTION._replace(square_norm=lambda x, v: inner(v, v))
    rate = (best["radam"],)
    methods = [
        Method(rate, POINCARE, 0.9, 0.999),
        Method(rate, RETRACTION if metric else flat, 0.9, 0.999, euclidean=not metric),
    ]
    losses, _ = train(mammals(), methods, run.rng, epochs=epochs, dtype=run.dtype)
    for name, values in zip(("Exp and transport", "retraction"), losses.T, strict=True):
        run.curve(name, range(1, epochs + 1), values)
    return {"loss_ratio": float(losses[-1, 1] / losses[-1, 0])}
