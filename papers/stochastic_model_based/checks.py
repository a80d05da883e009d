"""One step, the closed forms, the envelopes and the formulas, against enumeration and searches."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from claimbench import Run
from common.errors import absolute, largest, relative

from .method import (
    Envelope,
    Residual,
    best_gamma,
    blind_residual,
    envelope,
    model_step_bound,
    output_times,
    phase_prox,
    phase_residual,
    phase_second_moment,
    phase_weak_convexity,
    project,
    prox_linear_step,
    prox_point_step,
    proximal_subgradient_step,
    stationarity_bound,
    subgradient,
    subgradient_step_bound,
)
from .problems import (
    PHASE_STEPS,
    Step,
    line_problem,
    line_prox,
    normal,
    phase_value,
    sphere,
    uniform,
)
from .search import excess


def envelope_descent(run: Run, points: int, biased: bool, tau_factor: float) -> dict[str, float]:
    """Return by how much expected envelopes and models exceed what is promised of them."""
    generator, radius = run.torch_generator(), 3.0
    a, b = line_problem(generator, 60)
    order = (b / a[:, 0] ** 2).argsort().argsort().double()
    shares = order / order.sum() if biased else torch.full_like(order, 1 / len(a))
    rho, steepest = phase_weak_convexity(a), 2 * a.square().max().item()
    moment = 36 * (a**4).mean().item()  # slopes on [−3, 3] are at most 6a²
    x = radius * (2 * uniform(generator, points, 1) - 1)
    y = radius * (2 * uniform(generator, points, 1, 1) - 1)

    def at(x: Tensor, lam: float) -> Envelope:
        prox = partial(line_prox, a=a, b=b, lam=lam, radius=radius)
        return envelope(partial(phase_value, a=a, b=b), prox, x, lam)

    def expected(step: Step, alpha: Tensor, lam: float) -> Tensor:
        after = project(step(x[:, None], a, b, alpha[:, None]), radius)
        return at(after, lam).value @ shares

    excess = {}
    # the models' τ and η
    for name, tau, eta in (
        ("subgradient", rho, 0.0),
        ("prox_linear", rho, 0.0),
        ("prox_point", 0.0, steepest),
    ):
        rho_bar = 2 * (tau + eta)
        alpha = 10 ** (-4 * uniform(generator, points)) / (2 * rho_bar)
        before = at(x, 1 / rho_bar)
        after = expected(PHASE_STEPS[name], alpha, 1 / rho_bar)
        bound = model_step_bound(before, alpha, tau, eta, rho_bar, moment)
        excess[name] = (after - bound).max().item()
        if name == "subgradient":
            excess["linear"] = excess[name]
            sharper = subgradient_step_bound(before, alpha, rho, rho_bar, moment)
            excess[name] = (after - sharper).max().item()
    c, z = phase_residual(x[:, None], a, b)
    change = z[..., 0] * (y - x[:, None])[..., 0]
    models = torch.stack((c.abs() + c.sign() * change, (c + change).abs())) @ shares
    over = models - phase_value(y[:, 0], a, b) - tau_factor * rho / 2 * (y[:, 0] - x).square()[:, 0]
    return {f"{name}_excess": value for name, value in excess.items()} | {
        "model_excess": over.max().item()
    }


def closed_forms(run: Run, problems: int, clipped: bool, roots: bool) -> dict[str, float]:
    """Return how far the closed forms are from the minima, and residuals from their derivatives."""
    generator = run.torch_generator()
    x, a, y = normal(generator, 3, problems, 3)
    b = normal(generator, problems) + 1
    alpha = 10 ** (3 * uniform(generator, problems) - 2)
    residual = phase_residual(x, a, b)
    slope = subgradient(residual)
    far = proximal_subgradient_step(x, slope, alpha, partial(project, radius=1.3))
    gauss_newton = prox_linear_step(x, residual, alpha if clipped else torch.full_like(alpha, 1e9))
    proximal = prox_point_step(x, a, b, alpha)
    s, size = (a * x).sum(-1), a.square().sum(-1)
    if not roots:
        k = 2 * alpha * size
        u = torch.stack((s / (1 + k), s / (1 - k)))
        best = ((u**2 - b).abs() + (u - s) ** 2 / k).argmin(0, keepdim=True)
        proximal = x + ((u.gather(0, best)[0] - s) / size)[:, None] * a

    reach = 2 * alpha * s.abs() + (2 * s.abs() + b.abs().sqrt()) / size

    def gap(model: Callable[[Tensor], Tensor], point: Tensor, radius: float = np.inf) -> float:
        def value(y: Tensor) -> Tensor:
            return model(y) + (y - x).square().sum(-1) / (2 * alpha)

        return excess(generator, value, point, x, a, reach, radius)

    def about(y: Tensor) -> Tensor:
        return residual.c + (residual.z * (y - x)).sum(-1)

    u, v = normal(generator, problems, 2), normal(generator, problems, 3)
    pq = normal(generator, problems, 5)

    def differentiated(residual_of: Callable[[Tensor], Residual], at: Tensor) -> float:
        slope = torch.func.grad(lambda y: residual_of(y).c.sum())(at)
        return largest(residual_of(at).z, slope)

    def product(y: Tensor) -> Tensor:
        return torch.einsum("ni,ni,nj,nj->n", u, y[:, :2], v, y[:, 2:]) - b

    blind = partial(blind_residual, u=u, v=v, b=b)
    phase = partial(phase_residual, a=a, b=b)
    return {
        "linear_gap": gap(lambda y: residual.c.abs() + (slope * (y - x)).sum(-1), far, 1.3),
        "prox_linear_gap": gap(lambda y: about(y).abs(), gauss_newton),
        "prox_point_gap": gap(lambda y: ((a * y).sum(-1) ** 2 - b).abs(), proximal),
        "phase_error": max(
            differentiated(phase, y), largest(phase(y).c, torch.einsum("ni,ni->n", a, y) ** 2 - b)
        ),
        "blind_error": max(differentiated(blind, pq), largest(blind(pq).c, product(pq))),
        "batch_error": max(batch_error(x, a, b, alpha), folded_error(blind, pq, u, v, b)),
        "degenerate_error": degenerate_error(x, a, b),
        "outside": max(0.0, torch.linalg.vector_norm(far, dim=-1).max().item() - 1.3),
    }


def steps_of(x: Tensor, a: Tensor, b: Tensor, alpha: Tensor | float) -> list[Tensor]:
    """Return what the three methods make of the same points and samples."""
    return [step(x, a, b, alpha) for step in PHASE_STEPS.values()]


def batch_error(x: Tensor, a: Tensor, b: Tensor, alpha: Tensor) -> float:
    """Return the largest difference between steps on two leading axes and on one."""
    shape = (2, len(x) // 2)
    flat = steps_of(x, a, b, alpha)
    folded = steps_of(*(v.unflatten(0, shape) for v in (x, a, b, alpha)))
    return max(absolute(f.flatten(0, 1), g) for f, g in zip(folded, flat, strict=True))


def folded_error(blind: Callable[[Tensor], Residual], pq: Tensor, *samples: Tensor) -> float:
    """Return the same for the residuals of blind deconvolution."""
    shape = (2, len(pq) // 2)
    folded = blind_residual(*(part.unflatten(0, shape) for part in (pq, *samples)))
    return absolute(folded.z.flatten(0, 1), blind(pq).z)


def degenerate_error(x: Tensor, a: Tensor, b: Tensor) -> float:
    """Return how far steps go for samples of zero; infinite where float32 does not stay so."""
    stay = [absolute(y, x) for y in steps_of(x, torch.zeros_like(a), b, 0.3)]
    single = steps_of(x.float(), a.float(), b.float(), 0.3)
    lam = 0.5 / phase_weak_convexity(a)
    single.append(phase_prox(x[:5].float(), a.float(), b.float(), lam, 1.3))
    return max(stay) if all(y.dtype == torch.float32 for y in single) else np.inf


def line_envelope(lam: float) -> dict[str, float]:
    """Return errors of gradient and prox of |x² − 1|, and what they exceed."""
    x = torch.linspace(-2, 2, 401, dtype=torch.float64)[:, None]
    x[200] = 0

    def phi(x: Tensor) -> Tensor:
        return (x[..., 0] ** 2 - 1).abs()

    one = torch.ones_like(x)

    def at(x: Tensor) -> Envelope:
        return envelope(phi, lambda x: prox_point_step(x, one, one[:, 0], lam), x, lam)

    h = 1e-7
    found = at(x)
    difference = (at(x + h).value - at(x - h).value) / (2 * h)
    cases = x.sign().where(x.abs() > 1 - 2 * lam, x / (1 - 2 * lam))
    cases = cases.where(x.abs() < 1 + 2 * lam, x / (1 + 2 * lam))
    p, g = found.prox, found.gradient
    # at ±1 the subdifferential is [−2, 2], which holds 0
    least = torch.where((p.abs() - 1).abs() < 1e-12, 0, 2 * p.abs())
    return {
        "difference_error": absolute(found.gradient[:, 0], difference),
        "prox_error": absolute(p, cases),
        "rise": (phi(p) - phi(x)).max().item(),
        "stationarity_excess": (least - g.abs()).max().item(),
    }


def phase_envelope(run: Run, points: int, iterations: int) -> dict[str, float]:
    """Return errors of the prox of phase retrieval, and what its points exceed."""
    generator, radius = run.torch_generator(), 0.9
    a, b = normal(generator, 15, 5), normal(generator, 15) + 1
    rho = phase_weak_convexity(a)
    lam = 0.7 / rho
    phi = partial(phase_value, a=a, b=b)

    def at(x: Tensor) -> Envelope:
        prox = partial(phase_prox, a=a, b=b, lam=lam, radius=radius, iterations=iterations)
        return envelope(phi, prox, x, lam)

    x = (
        sphere(generator, points, 5)
        * torch.linspace(0.1, 1.2, points, dtype=torch.float64)[:, None]
    )
    direction, h = sphere(generator, points, 5), 1e-6
    found, above, below = (
        Envelope(*parts)
        for parts in zip(*at(torch.stack([x, x + h * direction, x - h * direction])), strict=True)
    )
    difference = (above.value - below.value) / (2 * h)
    slope = (found.gradient * direction).sum(-1)
    scale = torch.linalg.vector_norm(found.gradient, dim=-1)
    near = 10.0 ** torch.linspace(-5, 0, 500, dtype=torch.float64)[:, None, None]
    others = project(found.prox + near * normal(generator, 500, points, 5), radius)
    step = others - found.prox
    promised = phi(found.prox) + (found.gradient * step).sum(-1) - rho / 2 * step.square().sum(-1)
    a1, b1 = line_problem(generator, 15)
    lam1, grid = 0.7 / phase_weak_convexity(a1), torch.linspace(-2, 2, 201, dtype=torch.float64)
    line = partial(phase_value, a=a1, b=b1)
    exact = envelope(
        line, partial(line_prox, a=a1, b=b1, lam=lam1, radius=2.0), grid[:, None], lam1
    )
    solved = phase_prox(grid[:, None], a1, b1, lam1, 2.0, iterations)
    all_values = line(grid[:, None]) + (grid - grid[:, None]) ** 2 / (2 * lam1)
    return {
        "difference_error": ((difference - slope).abs() / scale).max().item(),
        "inequality_excess": (promised - phi(others)).max().item(),
        "line_error": absolute(solved, exact.prox),
        "grid_excess": (exact.value - all_values.amin(1)).max().item(),
        "outside": max(0.0, torch.linalg.vector_norm(found.prox, dim=-1).max().item() - radius),
    }


def formulas(alpha_factor: float) -> dict[str, float]:
    """Return the errors of bounds, moduli and times at a point each, relative to values by hand."""
    double = partial(torch.tensor, dtype=torch.float64)
    alphas = alpha_factor * double([0.5, 0.25, 0.25])
    before = Envelope(double(3.0), double([1.0, 2.0]), double([0.0, 0.0]))
    a = double([[1.0, 2.0], [3.0, 0.0]])
    one = subgradient_step_bound(before, alpha_factor / 4, 1.0, 3.0, 2.0)
    model = model_step_bound(before, alpha_factor / 8, 0.5, 1.0, 3.0, 2.0)
    times = output_times(double([1, 2, 1]), double([0, 0.2, 0.25, 0.5, 0.74, 0.75, 0.99]))
    points = double([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    projected = double([[1.2, 1.6], [0.3, 0.4], [0.0, 0.0]])
    found = envelope(lambda p: p.square().sum(-1), lambda x: x / 1.5, double([3.0, 6.0]), 0.25)
    pieces = torch.cat([found.value[None], found.gradient, found.prox])
    return {
        "bound_error": relative(stationarity_bound(2.0, 1.0, 3.0, 5.0, alphas), 231 / 32),
        "subgradient_step_error": relative(one, 113 / 48),
        "model_step_error": relative(model, 443 / 140),
        "weak_convexity_error": relative(phase_weak_convexity(a), 7 + 13**0.5),
        "second_moment_error": relative(phase_second_moment(a, 0.5), (53 + 1189**0.5) / 2),
        "best_step_error": relative(best_gamma(3.0, 2.0, 6.0), 0.5),
        "times_error": absolute(times, [0, 0, 1, 1, 1, 2, 2]),
        "projection_error": absolute(project(points, 2.0), projected),
        "envelope_error": absolute(pieces, [30, 4, 8, 2, 4]),
    }
