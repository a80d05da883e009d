"""Layca around optimizers of torch, against steps that are put together by hand."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from claimbench import Run
from common.errors import relative

from .method import Layca, layer_rotation, norm

RHO = 0.07
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": partial(torch.optim.SGD, lr=RHO, momentum=0.9, weight_decay=0.01),
    "adam": partial(torch.optim.Adam, lr=RHO),
}


def unprojected(w: Tensor, s: Tensor, rho: Tensor | float, norm0: Tensor) -> Tensor:
    """Return `layca` without its first line, for the control."""
    length = norm(s)
    w = w - rho * s * torch.where(length > 0, norm(w) / length, 0.0)
    return w * (norm0 / norm(w))


class Unprojected(Layca):
    """Layca that leaves the radial part of the steps in, for the control."""

    turn = staticmethod(unprojected)


def turned(w: Tensor, s: Tensor, norm0: float) -> Tensor:
    """Return w turned by arctan ρ away from s in their plane, with the norm of the start."""
    u, v = w.flatten(), s.flatten()
    u = u / u.dot(u).sqrt()
    v = v - v.dot(u) * u
    v = v / v.dot(v).sqrt()
    angle = torch.atan(torch.tensor(RHO, dtype=w.dtype))
    return norm0 * (torch.cos(angle) * u - torch.sin(angle) * v).reshape(w.shape)


def wrapped_errors(
    run: Run,
    make: Callable[..., torch.optim.Optimizer],
    wrap: Callable[[torch.optim.Optimizer], torch.optim.Optimizer] | None,
    steps: int,
) -> tuple[float, float, float]:
    """Return how far kernels, angles and biases are from what Layca says.

    Two equal networks, 5-4-3, take steps. One has the optimizer in Layca (`wrap`, or none). The
    other has it plain, after which each kernel is put where the plain step and the kernel before
    say, and each bias where it was.
    """
    generator = torch.Generator(run.device).manual_seed(run.seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=run.dtype, device=run.device)

    x, y, start = draw(30, 5), draw(30, 3), [draw(4, 5), draw(4), draw(3, 4)]
    ours, theirs = ([p.clone().requires_grad_() for p in start] for _ in range(2))
    optimizer = make(ours) if wrap is None else wrap(make(ours))
    plain = make(theirs)
    angle = 0.0
    for _ in range(steps):
        before = [[p.detach().clone() for p in net] for net in (ours, theirs)]
        for net, step in ((ours, optimizer.step), (theirs, plain.step)):
            w1, bias, w2 = net
            loss = (torch.tanh(x @ w1.mT + bias) @ w2.mT - y).square().mean()
            for p, g in zip(net, torch.autograd.grad(loss, net), strict=True):
                p.grad = g
            step()
        for p, old, first in zip(theirs, before[1], start, strict=True):
            new = turned(old, old - p.detach(), first.norm().item()) if p.dim() > 1 else old
            p.data.copy_(new)
        expected = 1 - (1 + RHO**2) ** -0.5
        for p, old in zip(ours[::2], before[0][::2], strict=True):
            angle = max(angle, abs(layer_rotation(old, p.detach()).item() - expected))
    kernels = zip(ours[::2], theirs[::2], strict=True)
    error = max(relative(a.detach(), b.detach()) for a, b in kernels)
    return error, angle, (ours[1].detach() - start[1]).abs().max().item()
