"""Rules of integration: the degree up to which each is exact, and no further."""

import math

import numpy as np
import pytest

from common.quadrature import gauss_legendre, gaussian, periodic


def test_gauss_legendre_is_exact_up_to_its_degree():
    x, w = gauss_legendre(4, -1.0, 3.0)
    for degree in range(8):
        exact = (3.0 ** (degree + 1) - (-1.0) ** (degree + 1)) / (degree + 1)
        assert w @ x**degree == pytest.approx(exact, rel=1e-12)
    assert w @ x**8 != pytest.approx((3.0**9 + 1) / 9, rel=1e-6)
    assert (x > -1).all()
    assert (x < 3).all()


def test_periodic_rule_is_exact_below_its_number_of_points():
    x, w = periodic(5, 1.0, 3.0)
    assert w @ np.cos(4 * np.pi * x + 0.3) ** 2 == pytest.approx(1, rel=1e-12)
    assert w @ np.sin(np.pi * x * 5) == pytest.approx(2 * np.sin(5 * np.pi), abs=1e-9)
    assert w @ np.cos(np.pi * x * 5) == pytest.approx(-2)  # degree 5 is one too many
    assert (x[0], len(x), w.sum()) == pytest.approx((1, 5, 2))


def test_gaussian_rule_gives_moments_of_a_standard_normal():
    x, w = gaussian(5)
    assert [w @ x**k for k in (0, 2, 4, 6, 8)] == pytest.approx([1, 1, 3, 15, 105], rel=1e-12)
    assert w @ x**10 < 940  # instead of 945
    x, w = gaussian(40)
    assert w @ np.cos(x) == pytest.approx(math.exp(-0.5), rel=1e-12)
