"""Where iterations turn from decay to growth."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def crossing(inside: Callable[[Array], Any], low: Any, high: Any, *, iterations: int = 80) -> Array:
    """Return, by bisection, where `inside` turns from true, as at low, to false, as at high.

    What it says at low and high themselves is not looked at: an end that is returned, up to
    rounding, tells that there is no crossing between them.

    Args:
        inside: takes points of the shape of low and high, broadcast, and says where it holds.
        low: points where it holds, a number or an array.
        high: points where it does not.
        iterations: each halves the distance; 80 go to rounding.

    Returns:
        The last points that were found to be inside, or low; an array, for numbers of shape ().
    """
    low, high = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (low, high)))
    for _ in range(iterations):
        middle = (low + high) / 2
        is_inside = np.asarray(inside(middle))
        low, high = np.where(is_inside, middle, low), np.where(is_inside, high, middle)
    found: Array = low
    return found


def second_moment_radius(
    hessians: Array,
    eta: float,
    batch: int,
    sampling: Literal["with", "without"] = "without",
) -> float:
    """Return by which factor E w wᵀ grows in a step of SGD near a minimum, in the long run.

    SGD is w ← (I − η H_B) w, where H_B is the mean of the Hessians of a random batch: all losses
    have their minimum at 0. The factor is the spectral radius of the mean of A ⊗ A, A = I − η H_B,
    which is (I − ηH) ⊗ (I − ηH) + c η² (mean of Hᵢ ⊗ Hᵢ − H ⊗ H) / B with H the mean of all Hᵢ, and
    c = 1 with replacement and (n − B) / (n − 1) without (Mulayoff and Michaeli 2024, arXiv
    2306.07850). SGD is stable in mean square where it is at most 1.

    Args:
        hessians: Hᵢ of each example, symmetric, shape (n, d, d); d⁶ operations.
        eta: η.
        batch: B.
        sampling: "with" or "without" replacement in a batch.

    Raises:
        ValueError: the batch is empty, or larger than the data and drawn without replacement.
    """
    n, d = hessians.shape[:2]
    if batch < 1 or (sampling == "without" and batch > n):
        raise ValueError(f"batches of {batch} from {n} examples, {sampling} replacement")
    mean = hessians.mean(axis=0)
    drift = np.eye(d) - eta * mean
    moment = np.tensordot(hessians, hessians, axes=(0, 0)) / n  # i j k l
    spread = moment.transpose(0, 2, 1, 3).reshape(d * d, d * d) - np.kron(mean, mean)
    share = 1.0 if sampling == "with" else (n - batch) / max(n - 1, 1)
    operator = np.kron(drift, drift) + share * eta**2 / batch * spread
    return float(np.abs(np.linalg.eigvalsh(operator)).max())
