"""The schemes side by side, run on draws or on second moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .method import (
    Array,
    Map,
    Weights,
    estimating_sequence,
    generalised_step,
    momentum_step,
    sgd_step,
)
from .problems import Coordinates, Problem

OVERFLOW = 1e150  # of the first loss


@dataclass(frozen=True)
class Scheme:
    """A method with its parameters. Its state is w and a second vector that starts equal to it.

    Attributes:
        name: "semi", Eq. 5; "stochastic", Eq. 5 with the stochastic gradient in both lines;
            "momentum", Eq. 6; or "sgd". The second vector is v, v, y and unused.
        eta: η.
        mu: μ.
        sequence: α_k and γ_k, one entry more than steps.
    """

    name: str
    eta: float
    mu: float
    sequence: list[Weights]

    @property
    def steps(self) -> int:
        """How many steps the weights are there for."""
        return len(self.sequence) - 1

    def step(self, k: int, w: Array, other: Array, g: Map, full: Map) -> tuple[Array, Array]:
        """Return the state after step k, with g the stochastic gradient and `full` ∇f."""
        if self.name == "sgd":
            return sgd_step(w, g(w), self.eta), other
        now = self.sequence[k]
        if self.name == "momentum":
            following = self.sequence[k + 1].alpha
            return momentum_step(w, other, g(other), self.eta, now.alpha, following)
        gradient = {"semi": full, "stochastic": g}[self.name]
        return generalised_step(
            w, other, now, self.mu, lambda y: sgd_step(y, g(y), self.eta), gradient
        )


def scheme_of(
    name: str, problem: Problem, steps: int, *, alpha: float | None = None, convex: bool = False
) -> Scheme:
    """Return a scheme with η = 1/(ρL).

    Args:
        name: as for `Scheme`.
        problem: gives L, μ and ρ.
        steps: how many.
        alpha: a constant α, with γ = μ; by default the paper's, √(μ/(ρL)).
        convex: take μ = 0 and γ₀ = ρL instead.
    """
    eta = 1 / (problem.rho * problem.largest)
    mu = 0.0 if convex else problem.smallest
    if alpha is None:
        sequence = estimating_sequence(1 / eta if convex else mu, eta, mu, steps + 1)
    else:
        sequence = [Weights(alpha, mu)] * (steps + 1)
    return Scheme(name, eta, mu, sequence)


def trajectory(
    problem: Problem, scheme: Scheme, w: Array, draws: npt.NDArray[Any]
) -> Iterator[tuple[Array, Array]]:
    """Yield w_k and the second vector, k = 0, 1, …

    Args:
        problem: what is minimised.
        scheme: how.
        w: w₀, shape (..., p).
        draws: shape (steps, ...).
    """
    other = w
    yield w, other
    for k, draw in enumerate(draws):
        w, other = scheme.step(
            k, w, other, partial(problem.row_gradient, row=draw), problem.gradient
        )
        yield w, other


def expected_losses(problem: Coordinates, scheme: Scheme) -> Array:
    """Return E f(w_k), k = 0, 1, …, without sampling; ∞ from where it passes 1e150 f(w₀).

    Every coordinate's (w, v) goes through a 2 × 2 matrix of its own, H with probability 1/d where
    the coordinate is drawn and N where it is not, so its second moments S follow
    S ← (1/d) H S Hᵀ + (1 − 1/d) N S Nᵀ. The matrices are the scheme's step on the unit vectors.
    """
    d = problem.draws
    s = np.multiply.outer(problem.start**2, np.ones((2, 2)))
    losses = [float(problem.value(problem.start))]
    for k in range(scheme.steps):
        hit, miss = (_matrices(problem, scheme, k, times) for times in (float(d), 0.0))
        s = (hit @ s @ hit.mT + (d - 1) * (miss @ s @ miss.mT)) / d
        losses.append(float(problem.eigenvalues @ s[:, 0, 0] / 2))
        if losses[-1] > OVERFLOW * losses[0]:
            break
    return np.array(losses + [np.inf] * (scheme.steps + 1 - len(losses)))


def _matrices(problem: Coordinates, scheme: Scheme, k: int, times: float) -> Array:
    """Return the matrices (d, 2, 2) of step k where g is so many times the gradient."""
    w, other = np.broadcast_to(np.eye(2)[..., None], (2, 2, problem.draws))
    after = scheme.step(k, w, other, lambda y: times * problem.gradient(y), problem.gradient)
    return np.moveaxis(np.stack(after), -1, 0)
