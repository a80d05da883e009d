"""Experiments of the Aligned-MTL paper: its algebra, its theorem, its toy, and three tasks."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, experiment

from . import tasks, toy_problem
from .algebra import (
    SHAPES,
    columns,
    competitor_gain,
    digit_gradients,
    float32_error,
    highest,
    identity,
    largest,
    lowest,
    matrix,
    repeated_error,
    scale_error,
    step_errors,
    systems,
    written_error,
)
from .imbalance import degradation, trained, tuned
from .method import alignment, condition_number, direction

# columns of a matrix, and its B from the authors' solver, run in float64 with eigh for symeig
SOLVER_COLUMNS = ((1, -1, 2, 0, 3), (2, 3, 0, 1, -2), (0, 1, 5, -4, 2))
SOLVER_B = (
    (0.86359386877920, 0.16210273922758, -0.18143372693731),
    (0.16210273922758, 0.66323044622810, -0.00060447369922587),
    (-0.18143372693731, -0.00060447369922587, 0.43431449897325),
)


@experiment
def by_hand(run: Run, *, eps: float | None = None) -> dict[str, float]:
    """Weights of small systems of gradients against values by hand and from the authors' solver."""

    def error(g: Tensor, b: Tensor) -> float:
        return largest(alignment(g.mT @ g, eps=eps).b - b)

    g = columns((1, 2, 0), (2, 1, 0))  # eigenvalues 9 and 1
    d = direction(g, torch.tensor([0.25, 0.75], dtype=torch.float64), eps=eps)
    half = math.sqrt(0.5)
    repeated = columns((1, 0), (1, 0), (0, 2))  # eigenvalues 4, 2 and 0
    edge = torch.tensor([[1.0, 1.0], [2 * 1.01e-3, 2 * 0.99e-3]], dtype=torch.float64)
    ranks = [alignment(torch.diag(lam), eps=1e-3).rank.item() for lam in edge.mT]
    single, nothing = columns((3, 0), (0, 0)), torch.zeros(3, 2, dtype=torch.float64)
    return {
        "weights_error": error(g, columns((2, -1), (-1, 2)) / 3),
        "direction_error": largest(d - torch.tensor([0.75, 0.25, 0.0], dtype=torch.float64)),
        "repeated_error": error(repeated, columns((0.5, 0.5, 0), (0.5, 0.5, 0), (0, 0, half))),
        "vanishing_error": highest(
            error(single, columns((1, 0), (0, 0))),
            abs(alignment(single.mT @ single, eps=eps).sigma.item() - 3),
            error(nothing, torch.zeros(2, 2, dtype=torch.float64)),
            alignment(nothing.mT @ nothing, eps=eps).sigma.item(),
        ),
        "edge_ranks": float(sum(ranks)),
        "solver_error": error(columns(*SOLVER_COLUMNS), columns(*SOLVER_B)),
        "float32_error": float32_error(eps),
        "written_error": written_error(),
        "scale_error": scale_error(),
    }


@experiment
def network_step(run: Run, *, align: str = "aligned") -> dict[str, float]:
    """The gradient that an optimizer finds, against independent differentiation and algebra.

    `align`: what stands for G, as in `matrix`.
    """
    column, step = step_errors(run, align)
    return {"column_error": column, "step_error": step}


@experiment
def kappa_of_two(run: Run, *, align: str = "raw") -> dict[str, float]:
    """κ of two gradients of lengths 1 and r with cosine c, over a grid of both.

    `align`: what κ is taken of, as in `matrix`.
    """
    ratio = torch.logspace(0, 2, 21, dtype=torch.float64)[:, None]
    cosine = torch.linspace(0, 0.99, 34, dtype=torch.float64)[None, :]
    sine = (1 - cosine**2).sqrt()
    sizes = []
    for sign in (1, -1):
        first = torch.tensor([0.6, 0.8, 0.0], dtype=torch.float64)
        second = torch.tensor([-0.8, 0.6, 0.0], dtype=torch.float64)
        turned = sign * cosine[..., None] * first + sine[..., None] * second
        long = ratio[..., None] * turned
        kappa = condition_number(matrix(align, torch.stack([first.expand_as(long), long], -1)))
        half_trace, determinant = (1 + ratio**2) / 2, ratio**2 * sine**2
        formula = (half_trace + (half_trace**2 - determinant).clamp(min=0).sqrt()) / (ratio * sine)
        sizes.append((kappa, largest(kappa / formula - 1)))
    kappas = torch.stack([kappa for kappa, _ in sizes])
    return {
        "least_kappa": kappas.min().item(),
        "formula_error": highest(*(error for _, error in sizes)),
        "dominance_rise": kappas.diff(dim=1).min().item(),
        "conflict_rise": kappas.diff(dim=2).min().item(),
    }


@experiment
def procrustes(run: Run, *, align: str = "aligned", draws: int = 200) -> dict[str, float]:
    """Ĝ against the singular value decomposition of G, and against other matrices of its kind.

    Scales span three decades and correlations go up to 0.99. The competitors, a thousand a shape of
    up to 50 rows, are polar factors of U Vᵀ plus noise of 0.01 to 100.
    """
    kappa, column, svd, gain, repeated = [], [], [], [], []
    for n, t in SHAPES:
        g = systems(run, draws, n, t, decades=3, correlations=(0.0, 0.5, 0.9, 0.99))
        hat = matrix(align, g)
        u, sigma, vt = torch.linalg.svd(g, full_matrices=False)
        least = sigma[:, -1, None, None]
        kappa.append((condition_number(hat) - 1).max().item())
        column.append(largest(hat.norm(dim=-2, keepdim=True) / least - 1))
        svd.append(((hat - least * (u @ vt)).flatten(1).norm(dim=1) / sigma[:, -1]).max().item())
        if n <= 50:
            gain.append(competitor_gain(run, g, hat, u @ vt, least))
        again = torch.cat([g, g[..., :1]], dim=-1)
        repeated.append(repeated_error(matrix(align, again), again))
    return {
        "kappa_excess": highest(*kappa),
        "column_error": highest(*column),
        "svd_error": highest(*svd),
        "competitor_gain": lowest(*gain),
        "repeated_error": highest(*repeated),
    }


@experiment
def descent_identity(run: Run, *, align: str = "aligned", draws: int = 200) -> dict[str, float]:
    """⟨Gw, Ĝw⟩ against σ_min wᵀ(GᵀG)^{1/2}w, for 1000 weights a matrix.

    Scales span two decades and correlations go up to 0.9, so that σ_min is known to 1e-10 from
    the Gram matrix. A network's gradients are those of three tasks on digits at its start.
    """
    errors, products = [], []
    for n, t in SHAPES:
        g = systems(run, draws, n, t, decades=2, correlations=(0.0, 0.5, 0.9))
        error, product = identity(run, g, matrix(align, g))
        errors.append(error)
        products.append(product)
    g = digit_gradients(run)
    network_error, product = identity(run, g, matrix(align, g))
    return {
        "random_error": highest(*errors),
        "network_error": network_error,
        "least_product": lowest(*products, product),
    }


@experiment
def convergence(
    run: Run, *, align: str = "aligned", problems: int = 20, steps: int = 3000
) -> dict[str, float]:
    """Descent along Ĝw on L_i = ½ (θ − c_i)ᵀ A_i (θ − c_i), with step 1/β, all problems at once.

    β is the largest eigenvalue of Σ w_i A_i, and every weight is at least 0.1.
    """
    n, t = 10, 3
    q, _ = np.linalg.qr(run.rng.standard_normal((problems, t, n, n)))
    a = torch.tensor(q * run.rng.uniform(1, 3, (problems, t, 1, n)) @ q.swapaxes(-1, -2))
    c = torch.tensor(run.rng.standard_normal((problems, t, n)))
    w = torch.tensor(0.1 + 0.7 * run.rng.dirichlet(np.ones(t), problems))
    hessian = torch.einsum("pt,ptij->pij", w, a)
    pull = torch.einsum("pt,ptij,ptj->pi", w, a, c)
    optimum = torch.linalg.solve(hessian, pull)
    eta = 1 / torch.linalg.eigvalsh(hessian)[:, -1]
    theta = optimum + 3 * torch.tensor(run.rng.standard_normal((problems, n)))

    def follow(g: Tensor) -> Tensor:
        return direction(g, w) if align == "aligned" else (matrix(align, g) @ w[..., None])[..., 0]

    path, followed = [theta], []
    for _ in range(steps):
        g = (a @ (theta[:, None] - c)[..., None]).squeeze(-1).mT
        d = follow(g)
        theta = theta - eta[:, None] * d
        path.append(theta)
        followed.append(d)
    off = torch.stack(path) - optimum
    gaps = (off * (hessian @ off[..., None])[..., 0]).sum(-1) / 2
    promised = eta / 2 * torch.stack(followed).square().sum(-1)
    excess = ((gaps.diff(dim=0) + promised) / gaps[0]).max().item()
    relative = gaps / gaps[0]
    run.curve("gap to the preset optimum", range(steps + 1), relative.amax(dim=1).tolist())
    return {"lemma_excess": excess, "final_gap": relative[-1].max().item()}


@experiment
def toy(
    run: Run,
    *,
    align: str = "aligned",
    steps: int = 35000,
    rates: Sequence[float] = (0.001, 0.003),
    eps: float = torch.finfo(torch.float32).eps,
) -> dict[str, float]:
    """How many of 15 starts end within 0.1 of the minimum, at the better of Adam's rates.

    Three balances of the two losses and the authors' five starts. All methods, rates, balances and
    starts are one batch, on which Adam acts entry by entry.

    Args:
        align: what the first method follows, as in `matrix`.
        steps: steps of Adam.
        rates: learning rates, the authors' is 0.001.
        eps: rank tolerance, the authors' code's by default.
    """
    starts = torch.tensor(toy_problem.STARTS, dtype=run.dtype, device=run.device)
    share = torch.tensor(toy_problem.SHARES, dtype=run.dtype, device=run.device)
    share = share.repeat_interleave(len(starts))
    points = starts.repeat(len(rates), 3, len(toy_problem.SHARES), 1).contiguous()
    gradient = torch.zeros_like(points)
    groups = []
    for p, g, rate in zip(points, gradient, rates, strict=True):  # views, one a rate
        p.grad = g
        groups.append({"params": [p], "lr": rate})
    adam = torch.optim.Adam(groups, fused=True)
    best = torch.tensor([toy_problem.minimum(s) for s in toy_problem.SHARES], dtype=run.dtype)
    best = best.repeat_interleave(len(starts)).to(run.device)
    shares, every = [], max(1, steps // 500)
    for step in range(steps + 1):
        losses, g = toy_problem.losses_and_gradients(points, share)
        if step % every == 0:
            shares.append((losses.sum(-1) - best <= 0.1).sum(-1).amax(0) / len(share))
        if step < steps:
            gradient[:, 0] = matrix(align, g[:, 0], eps).sum(-1)
            gradient[:, 1] = g[:, 1].sum(-1)
            gradient[:, 2] = toy_problem.min_norm(g[:, 2])
            adam.step()
    arrived = (losses.sum(-1) - best <= 0.1).sum(-1).amax(0).tolist()
    names = ("Aligned-MTL", "sum", "MGDA")
    for name, ys in zip(names, torch.stack(shares).T, strict=True):
        run.curve(f"{name}, share of starts", range(0, steps + 1, every), ys.tolist())
    return dict(zip(("aligned_starts", "sum_starts", "mgda_starts"), arrived, strict=True))


@experiment
def stability(
    run: Run, *, align: str = "aligned", steps: int = 600, images: int = 10000
) -> dict[str, float]:
    """κ along two trainings of the three tasks, weighted 1, 10 and 0.1, with Adam at 0.001."""
    data = tasks.make(run.rng, images, run.device)
    weights = (1.0, 10.0, 0.1)
    kappas: dict[str, list[float]] = {"raw": [], align: []}

    def update(name: str) -> tasks.Update:
        def follow(g: Tensor) -> Tensor:
            used = matrix(name, g)
            kappas[name].append(condition_number(used).item())
            return used.sum(-1)

        return follow

    for name in dict.fromkeys(("raw", align)):
        tasks.train(data, run.seed, steps, 0.001, weights, update(name))
    run.curve("κ(G), linear scalarisation", range(steps), kappas["raw"])
    run.curve("κ(Ĝ), Aligned-MTL", range(steps), kappas[align])
    return {
        "aligned_excess": highest(*kappas[align]) - 1,
        "raw_kappa": float(np.median(kappas["raw"])),
    }


@experiment
def imbalance(
    run: Run,
    *,
    align: str = "aligned",
    eps: float | None = None,
    factor: float = 100.0,
    steps: int = 1000,
    images: int = 10000,
    rates: Sequence[float] = (0.001,),
) -> dict[str, float]:
    """Δm of linear scalarisation less that of Aligned-MTL, over which of three losses dominates.

    All sides, single tasks included, have their own rate for each case, tuned on another seed.

    Args:
        align: "aligned", or what takes Aligned-MTL's place, as in `matrix`.
        eps: rank tolerance; None is float64's.
        factor: by which one loss is multiplied.
        steps: steps of Adam, of every training.
        images: training images.
        rates: grid of learning rates.
    """
    size: dict[str, Any] = {"steps": steps, "images": images}
    single, summed = (
        run.artefact(
            trained,
            seed=run.seed,
            method=method,
            factor=factor,
            eps=None,
            rates=run.artefact(
                tuned, method=method, factor=factor, eps=None, rates=list(rates), **size
            ),
            **size,
        )
        for method in ("single", "sum")
    )
    best = run.artefact(tuned, method=align, factor=factor, eps=eps, rates=list(rates), **size)
    ours = trained(run, seed=run.seed, method=align, factor=factor, eps=eps, rates=best, **size)
    return {"gain": degradation(summed, single) - degradation(ours, single)}
