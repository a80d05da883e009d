"""Models of the experiments: domains, scaled Fourier features, and two kinds of network."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from claimbench import Run

from .method import Domain, features, poisson_preconditioner

TARGET = 5  # f = Σ k² sin kx up to this k
LAMBDA = 2 * math.pi  # 2π/γ² for γ = 1, where only losses are compared
HIDDEN = 32  # units of each hidden layer


def scaling(modes: int, gamma: float, power: float) -> Tensor:
    """Return 1/|k|^power for every k, γ for the constant; power 2 is the paper's P."""
    p = poisson_preconditioner(modes, gamma)
    scaled = p ** (power / 2)
    scaled[modes] = p[modes]
    return scaled


def periodic(run: Run, points: int, *, ends: int = 1) -> Domain:
    """Return the trapezoid rule on (−π, π) with the end π, or with both ends, counted."""
    options: Any = {"dtype": run.dtype, "device": run.device}
    x = -math.pi + 2 * math.pi / points * torch.arange(points, **options)
    weight = torch.full_like(x, 2 * math.pi / points)
    return Domain(x, weight, torch.tensor((math.pi, -math.pi)[:ends], **options))


def normal(run: Run, *shape: int) -> Tensor:
    """Draw standard normal numbers from the run's generator."""
    return torch.tensor(run.rng.standard_normal(shape), dtype=run.dtype, device=run.device)


def mixed_sines(x: Tensor) -> Tensor:
    """Return f = Σ k² sin kx, whose solution is Σ sin kx."""
    k = torch.arange(1, TARGET + 1, dtype=x.dtype, device=x.device)
    return (x[:, None] * k).sin() @ k**2


def tanh_network(widths: Sequence[int]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return u(θ, x) of a tanh network from one input to one output; θ is flat, layer by layer."""

    def model(theta: Tensor, x: Tensor) -> Tensor:
        h, start = x[None], 0
        for layer, (n, m) in enumerate(pairwise(widths)):
            weight = theta[start : start + n * m].reshape(m, n)
            bias = theta[start + n * m : start + (n + 1) * m]
            h = weight @ h + bias
            h = torch.tanh(h) if layer < len(widths) - 2 else h
            start += (n + 1) * m
        return h[0]

    return model


def network_start(run: Run, widths: Sequence[int]) -> Tensor:
    """Draw θ₀ as torch.nn.Linear does: uniform within ±1/√inputs, weights and biases alike."""
    parts = [run.rng.uniform(-1, 1, (n + 1) * m) / math.sqrt(n) for n, m in pairwise(widths)]
    return torch.tensor(np.concatenate(parts), dtype=run.dtype, device=run.device)


def gauss_legendre(run: Run, points: int) -> Domain:
    """Return the Gauss–Legendre rule on (−π, π) with both ends counted."""
    rule = (*np.polynomial.legendre.leggauss(points), np.array([-1.0, 1.0]))
    return Domain(*(torch.tensor(math.pi * v).to(run.device, run.dtype) for v in rule))


class FeatureNetwork:
    """A network on scaled Fourier features, and its loss for −u'' = f, u(π) = 0.

    The paper's: features, a linear layer without bias, GELU, a layer with bias, GELU, and a linear
    output. The derivatives in x are carried along with the values. Parameters have shape
    (..., size), one network each, and `scale` broadcasts against (..., 1, 2K + 1).

    Args:
        run: dtype and device.
        scale: of the features, up to a factor: the largest is made one, so that learning rates
            suit every scale.
        points: of the trapezoid rule.
    """

    def __init__(self, run: Run, scale: Tensor, *, points: int = 128) -> None:
        modes = scale.shape[-1] // 2
        scale = scale / scale.amax(-1, keepdim=True)
        domain = periodic(run, points)
        x = torch.cat([domain.x, domain.ends])
        k = torch.arange(-modes, modes + 1, dtype=run.dtype, device=run.device)
        z = features(modes, x)
        # φ_{−k} = cos(kx)/√π and φ_k = sin(kx)/√π are each other's derivatives up to ±k
        self.features = tuple(scale * v for v in (z, k * z.flip(-1), -(k**2) * z))
        self.shapes = ((scale.shape[-1], HIDDEN), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1))
        self.size = sum(math.prod(shape) for shape in self.shapes)
        self.root = torch.cat(
            [domain.weight.sqrt(), math.sqrt(LAMBDA) * torch.ones_like(domain.ends)]
        )
        self.target = torch.cat([mixed_sines(domain.x), torch.zeros_like(domain.ends)])
        self.inside = len(domain.x)

    def init(self, run: Run, starts: int) -> Tensor:
        """Draw parameters as torch.nn.Linear does, shape (starts, size)."""
        inputs = (self.shapes[0][0], HIDDEN, HIDDEN, HIDDEN)
        bounds = np.repeat(np.array(inputs) ** -0.5, [math.prod(s) for s in self.shapes])
        theta = run.rng.uniform(-bounds, bounds, (starts, self.size))
        return torch.tensor(theta, dtype=run.dtype, device=run.device)

    def residuals(self, theta: Tensor) -> Tensor:
        """Return √w (−u'' − f) inside and √λ u at the end, shape (..., points + 1)."""
        parts = theta.split([math.prod(shape) for shape in self.shapes], dim=-1)
        first, second, bias, last = (
            part.unflatten(-1, shape) for part, shape in zip(parts, self.shapes, strict=True)
        )
        value, slope, bend = gelu(*(z @ first for z in self.features))
        value, slope, bend = value @ second + bias[..., None, :], slope @ second, bend @ second
        value, _, bend = gelu(value, slope, bend)
        u, u2 = (value @ last)[..., 0], (bend @ last)[..., 0]
        found = torch.cat([-u2[..., : self.inside], u[..., self.inside :]], dim=-1)
        return self.root * (found - self.target)

    def loss(self, theta: Tensor) -> Tensor:
        """Return the loss, shape (...)."""
        return (self.residuals(theta) ** 2).sum(-1) / 2


def gelu(h: Tensor, h1: Tensor, h2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hΦ(h) and its two derivatives in x, from h and its two derivatives."""
    cumulative = torch.special.ndtr(h)
    density = torch.exp(-(h**2) / 2) / math.sqrt(2 * math.pi)
    first = cumulative + h * density
    return h * cumulative, first * h1, first * h2 + density * (2 - h**2) * h1**2


def identity(u: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return u itself, the D of plain regression."""
    return u
