"""Neural networks on a periodic box, and the rates of change that an equation gives them."""

import math
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array

from common.spectral import Equation

Vector = npt.NDArray[np.float64]
Numbers = Array | Vector

CUT_NORMAL_STD = 0.87962566103423978
"""Standard deviation of a standard normal variable that is cut at −2 and 2."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=(),
    meta_fields=("width", "depth", "dimension", "period"),
)
@dataclass(frozen=True)
class PeriodicNet:
    """A tanh network u(θ, x) of a point x that is periodic by construction.

    The first layer gives each of the d coordinates width / d features
    a cos(2π x_i / period + φ) + c, all three learned; tanh follows. Then come depth − 2 dense
    layers with tanh, and a linear output. Layers and initialisation are those of Chen et al. 2024,
    arXiv 2404.10771, in the authors' code. The network is a pytree without leaves, which functions
    under `jax.jit` can take.

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

    def init(self, rng: np.random.Generator) -> Vector:
        """Return θ, shape (size,).

        a, φ and c are standard normal, cut at two; dense weights have mean zero and variance
        1 / inputs, from the same cut normal (LeCun); biases are zero. NumPy draws them, because
        JAX takes longer to compile a draw than a small experiment lasts.
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
        z = rng.standard_normal(self.size)
        while (outside := np.abs(z) > 2).any():
            z[outside] = rng.standard_normal(outside.sum())
        theta: Vector = z * np.concatenate(scales)
        return theta

    def __call__(self, theta: Numbers, x: Numbers) -> Array:
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


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("nu", "reaction", "advection"),
    meta_fields=("net",),
)
@dataclass(frozen=True)
class NetRate:
    """L u(θ, x), the right-hand side of `common.spectral.Equation` at a point, by autodiff.

    It is a pytree with the coefficients as leaves: one compilation serves all equations.

    Attributes:
        net: u.
        nu: ν.
        reaction: ρ.
        advection: α.
    """

    net: PeriodicNet
    nu: float
    reaction: float
    advection: float

    @classmethod
    def of(cls, equation: Equation, net: PeriodicNet) -> "NetRate":
        """Return L u of an equation for a network."""
        return cls(net, equation.nu, equation.reaction, equation.advection)

    def __call__(self, theta: Numbers, x: Numbers) -> Array:
        """Return L u at the point x of shape (d,), a scalar."""

        def u(x: Array) -> Array:
            return self.net(theta, x)

        x = jnp.asarray(x)
        value, slope, laplacian = u(x), jnp.zeros(()), jnp.zeros(())
        for i, axis in enumerate(np.eye(x.size)):
            gradient, row_of_hessian = jax.jvp(jax.grad(u), (x,), (axis,))
            slope += gradient[i]
            laplacian += row_of_hessian[i]
        reaction = self.reaction * (value - value**3)
        return self.nu * laplacian + reaction - self.advection * value * slope
