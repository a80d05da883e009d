"""RAMSGrad and its relatives: adaptive optimizers on a product of Riemannian manifolds.

Bécigneul and Ganea 2018, arXiv 1810.00760: the algorithm of Section 4, its theorem for RAMSGrad,
and the Poincaré ball of its experiments. A point of the product holds a factor a row: shape
(..., d), where the last axis are the coordinates of a factor and those before it number factors.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Manifold(NamedTuple):
    """What the algorithm needs to know of a factor M_i and of its convex set X_i.

    Attributes:
        square_norm: of a tangent vector v at x, ‖v‖²_x, shape (..., 1).
        exp: Exp_x(v), or a retraction.
        transport: of v at x along the geodesic to y.
        project: Π, onto X_i.
    """

    square_norm: Callable[[Tensor, Tensor], Tensor]
    exp: Callable[[Tensor, Tensor], Tensor]
    transport: Callable[[Tensor, Tensor, Tensor], Tensor]
    project: Callable[[Tensor], Tensor]


class State(NamedTuple):
    """τ, the transported average of gradients; v, that of squared norms; v̂, its maximum."""

    tau: Tensor
    v: Tensor
    v_hat: Tensor


def start(x: Tensor) -> State:
    """Return τ = 0, v = 0 and v̂ = 0."""
    zero = torch.zeros_like(x[..., :1])
    return State(torch.zeros_like(x), zero, zero)


def ramsgrad(
    manifold: Manifold,
    x: Tensor,
    state: State,
    g: Tensor,
    alpha: float | Tensor,
    beta1: float | Tensor,
    beta2: float | Tensor,
    *,
    maximum: bool = True,
) -> tuple[Tensor, State]:
    """Return the next point and state, from the Riemannian gradient g at x. Factor by factor:

        m = β1 τ + (1 - β1) g
        v ← β2 v + (1 - β2) ‖g‖²_x
        v̂ ← max(v̂, v)
        x⁺ = Π(Exp_x(-α m / √v̂))
        τ ← m transported from x to x⁺

    There is no bias correction and nothing is added to the root: a factor whose gradient has
    always been zero stays where it is. With `maximum=False`, v̂ = v, this is RADAM; with β2 =
    1 - 1/t at step t in addition RADAMNC, and with β1 = 0 as well RADAGRAD: v is then the mean of
    the squared norms, so that only α = α₁/√t makes AdaGrad's steps, α₁ g over the root of their
    sum. The theorem has α = α₁/√t and β1 = β₁₁ λ^(t-1); in experiments both are constant.
    """
    m = beta1 * state.tau + (1 - beta1) * g
    v = beta2 * state.v + (1 - beta2) * manifold.square_norm(x, g)
    v_hat = torch.maximum(state.v_hat, v) if maximum else v
    root = v_hat.sqrt()
    direction = m / torch.where(root > 0, root, torch.ones_like(root))
    after = manifold.project(manifold.exp(x, -alpha * direction))
    return after, State(manifold.transport(x, after, m), v, v_hat)


# The theorem


def zeta(kappa: float, c: float) -> float:
    """Return ζ(κ, c) = c √|κ| / tanh(c √|κ|), of a curvature κ ≤ 0 and a length c; ζ(0, c) = 1.

    In a geodesic triangle with sides a, b, c and the angle A between b and c, curvature at least κ,
    a² ≤ ζ(κ, c) b² + c² - 2 b c cos A.
    """
    scaled = c * math.sqrt(abs(kappa))
    return scaled / math.tanh(scaled) if scaled > 0 else 1.0


class Sums(NamedTuple):
    """What the bound needs of a run, as sums over the factors i.

    Attributes:
        root_v: Σ_i √v̂_T.
        decayed: Σ_i Σ_t β1_t √v̂_t / α_t.
        gradient: Σ_i √(Σ_t ‖g_t‖²).
    """

    root_v: float
    decayed: float
    gradient: float


def regret_bound(
    steps: int, sums: Sums, alpha: float, beta1: float, beta2: float, diameter: float, kappa: float
) -> float:
    """Return the bound on R_T, T = steps, with α_t = α/√t and γ = β1/√β2 < 1.

    It needs geodesically convex losses on factors of curvature between κ and 0, and sets X_i of
    that diameter.
    """
    gamma = beta1 / math.sqrt(beta2)
    spread = diameter**2 / (2 * (1 - beta1))
    curved = (zeta(kappa, diameter) + 1) / 2
    noise = alpha * math.sqrt(1 + math.log(steps))
    noise = noise / ((1 - beta1) ** 2 * (1 - gamma) * math.sqrt(1 - beta2))
    return spread * (math.sqrt(steps) / alpha * sums.root_v + sums.decayed) + (
        noise * curved * sums.gradient
    )


# The Poincaré ball, of curvature -1


def inner(x: Tensor, y: Tensor) -> Tensor:
    """Return the Euclidean ⟨x, y⟩, shape (..., 1)."""
    return (x * y).sum(-1, keepdim=True)


def length(v: Tensor) -> Tensor:
    """Return the Euclidean |v|, shape (..., 1); automatic differentiation gives zero at zero."""
    square = inner(v, v)
    return torch.where(square > 0, square, 1).sqrt() * (square > 0)


def conformal(x: Tensor) -> Tensor:
    """Return λ_x = 2/(1 - |x|²); a tangent vector v has the norm λ_x |v|."""
    return 2 / (1 - inner(x, x))


def riemannian_gradient(x: Tensor, gradient: Tensor) -> Tensor:
    """Return the Riemannian gradient at x, that is the Euclidean one over λ_x²."""
    return gradient / conformal(x) ** 2


def mobius_add(x: Tensor, y: Tensor) -> Tensor:
    """Return x ⊕ y."""
    xx, yy, xy = inner(x, x), inner(y, y), inner(x, y)
    return ((1 + 2 * xy + yy) * x + (1 - xx) * y) / (1 + 2 * xy + xx * yy)


def gyration(a: Tensor, b: Tensor, v: Tensor) -> Tensor:
    """Return gyr[a, b] v, the rotation by which ⊕ fails to be associative."""
    aa, bb, ab, av, bv = inner(a, a), inner(b, b), inner(a, b), inner(a, v), inner(b, v)
    along_a = bv + 2 * ab * bv - av * bb
    along_b = -bv * aa - av
    return v + 2 * (along_a * a + along_b * b) / (1 + 2 * ab + aa * bb)


def exp(x: Tensor, v: Tensor) -> Tensor:
    """Return Exp_x(v) = x ⊕ tanh(λ_x |v|/2) v/|v|."""
    size = length(v)
    return mobius_add(x, (conformal(x) * size / 2).tanh() * v / torch.where(size > 0, size, 1))


def distance(x: Tensor, y: Tensor) -> Tensor:
    """Return d(x, y), shape (..., 1), accurate for near points too.

    Where x = y it has no derivative; automatic differentiation gives zero there.
    """
    scale = (1 - inner(x, x)) * (1 - inner(y, y))
    return 2 * (length(x - y) / scale.sqrt()).asinh()


def transport(x: Tensor, y: Tensor, v: Tensor) -> Tensor:
    """Return v, parallel transported from x to y: (λ_x/λ_y) gyr[y, -x] v."""
    return conformal(x) / conformal(y) * gyration(y, -x, v)


def shrink(x: Tensor, radius: float) -> Tensor:
    """Return x, moved towards the origin until |x| ≤ radius."""
    return x * (radius / inner(x, x).sqrt().clamp_min(radius))


def clip(x: Tensor) -> Tensor:
    """Return x, moved towards the origin until |x| ≤ 1 - 1e-5."""
    return shrink(x, 1 - 1e-5)


POINCARE = Manifold(lambda x, v: conformal(x) ** 2 * inner(v, v), exp, transport, clip)

# x + v in place of Exp, and no transport
RETRACTION = POINCARE._replace(exp=lambda x, v: x + v, transport=lambda x, y, v: v)

EUCLIDEAN = Manifold(lambda x, v: inner(v, v), lambda x, v: x + v, lambda x, y, v: v, lambda x: x)
