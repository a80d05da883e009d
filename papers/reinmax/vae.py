"""Variational autoencoders with categorical latents, small enough to enumerate every code."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.data import load

HIDDEN = (200, 100)
CATEGORIES = 8
BATCH = 100

# θ (runs, n, latents, categories) -> a hard draw with some gradient, and softmax(θ), both so shaped
Sampler = Callable[[Tensor], tuple[Tensor, Tensor]]


@cache
def images(device: str, dtype: torch.dtype, *, pooled: bool = False) -> Tensor:
    """Return the 5,000 digits, shape (5000, 784), grey values in [0, 1]; not to be written to.

    Pooled, each pixel is the mean of 2 by 2, and the shape is (5000, 196).
    """
    pixels = torch.as_tensor(load("mnist5k").inputs, dtype=dtype, device=device) / 255
    if pooled:
        pixels = functional.avg_pool2d(pixels.reshape(-1, 1, 28, 28), 2).flatten(1)
    return pixels


def all_codes(latents: int, categories: int, like: Tensor) -> Tensor:
    """Return every one-hot code, shape (categories^latents, latents, categories)."""
    choices = torch.arange(categories, device=like.device)
    index = torch.cartesian_prod(*[choices] * latents).reshape(-1, latents)
    return functional.one_hot(index, categories).to(like.dtype)


class CategoricalVAE(nn.Module):
    """Many models at once, one a run: encoder pixels-200-100-8L, decoder its mirror image.

    ReLU, Bernoulli pixels, uniform prior.
    """

    def __init__(
        self,
        pixels: int,
        latents: int,
        generator: torch.Generator,
        dtype: torch.dtype,
        *,
        starts: int = 1,
        copies: int = 1,
    ) -> None:
        """Draw initial weights.

        Args:
            pixels: of an image.
            latents: L.
            generator: draws the weights, on its device.
            dtype: of the weights.
            starts: networks that are drawn.
            copies: of each, all starts following one another: starts × copies runs.
        """
        super().__init__()
        self.latents = latents
        widths = (pixels, *HIDDEN, latents * CATEGORIES)
        self.encoder = _Networks(widths, generator, dtype, starts, copies)
        self.decoder = _Networks(widths[::-1], generator, dtype, starts, copies)

    def encode(self, x: Tensor) -> Tensor:
        """Return θ, shape (runs, n, latents, 8), of images (n, pixels)."""
        return self.encoder(x).unflatten(-1, (self.latents, CATEGORIES))

    def reconstruction(self, z: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x | z) in nats, shape (runs, n): z (runs, n, latents, 8), x (n, pixels)."""
        logits = self.decoder(z.flatten(-2))
        return (functional.softplus(logits) - logits * x).sum(-1)

    def loss(self, x: Tensor, sampler: Sampler) -> Tensor:
        """Return each run's mean negative ELBO of a batch, one draw an image."""
        z, soft = sampler(self.encode(x))
        return (self.reconstruction(z, x) + divergence(soft)).mean(-1)

    def exact_loss(self, x: Tensor) -> Tensor:
        """Return each run's mean negative ELBO of images, the expectation over all codes."""
        theta = self.encode(x)
        codes = all_codes(self.latents, CATEGORIES, theta).flatten(1)
        logits = self.decoder(codes)  # (runs, codes, pixels)
        cost = functional.softplus(logits).sum(-1).unsqueeze(1) - x @ logits.mT  # (runs, n, codes)
        log_q = theta.log_softmax(-1).flatten(-2) @ codes.T
        return ((log_q.exp() * cost).sum(-1) + divergence(theta.softmax(-1))).mean(-1)


def divergence(pi: Tensor) -> Tensor:
    """Return KL(π ‖ uniform) in nats, summed over the latents; its gradient is finite at π = 0."""
    return (pi * pi.clamp_min(1e-30).log()).sum((-1, -2)) + pi.shape[-2] * math.log(pi.shape[-1])


class _Networks(nn.Module):
    """Linear layers with ReLU between, initialised as torch does, with a leading axis of runs."""

    def __init__(
        self,
        widths: tuple[int, ...],
        generator: torch.Generator,
        dtype: torch.dtype,
        starts: int,
        copies: int,
    ) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in pairwise(widths):
            bound = 1 / math.sqrt(inputs)
            for parameters, rows in ((self.weights, inputs), (self.biases, 1)):
                drawn = torch.empty(starts, rows, outputs, dtype=dtype, device=generator.device)
                drawn.uniform_(-bound, bound, generator=generator)
                parameters.append(drawn.repeat(copies, 1, 1))

    def forward(self, h: Tensor) -> Tensor:
        """Return (runs, n, outputs) of inputs (n, inputs) for all, or (runs, n, inputs)."""
        h = h.expand(len(self.weights[0]), -1, -1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, h.relu() if layer else h, weight)
        return h


def train(
    model: CategoricalVAE,
    x: Tensor,
    loss: Callable[[Tensor], Tensor],
    *,
    rates: Sequence[float],
    steps: int,
    generator: torch.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[int], Tensor]:
    """Minimise with Adam on shuffled batches of 100 images, the same for all runs.

    Args:
        model: trained in place.
        x: all images.
        loss: of a batch, one a run.
        rates: learning rates, one a run.
        steps: how many.
        generator: draws the order of the images.
        progress: called with steps done and steps in all, now and then.

    Returns:
        Steps, ten or so, and the losses' means over the steps since the last, shape (steps, runs).
    """
    optimizer = _adam(model, rates)
    every = max(1, steps // 10)
    at, values, since = [], [], []
    order = x.new_empty(0, dtype=torch.int64)
    for step in range(1, steps + 1):
        if len(order) < BATCH:
            order = torch.randperm(len(x), generator=generator, device=x.device)
        batch, order = x[order[:BATCH]], order[BATCH:]
        model.zero_grad(set_to_none=False)
        value = loss(batch)
        value.sum().backward()
        optimizer.step()
        since.append(value.detach())
        if step % every == 0:
            at.append(step)
            values.append(torch.stack(since).mean(0))
            since = []
            if progress:
                progress(step, steps)
    return at, torch.stack(values)


def _adam(model: CategoricalVAE, rates: Sequence[float]) -> torch.optim.Adam:
    """Return Adam with a rate for each run, on views of the model's parameters and gradients."""
    gradients = [torch.zeros_like(parameter) for parameter in model.parameters()]
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = gradient
    groups = []
    for run, rate in enumerate(rates):
        views = [parameter.detach()[run] for parameter in model.parameters()]
        for view, gradient in zip(views, gradients, strict=True):
            view.grad = gradient[run]
        groups.append({"params": views, "lr": rate})
    return torch.optim.Adam(groups, fused=True)
