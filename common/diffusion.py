"""A small denoiser of images, trained in seconds, as a diffusion prior."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Weights = list[Tensor]


@dataclass(frozen=True)
class Denoiser:
    """D(x, σ) of images (..., pixels) by a network with two hidden SiLU layers.

    With the preconditioning of Karras et al. 2022 (arXiv 2206.00364, Table 1): c_skip, c_out and
    c_in around the network, which also sees ln σ / 4.

    Attributes:
        pixels: of an image.
        width: units of a hidden layer.
        sigma_data: deviation of the pixels.
    """

    pixels: int
    width: int = 512
    sigma_data: float = 0.7

    def initial(self, generator: torch.Generator, like: Tensor) -> Weights:
        """Draw matrices N(0, 1 / inputs), each followed by zero biases; the last layer is zero."""
        out = []
        for fan_in, fan_out in pairwise([self.pixels + 1, self.width, self.width, self.pixels]):
            normal = torch.randn(fan_out, fan_in, generator=generator, device=like.device)
            out += [normal.to(like) / fan_in**0.5, torch.zeros(fan_out).to(like)]
        out[-2].zero_()
        return [w.requires_grad_() for w in out]

    def __call__(self, weights: Weights, x: Tensor, sigma: Tensor) -> Tensor:
        """Return D(x, σ), of the shape of x.

        Args:
            weights: as from `initial` or `train`.
            x: noisy images, (..., pixels).
            sigma: noise levels, one an image, that broadcast against x.
        """
        total = (sigma**2 + self.sigma_data**2).sqrt()
        level = (sigma.log() / 4).expand(*x.shape[:-1], 1)
        w1, b1, w2, b2, w3, b3 = weights
        hidden = functional.silu(functional.linear(torch.cat([x / total, level], dim=-1), w1, b1))
        hidden = functional.silu(functional.linear(hidden, w2, b2))
        out = functional.linear(hidden, w3, b3)
        return (self.sigma_data / total) ** 2 * x + sigma * self.sigma_data / total * out

    def loss(self, weights: Weights, x: Tensor, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Return the mean square of the network's own error, Karras's weight of each level."""
        weight = (sigma**2 + self.sigma_data**2) / (sigma * self.sigma_data) ** 2
        return (weight * (self(weights, noisy, sigma) - x) ** 2).mean()

    def train(
        self,
        clean: Tensor,
        steps: int,
        generator: torch.Generator,
        *,
        batch: int = 256,
        rate: float = 1e-3,
        levels: tuple[float, float] = (-0.5, 1.5),
    ) -> Weights:
        """Return weights after Adam, its rate falling on a cosine to zero.

        Args:
            clean: images, (n, pixels).
            steps: how many.
            generator: draws weights, images with replacement, levels and noise.
            batch: images a step.
            rate: the first learning rate.
            levels: mean and deviation of ln σ, which is normal.
        """
        weights = self.initial(generator, clean)
        optimizer = torch.optim.Adam(weights, lr=rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda t: 0.5 + 0.5 * math.cos(math.pi * t / steps)
        )
        options: dict[str, Any] = {"generator": generator, "device": clean.device}
        mean, deviation = levels
        for _ in range(steps):
            x = clean[torch.randint(len(clean), (batch,), **options)]
            sigma = (deviation * torch.randn(batch, 1, **options).to(clean) + mean).exp()
            noisy = x + sigma * torch.randn(x.shape, **options).to(clean)
            optimizer.zero_grad()
            self.loss(weights, x, noisy, sigma).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        return [w.detach() for w in weights]


def psnr(x: Tensor, target: Tensor, *, low: float = -1.0, high: float = 1.0) -> Tensor:
    """Return the peak signal-to-noise ratio in dB of images clipped to [low, high], shape (...)."""
    error = (x.clip(low, high) - target).square().mean(dim=-1) / (high - low) ** 2
    return -10 * error.log10()
