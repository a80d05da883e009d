"""Learning rate schedules, as factors in [0, 1] of the largest rate; steps count from 1."""

import math


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
