"""Layer rotation, and Layca, which controls it: layer-level controlled amount of weight rotation.

Carbonnelle and De Vleeschouwer 2018, arXiv 1806.01603, Sections 2 and 3. A layer is its kernel, a
matrix in the last two axes of a tensor; leading axes are independent runs or layers. A kernel of
more axes is reshaped to a matrix first: only inner products enter. Biases and the parameters of
batch normalization are not layers in this sense, and the authors' code does not train them.
"""

import torch
from torch import Tensor


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Return ⟨a, b⟩ over the last two axes, which are kept with size one."""
    return (a * b).sum((-2, -1), keepdim=True)


def norm(w: Tensor) -> Tensor:
    """Return |w| over the last two axes, which are kept with size one."""
    return inner(w, w).sqrt()


def layer_rotation(w0: Tensor, w: Tensor) -> Tensor:
    """Return the cosine distance 1 − ⟨w0, w⟩ / (|w0| |w|), without the last two axes.

    Args:
        w0: kernels at the start of training, shape (..., m, n).
        w: kernels now.

    Returns:
        0 where the direction is that of the start, 1 where it is orthogonal to it, at most 2.
    """
    return (1 - inner(w0, w) / (norm(w0) * norm(w)))[..., 0, 0]


def layca(w: Tensor, s: Tensor, rho: Tensor | float, norm0: Tensor) -> Tensor:
    """Return the kernels after one step of Layca (Algorithm 1).

    With the step s that an optimizer proposes, w − s, of any length:

        s ← s − (⟨s, w⟩ / ⟨w, w⟩) w      no radial part
        s ← s |w| / |s|
        w ← w − ρ s                       rotates w by arctan ρ
        w ← w |w(0)| / |w|

    Where nothing is left after the first line, w does not rotate.

    Args:
        w: kernels, shape (..., m, n), not zero.
        s: steps of the same shape.
        rho: ρ(t), the tangent of the angle; broadcast against (..., 1, 1).
        norm0: |w(0)|, as `norm` gives it.
    """
    s = s - inner(s, w) / inner(w, w) * w
    length = norm(s)
    s = s * torch.where(length > 0, norm(w) / length, 0.0)
    w = w - rho * s
    return w * (norm0 / norm(w))


def prioritised_rates(rho: float, alpha: float, layers: int) -> list[float]:
    """Return ρ_l for l = 0 (the input's side) to L − 1.

    ρ_l = ρ (1 − α)^{5 (L − 1 − l) / (L − 1)} for α > 0, where later layers rotate faster, and
    ρ (1 + α)^{5 l / (L − 1)} for α ≤ 0, where earlier layers do. At α = 0 all rotate equally.

    Args:
        rho: ρ, the rate of the fastest layer.
        alpha: α in [−1, 1], the layer prioritization.
        layers: L, at least 2.
    """
    last = layers - 1
    if alpha > 0:
        return [rho * (1 - alpha) ** (5 * (last - layer) / last) for layer in range(layers)]
    return [rho * (1 + alpha) ** (5 * layer / last) for layer in range(layers)]
