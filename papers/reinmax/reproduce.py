"""Experiments on ReinMax: one draw, exact expectations, polynomial programming, a VAE on digits."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from claimbench import Run, experiment
from common.errors import absolute

from .autoencoders import LATENTS, exact_model, train_vaes, tuned_vae
from .enumeration import expected_gradient
from .estimators import ESTIMATORS, Estimator, sampler, straight_through, surrogate
from .method import draw
from .programming import polynomial_loss, solved_polynomial, tuned_polynomial
from .vae import BATCH, CategoricalVAE, images

DRAWS = 20_000
POWERS = {"15": 1.5, "2": 2.0, "3": 3.0}
SCALES = 2.0 ** -np.arange(1, 7)  # h

# what the authors' backward pass gives, in float64, for temperature τ
REFERENCE = {
    "theta": [0.3, -0.7, 1.1, 0.0],
    "g": [1.0, -2.0, 0.5, 3.0],
    "soft": [0.2, 0.4, -0.6, 0.8],
}
REFERENCE_DRAW = 1
REFERENCE_GRADIENTS = {
    1.0: [0.413280056193704, -1.37353982845875, 0.380618625488647, 0.579641146776403],
    1.3: [0.434369831910154, -1.40885472321363, 0.313970637770596, 0.66051425353288],
}


@experiment
def one_draw(run: Run, *, estimator: str = "reinmax") -> dict[str, float]:
    """Gradients of 50 times 3 latents of 5 categories, for given draws, and 20,000 draws of one."""
    chosen, generator = ESTIMATORS[estimator], run.torch_generator()
    normal = partial(torch.randn, generator=generator, dtype=run.dtype, device=run.device)

    def gradient(
        estimator: Estimator, theta: Tensor, d: Tensor, tau: float, g: Tensor, soft: Tensor
    ) -> Tensor:
        theta = theta.clone().requires_grad_()
        z, pi = estimator(theta, d, tau)
        return torch.autograd.grad((z * g).sum() + (pi * soft).sum(), theta)[0]

    theta, g, soft = (normal(50, 3, 5) for _ in range(3))
    d = draw(theta, generator)
    surrogate_errors = [
        absolute(
            gradient(chosen, theta, d, tau, g, soft), gradient(surrogate, theta, d, tau, g, soft)
        )
        for tau in (1.0, 1.3, 2.0)
    ]
    fixed = {name: normal(4).new_tensor(values) for name, values in REFERENCE.items()}
    one = one_hot(torch.tensor(REFERENCE_DRAW, device=run.device), 4).to(run.dtype)
    reference_errors = [
        absolute(gradient(chosen, fixed["theta"], one, tau, fixed["g"], fixed["soft"]), row)
        for tau, row in REFERENCE_GRADIENTS.items()
    ]
    logits = normal(5)
    pi = np.exp(logits.cpu().numpy())
    pi /= pi.sum()
    z, returned = sampler(estimator)(logits.expand(DRAWS, 5), 2.0, generator)
    hard = one_hot(z.argmax(-1), 5).to(z)
    error = z.mean(0).cpu().numpy() - pi
    return {
        "surrogate_error": max(surrogate_errors),
        "reference_error": max(reference_errors),
        "forward_error": max(
            absolute(z.detach(), hard), absolute(returned, np.broadcast_to(pi, (DRAWS, 5)))
        ),
        "frequency_error": float(np.max(np.abs(error) / np.sqrt(pi * (1 - pi) / DRAWS))),
    }


@experiment
def quadratic(
    run: Run, *, estimator: str = "reinmax", tau: float = 1.0, problems: int = 20
) -> dict[str, float]:
    """Expected gradients of random quadratics, in one latent of 5 categories and 3 of 4."""
    generator = run.torch_generator()
    normal = partial(torch.randn, generator=generator, dtype=run.dtype, device=run.device)
    errors, linear_errors, relative = [], [], []
    for latents, categories in ((1, 5), (3, 4)):
        n = latents * categories
        theta = normal(problems, latents, categories)
        a, b = normal(problems, n, n), normal(problems, n)

        def linear(z: Tensor, b: Tensor = b) -> Tensor:
            return (z.flatten(-2) * b).sum(-1)

        def full(z: Tensor, a: Tensor = a, b: Tensor = b) -> Tensor:
            z = z.flatten(-2)
            return torch.einsum("kri,rij,krj->kr", z, a, z) / 2 + (z * b).sum(-1)

        exact = expected_gradient(full, theta, None)
        errors.append(absolute(expected_gradient(full, theta, ESTIMATORS[estimator], tau), exact))
        first = expected_gradient(linear, theta, straight_through)
        linear_errors.append(absolute(first, expected_gradient(linear, theta, None)))
        bias = expected_gradient(full, theta, straight_through) - exact
        norms = bias.flatten(1).norm(dim=1) / exact.flatten(1).norm(dim=1)
        relative.append(norms.min().item())
    return {
        "error_single": errors[0],
        "error_joint": errors[1],
        "straight_through_linear_error": max(linear_errors),
        "straight_through_quadratic_error": min(relative),  # smallest, relative
    }


@experiment
def bias_order(
    run: Run, *, estimator: str = "reinmax", tau: float = 1.0, problems: int = 50
) -> dict[str, float]:
    """Median slope of the bias in h, over its last four, for f(D) = exp(h cᵀD), 5 categories."""
    generator = run.torch_generator()
    normal = partial(torch.randn, generator=generator, dtype=run.dtype, device=run.device)
    h = torch.as_tensor(SCALES, dtype=run.dtype, device=run.device)
    theta = normal(problems, 1, 5).expand(len(h), -1, -1, -1)
    c = normal(problems, 1, 5)

    def f(z: Tensor) -> Tensor:
        return torch.exp(h[:, None] * (z * c).sum((-1, -2)))

    exact = expected_gradient(f, theta, None)

    def slope(name: str, tau: float) -> float:
        bias = (expected_gradient(f, theta, ESTIMATORS[name], tau) - exact).flatten(2).norm(dim=2)
        bias = bias.cpu().numpy()
        run.curve(f"{name}: median bias", SCALES, np.median(bias, axis=1))
        lines = np.polyfit(np.log(SCALES[-4:]), np.log(bias[-4:]), 1)
        return float(np.median(lines[0]))

    return {
        "straight_through_slope": slope("straight-through", 1.0),
        "reinmax_slope": slope(estimator, tau),
    }


@experiment
def bernoulli(run: Run, *, estimator: str = "reinmax") -> dict[str, float]:
    """Expected gradients in the first logit, at θ = (0, 0) and (−1, 1), of |z₁ − 0.45|^p."""
    theta = torch.tensor([[[0.0, 0.0]], [[-1.0, 1.0]]], dtype=run.dtype, device=run.device)
    metrics, difference = {}, 0.0
    for label, p in POWERS.items():
        f = partial(polynomial_loss, p=p)
        gradients = {
            "exact": expected_gradient(f, theta, None),
            "reinmax": expected_gradient(f, theta, ESTIMATORS[estimator]),
            "straight_through": expected_gradient(f, theta, straight_through),
        }
        for name, gradient in gradients.items():
            even, skew = gradient[:, 0, 0].tolist()
            if name != "straight_through":
                metrics[f"even_{name}_{label}"] = even
            metrics[f"skew_{name}_{label}"] = skew
        difference = max(
            difference, absolute(gradients["reinmax"][0], gradients["straight_through"][0])
        )
    return {**metrics, "even_difference": difference}


@experiment
def polynomial(
    run: Run,
    *,
    estimator: str = "reinmax",
    latents: int = 8,
    steps: int = 300,
    rates: Sequence[float] = (0.01,),
    taus: Sequence[float] = (1.0,),
    baseline_taus: Sequence[float] = (1.0,),
) -> dict[str, float]:
    """Quadratic programming with each estimator at the best rate and temperature of its grid.

    Args:
        estimator: that takes ReinMax's place.
        latents: Bernoulli variables, all with the same loss.
        steps: of Adam, batches of 64 draws.
        rates: learning rates of all grids.
        taus: temperatures of ReinMax's grid.
        baseline_taus: temperatures of the other grids.
    """
    above = {}
    for stream, (name, grid) in enumerate(
        ((estimator, taus), ("straight-through", baseline_taus), ("gumbel", baseline_taus))
    ):
        arguments = {"name": name, "stream": stream, "steps": steps}
        setting = run.artefact(tuned_polynomial, rates=list(rates), taus=list(grid), **arguments)
        outcome = run.artefact(
            solved_polynomial, seed=run.seed, latents=latents, setting=setting, **arguments
        )
        above[stream] = outcome["above"]
        run.curve(name if stream else "ReinMax", *outcome["curve"])
    return {
        "straight_through_ratio": above[0] / above[1],
        "gumbel_ratio": above[0] / above[2],
    }


@experiment
def gradient_angle(
    run: Run, *, estimator: str = "reinmax", latents: int = 2, steps: int = 60, shown: int = 20
) -> dict[str, float]:
    """Angle to the exact gradient in the logits of `shown` images, after exact training."""
    generator = run.torch_generator()
    x = images(run.device, run.dtype)
    model = CategoricalVAE(x.shape[1], latents, generator, run.dtype)
    model.load_state_dict(run.artefact(exact_model, seed=run.seed, latents=latents, steps=steps))
    chosen = x[run.rng.choice(len(x), shown, replace=False)]
    model, chosen = model.double(), chosen.double()
    theta = model.encode(chosen)[0]

    def f(z: Tensor) -> Tensor:
        costs = model.reconstruction(z.flatten(0, 1).unsqueeze(0), chosen.repeat(len(z), 1))
        return costs.reshape(z.shape[:2])

    def direction(estimator: Estimator | None) -> Tensor:
        gradient = expected_gradient(f, theta, estimator).flatten()
        return gradient / gradient.norm()

    exact = direction(None)

    def angle(estimator: Estimator) -> float:
        """Return 1 − cos, without cancellation."""
        return (direction(estimator) - exact).square().sum().item() / 2

    return {"angle_ratio": angle(ESTIMATORS[estimator]) / angle(straight_through)}


@experiment
def vae(
    run: Run,
    *,
    estimator: str = "reinmax",
    steps: int = 5,
    tuning_seeds: int = 1,
    rates: Sequence[float] = (0.001,),
    taus: Sequence[float] = (1.0,),
    baseline_taus: Sequence[float] = (1.0,),
) -> dict[str, float]:
    """A VAE of 4 latents, trained with each estimator at the best setting of its grid, on 14 by 14.

    Args:
        estimator: that takes ReinMax's place.
        steps: of Adam, in tuning as well.
        tuning_seeds: seeds that a setting is tuned on, none of them the experiment's.
        rates: learning rates of all grids.
        taus: temperatures of ReinMax's grid.
        baseline_taus: temperatures of the other grids.
    """
    grids = {"ReinMax": taus, "straight-through": baseline_taus, "gumbel": baseline_taus}
    return _margins(
        run, estimator, grids, steps=steps, seeds=tuning_seeds, rates=list(rates), pooled=True
    )


@experiment
def vae_on_whole_images(
    run: Run,
    *,
    estimator: str = "reinmax",
    steps: int = 5,
    tuning_seeds: int = 1,
    rates: Sequence[float] = (0.001,),
    taus: Sequence[float] = (1.0,),
    baseline_taus: Sequence[float] = (1.0,),
) -> dict[str, float]:
    """As `vae`, on images of 28 by 28 pixels."""
    grids = {"ReinMax": taus, "straight-through": baseline_taus, "gumbel": baseline_taus}
    return _margins(
        run, estimator, grids, steps=steps, seeds=tuning_seeds, rates=list(rates), pooled=False
    )


def _margins(
    run: Run, estimator: str, grids: Mapping[str, Sequence[float]], *, steps: int, **tuning: Any
) -> dict[str, float]:
    """Return by how much ReinMax, or what takes its place, is better than its rivals."""
    settings = [
        run.artefact(
            tuned_vae,
            arm=name,
            estimator=estimator if name == "ReinMax" else name,
            steps=steps,
            taus=list(taus),
            **tuning,
        )
        for name, taus in grids.items()
    ]
    losses, (at, curves) = train_vaes(run, settings, steps, pooled=tuning["pooled"])
    for name, curve in zip(grids, curves.T.tolist(), strict=True):
        run.curve(name, at, curve)
    own, straight, gumbel = losses.tolist()
    return {"straight_through_margin": straight - own, "gumbel_margin": gumbel - own}


@experiment
def step_time(run: Run, *, estimator: str = "reinmax", rounds: int = 3) -> dict[str, float]:
    """Time of forward and backward pass on a batch of 100, over that with Straight-Through."""
    x = images(run.device, run.dtype)[run.rng.choice(5000, BATCH, replace=False)]
    generator = run.torch_generator()
    model = CategoricalVAE(x.shape[1], LATENTS, generator, run.dtype)

    def step(name: str) -> Callable[[], object]:
        sample = sampler(name)

        def call() -> None:
            model.zero_grad()
            model.loss(x, lambda theta: sample(theta, 1.0, generator)).sum().backward()

        return call

    return {"time_ratio": run.time_ratio(step(estimator), step("straight-through"), rounds=rounds)}
