"""Comparing optimizers that were given different numbers of steps."""

from collections.abc import Sequence

import numpy as np


def steps_to_match(loss: float, steps: Sequence[float], losses: Sequence[float]) -> float:
    """Return how many steps bring the losses down to `loss`, linearly in the steps' logarithm.

    A longer run counts with the lowest loss up to its length.

    Args:
        loss: the one to match.
        steps: lengths of runs, increasing, in any unit.
        losses: of those runs, at their ends.

    Returns:
        In the unit of `steps`: their first, if its loss is low enough already; their last, if none
        is.
    """
    lowest = np.minimum.accumulate(losses)
    return float(np.exp(np.interp(-loss, -lowest, np.log(steps))))
