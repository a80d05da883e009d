"""Layer rotation, and Layca, which controls it: layer-level controlled amount of weight rotation.

Carbonnelle and De Vleeschouwer 2018, arXiv 1806.01603, Sections 2 and 3. A layer is its kernel, a
matrix in the last two axes of a tensor; leading axes are independent runs or layers. A kernel of
more axes is reshaped to a matrix first: only inner products enter. Biases and the parameters of
batch normalization are not layers in this sense, and the authors' code does not train them.
"""

from collections.abc import Callable
from typing import Any

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


class Layca(torch.optim.Optimizer):
    """Layca around any optimizer of torch, whose learning rates become ρ.

    Each step is the inner optimizer's from the present weights, of which Layca takes the direction
    within each layer. Groups and state are those of the inner optimizer, so that learning rate
    schedulers work as usual. Parameters of one axis or none, as biases and the scales of
    normalization, are not trained, as in the authors' code.

    Args:
        inner: the optimizer, made and not yet used: the norms of its parameters are |w(0)|.

    Raises:
        ValueError: a kernel is zero, and so has no direction.
    """

    turn = staticmethod(layca)

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        super().__init__(inner.param_groups, inner.defaults)
        self.inner = inner
        self.param_groups, self.state = inner.param_groups, inner.state
        self.norms: dict[Tensor, Tensor] = {}
        for group in self.param_groups:
            for p in group["params"]:
                self.norms[p] = norm(p.detach().flatten(1)) if p.dim() > 1 else p.new_zeros(())
                if p.dim() > 1 and self.norms[p] == 0:
                    raise ValueError("a kernel of zeros has no direction; draw it at random")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step of the inner optimizer and turn it; return what its step returns."""
        before = [[p.detach().clone() for p in group["params"]] for group in self.param_groups]
        loss = self.inner.step(closure)
        for group, olds in zip(self.param_groups, before, strict=True):
            for p, old in zip(group["params"], olds, strict=True):
                if p.dim() > 1:
                    w = old.flatten(1)
                    new = self.turn(w, w - p.flatten(1), group["lr"], self.norms[p])
                    p.copy_(new.reshape(p.shape))
                else:
                    p.copy_(old)
        return loss


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
