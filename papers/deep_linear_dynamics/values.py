"""The paper's formulas at a point or two, against values that were got by other means."""

import math

from .method import (
    curvature,
    deep_limit_time,
    learning_time,
    optimum_curvature,
    two_layer_strength,
    two_layer_time,
    variance_fixed_point,
    variance_map,
)

START, LEARNT = 0.05, 0.9  # u₀, and u_f in units of s
DEPTHS = (2, 4, 8, 16, 32, 64, 100)


def learning_times(s_factor: float) -> dict[str, float]:
    """Return learning times by Eq. 15 with s = 1, one with τ = 3 and s = 2, and a very long one.

    `s_factor`: s is multiplied by it, here and below.
    """
    times = {f"time_{depth}": learning_time(START, LEARNT, s_factor, depth) for depth in DEPTHS}
    times["time_scaled"] = learning_time(0.1, 1.5, 2 * s_factor, 4, 3)
    times["time_wide"] = learning_time(1e-6, 1 - 1e-6, s_factor, 2)
    return times


def errors_by_hand(s_factor: float) -> dict[str, float]:
    """Return relative errors, by hand in closed form, and for the variance by quadrature."""
    two, eight = 2 * s_factor, 8 * s_factor
    by_hand = {
        "two_layer_error": [
            (two_layer_time(0.1, 1.5, two, 3), 0.75 * math.log(57)),
            (float(two_layer_strength(0.75 * math.log(4), 0.1, two, 3)), 8 / 23),
            (float(two_layer_strength(1e4, 0.1, two, 3)), 2.0),
        ],
        "infinite_error": [
            (deep_limit_time(0.1, 1.5, two, 5, 3), 0.6 * (math.log(57) / 4 + 14 / 3))
        ],
        "curvature_error": [
            (float(curvature(0.5, two, 3, 3)), -9 / 16),
            (optimum_curvature(eight, 3, 3), 16.0),
        ],
        "variance_error": [
            (variance_map(1, 1.5), 0.88716260339514),
            (variance_fixed_point(1.05), 0.0532504912855),
            (variance_fixed_point(4), 12.500601010096),
            (1 + variance_fixed_point(0.9), 1.0),
        ],
    }
    return {
        name: max(abs(value / expected - 1) for value, expected in pairs)
        for name, pairs in by_hand.items()
    }
