"""A tanh network on digits, and flows of a smaller one by two solvers."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from claimbench import Run
from common import curvature
from common.data import load
from common.nets import LECUN, Mlp

LAYERS = (64, 20, 10)
IMAGES = 50


class TanhNetwork:
    """A 64-20-10 tanh network on digits, as a loss of flat parameter vectors (runs, 1510).

    The loss is 1/(2n) Σ |f(x) − y|² over n images with pixels in [0, 1], centred, and one-hot y.
    A vector holds, row by row, the first layer's weights (20, 64), its biases, the second layer's
    weights (10, 20) and its biases.
    """

    def __init__(self, rng: np.random.Generator, dtype: torch.dtype) -> None:
        images, labels = load("digits")
        chosen = rng.choice(len(images), IMAGES, replace=False)
        x = torch.tensor(images[chosen] / 16, dtype=dtype)
        self.x = x - x.mean(0)
        self.y = torch.nn.functional.one_hot(torch.tensor(labels[chosen]), 10).to(dtype)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return parameters of shape (1510,): weights N(0, 1/inputs), biases zero."""
        p, q, r = LAYERS
        w1 = torch.randn(p, q, generator=generator, dtype=self.x.dtype).T / p**0.5
        w2 = torch.randn(q, r, generator=generator, dtype=self.x.dtype).T / q**0.5
        parts = (w1.flatten(), w1.new_zeros(q), w2.flatten(), w2.new_zeros(r))
        return torch.cat(parts)

    def loss(self, w: Tensor) -> Tensor:
        """Return L of each row of `w`."""
        _, _, error = self._forward(w)
        return error.square().sum((-1, -2)) / (2 * len(self.y))

    def gradient(self, w: Tensor) -> Tensor:
        """Return ∇L of each row of `w`, by hand, in half the time that autograd takes."""
        hidden, w2, error = self._forward(w)
        error = error / len(self.y)
        back = (w2.mT @ error) * (1 - hidden * hidden)
        first = (back.flatten(0, 1) @ self.x).reshape(len(w), -1)
        second = (error @ hidden.mT).flatten(1)
        return torch.cat([first, back.sum(-1), second, error.sum(-1)], dim=-1)

    def _forward(self, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return hidden units (runs, 20, n), weights (runs, 10, 20) and errors (runs, 10, n)."""
        p, q, r = LAYERS
        w1, b1, w2, b2 = w.split((p * q, q, q * r, r), dim=-1)
        inner = (w1.reshape(-1, p) @ self.x.T).unflatten(0, (len(w), q))
        hidden = torch.tanh(inner + b1.unsqueeze(-1))
        w2 = w2.unflatten(-1, (r, q))
        return hidden, w2, w2 @ hidden + b2.unsqueeze(-1) - self.y.T


def sharpness(loss: curvature.Loss, probe: Tensor, tolerance: float) -> Callable[[Tensor], Tensor]:
    """Return λmax of the loss's Hessian at (runs, p), by Lanczos from a vector `probe` (p,)."""

    def top(w: Tensor) -> Tensor:
        product = curvature.hessian_product(loss, w)
        return curvature.largest_eigenvalue(product, probe.expand_as(w), tolerance=tolerance)

    return top


class SmallProblem:
    """Squared error of 4-5-3 tanh networks on 20 random examples, and some starts (points, 43)."""

    def __init__(self, run: Run, points: int) -> None:
        self.net = Mlp((4, 5, 3), "tanh")
        generator = run.torch_generator()

        def draw(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, dtype=run.dtype)

        self.x, self.y, self.probe = draw(20, 4), draw(20, 3), draw(self.net.size)
        self.start = self.net.initial(generator, points, dtype=run.dtype, draw=LECUN)

    def loss(self, w: Tensor) -> Tensor:
        """Return the loss of each row."""
        return (self.net.logits(w, self.x) - self.y).square().sum((-1, -2)) / 40

    def gradient(self, w: Tensor) -> Tensor:
        """Return its gradient."""
        return curvature.gradient(self.loss, w)

    def euler(self, w: Tensor, target: float, length: float) -> Tensor:
        """Return the ends of Euler's method, of steps of that length over λmax, looked at each."""
        top, end = sharpness(self.loss, self.probe, 1e-3), w.clone()
        for point in range(len(w)):
            x = w[point : point + 1]
            h = length / top(x).unsqueeze(-1)
            while self.loss(x).item() >= target:
                x = x - h * self.gradient(x)
            end[point] = x[0]
        return end

    def reference(self, w: Tensor, losses: list[float]) -> Tensor:
        """Return where the flow from one point (p,) has each of the losses, by SciPy's DOP853."""

        def at(x: np.ndarray) -> Tensor:
            return torch.as_tensor(x).unsqueeze(0)

        def passes(loss: float) -> Callable[[float, np.ndarray], float]:
            def event(_: float, x: np.ndarray) -> float:
                return self.loss(at(x)).item() - loss

            event.terminal = loss == min(losses)  # type: ignore[attr-defined]
            return event

        path = solve_ivp(
            lambda _, x: -self.gradient(at(x))[0].numpy(),
            *((0, 1e6), w.numpy(), "DOP853"),
            events=[passes(loss) for loss in losses],
            rtol=1e-9,
            atol=1e-11,
        )
        return torch.as_tensor(np.concatenate(path.y_events))
