"""Experiments on the sharpness of gradient flow solutions: scalar networks, regression, digits."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from claimbench import Run, experiment
from common import curvature
from common.errors import largest
from common.fits import power, rank_correlation

from .derivatives import derivative, largest_eigenvalue, regression, scalar_start
from .method import (
    Array,
    integrated_flow,
    runge_kutta_flow,
    scalar_flow,
    scalar_gfs_sharpness,
    scalar_gradient,
    scalar_loss,
    scalar_sharpness,
)
from .networks import SmallProblem, TanhNetwork, sharpness

DEPTHS = (2, 3, 4, 6)
STEP_SIZES = (1.05, 1.2, 1.35)  # in units of 2/φ(w₀)
BLOWN_UP = 1e6  # loss
CHECKPOINT_EVERY = 20  # steps

SCALAR_SHARPNESS: dict[str, Callable[[Array], Array]] = {
    "gfs": scalar_gfs_sharpness,
    "current": scalar_sharpness,
}


@experiment
def definitions(run: Run, *, points: int = 20, sharpness: str = "current") -> dict[str, float]:
    """Gradient, Hessian and sharpness at random points against derivatives of loss and gradient.

    The derivatives are by complex steps, exact to rounding. `sharpness`: "current" for that of the
    point itself, or "gfs".
    """
    gradient_errors, sharpness_errors = [], []
    for depth in DEPTHS:
        w = np.exp(0.5 * run.rng.standard_normal((depth, points)))
        top = largest_eigenvalue(derivative(scalar_gradient, w))
        gradient_errors.append(largest(scalar_gradient(w), derivative(scalar_loss, w)))
        sharpness_errors.append(np.abs(SCALAR_SHARPNESS[sharpness](w) / top - 1).max())
    problem = regression(run.rng)
    w = run.rng.normal(0, 0.7, (points, 2 * problem.x.shape[1]))
    measure = problem.gfs_sharpness if sharpness == "gfs" else problem.sharpness
    hessian = derivative(lambda x: problem.gradient(x.T).T, w.T)
    top = largest_eigenvalue(hessian)
    slope = derivative(lambda x: problem.loss(x.T), w.T).T
    gradient_errors.append(largest(problem.gradient(w), slope))
    sharpness_errors.append(np.abs(measure(w) / top - 1).max())
    return {
        "gradient_error": float(max(gradient_errors)),
        "hessian_error": largest(problem.hessian(w), np.moveaxis(hessian, -1, 0)),
        "sharpness_error": float(max(sharpness_errors)),
    }


@experiment
def flow_solutions(run: Run, *, points: int = 20, steps: int = 0) -> dict[str, float]:
    """Gradient flow solutions against the losses there and against what the flow conserves.

    Half of the starts of squared regression are near zero, where the flow has far to go. `steps`:
    of gradient descent with step size 1/φ, made before the flow; they conserve nothing.
    """
    losses, errors, product_errors, sharpness_errors = [], [], [], []
    for depth in DEPTHS:
        w = end = np.exp(0.5 * run.rng.standard_normal((depth, points)))
        for _ in range(steps):
            end = end - scalar_gradient(end) / scalar_gfs_sharpness(end)
        products = run.rng.uniform(0.5, 1.5, points)
        product_errors.append(np.abs(scalar_flow(end, products).prod(axis=0) / products - 1).max())
        end = scalar_flow(end)
        losses.append(0.5 * (end.prod(axis=0) - 1) ** 2)
        top = largest_eigenvalue(derivative(scalar_gradient, end))
        sharpness_errors.append(np.abs(scalar_gfs_sharpness(w) / top - 1).max())
        errors.append(largest(end**2 - end[0] ** 2, w**2 - w[0] ** 2))
    problem = regression(run.rng)
    scale = np.where(np.arange(points) % 2 == 0, 0.7, 0.05)[:, None]
    w = end = scale * np.abs(run.rng.normal(1, 0.3, (points, 2 * problem.x.shape[1])))
    for _ in range(steps):
        end = end - problem.gradient(end) / problem.gfs_sharpness(end)[:, None]
    end = problem.flow(end)
    (u, v), (u0, v0) = np.split(end, 2, axis=-1), np.split(w, 2, axis=-1)
    misfit = (u**2 - v**2) @ problem.x.T - problem.y
    losses.append((misfit**2).mean(axis=-1) / 2)
    errors.append(np.abs(u * v / (u0 * v0) - 1).max())
    top = largest_eigenvalue(derivative(lambda x: problem.gradient(x.T).T, end.T))
    sharpness_errors.append(np.abs(problem.gfs_sharpness(w) / top - 1).max())
    moved = np.log(np.abs(u / u0))
    along = moved @ np.linalg.pinv(problem.x) @ problem.x
    return {
        "largest_loss": float(max(map(np.max, losses))),
        "conserved_error": float(max(errors)),
        "product_error": float(max(product_errors)),
        "direction_error": largest(along, moved),
        "sharpness_error": float(max(sharpness_errors)),
    }


@experiment
def many_flows(run: Run, *, points: int = 2, euler: bool = False) -> dict[str, float]:
    """Flows of a small tanh network to half its loss, at three lengths of the step.

    The reference goes, from the same start, to the loss where each flow was stopped. `euler`: steps
    of Euler's method in the place of Runge and Kutta's.
    """
    problem = SmallProblem(run, points)
    start, lengths = problem.start, (1.0, 0.5, 0.25)
    target = 0.5 * problem.loss(start).min().item()
    top = sharpness(problem.loss, problem.probe, 1e-3)
    flow = partial(runge_kutta_flow, problem.loss, problem.gradient, top, renew=10)
    integrate = problem.euler if euler else flow
    ends = torch.stack([integrate(start, target=target, length=h) for h in lengths], 1)
    losses = problem.loss(ends.flatten(0, 1)).unflatten(0, (points, len(lengths)))
    errors = np.empty((points, len(lengths)))
    for i, (first, end, loss) in enumerate(zip(start, ends, losses.tolist(), strict=True)):
        true = problem.reference(first, loss)
        errors[i] = (end - true).norm(dim=-1) / (true - first).norm(dim=-1)
    return {
        "end_error": errors[:, -1].max(),
        "usual_error": errors[:, 0].max(),
        "order": power(lengths, errors.max(axis=0)).exponent,
        "target_excess": losses.max().item() / target,
        "overshoot": losses.min().item() / target,
    }


@experiment
def depth_two(run: Run, *, pairs: int = 100, sharpness: str = "gfs") -> dict[str, float]:
    """Two layers: the balance's factor and √(4 + Δ²), against two other ways to compute them.

    `sharpness`: "gfs", or "current" for that of the iterate itself.
    """
    w = run.rng.uniform(0.2, 3, (2, pairs))
    eta = run.rng.uniform(0, 1, pairs)
    delta, residual = w[0] ** 2 - w[1] ** 2, w[0] * w[1] - 1
    after = w - eta * scalar_gradient(w)
    change = after[0] ** 2 - after[1] ** 2 - delta * (1 - (eta * residual) ** 2)
    scale = (w**2 + after**2).sum(axis=0)

    def autodiff_sharpness(w: Array) -> Array:
        points = torch.tensor(w.T, dtype=run.dtype)
        hessians = curvature.hessian(lambda p: 0.5 * (p.prod(-1) - 1) ** 2, points)
        return torch.linalg.eigvalsh(hessians)[..., -1].numpy()

    end: Array = w
    if sharpness == "gfs":
        flat = integrated_flow(
            lambda x: scalar_gradient(x.reshape(2, pairs)).ravel(),
            w.ravel(),
            lambda x: np.abs(x[:pairs] * x[pairs:] - 1).max(),
        )
        end = flat.reshape(2, pairs)
    phi = np.sqrt(4 + delta**2)
    run.curve("closed form", np.sort(delta).tolist(), phi[np.argsort(delta)].tolist())
    return {
        "end_residual": float(np.abs(end.prod(axis=0) - 1).max()),
        "balance_error": float(np.max(np.abs(change) / scale)),
        "root_error": float(np.max(np.abs(SCALAR_SHARPNESS[sharpness](w) / phi - 1))),
        "flow_error": float(np.max(np.abs(autodiff_sharpness(end) / phi - 1))),
    }


@experiment
def scalar_monotone(
    run: Run, *, runs: int = 400, steps: int = 300, sharpness: str = "gfs"
) -> dict[str, float]:
    """Gradient descent on scalar networks of four depths: does the sharpness ever rise?

    `runs` a depth. A run is dropped when a weight stops being positive or the product reaches 2.
    `sharpness`: "gfs", or "current" for that of the iterate itself.
    """
    rises, kept_runs, loss_rises, falls = 0, 0, [], []
    for i, depth in enumerate(DEPTHS):
        start = scalar_start(run.rng, depth, runs, (0.8, 1.41), (0.5, 1.5))
        path = np.empty((depth, steps + 1, runs))
        path[:, 0] = w = start.w
        kept = np.ones(runs, dtype=np.bool_)
        for step in range(1, steps + 1):
            w = np.where(kept, w - start.eta * scalar_gradient(w), w)
            kept &= np.all(w > 0, axis=0) & (w.prod(axis=0) < 2)
            path[:, step] = w = np.where(kept, w, start.w)
        path, eta, ratio = path[:, :, kept], start.eta[kept], start.ratio[kept]
        phi, loss = SCALAR_SHARPNESS[sharpness](path), scalar_loss(path)
        rises += int((phi[1:] > phi[:-1] * (1 + 1e-9)).sum())
        kept_runs += int(kept.sum())
        loss_rises.append(np.any(loss[1:] > loss[:-1] + 1e-12, axis=0)[ratio > 1])
        falls.append(1 - phi[-1] / phi[0])
        shown, times = int(ratio.argmax()), range(steps + 1)
        scaled = phi[:, shown] * eta[shown] / 2
        run.curve(f"depth {depth}: sharpness · η/2", times, scaled.tolist())
        run.curve(f"depth {depth}: loss", times, loss[:, shown].tolist())
        run.progress(i + 1, len(DEPTHS))
    return {
        "sharpness_rises": rises,
        "loss_rises_share": float(np.concatenate(loss_rises).mean()),
        "discarded_share": 1 - kept_runs / (runs * len(DEPTHS)),
        "mean_fall": float(np.concatenate(falls).mean()),  # share of the first value
    }


@experiment
def scalar_edge(
    run: Run, *, runs: int = 300, steps: int = 20_000, step_scale: float = 1.0
) -> dict[str, float]:
    """Where gradient descent ends that starts near a minimum too sharp for its step size η.

    `runs` a depth. With a small `step_scale` the steps are that much shorter than η, nearly a flow,
    while the ratios returned, sharpness · η/2, keep η.
    """
    ratios = {}
    for i, depth in enumerate(DEPTHS):
        start = scalar_start(run.rng, depth, runs, (1.02, 1.2), (0.99, 1.01))
        w, eta = start.w, step_scale * start.eta
        for step in range(steps):
            w = w - eta * scalar_gradient(w)
            if step % 1000 == 0:
                run.progress(i * steps + step, len(DEPTHS) * steps)
        converged = np.all(w > 0, axis=0) & (np.abs(w.prod(axis=0) - 1) < 1e-8)
        ratio = scalar_gfs_sharpness(w[:, converged]) * start.eta[converged] / 2
        ratios[depth] = ratio
        if len(ratio):
            run.curve(
                f"depth {depth}", np.linspace(0, 1, len(ratio)).tolist(), np.sort(ratio).tolist()
            )
    metrics = {
        "worst_ratio": max((float(r.max()) for r in ratios.values() if len(r)), default=np.inf),
        "converged_share": sum(map(len, ratios.values())) / (runs * len(DEPTHS)),
    }
    for depth in (4, 6):
        low, median = (
            np.quantile(ratios[depth], (0.05, 0.5)) if len(ratios[depth]) else (-np.inf,) * 2
        )
        metrics |= {f"median_ratio_{depth}": float(median), f"low_ratio_{depth}": float(low)}
    return metrics


@experiment
def squared_regression(
    run: Run,
    *,
    samples: int = 10,
    dimension: int = 20,
    steps: int = 60,
    sharpness: str = "gfs",
) -> dict[str, float]:
    """Squared regression with a linear teacher, from one start at three step sizes above 2/φ(w₀).

    A run whose loss passes 1e6 is dropped. `sharpness`: "gfs", or "current" for that of the iterate
    itself.
    """
    problem = regression(run.rng, samples, dimension)
    measure = problem.gfs_sharpness if sharpness == "gfs" else problem.sharpness
    first = np.abs(run.rng.normal(0.7, 0.2, 2 * dimension))
    eta = 2 * np.array(STEP_SIZES) / problem.gfs_sharpness(first)
    w = np.tile(first, (len(eta), 1))
    kept = np.ones(len(eta), dtype=np.bool_)
    path = [w]
    for _ in range(steps):
        w = w - eta[:, None] * problem.gradient(w)
        kept &= problem.loss(w) < BLOWN_UP
        w = np.where(kept[:, None], w, first)
        path.append(w)
    phi = np.array([measure(w) for w in path])
    for multiple, ys, keep in zip(STEP_SIZES, phi.T, kept, strict=True):
        if keep:
            run.curve(f"η = {multiple} · 2/φ(w₀)", range(steps + 1), ys.tolist())
    phi = phi[:, kept]
    discarded = 1 - float(kept.mean())
    if not kept.any():
        return {
            "rising_share": np.inf,
            "largest_rise": np.inf,
            "total_fall": -np.inf,
            "discarded_share": discarded,
        }
    rise = phi[1:] / phi[:-1] - 1
    return {
        "rising_share": float((rise > 1e-4).mean()),
        "largest_rise": float(rise.max()),
        "total_fall": float((1 - phi[-1] / phi[0]).mean()),
        "discarded_share": discarded,
    }


@experiment
def tanh_network(
    run: Run,
    *,
    rate: float = 1.5,
    wait: int = 2000,
    checkpoints: int = 20,
    flow_loss: float = 1e-4,
) -> dict[str, float]:
    """Full-batch gradient descent on 50 digits, followed from where its sharpness rises to 2/η.

    `rate`: step size η in units of 2/φ(w₀). `wait`: steps at most until λmax at the iterate, looked
    at every 10, comes from below 2/η to above; at the random start it may lie above and sink first.
    After that there is a checkpoint every 20 steps; a gradient flow from each of them, to
    `flow_loss`, gives φ there.
    """
    generator = run.torch_generator()
    network = TanhNetwork(run.rng, run.dtype)
    w = network.initial(generator).unsqueeze(0)
    probe = torch.randn(w.shape[-1], generator=generator, dtype=w.dtype)

    top, rough = (sharpness(network.loss, probe, tolerance) for tolerance in (1e-5, 1e-3))
    flow = partial(runge_kutta_flow, network.loss, network.gradient, rough, target=flow_loss)
    eta = rate * 2 / top(flow(w)).item()
    below = False
    for step in range(wait):
        if step % 10 == 0:
            above = top(w).item() > 2 / eta
            if above and below:
                break
            below = not above
        w = w - eta * network.gradient(w)
    losses, iterates = [network.loss(w).item()], []
    for step in range(1, checkpoints * CHECKPOINT_EVERY + 1):
        w = w - eta * network.gradient(w)
        losses.append(network.loss(w).item())
        if step % CHECKPOINT_EVERY == 0:
            iterates.append(w)
    points = torch.cat(iterates)
    ends = flow(points)
    phi = top(ends).double().numpy()
    steps = range(CHECKPOINT_EVERY, len(losses), CHECKPOINT_EVERY)
    run.curve("loss", range(len(losses)), losses)
    run.curve("GFS sharpness · η/2", steps, (phi * eta / 2).tolist())
    run.curve("sharpness at the iterate · η/2", steps, (top(points) * eta / 2).tolist())
    return {
        "rank_correlation": rank_correlation(phi, steps),
        "largest_rise": float(np.max(phi[1:] / phi[:-1] - 1)),
        "total_fall": float(1 - phi[-1] / phi[0]),
        "loss_rises": int((np.diff(losses) > 0).sum()),
        "flow_end_loss": network.loss(ends).max().item(),
    }
