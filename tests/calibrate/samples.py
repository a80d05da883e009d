"""Metrics of known distribution, and where a bound has to lie for the claim to be true or not."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

COARSE = (0.5, 0.3, 0.15, 0.05)
BETA = 5.0
MIX, PEAK, WIDTH = 0.3, 3.0, 0.3


@dataclass(frozen=True)
class Kind:
    """A distribution of a metric over seeds.

    Attributes:
        name: as the tables call it.
        draw: makes an array of a shape.
        mean: expectation.
        sd: standard deviation, also the unit of distances; 1 for the constant.
        median: the largest number that half or more of all values reach.
        share: P(value ≥ bound), what the region `at_least: bound` is judged by.
    """

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], Array]
    mean: float
    sd: float
    median: float
    share: Callable[[float], float]


def _mixture(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return rng.normal(0, WIDTH, shape) + PEAK * (rng.random(shape) < MIX)


def _mixture_share(bound: float) -> float:
    below = special.ndtr(bound / WIDTH), special.ndtr((bound - PEAK) / WIDTH)
    return float(1 - (1 - MIX) * below[0] - MIX * below[1])


def _t3_share(bound: float) -> float:
    return 1 - float(special.stdtr(3, bound))


KINDS = (
    Kind(
        name="normal",
        draw=lambda rng, shape: rng.standard_normal(shape),
        mean=0.0,
        sd=1.0,
        median=0.0,
        share=lambda bound: float(special.ndtr(-bound)),
    ),
    Kind(
        name="log-normal",
        draw=lambda rng, shape: rng.lognormal(0, 1, shape),
        mean=math.exp(0.5),
        sd=math.sqrt(math.e * (math.e - 1)),
        median=1.0,
        share=lambda bound: float(special.ndtr(-math.log(bound))) if bound > 0 else 1.0,
    ),
    Kind(
        name="exponential",
        draw=lambda rng, shape: rng.exponential(1, shape),
        mean=1.0,
        sd=1.0,
        median=math.log(2),
        share=lambda bound: math.exp(-max(bound, 0)),
    ),
    Kind(
        name="t, 3 degrees",
        draw=lambda rng, shape: rng.standard_t(3, shape),
        mean=0.0,
        sd=math.sqrt(3),
        median=0.0,
        share=_t3_share,
    ),
    Kind(
        name="bounded",
        draw=lambda rng, shape: rng.beta(BETA, 1, shape),
        mean=BETA / (BETA + 1),
        sd=math.sqrt(BETA / (BETA + 2)) / (BETA + 1),
        median=0.5 ** (1 / BETA),
        share=lambda bound: 1 - min(max(bound, 0.0), 1.0) ** BETA,
    ),
    Kind(
        name="bimodal",
        draw=_mixture,
        mean=MIX * PEAK,
        sd=math.sqrt(WIDTH**2 + MIX * (1 - MIX) * PEAK**2),
        median=WIDTH * float(special.ndtri(0.5 / (1 - MIX))),
        share=_mixture_share,
    ),
    Kind(
        name="coarse",
        draw=lambda rng, shape: rng.choice(4, shape, p=COARSE).astype(np.float64),
        mean=sum(i * p for i, p in enumerate(COARSE)),
        sd=math.sqrt(
            sum(i**2 * p for i, p in enumerate(COARSE))
            - sum(i * p for i, p in enumerate(COARSE)) ** 2
        ),
        median=1.0,
        share=lambda bound: sum(p for i, p in enumerate(COARSE) if i >= bound),
    ),
    Kind(
        name="constant",
        draw=lambda rng, shape: np.zeros(shape),
        mean=0.0,
        sd=1.0,
        median=0.0,
        share=lambda bound: float(bound <= 0),
    ),
)
"""Log-normal with σ = 1; bounded: Beta(5, 1); bimodal: 70 % N(0, 0.3²), 30 % N(3, 0.3²); coarse:
0, 1, 2, 3 with 50, 30, 15 and 5 %."""


def kind(name: str) -> Kind:
    """Return the kind of that name."""
    return next(kind for kind in KINDS if kind.name == name)
