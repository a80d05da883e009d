"""Experiments on what conditions physics-informed training: Poisson, advection, networks."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from claimbench import Run, experiment
from common.errors import absolute, largest
from common.fits import power as power_law

from .descent import (
    ACCURACY,
    Linear,
    contraction,
    descend,
    differentiated,
    errors_of_descent,
    floored,
    poisson_pair,
)
from .method import (
    Fields,
    Operator,
    advection_matrix,
    condition_number,
    diagonal_preconditioner,
    features,
    fourier,
    inverse_root,
    loss,
    matrix,
    minus_laplacian,
    poisson_matrix,
    poisson_preconditioner,
    preconditioned,
    preconditioned_step,
    tangents,
    values,
    vector,
)
from .models import (
    HIDDEN,
    LAMBDA,
    FeatureNetwork,
    gauss_legendre,
    identity,
    mixed_sines,
    network_start,
    normal,
    periodic,
    scaling,
    tanh_network,
)
from .paths import Poisson, mixture_spectra, waves
from .rates import feature_rate, network_rate

WINDOW = (1e-5, 1e-8)  # errors between which the asymptotic rate is read off
SPEEDS = (1, 2, 5, 10, 20, 30)


def lambdas(a_decade: int) -> Tensor:
    """Return a logarithmic grid of λ from 1e-3 to 1e6."""
    return torch.logspace(-3, 6, 9 * a_decade + 1, dtype=torch.float64)


@experiment
def linear_descent(
    run: Run, *, modes: int = 4, ends: int = 1, transposed: bool = False, steps: int = 50
) -> dict[str, float]:
    """Descent on the loss by autodiff against the affine iteration with A in closed form.

    Args:
        modes: K.
        ends: how many ends of the interval the loss counts; the closed form counts one.
        transposed: tell the closed forms Pᵀ for the preconditioner P.
    """
    lam, gamma = 1.0, 3.0
    domain = periodic(run, 4 * modes, ends=ends)
    data = Fields(normal(run, 4 * modes), normal(run, ends))
    mixing = torch.eye(2 * modes + 1, dtype=run.dtype, device=run.device)
    mixing = mixing + 0.3 * normal(run, *mixing.shape)
    p = poisson_preconditioner(modes, gamma).to(run.device)[:, None] * mixing
    told = p.mT if transposed else p
    theta0 = normal(run, 2 * modes + 1)
    phi = tangents(fourier, minus_laplacian, theta0, domain)
    found = values(fourier, minus_laplacian, theta0, domain)
    b = vector(phi, found, data, domain, lam)
    k = torch.arange(-modes, modes + 1, device=run.device)
    a = poisson_matrix(modes, torch.tensor(lam, device=run.device))
    hat = preconditioned(a, told)
    setting = Poisson(domain, data, lam, theta0)
    hat_model, hat_start = setting.scaled(p), torch.linalg.solve(p, theta0)
    errors = setting.plain_errors(a, b, steps)
    hat_errors = setting.preconditioned_errors(p, told, hat, told.mT @ b, steps)
    hat_phi = tangents(hat_model, minus_laplacian, hat_start, domain)
    return {
        "feature_error": absolute(features(modes, domain.x), waves(modes, domain.x)),
        "equation_error": largest(found.inside, features(modes, domain.x) @ (k**2 * theta0)),
        "matrix_error": largest(matrix(phi, domain, lam), a),
        "path_error": errors,
        "hat_matrix_error": largest(matrix(hat_phi, domain, lam), hat),
        "preconditioned_error": hat_errors,
    }


@experiment
def network_matrix(run: Run, *, residual: float = 0.0) -> dict[str, float]:
    """A of a tanh network against the Hessian of its loss, and −B against its gradient.

    `residual`: size of the residual that the data leave in the loss whose Hessian is taken.
    """
    lam, widths = 3.0, (1, 8, 8, 1)
    model, domain = tanh_network(widths), gauss_legendre(run, 20)
    theta0 = network_start(run, widths)
    found = values(model, minus_laplacian, theta0, domain)
    far = Fields(found.inside + domain.x.cos(), found.ends + normal(run, 2))
    data = Fields(found.inside + residual * domain.x.cos(), found.ends)

    def gradient(theta: Tensor, data: Fields) -> Tensor:
        def value(theta: Tensor) -> Tensor:
            return loss(values(model, minus_laplacian, theta, domain), data, domain, lam)

        gradient: Tensor = torch.func.grad(value)(theta)
        return gradient

    hessian = torch.func.jacrev(gradient)(theta0, data)
    phi = tangents(model, minus_laplacian, theta0, domain)
    b = vector(phi, found, far, domain, lam)
    return {
        "hessian_error": largest(matrix(phi, domain, lam), hessian),
        "gradient_error": largest(-b, gradient(theta0, far)),
    }


@experiment
def operator_spectrum(run: Run, *, modes: int = 3, kernel: bool = True) -> dict[str, float]:
    """Eigenvalues of A, by autodiff, and of D*D∘TT*, for random mixtures of Fourier features.

    `kernel`: false leaves TT* out.
    """
    m = 2 * modes + 1
    spectra = [mixture_spectra(run, modes, n, kernel) for n in (m, 2 * m)]
    (a, operator), (wide, wide_operator) = spectra
    return {
        "kappa_error": abs(a[-1] / a[0] / (operator[-1] / operator[0]) - 1).item(),
        "spectrum_error": (wide[m:] / wide_operator - 1).abs().max().item(),
        "surplus": (wide[:m].abs().max() / wide[-1]).item(),
    }


@experiment
def poisson_kappa(
    run: Run, *, sizes: Sequence[int] = (4, 8, 16, 32), order: int = 2
) -> dict[str, float]:
    """The smallest κ(A) over λ for each K. `order`: of D, 2 for −u'' or 0 for u itself."""
    lam = lambdas(40)
    smallest = []
    for modes in sizes:
        a = poisson_matrix(modes, lam)
        if order == 0:
            a = a - poisson_matrix(modes, 0.0) + torch.eye(2 * modes + 1, dtype=a.dtype)
        kappa = condition_number(a)
        smallest.append(kappa.min().item())
        run.curve(f"K = {modes}", lam.tolist(), kappa.tolist())
    ratios = [kappa / modes**4 for modes, kappa in zip(sizes, smallest, strict=True)]
    return {
        "smallest_over_k4": min(ratios),
        "exponent": power_law(sizes, smallest).exponent,
    } | {f"kappa_{modes}": kappa for modes, kappa in zip(sizes, smallest, strict=True)}


@experiment
def preconditioned_kappa(run: Run, *, power: float = 2.0) -> dict[str, float]:
    """κ(Â) at λ = 2π/γ² for four γ and three K. `power`: of 1/|k| in P, the paper's is 2."""
    gammas, sizes = (1, 10, 100, 1000), (8, 16, 32)

    def kappa(modes: int, gamma: float) -> float:
        p = torch.diag(scaling(modes, gamma, power))
        a = poisson_matrix(modes, 2 * math.pi / gamma**2)
        return condition_number(preconditioned(a, p)).item()

    table = np.array([[kappa(modes, gamma) for gamma in gammas] for modes in sizes])
    run.curve("K = 32", gammas, table[-1])
    return {f"kappa_{gamma}": float(k) for gamma, k in zip(gammas, table[-1], strict=True)} | {
        "exponent": power_law(gammas[1:], table[-1, 1:] - 1).exponent,
        "spread": float((table.max(axis=0) / table.min(axis=0) - 1).max()),
    }


@experiment
def descent_rate(run: Run, *, modes: int = 5, step: float = 1.0) -> dict[str, float]:
    """How fast the error of descent shrinks in the end, against the formula.

    `step`: in units of the best constant step.
    """
    found = []
    for name, problem in zip(
        ("plain", "preconditioned"), poisson_pair(run, modes, 2.0), strict=True
    ):
        errors = np.array(errors_of_descent(problem, factor=step, accuracy=WINDOW[1]))
        run.curve(name, range(len(errors)), errors)
        first = int(np.argmax(errors <= WINDOW[0]))
        rate = math.log(errors[first] / errors[-1]) / (len(errors) - 1 - first)
        found.append(abs(rate / contraction(problem) - 1))
    return {"plain_error": found[0], "preconditioned_error": found[1]}


@experiment
def steps_to_solution(run: Run, *, modes: int = 5, power: float = 2.0) -> dict[str, float]:
    """Gradient steps to an error of 1e-6 without and with preconditioner, for one random f.

    `power`: of 1/|k| in P, the paper's is 2.
    """
    losses = poisson_pair(run, modes, power)
    steps = []
    for problem in losses:
        errors = errors_of_descent(problem, factor=1.0, accuracy=ACCURACY)
        steps.append(len(errors) - 1)
    worst = [-math.log(ACCURACY) / contraction(problem) for problem in losses]
    return {
        "steps_ratio": steps[0] / steps[1],
        "steps_plain": steps[0],
        "steps_preconditioned": steps[1],
        "worst_steps_plain": worst[0],
        "worst_steps_preconditioned": worst[1],
    }


@experiment
def gauss_newton(run: Run, *, modes: int = 4, exact: bool = True) -> dict[str, float]:
    """One step of preconditioned descent with P = A^(−1/2) Q, for a random orthogonal Q.

    `exact`: false takes the diagonal of A in the place of A.
    """
    coefficients = normal(run, 2 * modes + 1)
    ones = torch.ones_like(coefficients)
    problem = Linear.poisson(run, ones, 1.0, lambda x: features(modes, x) @ coefficients)
    a = poisson_matrix(modes, torch.tensor(1.0, device=run.device))
    turn = torch.linalg.qr(normal(run, *a.shape)).Q
    p = (inverse_root(a) if exact else torch.diag(diagonal_preconditioner(a))) @ turn
    theta, solution = normal(run, 2 * modes + 1), problem.solution()
    after = preconditioned_step(theta, problem.value_and_gradient(theta)[1], p, 1.0)
    return {
        "kappa_excess": condition_number(preconditioned(a, p)).item() - 1,
        "error_after_step": ((after - solution).norm() / (theta - solution).norm()).item(),
    }


@experiment
def fourier_features(
    run: Run, *, modes: int = 8, power: float = 2.0, steps: int = 1000
) -> dict[str, float]:
    """Losses of two models of the same features, unscaled and scaled, from the same function.

    `power`: features are scaled by 1/|k|^power; the paper's is 2.
    """
    powers = (0.0, power)
    scales = [scaling(modes, 1.0, p).to(run.device) for p in powers]
    problems = [Linear.poisson(run, p, LAMBDA, mixed_sines) for p in scales]
    pair = Linear(torch.stack([problem.rows for problem in problems]), problems[0].target)
    fractions = [run.artefact(feature_rate, modes=modes, power=p, steps=steps) for p in powers]
    top = pair.eigenvalues()[:, -1]
    start = normal(run, 2 * modes + 1) / torch.stack(scales)
    curve = descend(
        pair.value_and_gradient, start, 2 * torch.tensor(fractions).to(top) / top, steps
    )
    for name, losses in zip(("unscaled", "scaled"), torch.stack(curve).T, strict=True):
        run.curve(name, range(len(losses)), losses)
    unscaled, scaled = floored(curve[-1], curve[0]).tolist()
    return {"loss_ratio": unscaled / scaled}


@experiment
def feature_network(
    run: Run, *, modes: int = 8, power: float = 2.0, steps: int = 1000
) -> dict[str, float]:
    """Losses of two networks with the same initial weights, on unscaled and on scaled features.

    `power`: features are scaled by 1/|k|^power; the paper's is 2.
    """
    powers = (0.0, power)
    scale = torch.stack([scaling(modes, 1.0, p) for p in powers]).to(run.device, run.dtype)
    network = FeatureNetwork(run, scale[:, None])
    theta = network.init(run, 1).repeat(2, 1)
    rates = [run.artefact(network_rate, modes=modes, power=p, steps=steps) for p in powers]
    curve = descend(differentiated(network.loss), theta, torch.tensor(rates).to(theta), steps)
    for name, losses in zip(("unscaled", "scaled"), torch.stack(curve).T, strict=True):
        run.curve(name, range(len(losses)), losses)
    unscaled, scaled = floored(curve[-1], curve[0]).tolist()
    return {"loss_ratio": unscaled / scaled}


@experiment
def advection(
    run: Run, *, sizes: Sequence[int] = (2, 4, 8, 16), power: float = 0.5
) -> dict[str, float]:
    """The smallest κ(A) over λ for each speed β and each K, and what rescaling leaves of it.

    `power`: features are divided by that power of A's diagonal.
    """
    lam = lambdas(10)

    def kappa(modes: int, beta: float, *, rescaled: bool = False) -> float:
        a = advection_matrix(modes, beta, lam)
        if rescaled:
            a = preconditioned(a, torch.diag_embed(diagonal_preconditioner(a) ** (2 * power)))
        return condition_number(a, blocks=True).min().item()

    table = np.array([[kappa(modes, beta) for beta in SPEEDS] for modes in sizes])
    for modes, row in zip(sizes, table, strict=True):
        run.curve(f"K = {modes}", SPEEDS, row)
    bound = np.array(sizes)[:, None] ** 2 * (1 + np.array(SPEEDS) / (2 * math.pi)) ** 2
    plain, rescaled = kappa(8, 10), kappa(8, 10, rescaled=True)
    return {
        "smallest_growth_beta": float((table[:, 1:] / table[:, :-1]).min()),
        "smallest_growth_modes": float((table[1:] / table[:-1]).min()),
        "smallest_over_bound": float((table / bound).min()),
        "gain": plain / rescaled,
        "kappa": plain,
        "kappa_rescaled": rescaled,
    }


@experiment
def tangent_space(
    run: Run, *, order: int = 2, leading: int = 10, points: int = 256
) -> dict[str, float]:
    """The smallest κ over λ on the leading tangent functions of a network, made orthonormal.

    `order`: of D, 2 for −u'' or 0 for u itself.
    """
    widths = (1, HIDDEN, HIDDEN, 1)
    model, domain = tanh_network(widths), gauss_legendre(run, points)
    theta0 = network_start(run, widths)
    plain = tangents(model, identity, theta0, domain)
    _, singular, right = torch.linalg.svd(
        domain.weight.sqrt()[:, None] * plain.inside, full_matrices=False
    )
    white = right[:leading].mT / singular[:leading]
    operator: Operator = identity if order == 0 else minus_laplacian
    phi = tangents(model, operator, theta0, domain)
    phi = Fields(phi.inside @ white, phi.ends @ white)
    lam = lambdas(10).to(run.device, run.dtype)
    kappa = condition_number(matrix(phi, domain, lam))
    run.curve("κ", lam.tolist(), kappa.tolist())
    return {"kappa": kappa.min().item()}
