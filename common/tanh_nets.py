"""Tanh networks in JAX as functions of a point, which can be differentiated in the point too."""

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

Vector = npt.NDArray[np.float64]
Numbers = Array | Vector


@partial(jax.tree_util.register_dataclass, data_fields=(), meta_fields=("widths",))
@dataclass(frozen=True)
class TanhNet:
    """u(θ, x), linear layers with tanh between them; θ is laid out as that of `common.nets.Mlp`.

    The network is a pytree without leaves, which functions under `jax.jit` can take.

    Attributes:
        widths: inputs, hidden layers, outputs.
    """

    widths: tuple[int, ...]

    @property
    def size(self) -> int:
        """p, the number of parameters."""
        return sum((m + 1) * n for m, n in pairwise(self.widths))

    def init(self, rng: np.random.Generator, runs: int | None = None) -> Vector:
        """Draw θ with Glorot's variance, 2 / (inputs + outputs), and biases of zero.

        Args:
            rng: NumPy's, because JAX takes longer to compile a draw than a small experiment lasts.
            runs: networks, for shape (runs, p); None for one, (p,).
        """
        scales = []
        for m, n in pairwise(self.widths):
            scales += [np.full(m * n, math.sqrt(2 / (m + n))), np.zeros(n)]
        shape = (self.size,) if runs is None else (runs, self.size)
        theta: Vector = rng.standard_normal(shape) * np.concatenate(scales)
        return theta

    def __call__(self, theta: Numbers, x: Numbers) -> Array:
        """Return u at one point, shape (outputs,): θ of shape (p,), x of shape (inputs,)."""
        theta, h = jnp.asarray(theta), jnp.asarray(x)
        start, last = 0, len(self.widths) - 2
        for layer, (m, n) in enumerate(pairwise(self.widths)):
            weight = theta[start : start + m * n].reshape(n, m)
            h = weight @ h + theta[start + m * n : start + (m + 1) * n]
            h = jnp.tanh(h) if layer < last else h
            start += (m + 1) * n
        return h

    def values(self, theta: Numbers, x: Numbers) -> Array:
        """Return u of all networks at all points, shape (runs, n, outputs).

        Args:
            theta: shape (runs, p).
            x: points of shape (n, inputs).
        """
        points = jax.vmap(self, (None, 0))
        found: Array = jax.vmap(points, (0, None))(jnp.asarray(theta), jnp.asarray(x))
        return found
