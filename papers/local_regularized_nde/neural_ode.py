"""A neural ODE that classifies digits, trained with a regulariser or without.

Parameters: W₁ (65, 64), b₁, W₂ (65, 64), b₂ of the dynamics, the time being the last input of both
layers, then W (64, 10), b of a linear classifier.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from claimbench import Run
from common.data import load

from .method import (
    Field,
    Solution,
    biased_time,
    local_regularizer,
    solve,
    state_at,
    unbiased_time,
)

SAMPLING = {"unbiased": unbiased_time, "biased": biased_time}
EXTRA_CALLS = 8  # of f by the extra step: two for its length and first stage, six for the others

COMPONENTS = 64  # principal components that are the state
HIDDEN = 64
CLASSES = 10
BATCH = 64
RATE = 0.005  # Adam's
TOLERANCE = 1e-6


def network(
    generator: torch.Generator, dtype: torch.dtype, components: int, hidden: int
) -> list[Tensor]:
    """Draw parameters, uniformly as Glorot and Bengio do; offsets are zero."""
    parameters = []
    for rows, columns in (
        (components + 1, hidden),
        (hidden + 1, components),
        (components, CLASSES),
    ):
        limit = math.sqrt(6 / (rows + columns))
        uniform = torch.rand(
            rows, columns, generator=generator, dtype=dtype, device=generator.device
        )
        parameters += [
            limit * (2 * uniform - 1),
            torch.zeros(columns, dtype=dtype, device=generator.device),
        ]
    return parameters


def field(parameters: Sequence[Tensor]) -> Field:
    """Return f(t, u) of the network with one hidden layer of tanh."""
    w1, b1, w2, b2, *_ = parameters
    (w1, of_t1), (w2, of_t2) = ((w[:-1], w[-1]) for w in (w1, w2))  # once a solve, not once a call

    def f(t: float, u: Tensor) -> Tensor:
        hidden = torch.tanh(torch.addmm(torch.add(b1, of_t1, alpha=t), u, w1))
        return torch.addmm(torch.add(b2, of_t2, alpha=t), hidden, w2)

    return f


def predict(parameters: Sequence[Tensor], x: Tensor) -> tuple[Tensor, Solution]:
    """Return the logits of the classifier at u(1), and the solve that led there."""
    solution = solve(field(parameters), x, (0.0, 1.0), TOLERANCE)
    *_, w, b = parameters
    return torch.addmm(b, solution.states[-1], w), solution


@functools.cache
def digits_split(validation: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return principal components and labels for training, then those for judging.

    Every fifth image is a test image; with `validation` every fifth of the others is judged
    instead. The components are those of the images for training.
    """
    images, labels = load("mnist5k")
    images = images / 255.0
    keep = np.arange(len(images)) % 5 != 4
    if validation:
        images, labels = images[keep], labels[keep]
        keep = np.arange(len(images)) % 5 != 4
    mean = images[keep].mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(images[keep].T))
    states = (images - mean) @ vectors[:, : -COMPONENTS - 1 : -1]
    return states[keep], labels[keep], states[~keep], labels[~keep]


def train(
    run: Run,
    *,
    seed: int,
    regularizer: str,
    weight: float,
    steps: int,
    dynamics: bool = True,
    validation: bool = False,
) -> dict[str, Tensor]:
    """Train a neural ODE; return its parameters, what f was called in each step, and its quality.

    Args:
        run: for device, precision and progress.
        seed: of initial parameters, batches and times.
        regularizer: "none", "unbiased", "biased" or "global", Σ E_j h_j over all steps.
        weight: of the regulariser at the end; at the start it is 2.5 times as large, as in the
            paper.
        steps: of Adam.
        dynamics: whether f is trained; else it stays zero and the classifier sees x.
        validation: judge on validation images.
    """
    x, y, x_test, y_test = (
        torch.as_tensor(part, device=run.device) for part in digits_split(validation)
    )
    x, x_test = x.to(run.dtype), x_test.to(run.dtype)
    generator = torch.Generator(device=run.device).manual_seed(seed)
    rng = np.random.default_rng(seed)
    parameters = [p.requires_grad_() for p in network(generator, run.dtype, COMPONENTS, HIDDEN)]
    if not dynamics:
        for p in parameters[:4]:
            p.requires_grad_(False).zero_()
    optimizer = torch.optim.Adam([p for p in parameters if p.requires_grad], lr=RATE)
    calls = []
    for step in range(steps):
        batch = torch.randint(len(x), (BATCH,), generator=generator, device=run.device)
        logits, solution = predict(parameters, x[batch])
        loss, extra = cross_entropy(logits, y[batch]), 0
        scaled = weight * 2.5 ** (1 - step / steps)
        if regularizer == "global":
            sizes = torch.as_tensor(np.diff(solution.times), dtype=x.dtype, device=x.device)
            loss = loss + scaled * (torch.stack(solution.errors) * sizes).sum()
        elif regularizer != "none":
            t = SAMPLING[regularizer](solution, rng)
            u, f = state_at(solution, t), field(parameters)
            loss, extra = loss + scaled * local_regularizer(f, u, t, 1.0, TOLERANCE), EXTRA_CALLS
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        calls.append(solution.nfe + extra)
        run.progress(step + 1, steps)
    with torch.no_grad():
        logits, solution = predict(parameters, x_test)
    accuracy = (logits.argmax(dim=1) == y_test).to(run.dtype).mean()
    return {
        **{str(i): p.detach() for i, p in enumerate(parameters)},
        "calls": torch.tensor(calls),
        "nfe": torch.tensor(solution.nfe),
        "accuracy": accuracy,
    }


def still_gradient(parameters: Sequence[Tensor], x: Tensor) -> float:
    """Return the norm of the gradient of both regularisers where the network is constantly zero."""
    still = [torch.zeros_like(p).requires_grad_() for p in parameters]
    value = sum(
        local_regularizer(field(still), x, 0.4, 1.0, 1e-2, stiffness) for stiffness in (False, True)
    )
    slopes = torch.autograd.grad(torch.as_tensor(value), still[:4])
    return math.hypot(*(slope.norm().item() for slope in slopes))
