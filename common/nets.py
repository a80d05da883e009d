"""Multilayer perceptrons of flat parameters θ (..., p): one call serves many networks at once.

Leading axes of θ are runs. `common.curvature` takes `Mlp.loss` as it is, `common.training` trains
with it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Moments = list[tuple[Tensor, Tensor]]
# generator, shape (runs, inputs, outputs) and dtype -> weights of that shape
Draw = Callable[[torch.Generator, tuple[int, int, int], torch.dtype], Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "sigmoid": torch.sigmoid,
    "sin": torch.sin,
    "linear": lambda h: h,
}


def gaussian(gain: float) -> Draw:
    """Return what draws N(0, gain / inputs); `HE` has a gain of 2, `LECUN` of 1."""

    def draw(generator: torch.Generator, shape: tuple[int, int, int], dtype: torch.dtype) -> Tensor:
        normal = torch.randn(shape, generator=generator, dtype=dtype, device=generator.device)
        scaled: Tensor = normal * (gain / shape[1]) ** 0.5
        return scaled

    return draw


HE, LECUN = gaussian(2.0), gaussian(1.0)


def glorot(generator: torch.Generator, shape: tuple[int, int, int], dtype: torch.dtype) -> Tensor:
    """Draw N(0, 2 / (inputs + outputs)) (Glorot and Bengio 2010)."""
    return gaussian(2 * shape[1] / (shape[1] + shape[2]))(generator, shape, dtype)


def orthogonal(
    generator: torch.Generator, shape: tuple[int, int, int], dtype: torch.dtype
) -> Tensor:
    """Draw matrices whose shorter side is orthonormal, uniformly (Saxe et al. 2014)."""
    runs, m, n = shape
    tall = (runs, max(m, n), min(m, n))
    normal = torch.randn(tall, generator=generator, dtype=dtype, device=generator.device)
    basis, r = torch.linalg.qr(normal)
    q: Tensor = basis * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
    return q if m >= n else q.mT


def uniform(generator: torch.Generator, shape: tuple[int, int, int], dtype: torch.dtype) -> Tensor:
    """Draw within ±1/√inputs, as torch.nn.Linear does; `Mlp.initial` draws biases so as well."""
    drawn = torch.empty(shape, dtype=dtype, device=generator.device)
    bound = 1 / math.sqrt(shape[1])
    return drawn.uniform_(-bound, bound, generator=generator)


@dataclass(frozen=True)
class Mlp:
    """Linear layers with an activation, and perhaps a norm before it, between them.

    θ holds each layer's weights (outputs, inputs), row by row, and then its biases, as
    torch.nn.utils.parameters_to_vector gives them for linear layers in a row. Norms have neither
    scale nor shift.

    Attributes:
        widths: inputs, hidden layers, outputs.
        act: of the hidden layers, a name of `ACTIVATIONS`.
        norm: "batch" subtracts the mean over the rows and divides by √(variance + epsilon),
            "layer" does so over the units.
        residual: add to each hidden layer its input, where both are equally wide.
        bias: whether layers have biases.
        epsilon: of the norm.
    """

    widths: tuple[int, ...]
    act: str = "relu"
    norm: Literal["batch", "layer"] | None = None
    residual: bool = False
    bias: bool = True
    epsilon: float = 1e-5

    @property
    def size(self) -> int:
        """p, the number of parameters."""
        return sum(self._sizes())

    def initial(
        self,
        generator: torch.Generator,
        runs: int = 1,
        *,
        dtype: torch.dtype = torch.float32,
        draw: Draw | Sequence[Draw] = HE,
        output: float = 1.0,
    ) -> Tensor:
        """Draw parameters of independent networks, shape (runs, p), on the generator's device.

        For the same start in all runs draw one and `.repeat(runs, 1)` it.

        Args:
            generator: draws layer after layer, all runs of one at once.
            runs: how many.
            dtype: of θ.
            draw: weights, with one function for all layers or one each; biases are zero, and with
                `uniform` drawn after the layer's weights.
            output: what the last layer's weights are multiplied by.
        """
        pairs = list(pairwise(self.widths))
        draws = [draw] * len(pairs) if callable(draw) else list(draw)
        parts = []
        for layer, ((m, n), d) in enumerate(zip(pairs, draws, strict=True)):
            weights = d(generator, (runs, m, n), dtype)
            if layer == len(pairs) - 1:
                weights = weights * output
            parts.append(weights.mT.flatten(1))
            if self.bias:
                bias = weights.new_zeros(runs, n)
                if d is uniform:
                    bias.uniform_(-1 / math.sqrt(m), 1 / math.sqrt(m), generator=generator)
                parts.append(bias)
        return torch.cat(parts, dim=1)

    def layers(self, theta: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """Return views of each layer's weights (..., outputs, inputs) and biases (..., outputs)."""
        parts, runs = iter(torch.split(theta, self._sizes(), dim=-1)), theta.shape[:-1]
        return [
            (next(parts).view(*runs, n, m), next(parts) if self.bias else None)
            for m, n in pairwise(self.widths)
        ]

    def weights(self, theta: Tensor) -> list[Tensor]:
        """Return views of each layer's weights alone, (..., outputs, inputs)."""
        return [w for w, _ in self.layers(theta)]

    def logits(self, theta: Tensor, x: Tensor, moments: Moments | None = None) -> Tensor:
        """Return the outputs, shape (..., n, outputs).

        Args:
            theta: shape (..., p).
            x: rows for all runs, shape (n, inputs), or for each, (..., n, inputs).
            moments: that a batch norm uses, as the method `moments` gives them; those of x if None.
        """
        return self._forward(theta, x, moments)[0]

    def moments(self, theta: Tensor, x: Tensor) -> Moments:
        """Return each hidden layer's mean and variance over the rows x, (..., 1, units)."""
        return self._forward(theta, x, None)[1]

    def hidden(self, theta: Tensor, x: Tensor, moments: Moments | None = None) -> list[Tensor]:
        """Return the hidden layers' outputs, after the activation, (..., n, units) each."""
        return self._forward(theta, x, moments)[2]

    def loss(self, theta: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean cross-entropy in nats of classes y (n,) or (..., n), shape (...)."""
        return cross_entropy(self.logits(theta, x), y)

    def _sizes(self) -> list[int]:
        sizes = ([m * n, n] if self.bias else [m * n] for m, n in pairwise(self.widths))
        return [size for layer in sizes for size in layer]

    def _forward(
        self, theta: Tensor, x: Tensor, moments: Moments | None
    ) -> tuple[Tensor, Moments, list[Tensor]]:
        seen: Moments = []
        hidden: list[Tensor] = []
        h, act = x, ACTIVATIONS[self.act]
        *inner, (last, bias) = self.layers(theta)
        for layer, (w, b) in enumerate(inner):
            z = _affine(h, w, b)
            if self.norm == "layer":
                z = functional.layer_norm(z, z.shape[-1:], eps=self.epsilon)
            elif self.norm == "batch":
                if moments is None:
                    variance, mean = torch.var_mean(z, dim=-2, keepdim=True, correction=0)
                else:
                    mean, variance = moments[layer]
                seen.append((mean, variance))
                z = (z - mean) * (variance + self.epsilon).rsqrt()
            skip = self.residual and w.shape[-1] == w.shape[-2]
            h = h + act(z) if skip else act(z)
            hidden.append(h)
        return _affine(h, last, bias), seen, hidden


def _affine(h: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    if h.dim() == 2 and w.dim() > 2:  # one product for all runs is faster than one each
        z = (w.reshape(-1, w.shape[-1]) @ h.mT).view(*w.shape[:-1], len(h)).mT
    else:
        z = h @ w.mT
    return z if b is None else z + b.unsqueeze(-2)


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Return the mean over rows in nats, shape (...): logits (..., n, k), y (n,) or (..., n)."""
    targets = y.expand(logits.shape[:-1])
    losses = functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="none"
    )
    return losses.reshape(targets.shape).mean(-1)


@torch.no_grad()
def accuracy(logits: Tensor, y: Tensor) -> Tensor:
    """Return the share of rows whose largest logit is that of y, in float64, shape (...)."""
    return (logits.argmax(-1) == y).double().mean(-1)
