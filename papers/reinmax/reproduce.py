"""Experiments on ReinMax: one draw, exact expectations, polynomial programming, a VAE on digits."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from claimbench import Run, artefact, experiment

from .estimators import ESTIMATORS, Estimator, sampler, straight_through, surrogate
from .method import draw
from .vae import BATCH, CategoricalVAE, all_codes, images, train

DRAWS = 20_000
TARGET = 0.45  # of polynomial programming
POLYNOMIAL_BATCH = 64
POWERS = {"15": 1.5, "2": 2.0, "3": 3.0}
SCALES = 2.0 ** -np.arange(1, 7)  # h
LATENTS = 4  # of the VAE that is trained
EVALUATED = 1000  # images

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

# codes (..., latents, categories) -> (...)
Objective = Callable[[Tensor], Tensor]


def expected_gradient(
    f: Objective, theta: Tensor, estimator: Estimator | None, tau: float = 1.0
) -> Tensor:
    """Return the expectation of an estimator's gradient in θ by enumerating all codes.

    Args:
        f: maps (codes, *batch, latents, categories) to (codes, *batch).
        theta: logits, shape (*batch, latents, categories), of independent latents and problems.
        estimator: None for the exact gradient of E f(D).
        tau: its temperature.
    """
    theta = theta.detach().clone().requires_grad_()
    *batch, latents, categories = theta.shape
    codes = all_codes(latents, categories, theta)
    d = codes.reshape(-1, *[1] * len(batch), latents, categories).expand(-1, *theta.shape)
    probability = (theta.softmax(-1) * d).sum(-1).prod(-1)
    if estimator is None:
        expectation = (probability * f(d).detach()).sum()
    else:
        z, _ = estimator(theta.expand_as(d), d, tau)
        expectation = (probability.detach() * f(z)).sum()
    (gradient,) = torch.autograd.grad(expectation, theta)
    return gradient


def largest(x: Tensor) -> float:
    """Return the largest absolute entry."""
    return x.abs().max().item()


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
        largest(
            gradient(chosen, theta, d, tau, g, soft) - gradient(surrogate, theta, d, tau, g, soft)
        )
        for tau in (1.0, 1.3, 2.0)
    ]
    fixed = {name: normal(4).new_tensor(values) for name, values in REFERENCE.items()}
    one = one_hot(torch.tensor(REFERENCE_DRAW, device=run.device), 4).to(run.dtype)
    reference_errors = [
        largest(
            gradient(chosen, fixed["theta"], one, tau, fixed["g"], fixed["soft"])
            - one.new_tensor(row)
        )
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
        "forward_error": max(largest(z - hard), largest(returned - returned.new_tensor(pi))),
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
        errors.append(largest(expected_gradient(full, theta, ESTIMATORS[estimator], tau) - exact))
        first = expected_gradient(linear, theta, straight_through)
        linear_errors.append(largest(first - expected_gradient(linear, theta, None)))
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
            difference, largest((gradients["reinmax"] - gradients["straight_through"])[0])
        )
    return {**metrics, "even_difference": difference}


def polynomial_loss(z: Tensor, p: float) -> Tensor:
    """Return the mean over latents of |z₁ − 0.45|^p, z₁ the first of two categories."""
    return (z[..., 0] - TARGET).abs().pow(p).mean(-1)


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


@artefact
def tuned_polynomial(
    run: Run, *, name: str, stream: int, steps: int, rates: list[float], taus: list[float]
) -> dict[str, float]:
    """The setting with the lowest final loss on 8 latents."""
    settings = [{"rate": r, "tau": t} for r, t in product(rates, taus)]
    above, _ = _programme(run, name, run.seed + stream, 8, steps, settings)
    return settings[int(np.argmin(above))]


@artefact
def solved_polynomial(
    run: Run,
    *,
    name: str,
    stream: int,
    steps: int,
    seed: int,
    latents: int,
    setting: dict[str, float],
) -> dict[str, Any]:
    """How far above the optimum one run ends, and its curve."""
    above, curve = _programme(run, name, seed + stream, latents, steps, [setting])
    return {"above": above[0], "curve": curve}


def _programme(
    run: Run, name: str, seed: int, latents: int, steps: int, settings: list[dict[str, float]]
) -> tuple[list[float], tuple[list[int], list[float]]]:
    """Run Adam on quadratic programming, all settings at once.

    Returns:
        The expected loss less the optimum's at the end, one a setting, and the first one's on the
        way, against steps.
    """
    generator = torch.Generator(device=run.device).manual_seed(seed)
    sample = sampler(name)
    start = torch.empty(latents, 2, dtype=run.dtype, device=run.device)
    start.uniform_(-0.01, 0.01, generator=generator)
    logits = [start.clone().requires_grad_() for _ in settings]
    groups = [
        {"params": [theta], "lr": setting["rate"]}
        for theta, setting in zip(logits, settings, strict=True)
    ]
    optimizer = torch.optim.Adam(groups, fused=True)
    tau = start.new_tensor([setting["tau"] for setting in settings]).reshape(-1, 1, 1, 1)

    def above() -> list[float]:
        pi = torch.stack(logits).detach().softmax(-1)
        high, low = (1 - TARGET) ** 2, TARGET**2  # the losses of z = 1 and of z = 0
        return ((high - low) * pi[..., 0]).mean(-1).tolist()

    curve: tuple[list[int], list[float]] = ([], [])
    for step in range(steps + 1):
        if step % max(1, steps // 100) == 0:
            curve[0].append(step)
            curve[1].append(above()[0])
        if step == steps:
            break
        theta = torch.stack(logits).unsqueeze(1).expand(-1, POLYNOMIAL_BATCH, -1, -1)
        z, _ = sample(theta, tau, generator)
        optimizer.zero_grad()
        polynomial_loss(z, 2.0).mean(1).sum().backward()
        optimizer.step()
    return above(), curve


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


@artefact
def exact_model(run: Run, *, seed: int, latents: int, steps: int) -> dict[str, Tensor]:
    """A VAE trained with exact gradients, learning rate 0.002."""
    generator = torch.Generator(device=run.device).manual_seed(seed)
    x = images(run.device, run.dtype)
    model = CategoricalVAE(x.shape[1], latents, generator, run.dtype)
    train(model, x, model.exact_loss, rates=[0.002], steps=steps, generator=generator)
    return dict(model.state_dict())


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
    """A VAE of 4 latents trained with each estimator at the best setting of its grid.

    Args:
        estimator: that takes ReinMax's place.
        steps: of Adam, in tuning as well.
        tuning_seeds: seeds that a setting is tuned on, none of them the experiment's.
        rates: learning rates of all grids.
        taus: temperatures of ReinMax's grid.
        baseline_taus: temperatures of the other grids.
    """
    contestants = {
        "ReinMax": (estimator, taus),
        "straight-through": ("straight-through", baseline_taus),
        "gumbel": ("gumbel", baseline_taus),
    }
    settings = [
        run.artefact(
            tuned_vae,
            estimator=name,
            steps=steps,
            seeds=tuning_seeds,
            rates=list(rates),
            taus=list(grid),
        )
        for name, grid in contestants.values()
    ]
    losses, (at, curves) = _train_vaes(run, settings, steps)
    for name, curve in zip(contestants, curves.T.tolist(), strict=True):
        run.curve(name, at, curve)
    own, straight, gumbel = losses.tolist()
    return {"straight_through_margin": straight - own, "gumbel_margin": gumbel - own}


@artefact
def tuned_vae(
    run: Run, *, estimator: str, steps: int, seeds: int, rates: list[float], taus: list[float]
) -> dict[str, Any]:
    """The setting with the lowest mean negative ELBO over initial networks, one a seed."""
    settings = [{"estimator": estimator, "rate": r, "tau": t} for r, t in product(rates, taus)]
    losses, _ = _train_vaes(run, settings, steps, starts=seeds)
    means = losses.reshape(len(settings), seeds).mean(1).nan_to_num(nan=torch.inf)
    return settings[int(means.argmin())]


def _train_vaes(
    run: Run, settings: list[dict[str, Any]], steps: int, *, starts: int = 1
) -> tuple[Tensor, tuple[list[int], Tensor]]:
    """Train with every setting from every start at once, on the same batches.

    Args:
        run: its seed decides starts, batches and draws.
        settings: estimator, learning rate and temperature.
        steps: of Adam.
        starts: initial networks.

    Returns:
        The negative ELBO after training, in nats, shape (settings · starts), starts following one
        another, and the loss on the way, as `train` returns it.
    """
    start = torch.Generator(device=run.device).manual_seed(run.seed)
    draws = torch.Generator(device=run.device).manual_seed(run.seed + 1)
    x = images(run.device, run.dtype, pooled=True)
    model = CategoricalVAE(
        x.shape[1], LATENTS, start, run.dtype, starts=starts, copies=len(settings)
    )

    def sample(theta: Tensor) -> tuple[Tensor, Tensor]:
        pairs = [
            sampler(setting["estimator"])(part, setting["tau"], draws)
            for setting, part in zip(settings, theta.split(starts), strict=True)
        ]
        hard, soft = zip(*pairs, strict=True)
        return torch.cat(hard), torch.cat(soft)

    curve = train(
        model,
        x,
        lambda batch: model.loss(batch, sample),
        rates=[setting["rate"] for setting in settings for _ in range(starts)],
        steps=steps,
        generator=start,
        progress=run.progress,
    )
    with torch.no_grad():
        parts = x[:: len(x) // EVALUATED].split(EVALUATED // 4)  # bounds the memory
        return torch.stack([model.exact_loss(part) for part in parts]).mean(0), curve


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
