"""Steps that a method needs to match a loss."""

import pytest

from common.comparison import steps_to_match

STEPS, LOSSES = (100, 200, 400), (3.0, 2.0, 1.5)


@pytest.mark.parametrize(("loss", "steps"), [(3.0, 100), (2.0, 200), (1.5, 400)])
def test_at_the_runs_themselves(loss, steps):
    assert steps_to_match(loss, STEPS, LOSSES) == pytest.approx(steps, rel=1e-12)


@pytest.mark.parametrize(("loss", "steps"), [(2.5, 100 * 2**0.5), (1.875, 200 * 2**0.25)])
def test_between_runs_linear_in_the_logarithm(loss, steps):
    assert steps_to_match(loss, STEPS, LOSSES) == pytest.approx(steps, rel=1e-12)


@pytest.mark.parametrize(("loss", "steps"), [(3.5, 100), (1.0, 400)])
def test_outside_the_runs_is_the_nearest(loss, steps):
    assert steps_to_match(loss, STEPS, LOSSES) == pytest.approx(steps, rel=1e-12)


def test_longer_run_that_came_out_worse_does_not_count():
    # the loss of 2.2 at 200 is that at 100: 1.8 lies halfway from 2.0 to 1.6
    assert steps_to_match(1.8, STEPS, (2.0, 2.2, 1.6)) == pytest.approx(200 * 2**0.5, rel=1e-12)


def test_scale_of_steps_is_free():
    assert steps_to_match(1.7, (1, 2, 4), LOSSES) == pytest.approx(
        steps_to_match(1.7, STEPS, LOSSES) / 100, rel=1e-12
    )
