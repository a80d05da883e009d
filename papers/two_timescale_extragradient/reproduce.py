"""Experiments on two-timescale extragradient: trajectories, spectra and second-order conditions."""

from collections.abc import Sequence

import numpy as np

from claimbench import Run, experiment
from common.errors import absolute, largest
from common.fits import power

from . import by_hand
from .method import (
    Point,
    Structure,
    eigenvalues,
    jacobian,
    may_be_minimax,
    structure,
    timescales,
)
from .paths import escape, race
from .points import blocks, degenerate_point, no_descent, sphere
from .stepsizes import STEPS, boundary, cubic_root, gda_least_radius, thresholds

TOY = [(-0.5, 0.0, 1.0)]  # (a, b, c) of each block
EIGHT = [(-0.5, 0.0, 1.0), (-0.3, 0.0, 0.8), (1.0, -1.0, 0.5), (0.6, -0.8, -0.4)]


# Trajectories


@experiment
def trajectories(
    run: Run,
    *,
    eta: float = 0.7,
    tau: float = 20.0,
    method: str = "eg",
    steps: int = 3000,
    starts: int = 50,
) -> dict[str, float]:
    """τ-EG and τ-GDA near 0 on −x²/4 + xy + (x⁴ − y⁴)/4.

    Args:
        eta: step size of `method`.
        tau: of both.
        method: "eg", or "gda" in its place.
        steps: of τ-EG; τ-GDA takes twice as many.
        starts: how many, at distance 0.1.
    """
    return race(run, blocks(TOY, None), eta, tau, method, steps, starts)


@experiment
def rotated_trajectories(
    run: Run,
    *,
    eta: float = 0.7,
    tau: float = 20.0,
    method: str = "eg",
    steps: int = 3000,
    starts: int = 50,
) -> dict[str, float]:
    """The same in eight dimensions, f_yy degenerate in two; arguments as of `trajectories`."""
    return race(run, blocks(EIGHT, run.rng), eta, tau, method, steps, starts)


# Step sizes


@experiment
def scalar_threshold(
    run: Run, *, taus: Sequence[float] = (1e3, 1e5), method: str = "eg"
) -> dict[str, float]:
    """The least contracting η on ax²/2 + cxy for three (a, c).

    Args:
        taus: the timescales; the limit is compared at the last.
        method: whose threshold, "eg" or "gda".
    """
    a, c = np.array([(-0.2, 1.0), (-0.5, 1.0), (-0.2, 2.0)]).T
    lam = {
        tau: np.array(
            [
                eigenvalues(Point(*np.array([u, 0.0, v]).reshape(3, 1, 1)), tau)
                for u, v in zip(a, c, strict=True)
            ]
        )
        for tau in taus
    }
    found = {tau: thresholds(method, values) for tau, values in lam.items()}
    cubic = {
        tau: np.array([cubic_root(k) for k in a / (2 * c * tau**0.5)]) * tau**0.5 / c
        for tau in taus
    }
    return {
        "threshold_error": absolute(found[taus[-1]] / (-a / c**2), np.ones(3)),
        "cubic_error": max(largest(found[tau], cubic[tau]) for tau in taus),
        "gda_least_radius": min(gda_least_radius(values) for values in lam.values()),
    }


def described(point: Point, correction: bool) -> Structure:
    """Return the structure of a point, with A in the place of S without `correction`."""
    found = structure(point)
    return found if correction else found._replace(schur=point.a)


@experiment
def random_threshold(
    run: Run,
    *,
    tau: float = 1e7,
    correction: bool = True,
    method: str = "eg",
    points: int = 10,
) -> dict[str, float]:
    """The least contracting η at random points whose 2 s₀ is between 0.05 and 0.8.

    Args:
        tau: τ.
        correction: S in the prediction; else A.
        method: whose threshold, "eg" or "gda".
        points: how many.
    """
    drawn = [degenerate_point(run.rng, 0.3, 1.0) for _ in range(20 * points)]
    chosen = [p for p in drawn if 0.05 < structure(p).threshold < 0.8][:points]
    lam = np.array([eigenvalues(point, tau) for point in chosen])
    predicted = np.array([described(point, correction).threshold for point in chosen])
    return {
        "threshold_error": absolute(thresholds(method, lam) / predicted, np.ones(points)),
        "gda_least_radius": gda_least_radius(lam),
    }


@experiment
def spectrum(run: Run, *, correction: bool = True, restricted: bool = True) -> dict[str, float]:
    """Eigenvalues of H_τ at a random point against what their groups tend to.

    Args:
        correction: S in the prediction; else A.
        restricted: μ of S_res; else the two eigenvalues of S that are the smallest in modulus.
    """
    point = degenerate_point(run.rng, 1.0, 2.0)
    found = described(point, correction)
    mu = np.linalg.eigvalsh(found.restricted_schur)
    if not restricted:
        mu = np.sort(sorted(np.linalg.eigvalsh(found.schur), key=abs)[:2])
    eps = np.array([1e-3, 1e-5, 1e-7])
    lam = np.array([sorted(eigenvalues(point, 1 / e), key=abs) for e in eps])
    slow, middle, fast = np.split(lam, [len(mu), len(lam.T) - len(found.fast)], axis=1)
    pairs = np.array([sorted(row[row.imag > 0], key=lambda v: v.imag) for row in middle])
    exponents = [power(eps, column).exponent for column in pairs.imag.T]
    slow_exponents = [power(eps, column).exponent for column in np.abs(slow).T]
    return {
        "fast_error": absolute(np.sort(fast[-1].real) / np.sort(found.fast), np.ones(2)),
        "sigma_error": absolute(pairs[-1].imag / eps[-1] ** 0.5 / found.sigma[::-1], np.ones(3)),
        "iota_error": absolute(pairs[-1].real / eps[-1], found.iota[::-1])
        / float(np.linalg.norm(found.schur, 2)),
        "mu_error": absolute(np.sort(slow[-1].real) / eps[-1] / mu, np.ones(2)),
        "middle_exponent_low": min(exponents),
        "middle_exponent_high": max(exponents),
        "slow_exponent_low": min(slow_exponents),
        "slow_exponent_high": max(slow_exponents),
    }


# Points to avoid


@experiment
def escape_negative_schur(
    run: Run,
    *,
    a: float = -2.0,
    c: float = 0.5,
    taus: Sequence[float] = (10.0, 100.0, 1000.0),
    starts: int = 200,
) -> dict[str, float]:
    """Two rotated blocks: a degenerate one that is minimax, and one with Schur complement a + 2c².

    Args:
        a: f_xx of the second block, whose f_yy is −1/2.
        c: its f_xy.
        taus: the trajectories are those of the first.
        starts: how many, for each step size.
    """
    return escape(run, blocks([(0.5, 0.0, 1.0), (a, -0.5, c)], run.rng), taus, starts)


@experiment
def escape_no_maximum(
    run: Run,
    *,
    b: float = 0.5,
    taus: Sequence[float] = (10.0, 100.0, 1000.0),
    starts: int = 200,
) -> dict[str, float]:
    """The same with f_yy = b in the second block, f_xx = f_xy = 1; arguments as above."""
    return escape(run, blocks([(0.5, 0.0, 1.0), (1.0, b, 1.0)], run.rng), taus, starts)


# Conditions


@experiment
def region(run: Run, *, method: str = "eg") -> dict[str, float]:
    """The boundary of the stable region, in units of 1/η at η = 0.7, by bisection.

    `method`: whose factor, "eg" or "gda".
    """
    return boundary(method)


@experiment
def second_order_condition(
    run: Run, *, condition: str = "restricted", points: int = 200
) -> dict[str, float]:
    """How often a condition agrees with the definition of local minimax, for h(δ) = √δ.

    Args:
        condition: "restricted", B ≤ 0 and S_res ≥ 0; "unrestricted", with S in the place of
            S_res; "uncorrected", with A in the place of S.
        points: how many quadratics are drawn.
    """
    a = run.rng.standard_normal((points, 2, 2))
    a = (a + a.mT) / 2
    c = run.rng.standard_normal((points, 2, 2))
    q = sphere(run.rng, points, 2, 1.0)
    size = run.rng.uniform(0.1, 2, points) * np.where(run.rng.random(points) < 0.8, -1, 1)
    b = size[:, None, None] * q[:, :, None] * q[:, None]
    found = [structure(Point(*p)) for p in zip(a, b, c, strict=True)]
    edge = np.stack([s.complement[:, 0] for s in found])[:, None]
    minimax = (size < 0) & no_descent(Point(a, b, c), edge)
    if condition == "restricted":
        says = np.array([may_be_minimax(Point(*p)) for p in zip(a, b, c, strict=True)])
    elif condition == "unrestricted":
        says = (size < 0) & np.array([np.linalg.eigvalsh(s.schur)[0] >= 0 for s in found])
    else:
        says = (size < 0) & (((edge @ a) * edge).sum(axis=-1)[:, 0] >= 0)
    clear = np.abs([s.restricted_schur[0, 0] for s in found]) > 0.05
    return {"agreement": float((says == minimax)[clear].mean())}


@experiment
def steps(run: Run, *, swapped: bool = False) -> dict[str, float]:
    """Three steps against fractions, and the optimizer on many tensors against the step.

    `swapped`: 1/τ scales the step in y.
    """
    problem = blocks([(float(by_hand.A), float(by_hand.B), float(by_hand.C))], None)
    scales, eta = timescales(float(by_hand.TAU), 1, 1), float(by_hand.ETA)
    errors = {}
    for name, step in STEPS.items():
        z, path = np.array([float(v) for v in by_hand.START]), []
        for _ in range(3):
            z = step(problem.field, z, eta, scales[::-1] if swapped else scales)
            path.append(z)
        errors[f"{name}_error"] = largest(path, by_hand.fractions(name == "eg"))
    ours = by_hand.many_tensors(run.torch_generator())
    return errors | {
        "optimizer_error": largest(by_hand.optimizer_path(), by_hand.fractions(True)),
        "tensor_error": largest(*ours),
    }


@experiment
def structure_values(run: Run, *, correction: bool = True) -> dict[str, float]:
    """What `structure` finds at points whose answer is known.

    `correction`: without it S is A.
    """
    found = described(by_hand.HAND, correction)
    single = structure(Point(*(m.astype(np.float32) for m in by_hand.HAND)))
    a, b, c = by_hand.HAND
    regular = b - np.eye(2)
    plain = described(Point(a, regular, c), correction)
    vanishing = described(Point(a, 0 * b, c), correction)
    schur = a - c @ np.linalg.inv(regular) @ c.T
    wrong = [may_be_minimax(point) != answer for point, answer in by_hand.judged_points()]
    empty = float(len(plain.sigma) + np.isfinite(plain.threshold) + len(vanishing.fast))
    return {
        "schur_error": largest(found.schur, by_hand.SCHUR),
        "fast_error": absolute(found.fast, [by_hand.FAST]),
        "sigma_error": absolute(found.sigma, [by_hand.SIGMA]),
        "iota_error": absolute(found.iota, [by_hand.IOTA]),
        "restricted_error": absolute(found.restricted_schur, [[by_hand.RESTRICTED]]),
        "step_error": abs(found.threshold - by_hand.THRESHOLD),
        "jacobian_error": largest(jacobian(by_hand.HAND, 8.0), by_hand.JACOBIAN_8),
        "regular_error": empty
        + largest(np.linalg.eigvalsh(plain.restricted_schur), np.linalg.eigvalsh(schur)),
        "vanishing_error": largest(vanishing.schur, a)
        + largest(vanishing.sigma, np.linalg.svd(c, compute_uv=False)),
        "float32_error": abs(single.threshold - by_hand.THRESHOLD)
        + absolute(single.restricted_schur, [[by_hand.RESTRICTED]]),
        "verdict_error": float(sum(wrong)),
    }
