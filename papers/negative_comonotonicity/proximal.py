"""Proximal point on linear operators: the worst case of Theorem 3.2, and Theorem 3.1's bound."""

import math

import numpy as np

from claimbench import Run

from .method import (
    Points,
    linear_proximal_point_step,
    pp_last_bound,
    pp_worst_rotation,
    pp_worst_value,
    square,
)
from .operators import DIMENSION, applied, class_error, inverse_monotone, starts

# γ and N with ρ = 1, Theorem 3.2's value, and the optimum of the performance-estimation problem in
# the iterates that the authors' repository stores
PP_CASES = (
    (2.05, 40, 0.0886212073047, 0.0886188),
    (3.0, 10, 0.0116831299827, 0.0116820),
    (3.0, 40, 0.0030278912496, 0.00302678),
)


def worst_case(angle_factor: float) -> dict[str, float]:
    """Return how Theorem 3.2's operators compare with its value and with all rotations.

    `angle_factor`: the operator is that of N times this factor.
    """
    rho = 1.0
    c = np.arange(1, 200_001) / 200_000
    boundary = c * (-c + 1j * np.sqrt(1 - c**2))
    a = np.geomspace(0.01, 100, 300)
    shares = np.linspace(-1, 0.98, 200)
    cosine = -np.minimum(a * rho, 1)[:, None] * shares
    interior = (a[:, None] * (cosine + 1j * np.sqrt(1 - cosine**2))).ravel()
    values, errors, sups, insides, shares_of_bound, peps, members = [], [], [], [], [], [], []
    for gamma, n, reference, pep in PP_CASES:
        z = np.array([pp_worst_rotation(angle_factor * n, gamma, rho)])
        x = np.ones((1, 1), dtype=complex)
        for _ in range(n + 1):
            x = linear_proximal_point_step(z[:, None, None], x, gamma)
        value = float(square(z * x)[0])
        values.append(value / reference)
        errors.append(abs(value / pp_worst_value(n, gamma, rho) - 1))
        sups.append(abs(_pp_worst(boundary, gamma, n + 1) / value - 1))
        insides.append(_pp_worst(interior, gamma, n + 1) / value)
        shares_of_bound.append(value / pp_last_bound(n, gamma, rho))
        peps.append(abs(value / pep - 1))
        members.append(abs((1 / z[0]).real + rho))
    return {
        "reference_error": max(abs(v - 1) for v in values),
        "formula_error": max(errors),
        "sup_error": max(sups),  # largest value of the boundary over the operator's
        "interior_share": max(insides),  # largest value elsewhere over the operator's
        "least_share": min(shares_of_bound),  # of the upper bound
        "largest_share": max(shares_of_bound),
        "pep_error": max(peps),
        "class_error": max(members),
    }


def _pp_worst(z: Points, gamma: float, steps: int) -> float:
    """Return the largest ‖F(x)‖² after `steps` steps: |z|² |m|^(2 steps) where one step gives m."""
    one = linear_proximal_point_step(z[:, None, None], np.ones((len(z), 1), dtype=complex), gamma)
    return float((np.abs(z) ** 2 * square(one) ** steps).max())


def bound_shares(run: Run, gammas: tuple[float, ...], operators: int) -> dict[str, float]:
    """Return the largest shares of Theorem 3.1's bound, and rises of distance and residual."""
    rho, steps = 1.0, 100
    f = np.linalg.inv(inverse_monotone(run, operators) - rho * np.eye(DIMENSION))
    turned = [pp_worst_rotation(n, gamma, rho) for gamma, n, _, _ in PP_CASES]
    z = np.array([*turned, complex(-1 / 4, math.sqrt(3) / 4)])[:, None, None]
    families = ((f, starts(run, operators)), (z, np.ones((len(z), 1), dtype=complex)))
    shares, distance_rise, residual_rise = [], -np.inf, -np.inf
    for matrix, start in families:
        share = 0.0
        for gamma in gammas:
            x, residual = start, square(applied(matrix)(start))
            for n in range(steps + 1):
                after = linear_proximal_point_step(matrix, x, gamma)
                now = square(applied(matrix)(after))
                share = max(share, now.max() / abs(pp_last_bound(n, gamma, rho)))
                distance_rise = max(distance_rise, (square(after) / square(x)).max() - 1)
                if n > 0:
                    residual_rise = max(residual_rise, (now / residual).max() - 1)
                x, residual = after, now
        shares.append(float(share))
    return {
        "matrix_share": shares[0],  # of the bound
        "rotation_share": shares[1],
        "distance_rise": float(distance_rise),  # largest in a step, of ‖x‖², relative
        "residual_rise": float(residual_rise),  # the same of ‖F(x)‖²
        "class_error": max(class_error(matrix, rho) for matrix, _ in families),
    }
