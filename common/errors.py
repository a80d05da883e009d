"""How far two arrays are apart: lists, NumPy and JAX arrays, and torch tensors, in float64."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def relative(a: Any, b: Any) -> float:
    """Return ‖a − b‖ / ‖b‖, Euclidean norms over all entries.

    0 where a equals b, even if both are zero; infinite where b alone is zero or an entry of a is
    not finite.

    Args:
        a: numbers, real or complex.
        b: the reference, of the same shape.

    Raises:
        ValueError: the shapes differ, there is no entry, or one of b is not finite.
    """
    first, second = _pair(a, b)
    return _ratio(np.linalg.norm((first - second).ravel()), np.linalg.norm(second.ravel()))


def largest(a: Any, b: Any) -> float:
    """Return max|a − b| / max|b|, over all entries; otherwise as `relative`."""
    first, second = _pair(a, b)
    return _ratio(np.abs(first - second).max(), np.abs(second).max())


def absolute(a: Any, b: Any) -> float:
    """Return max|a − b|, over all entries; infinite where one of a is not finite.

    Raises:
        ValueError: as in `relative`.
    """
    first, second = _pair(a, b)
    return _ratio(np.abs(first - second).max(), 1.0)


def _ratio(error: Any, size: Any) -> float:
    if error == 0:
        return 0.0
    return float(error / size) if np.isfinite(error) and size > 0 else math.inf


def _pair(a: Any, b: Any) -> tuple[Array, Array]:
    first, second = _array(a), _array(b)
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"an error needs two equal shapes, got {first.shape} and {second.shape}")
    if not np.isfinite(second).all():
        raise ValueError("the reference has an entry that is not finite")
    return first, second


def _array(values: Any) -> Array:
    """Return values in float64, or complex128; a torch tensor without being torch's importer."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.numpy() if values.is_complex() else values.double().numpy()
    found = np.asarray(values)
    return found.astype(complex if np.iscomplexobj(found) else float)
