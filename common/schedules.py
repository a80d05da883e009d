"""Learning rate schedules, as factors in [0, 1] of the largest rate; steps count from 1."""

import math
from collections.abc import Sequence


def warmup_constant(step: int, *, warmup: int) -> float:
    """Return min(step / warmup, 1); 1 where warmup is 0."""
    return step / warmup if step < warmup else 1.0


def warmup_cosine(step: int, *, warmup: int, steps: int, floor: float = 0.0) -> float:
    """Return step / warmup, then a half period of a cosine from 1 down to `floor`.

    With τ = (step - warmup) / (steps - warmup): floor + (1 - floor) (1 + cos π τ) / 2, the decay of
    Loshchilov and Hutter 2017 (SGDR, eq. 5) without restarts.

    Args:
        step: 1 to `steps`.
        warmup: step at which the factor is 1; fewer than `steps`.
        steps: step at which it is `floor`.
        floor: the last factor.
    """
    if step < warmup:
        return step / warmup
    tau = (step - warmup) / (steps - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * tau)) / 2


def warmup_linear(step: int, *, warmup: int, steps: int, floor: float = 0.0) -> float:
    """Return step / warmup, then a straight line from 1 down to `floor`; as `warmup_cosine`."""
    if step < warmup:
        return step / warmup
    return 1 - (1 - floor) * (step - warmup) / (steps - warmup)


def stairs(step: int, *, steps: int, falls: Sequence[tuple[float, float]]) -> float:
    """Return the product of the factors of all falls that have come.

    Args:
        step: 1 to `steps`.
        steps: how many there are.
        falls: share of the steps that goes before, and factor, in any order.
    """
    return math.prod(factor for share, factor in falls if step - 1 >= share * steps)


def restarts(step: int, *, period: int, growth: int = 1, floor: float = 0.0) -> float:
    """Return half periods of a cosine from 1 towards `floor`, one after the other.

    Loshchilov and Hutter 2017 (SGDR, eq. 5), with T_cur counted from 0: the first step of each
    period has the factor 1, none has `floor`.

    Args:
        step: from 1.
        period: steps of the first one, T_0.
        growth: how many times longer each is than the one before, T_mult.
        floor: limit of the factor.
    """
    done = step - 1
    while done >= period:
        done, period = done - period, period * growth
    return floor + (1 - floor) * (1 + math.cos(math.pi * done / period)) / 2
