"""A variational autoencoder with categorical latents, small enough to enumerate every code."""

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.data import load

HIDDEN = (200, 100)
CATEGORIES = 8
BATCH = 100

# θ (n, latents, categories) -> a hard draw with some gradient, and softmax(θ), both in that shape
Sampler = Callable[[Tensor], tuple[Tensor, Tensor]]


@cache
def images(device: str, dtype: torch.dtype) -> Tensor:
    """Return the 5,000 digits, shape (5000, 784), grey values in [0, 1]; not to be written to."""
    return torch.as_tensor(load("mnist5k").inputs, dtype=dtype, device=device) / 255


def all_codes(latents: int, categories: int, like: Tensor) -> Tensor:
    """Return every one-hot code, shape (categories^latents, latents, categories)."""
    choices = torch.arange(categories, device=like.device)
    index = torch.cartesian_prod(*[choices] * latents).reshape(-1, latents)
    return functional.one_hot(index, categories).to(like.dtype)


class CategoricalVAE(nn.Module):
    """Encoder 784-200-100-8L, decoder its mirror image, ReLU, Bernoulli pixels, uniform prior."""

    def __init__(
        self, latents: int, generator: torch.Generator, device: str, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.latents = latents
        widths = (784, *HIDDEN, latents * CATEGORIES)
        self.encoder = _network(widths, generator, device, dtype)
        self.decoder = _network(widths[::-1], generator, device, dtype)

    def encode(self, x: Tensor) -> Tensor:
        """Return θ, shape (n, latents, 8), of images (n, 784)."""
        return self.encoder(x).unflatten(-1, (self.latents, CATEGORIES))

    def reconstruction(self, z: Tensor, x: Tensor) -> Tensor:
        """Return −log p(x | z) in nats, shape (...): z (..., latents, 8), x that broadcasts."""
        logits = self.decoder(z.flatten(-2))
        return (functional.softplus(logits) - logits * x).sum(-1)

    def loss(self, x: Tensor, sampler: Sampler) -> Tensor:
        """Return the mean negative ELBO of a batch, one draw an image."""
        z, soft = sampler(self.encode(x))
        return (self.reconstruction(z, x) + divergence(soft)).mean()

    def exact_loss(self, x: Tensor) -> Tensor:
        """Return the mean negative ELBO of images, the expectation taken over all codes."""
        theta = self.encode(x)
        codes = all_codes(self.latents, CATEGORIES, theta)
        logits = self.decoder(codes.flatten(1))
        cost = functional.softplus(logits).sum(-1) - x @ logits.T  # (n, codes)
        log_q = theta.log_softmax(-1).flatten(1) @ codes.flatten(1).T
        return ((log_q.exp() * cost).sum(-1) + divergence(theta.softmax(-1))).mean()


def divergence(pi: Tensor) -> Tensor:
    """Return KL(π ‖ uniform) in nats, summed over the latents; its gradient is finite at π = 0."""
    return (pi * pi.clamp_min(1e-30).log()).sum((-1, -2)) + pi.shape[-2] * math.log(pi.shape[-1])


def _network(
    widths: tuple[int, ...], generator: torch.Generator, device: str, dtype: torch.dtype
) -> nn.Sequential:
    """Return linear layers with ReLU between, initialised as torch does, from `generator`."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layer = nn.Linear(inputs, outputs, device=device, dtype=dtype)
        for parameter in layer.parameters():
            bound = 1 / math.sqrt(inputs)
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(
    model: CategoricalVAE,
    x: Tensor,
    loss: Callable[[Tensor], Tensor],
    *,
    rate: float,
    steps: int,
    generator: torch.Generator,
) -> tuple[list[int], list[float]]:
    """Minimise `loss` with Adam on shuffled batches of 100 images; return steps and its values.

    The values are means over the steps since the last one, ten or so in all.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    every = max(1, steps // 10)
    at, values, total = [], [], 0.0
    order = x.new_empty(0, dtype=torch.int64)
    for step in range(1, steps + 1):
        if len(order) < BATCH:
            order = torch.randperm(len(x), generator=generator, device=x.device)
        batch, order = x[order[:BATCH]], order[BATCH:]
        optimizer.zero_grad()
        value = loss(batch)
        value.backward()
        optimizer.step()
        total += value.item()
        if step % every == 0:
            at.append(step)
            values.append(total / every)
            total = 0.0
    return at, values
