"""A diffusion prior of FashionMNIST at 14×14 pixels, and one of the ways to damage images."""

import math
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from common import data

SIDE = 14
SIGMA_DATA = 0.7  # deviation of pixels in [−1, 1]
WIDTH = 512


def images(like: Tensor) -> Tensor:
    """Return all images, averaged over 2×2 pixels, in [−1, 1]; shape (70000, 196)."""
    raw = torch.from_numpy(data.load("fashion_mnist").inputs).to(like)
    return F.avg_pool2d(raw.reshape(-1, 28, 28), 2).flatten(start_dim=1) / 127.5 - 1


def initial_weights(generator: torch.Generator, like: Tensor) -> list[Tensor]:
    """Return matrices and biases of a network with two hidden layers; the last layer is zero."""
    sizes = [SIDE**2 + 1, WIDTH, WIDTH, SIDE**2]
    out = []
    for fan_in, fan_out in pairwise(sizes):
        normal = torch.randn(fan_out, fan_in, generator=generator, device=like.device)
        out += [normal.to(like) / fan_in**0.5, torch.zeros(fan_out).to(like)]
    out[-2].zero_()
    return [w.requires_grad_() for w in out]


def denoise(weights: list[Tensor], x: Tensor, sigma: Tensor) -> Tensor:
    """Return D(x, σ) with the preconditioning of Karras et al. 2022, Table 1.

    Args:
        weights: as from `initial_weights`.
        x: images, (..., 196).
        sigma: noise levels that broadcast against `x`, one an image.
    """
    total = (sigma**2 + SIGMA_DATA**2).sqrt()
    level = (sigma.log() / 4).expand(*x.shape[:-1], 1)
    w1, b1, w2, b2, w3, b3 = weights
    hidden = F.silu(F.linear(torch.cat([x / total, level], dim=-1), w1, b1))
    hidden = F.silu(F.linear(hidden, w2, b2))
    out = F.linear(hidden, w3, b3)
    return (SIGMA_DATA / total) ** 2 * x + sigma * SIGMA_DATA / total * out


def train(clean: Tensor, steps: int, generator: torch.Generator) -> list[Tensor]:
    """Return weights after `steps` of Adam with batches of 256, the rate falling like a cosine.

    The loss weighs the noise levels as Karras et al. 2022 do; ln σ is normal with mean −0.5 and
    deviation 1.5.
    """
    weights = initial_weights(generator, clean)
    optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: 0.5 + 0.5 * math.cos(math.pi * t / steps)
    )
    options: dict[str, Any] = {"generator": generator, "device": clean.device}
    for _ in range(steps):
        x = clean[torch.randint(len(clean), (256,), **options)]
        sigma = (1.5 * torch.randn(256, 1, **options).to(clean) - 0.5).exp()
        noisy = x + sigma * torch.randn(x.shape, **options).to(clean)
        weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA) ** 2
        loss = (weight * (denoise(weights, noisy, sigma) - x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return [w.detach() for w in weights]


def averaged(x: Tensor) -> Tensor:
    """Return averages over 2×2 pixels, (..., 49)."""
    grid = x.reshape(*x.shape[:-1], SIDE // 2, 2, SIDE // 2, 2)
    return grid.mean(dim=(-3, -1)).flatten(start_dim=-2)


def psnr(x: Tensor, target: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB of images clipped to [−1, 1], shape (...)."""
    error = (x.clip(-1, 1) - target).square().mean(dim=-1) / 4
    return -10 * error.log10()
