"""Errors by hand, for every kind of array, and what they do with zeros and NaN."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from common.errors import absolute, largest, relative

A, B = [[1.0, 5.0], [2.0, -8.0]], [[1.0, 2.0], [-2.0, -4.0]]  # differences 0, 3, 4, −4


@pytest.mark.parametrize("kind", [list, np.array, jnp.asarray, torch.tensor])
def test_errors_by_hand(kind):
    a, b = kind(A), kind(B)
    assert relative(a, b) == pytest.approx(math.sqrt(41) / 5, rel=1e-12)
    assert largest(a, b) == pytest.approx(1.0, rel=1e-12)
    assert absolute(a, b) == 4


def test_difference_of_two_kinds_and_precisions_is_taken_in_float64():
    b = np.array([1.0, 1 + 1e-12])
    a = torch.ones(2, dtype=torch.float32, requires_grad=True)
    assert absolute(a, b) == pytest.approx(1e-12, rel=1e-3)


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_complex_numbers_count_with_their_modulus(kind):
    assert largest(kind([3 + 4j, 1]), kind([0j, 2])) == pytest.approx(2.5)


@pytest.mark.parametrize("error", [relative, largest])
def test_zero_reference(error):
    assert error([0.0, 0.0], [0.0, 0.0]) == 0
    assert error([0.0, 1e-9], [0.0, 0.0]) == math.inf


@pytest.mark.parametrize("error", [relative, largest, absolute])
def test_what_is_not_finite(error):
    assert error([1.0, math.nan], [1.0, 2.0]) == error([math.inf], [2.0]) == math.inf
    with pytest.raises(ValueError, match="reference"):
        error([1.0, 2.0], [1.0, math.nan])


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 1\) and \(2,\)"):
        relative(np.ones((2, 1)), np.ones(2))
