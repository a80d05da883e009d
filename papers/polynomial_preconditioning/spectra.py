"""P_τ against independent references, and means of inverse principal blocks."""

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from claimbench import Run
from common.errors import largest

from .method import (
    Array,
    elementary,
    extremes,
    power_traces,
    precondition,
    preconditioner_spectrum,
    xi,
)
from .paths import times
from .polynomials import condition_number, polynomials, product_spectrum, recursion, rotated

Sets = npt.NDArray[np.integer[Any]]  # of coordinates, shape (sets, size)


def preconditioner_errors(
    run: Run, alternating: bool, trace_share: float, matrices: int
) -> dict[str, float]:
    """Return the largest errors of P_τ, made in four ways; see `spectrum`."""
    errors: list[tuple[float, ...]] = []
    for _ in range(matrices):
        n = int(run.rng.integers(4, 8))
        lam = np.exp(run.rng.uniform(0, np.log(20), n))
        b = rotated(run, lam)
        found = recursion(b, n - 1, alternating=alternating, trace_share=trace_share)
        signs = (-1.0) ** np.arange(n)
        sigma = signs * np.poly(lam)[:n]
        traces = power_traces(b, n - 1)
        g = run.rng.standard_normal((2, n))
        for tau in range(n):
            others = [(-1) ** tau * np.poly(np.delete(lam, i))[tau] for i in range(n)]
            powers = [np.linalg.matrix_power(b, i) for i in range(tau + 1)]
            closed = sum(signs[i] * sigma[tau - i] * powers[i] for i in range(tau + 1))
            size = np.linalg.norm(closed, 2) * np.linalg.norm(g)
            applied = precondition(times(b), elementary(traces[:tau]), g)
            values = preconditioner_spectrum(lam, tau)
            errors.append(
                (
                    largest(elementary(traces[:tau]), sigma[: tau + 1]),
                    largest(found[tau], closed),
                    float(np.linalg.norm(applied - g @ closed) / size),
                    largest(np.linalg.eigvalsh(found[tau]), np.sort(others)),
                    float(np.abs(values / others - 1).max()),
                    largest(found[-1], np.linalg.det(b) * np.linalg.inv(b)),
                )
            )
    worst = np.max(errors, axis=0).tolist()
    names = ("sigma", "closed", "product", "spectrum", "formula", "inverse")
    return {f"{name}_error": value for name, value in zip(names, worst, strict=True)}


def condition_errors(
    run: Run, alternating: bool, trace_share: float, spectra: int
) -> dict[str, float]:
    """Return how far condition numbers lie from the law; see `condition`."""

    def assembled(lam: Array) -> tuple[Array, Array]:
        b = rotated(run, lam)
        found = recursion(b, len(lam) - 1, alternating=alternating, trace_share=trace_share)
        return condition_number(b, found), product_spectrum(b, found)[:, -1]

    fixed = (200, 65.5405405405, 14.0548958516, 4.9927304449, 2.1469740634, 1)
    condition_numbers, _ = assembled(np.array([5.0, 100.0, 0.5, 40.0, 2.0, 1.0]))
    law, beta, fall, end = [], [], [], []
    for _ in range(spectra):
        lam = np.exp(run.rng.uniform(0, np.log(50), 5))
        factors = np.array([xi(lam, tau) for tau in range(5)])
        found, tops = assembled(lam)
        expected = factors * lam.max() / lam.min()
        law.append(np.abs(found / expected - 1).max())
        beta.append(max(abs(top / extremes(lam, t).beta - 1) for t, top in enumerate(tops)))
        fall.append((factors[1:] / factors[:-1]).max())
        end.append(abs(expected[-1] - 1))
    run.curve("condition number", range(6), condition_numbers)
    return {
        "fixed_error": float(np.abs(condition_numbers / fixed - 1).max()),
        "law_error": float(max(law)),
        "beta_error": float(max(beta)),
        "largest_fall": float(max(fall)),
        "end_error": float(max(end)),
    }


def gap_errors(run: Run, missing: int, family: str, spectra: int) -> dict[str, float]:
    """Return condition numbers against bound and limit; see `gap_cut`."""

    def found(lam: Array, tau: int) -> float:
        if family == "symmetric":
            low, high = extremes(lam, tau - missing)
            return high / low
        return float(condition_number(np.diag(lam), polynomials(np.diag(lam), tau, family)[-1]))

    shares, limits, assembled = [], [], []
    for _ in range(spectra):
        low, drawn = np.sort(run.rng.uniform(1, 2, 10))[::-1], run.rng.uniform(2, 10, 4)
        for tau in range(1, 5):
            high = np.sort(drawn[:tau])[::-1]
            for gap in (1.0, 100.0, 1e4, 1e6):
                lam = np.concatenate([gap * high, low])
                value = found(lam, tau)
                shares.append(value / (comb(tau + 9, tau) * low[0] / low[-1]))
                if gap == 100 and tau < 4:
                    b = rotated(run, lam)
                    p = polynomials(b, tau, family)[tau - missing]
                    exact = xi(lam, tau) * lam[0] / lam[-1]
                    assembled.append(abs(float(condition_number(b, p)) / exact - 1))
            limits.append(abs(value / (low.sum() / low[-1]) - 1))
    return {
        "bound_share": max(shares),
        "limit_error": float(max(limits)),
        "assembled_error": max(assembled),
    }


def blocks(b: Array, sets: Sets) -> Array:
    """Return the principal blocks of sets of coordinates, shape (sets, size, size)."""
    return b[sets[:, :, None], sets[:, None, :]]


def inverse_mean(b: Array, sets: Sets, weights: Array) -> Array:
    """Return the weighted mean of the blocks' inverses, each embedded in zeros, shape (n, n)."""
    total = np.zeros_like(b)
    inverses = weights[:, None, None] * np.linalg.inv(blocks(b, sets))
    np.add.at(total, (sets[:, :, None], sets[:, None, :]), inverses)
    return total / weights.sum()


def enumerated_mean(b: Array, size: int, uniform: bool) -> Array:
    """Return it over all sets, weighted by their determinants or equally."""
    sets = np.array(list(combinations(range(len(b)), size)))
    return inverse_mean(b, sets, np.ones(len(sets)) if uniform else np.linalg.det(blocks(b, sets)))


def sampled_mean(run: Run, b: Array, size: int, draws: int, uniform: bool) -> Array:
    """Return it over drawn sets, by rejection from uniform ones, or over uniform ones."""
    bound = np.prod(np.sort(np.diag(b))[-size:])  # Hadamard's, of any block's determinant
    kept: list[Sets] = []
    while sum(map(len, kept)) < draws:
        sets = run.rng.random((draws, len(b))).argsort(axis=1)[:, :size]
        shares = np.ones(draws) if uniform else np.linalg.det(blocks(b, sets)) / bound
        kept.append(sets[run.rng.random(draws) < shares])
    return inverse_mean(b, np.concatenate(kept)[:draws], np.ones(draws))
