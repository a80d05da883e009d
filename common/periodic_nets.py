"""Neural networks on a periodic box, and the rates of change that an equation gives them."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from common.spectral import Equation

CUT_NORMAL_STD = 0.87962566103423978
"""Standard deviation of a standard normal variable that is cut at −2 and 2."""


@dataclass(frozen=True)
class PeriodicNet:
    """A tanh network u(θ, x) of a point x that is periodic by construction.

    The first layer gives each of the d coordinates width / d features
    a cos(2π x_i / period + φ) + c, all three learned; tanh follows. Then come depth − 2 dense
    layers with tanh, and a linear output. Networks of equal size are equal and hash alike, so that
    one can be a static argument of `jax.jit`. Layers and initialisation are those of Chen et al.
    2024, arXiv 2404.10771, in the authors' code.

    Attributes:
        width: units of each layer, a multiple of `dimension`.
        depth: layers, the periodic and the linear one included; at least 2.
        dimension: d.
        period: side of the box.
    """

    width: int
    depth: int
    dimension: int = 1
    period: float = 2 * math.pi

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self._shapes())

    def init(self, key: Array) -> Array:
        """Return θ, shape (size,), float64 where JAX has it.

        a, φ and c are standard normal, cut at two; dense weights have mean zero and variance
        1 / inputs, from the same cut normal (LeCun); biases are zero.
        """
        scales = []
        for i, shape in enumerate(self._shapes()):
            if i < 3:
                scale = 1.0
            elif len(shape) == 2:
                scale = 1 / (CUT_NORMAL_STD * math.sqrt(shape[0]))
            else:
                scale = 0.0
            scales.append(np.full(math.prod(shape), scale))
        return jax.random.truncated_normal(key, -2.0, 2.0, (self.size,)) * np.concatenate(scales)

    def __call__(self, theta: Array, x: Array) -> Array:
        """Return u at the point x of shape (dimension,), a scalar."""
        shapes = self._shapes()
        parts, start = [], 0
        for shape in shapes:
            size = math.prod(shape)
            parts.append(theta[start : start + size].reshape(shape))
            start += size
        a, phi, c, *layers = parts
        h = jnp.tanh(a * jnp.cos(2 * jnp.pi / self.period * x + phi) + c).ravel()
        for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            h = jnp.tanh(h @ weight + bias)
        weight, bias = layers[-2:]
        return (h @ weight + bias)[0]

    def _shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of a, φ, c, then weight and bias of each dense layer."""
        feature = (self.width // self.dimension, self.dimension)
        hidden: list[tuple[int, ...]] = [(self.width, self.width), (self.width,)]
        return [feature] * 3 + hidden * (self.depth - 2) + [(self.width, 1), (1,)]


@dataclass(frozen=True)
class NetRate:
    """L u(θ, x), the right-hand side of an equation at a point, by automatic differentiation.

    Attributes:
        equation: which one.
        net: u.
    """

    equation: Equation
    net: PeriodicNet

    def __call__(self, theta: Array, x: Array) -> Array:
        """Return L u at the point x of shape (d,), a scalar."""

        def u(x: Array) -> Array:
            return self.net(theta, x)

        value, equation = u(x), self.equation
        out = equation.nu * jnp.trace(jax.hessian(u)(x))
        if equation.reaction:
            out = out + equation.reaction * (value - value**3)
        if equation.advection:
            out = out - equation.advection * value * jax.grad(u)(x).sum()
        return out
