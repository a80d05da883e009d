"""A decoder-only transformer, small enough to train in seconds."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """Size of a `GPT`.

    Attributes:
        vocabulary: V, how many tokens there are.
        context: C, the longest sequence.
        width: d, length of the vector that stands for a token; `heads` must divide it.
        heads: of attention, a layer.
        layers: L.
    """

    vocabulary: int
    context: int
    width: int
    heads: int
    layers: int

    def parameters(self) -> int:
        """Return the number of parameters: V d + C d + L (12 d² + 2 d) + d."""
        d = self.width
        return (self.vocabulary + self.context + self.layers * (12 * d + 2) + 1) * d


class GPT(nn.Module):
    """Predicts each next token from those up to now.

    GPT-2 (Radford et al. 2019, Section 2.3: normalisation before each part and at the end, learnt
    positions, outputs by the embedding's transpose) without biases and dropout. Weights start from
    N(0, σ²), those that end a residual branch divided by √(2 L). GPT-2's σ = 0.02 belongs to its
    width of 768; at width d it is 0.02 √(768 / d) here, without which small models hardly learn at
    first.

    Args:
        shape: V, C, d, heads and L.
        generator: draws the weights, which lie on its device.

    Raises:
        ValueError: the number of heads does not divide the width.
    """

    def __init__(self, shape: Shape, generator: torch.Generator) -> None:
        super().__init__()
        if shape.width % shape.heads != 0:
            raise ValueError(f"heads must divide the width, got {shape.heads} and {shape.width}")
        with generator.device:
            self.tokens = nn.Embedding(shape.vocabulary, shape.width)
            self.positions = nn.Embedding(shape.context, shape.width)
            self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
            self.norm = nn.LayerNorm(shape.width, bias=False)
        sigma = 0.02 * math.sqrt(768 / shape.width)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                ends_branch = name.endswith(("attention_out.weight", "down.weight"))
                std = sigma / math.sqrt(2 * shape.layers) if ends_branch else sigma
                nn.init.normal_(p, std=std, generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits of shape (batch, length, V) for tokens of shape (batch, length)."""
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[-1]]
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.norm(x) @ self.tokens.weight.T
        return logits

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of the targets in nats; both of shape (batch, length)."""
        return functional.cross_entropy(self(tokens).flatten(0, 1), targets.flatten())


class Block(nn.Module):
    """One layer: attention to the past, then a network on each token, each added to its input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        d, self.heads = shape.width, shape.heads
        self.attention_norm = nn.LayerNorm(d, bias=False)
        self.attention_in = nn.Linear(d, 3 * d, bias=False)
        self.attention_out = nn.Linear(d, d, bias=False)
        self.norm = nn.LayerNorm(d, bias=False)
        self.up = nn.Linear(d, 4 * d, bias=False)
        self.down = nn.Linear(4 * d, d, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of x's shape, (batch, length, d)."""
        x = x + self._attention(self.attention_norm(x))
        change: Tensor = self.down(functional.gelu(self.up(self.norm(x))))
        return x + change

    def _attention(self, x: Tensor) -> Tensor:
        parts = self.attention_in(x).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # (batch, heads, length, d / heads) each
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.attention_out(seen.transpose(1, 2).flatten(2))
        return out
