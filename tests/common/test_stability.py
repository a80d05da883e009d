"""Crossings against roots, and SGD's second moments against an average over all batches."""

from itertools import combinations, product

import numpy as np
import pytest

from common.stability import crossing, second_moment_radius


def test_crossings_are_found_side_by_side():
    goals = np.array([0.3, 2.0, 5.0])
    found = crossing(lambda x: x**3 < goals, np.zeros(3), 10.0)
    np.testing.assert_allclose(found, np.cbrt(goals), rtol=1e-14)


def test_without_a_crossing_an_end_comes_back():
    assert crossing(lambda x: x > -1, 0.0, 3.0) == pytest.approx(3, rel=1e-14)
    assert crossing(lambda x: x > 9, 0.5, 3.0) == 0.5


def test_fewer_iterations_are_coarser():
    assert crossing(lambda x: x < 0.7, 0, 1, iterations=2) == 0.5


@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("sampling", ["with", "without"])
def test_radius_equals_that_of_the_average_over_all_batches(batch, sampling):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((4, 3, 2))
    hessians = rows @ rows.mT
    with_, without = product(range(4), repeat=batch), combinations(range(4), batch)
    batches = with_ if sampling == "with" else without
    steps = [np.eye(3) - 0.2 * hessians[list(b)].mean(axis=0) for b in batches]
    average = np.mean([np.kron(a, a) for a in steps], axis=0)
    expected = np.abs(np.linalg.eigvals(average)).max()
    assert second_moment_radius(hessians, 0.2, batch, sampling) == pytest.approx(expected, rel=1e-9)


def test_radius_of_two_examples_drawn_one_at_a_time():
    hessians = np.array([1.0, 5.0]).reshape(2, 1, 1)
    assert second_moment_radius(hessians, 0.3, 1) == pytest.approx((0.7**2 + 0.5**2) / 2)


def test_batch_that_the_data_cannot_fill_is_refused():
    hessians = np.ones((3, 1, 1))
    with pytest.raises(ValueError, match="batches of 4 from 3"):
        second_moment_radius(hessians, 0.1, 4)
    assert second_moment_radius(hessians, 0.1, 4, "with") == pytest.approx(0.81)
