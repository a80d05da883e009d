"""Experiments of the Riemannian adaptive optimization paper; the embedding is `embedding.py`'s."""

import math
from collections.abc import Sequence
from typing import Any

import geoopt
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from claimbench import Run, artefact, experiment

from .embedding import Method, loss_and_gradient, mammals, rsgd, train
from .method import (
    EUCLIDEAN,
    POINCARE,
    RETRACTION,
    Manifold,
    Sums,
    clip,
    conformal,
    distance,
    exp,
    inner,
    mobius_add,
    ramsgrad,
    regret_bound,
    riemannian_gradient,
    shrink,
    start,
    transport,
    zeta,
)

RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ADAPTIVE_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
UNIT_BALL = math.tanh(1 / 2)  # |x| at the hyperbolic distance 1 from the origin
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
        points = _at_radius(run, run.rng.uniform(0.1, 0.7, (4, 1)), d)
        turn = torch.tensor(np.linalg.qr(run.rng.standard_normal((d, d)))[0], dtype=run.dtype)
        by = _at_radius(run, run.rng.uniform(0.1, 0.5, (1, 1)), d)

        def move(x: Tensor, turn: Tensor = turn, by: Tensor = by) -> Tensor:
            return mobius_add(by, x @ turn.T)

        here = _descend(manifold, points[:1], points[1:])
        there = _descend(manifold, move(points[:1]), move(points[1:]))
        deviation = max(deviation, float(distance(move(here), there).max()))
    return {"deviation": deviation}


def _descend(manifold: Manifold, x: Tensor, anchors: Tensor) -> Tensor:
    """Return a hundred iterates of RAMSGrad on the sum of squared distances to the anchors."""
    state, path = start(x), []
    for t in range(1, 101):
        g = -2 * log(x, anchors).sum(0, keepdim=True)
        x, state = ramsgrad(manifold, x, state, g, 0.1 / math.sqrt(t), 0.9, 0.999)
        path.append(x)
    return torch.cat(path)


def log(x: Tensor, y: Tensor) -> Tensor:
    """Return Log_x(y), the tangent vector at x with Exp_x(Log_x(y)) = y; the gradient at x of
    d²(x, y)/2 is its negative.
    """
    w = mobius_add(-x, y)
    size = inner(w, w).sqrt().clamp_min(1e-150)
    return 2 / conformal(x) * size.atanh() * w / size


def _at_radius(run: Run, radius: npt.NDArray[np.float64], d: int) -> Tensor:
    """Return points of that Euclidean radius (..., 1) in random directions, shape (..., d)."""
    direction = run.rng.standard_normal((*radius.shape[:-1], d))
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return torch.tensor(radius * direction, dtype=run.dtype)


@experiment
def library(run: Run, *, bias_corrected: bool = False) -> dict[str, float]:
    """Six balls of dimension 3 under a loss that couples them, beside geoopt, from autodiff.

    `bias_corrected`: geoopt's optimizer as it is.
    """
    ball = geoopt.PoincareBallExact(c=1.0)
    anchors = _at_radius(run, run.rng.uniform(0.1, 0.7, (4, 1, 1)), 3)
    initial = _at_radius(run, run.rng.uniform(0.1, 0.7, (6, 1)), 3)

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

    loss_error, gradient_error = _embedding_errors(run, ball)
    return {
        "radam_error": error("radam"),
        "ramsgrad_error": error("ramsgrad"),
        "rsgd_error": error("rsgd"),
        "operation_error": _operation_error(run, ball),
        "gradient_error": gradient_error,
        "loss_error": loss_error,
    }


def _operation_error(run: Run, ball: Any) -> float:
    """Return the largest error of the ball's operations against geoopt's, relative."""
    x = _at_radius(run, run.rng.uniform(0, 0.95, (200, 1)), 4)
    y = _at_radius(run, run.rng.uniform(0, 0.95, (200, 1)), 4)
    v = torch.tensor(run.rng.standard_normal((200, 4)), dtype=run.dtype) / conformal(x)
    outside = _at_radius(run, run.rng.uniform(0.99998, 1.2, (200, 1)), 4)
    pairs = (
        (exp(x, v), ball.expmap(x, v)),
        (log(x, y), ball.logmap(x, y)),
        (distance(x, y), ball.dist(x, y, keepdim=True)),
        (transport(x, y, v), ball.transp(x, y, v)),
        (POINCARE.square_norm(x, v), ball.inner(x, v, keepdim=True)),
        (RETRACTION.project(RETRACTION.exp(x, v)), ball.projx(x + v)),
        (riemannian_gradient(x, v), ball.egrad2rgrad(x, v)),
        (clip(outside), ball.projx(outside)),
    )
    return max(float((ours - theirs).abs().amax() / theirs.abs().amax()) for ours, theirs in pairs)


def _embedding_errors(run: Run, ball: Any) -> tuple[float, float]:
    """Return the errors of the embedding's loss and gradient against geoopt's and autodiff's."""
    x = _at_radius(run, run.rng.uniform(0.1, 0.95, (30, 2, 1)), 5)
    batch = torch.tensor(np.array([run.rng.permutation(30)[:12] for _ in range(20)]))
    ours, g = loss_and_gradient(x, batch)
    leaf = x.clone().requires_grad_()
    d = ball.dist(leaf[batch[:, 0]].unsqueeze(1), leaf[batch[:, 1:]])
    losses = -torch.log_softmax(-d, dim=1)[:, 0]
    theirs = ball.egrad2rgrad(x, torch.autograd.grad(losses.sum(), leaf)[0])
    loss_error = float((ours - losses.mean(0)).abs().max())
    return loss_error, float((g - theirs).abs().max() / theirs.abs().max())


@experiment
def two_steps(run: Run, *, maximum: bool = True) -> dict[str, float]:
    """RAMSGrad along a line through the origin, where x = tanh(s/2) e at the signed distance s.

    There a gradient of length l is l/λ e, Exp adds lengths, and transport keeps them. β1 = β2 =
    1/2 and α = 1/√t. The first factor has gradients 3 and -1, so that m = 1.5 and 0.25, v = 4.5
    and 2.75, v̂ = 4.5 twice; the second has 0 and -2. The projection is onto s ≤ 1.
    """
    e = torch.tensor([2 / 3, 1 / 3, 2 / 3], dtype=run.dtype)

    def line(*s: float) -> Tensor:
        return (torch.tensor(s, dtype=run.dtype)[:, None] / 2).tanh() * e

    def lengths(x: Tensor, v: Tensor) -> Tensor:
        return conformal(x)[:, 0] * (v @ e)

    x = line(0.5, -0.25)
    state = start(x)
    for t, gradients in enumerate(((3.0, 0.0), (-1.0, -2.0)), 1):
        g = torch.tensor(gradients, dtype=run.dtype)[:, None] * e / conformal(x)
        x, state = ramsgrad(POINCARE, x, state, g, t**-0.5, 0.5, 0.5, maximum=maximum)
    after = line(0.5 - 1 / math.sqrt(2) - 1 / 12, 0.25)
    expected = torch.tensor([[0.25, -1.0], [2.75, 2.0], [4.5, 2.0]], dtype=run.dtype)
    found = torch.stack([lengths(x, state.tau), state.v.sum(-1), state.v_hat.sum(-1)])

    inside = POINCARE._replace(project=lambda x: shrink(x, UNIT_BALL))
    y = line(0.9)
    y, state = ramsgrad(inside, y, start(y), -3 * e / conformal(y), 1.0, 0.5, 0.5)
    projected = (y - line(1.0)).abs().max() + abs(lengths(y, state.tau) + 1.5).max()

    zetas = (
        zeta(-1, 1) - 1.3130352854993313,
        zeta(-4, 1) - 2.0746294414550963,
        zeta(0, 5) - 1,
    )
    # D²/(2(1 - β1)) = 4, γ = 5/8, and the last factor (2/tanh 2 + 1)/2
    bound = 4 * (2 / 0.5 * 3 + 7) + 0.5 * 1.5447635291914069 / 0.05625 * 1.5373147207275481 * 5
    sums = Sums(root_v=3, decayed=7, gradient=5)
    return {
        "step_error": float((x - after).abs().max()),
        "state_error": float((found - expected).abs().max()),
        "projected_error": float(projected),
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
    x = _at_radius(run, np.tanh(rng.uniform(0, 0.5, (count, 1))), 3)
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
    alpha, diameter, steps = 0.5, 2.0, max(horizons)
    manifold = POINCARE._replace(project=lambda x: shrink(x, UNIT_BALL))
    centre = _at_radius(run, np.full((10, 1), math.tanh(0.25)), 3)
    noise = torch.tensor(run.rng.standard_normal((steps, 10, 3)), dtype=run.dtype)
    z = manifold.project(exp(centre, 0.5 * noise / conformal(centre)))
    x = _at_radius(run, np.full((10, 1), math.tanh(0.475)), 3).repeat(2, 1, 1)
    beta1 = torch.tensor([0.9, 0.0], dtype=run.dtype)[:, None, None]
    beta2 = torch.tensor([0.999, 0.9], dtype=run.dtype)[:, None, None]
    state, suffered = start(x), torch.zeros(2, dtype=run.dtype)
    decayed, squares = torch.zeros_like(state.v), torch.zeros_like(state.v)
    regrets, bounds = [], []
    for t in range(1, steps + 1):
        suffered = suffered + _loss(x, z[t - 1])
        g, alpha_t, beta1_t = -log(x, z[t - 1]), alpha / math.sqrt(t), beta1 * 0.99 ** (t - 1)
        squares = squares + manifold.square_norm(x, g)
        x, state = ramsgrad(manifold, x, state, g, sign * alpha_t, beta1_t, beta2)
        decayed = decayed + beta1_t * state.v_hat.sqrt() / alpha_t
        if t in horizons:
            best = _loss(_frechet_mean(centre, z[:t]), z[:t]).sum()
            regrets.append((suffered - best).numpy())
            parts = torch.stack([state.v_hat.sqrt(), decayed, squares.sqrt()]).sum((2, 3)).T
            bounds.append(
                [
                    regret_bound(t, Sums(*sums), alpha, float(b1), float(b2), diameter, -1)
                    for sums, b1, b2 in zip(parts.tolist(), beta1, beta2, strict=True)
                ]
            )
    share = (np.array(regrets) / np.array(bounds)).max(0)
    average = np.array(regrets) / np.array(horizons)[:, None]
    for name, values in zip(("with momentum", "without momentum"), average.T, strict=True):
        run.curve(f"average regret {name}", horizons, values)
    exponent = np.polyfit(np.log(horizons), np.log(average), 1)[0]
    return {
        "momentum_share": float(share[0]),
        "plain_share": float(share[1]),
        "momentum_exponent": float(exponent[0]),
        "plain_exponent": float(exponent[1]),
    }


def _loss(x: Tensor, z: Tensor) -> Tensor:
    """Return the sum over the balls of d²(x, z)/2."""
    return distance(x, z).square().sum((-1, -2)) / 2


def _frechet_mean(x: Tensor, z: Tensor) -> Tensor:
    """Return the point of least summed squared distance to z (points, balls, d), from x on."""
    for _ in range(50):
        x = exp(x, log(x, z).mean(0) / 2)
    return x


# Embedding WordNet's mammals


@artefact
def tuned(
    run: Run, *, epochs: int, rates: Sequence[float], adaptive_rates: Sequence[float]
) -> dict[str, Any]:
    """Return the best rate of each method, by the mean loss over the last epoch, and all losses."""
    methods = {
        "rsgd": Method(tuple(rates), POINCARE),
        "radam": Method(tuple(adaptive_rates), POINCARE, 0.9, 0.999),
        "ramsgrad": Method(tuple(adaptive_rates), POINCARE, 0.9, 0.999, maximum=True),
    }
    losses = train(mammals(), list(methods.values()), run.rng, epochs=epochs, dtype=run.dtype)
    finals = np.split(losses[-1], [len(rates), len(rates) + len(adaptive_rates)])
    chosen = {
        name: method.rates[int(np.argmin(final))]
        for (name, method), final in zip(methods.items(), finals, strict=True)
    }
    return chosen | {"losses": [final.tolist() for final in finals]}


@artefact
def tuned_without_adaptivity(run: Run, *, epochs: int, rates: Sequence[float]) -> dict[str, Any]:
    """Return the best rate of RADAM with β1 = 0 and v = 1, on batches of its own."""
    method = Method(tuple(rates), POINCARE)
    final = train(mammals(), [method], run.rng, epochs=epochs, dtype=run.dtype)[-1]
    return {"rate": method.rates[int(np.argmin(final))], "losses": final.tolist()}


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
        losses = train(tree, methods, run.rng, epochs=epochs, dtype=run.dtype)
    else:
        rate = run.artefact(tuned_without_adaptivity, epochs=epochs, rates=rates)["rate"]
        plain = train(tree, [baseline], run.rng, epochs=epochs, dtype=run.dtype)
        twin = train(tree, [Method((rate,), POINCARE)], run.rng, epochs=epochs, dtype=run.dtype)
        losses = np.concatenate([plain, twin, twin], axis=1)
    for name, values in zip(("RSGD", "RADAM", "RAMSGrad"), losses.T, strict=True):
        run.curve(name, range(1, epochs + 1), values)
    goal = losses[-1, 0]
    return {
        "radam_loss_ratio": float(losses[-1, 1] / goal),
        "radam_epoch_ratio": _first_at_most(losses[:, 1], goal) / epochs,
        "ramsgrad_loss_ratio": float(losses[-1, 2] / goal),
        "ramsgrad_epoch_ratio": _first_at_most(losses[:, 2], goal) / epochs,
    }


def _first_at_most(losses: npt.NDArray[np.float64], goal: float) -> float:
    """Return the number of the first epoch with a loss of at most `goal`, or infinity."""
    below = losses <= goal
    return float(np.argmax(below) + 1) if below.any() else math.inf


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
    losses = train(mammals(), methods, run.rng, epochs=epochs, dtype=run.dtype)
    for name, values in zip(("Exp and transport", "retraction"), losses.T, strict=True):
        run.curve(name, range(1, epochs + 1), values)
    return {"loss_ratio": float(losses[-1, 1] / losses[-1, 0])}
