"""Experiments of the polynomial preconditioning paper."""

import numpy as np

from claimbench import Run, experiment
from common.errors import relative

from .guarantees import against_sgd, bound_shares
from .krylov import (
    float32_error,
    krylov_gaps,
    krylov_space,
    search_errors,
    small_space_errors,
    step_errors,
    stiff_basis_error,
)
from .method import Array, elementary, power_traces, symmetric_preconditioners, xi
from .paths import OutlierQuadratic, breast_cancer, logistic_gaps, times
from .polynomials import (
    chebyshev_bound,
    condition_number,
    polynomials,
    rotated,
    shuffled,
)
from .spectra import (
    condition_errors,
    enumerated_mean,
    gap_errors,
    preconditioner_errors,
    sampled_mean,
)

# Spectra and volumes


@experiment
def spectrum(
    run: Run, *, alternating: bool = True, trace_share: float = 1.0, matrices: int = 20
) -> dict[str, float]:
    """P_τ in four ways, for all τ, on random B with n = 4 to 7 and eigenvalues in [1, 20].

    Args:
        alternating: with the signs of the recursion.
        trace_share: the recursion's traces are multiplied by it.
        matrices: how many.
    """
    return preconditioner_errors(run, alternating, trace_share, matrices)


@experiment
def condition(
    run: Run, *, alternating: bool = True, trace_share: float = 1.0, spectra: int = 20
) -> dict[str, float]:
    """Condition numbers of assembled P_τ B against the law, on a fixed and on random spectra.

    Arguments as in `spectrum`; random spectra have five eigenvalues in [1, 50].
    """
    return condition_errors(run, alternating, trace_share, spectra)


@experiment
def gap_cut(
    run: Run, *, missing: int = 0, family: str = "symmetric", spectra: int = 20
) -> dict[str, float]:
    """Condition numbers where τ = 1 to 4 eigenvalues lie ever further above the ten others.

    Args:
        missing: the preconditioner has an order this much lower.
        family: of polynomials.
        spectra: random ones for each τ.
    """
    return gap_errors(run, missing, family, spectra)


@experiment
def volume(run: Run, *, uniform: bool = False, draws: int = 20_000) -> dict[str, float]:
    """Mean inverse principal blocks against P_τ/σ_{τ+1}, eigenvalues in [0.5, 100].

    Args:
        uniform: sets are drawn uniformly instead of in proportion to their determinants.
        draws: of sets of three out of twelve coordinates, by rejection.
    """

    def problem(n: int) -> Array:
        return rotated(run, np.exp(run.rng.uniform(np.log(0.5), np.log(100), n)))

    def target(b: Array, tau: int) -> Array:
        sigma = elementary(power_traces(b, tau + 1))
        return symmetric_preconditioners(b, tau)[tau] / sigma[tau + 1]

    b = problem(6)
    enumerated = [
        relative(enumerated_mean(b, tau + 1, uniform), target(b, tau)) for tau in (1, 2, 3)
    ]
    b = problem(12)
    drawn = sampled_mean(run, b, 3, draws, uniform)
    return {
        "enumeration_error": max(enumerated),
        "sampling_error": relative(drawn, target(b, 2)),
    }


@experiment
def chebyshev_comparison(run: Run, *, family: str = "symmetric") -> dict[str, float]:
    """Condition numbers of P_τ and of Chebyshev polynomials on two spectra.

    `family`: of polynomials in the place of P_τ.
    """

    def assembled(lam: Array, family: str) -> Array:
        axis = np.arange(1.0, len(lam) + 1)
        mirror = np.eye(len(lam)) - 2 * np.outer(axis, axis) / (axis @ axis)
        b = (mirror * lam) @ mirror
        return condition_number(b, polynomials(b, 4, family))

    outliers = np.concatenate([[1000, 300, 100], np.linspace(1, 2, 7)])
    spread = np.linspace(1, 1000, 23)
    ours, theirs = assembled(outliers, family), assembled(outliers, "chebyshev")
    for name, values in (("symmetric", ours), ("Chebyshev", theirs)):
        run.curve(name, range(5), values)
    ratio = assembled(spread, family) / assembled(spread, "chebyshev")
    return {
        **{f"symmetric_{tau}": float(ours[tau]) for tau in range(1, 5)},
        **{f"chebyshev_{tau}": chebyshev_bound((1, 1000), tau) for tau in range(1, 5)},
        "outlier_ratio": float(ours[3] / theirs[3]),
        "spread_ratio": float(ratio[3]),
    }


# Steps


@experiment
def plain_steps(
    run: Run, *, missing: int = 0, momentum: float = 1.0, steps: int = 40
) -> dict[str, float]:
    """Steps with P_3 against PyTorch's SGD in the coordinates P^(-1/2) x, for a quadratic.

    Args:
        missing: our preconditioner has an order this much lower.
        momentum: PyTorch's is multiplied by it.
        steps: of each.
    """
    return against_sgd(run, missing, momentum, steps)


@experiment
def complexity(run: Run, *, step_factor: float = 1.0, steps: int = 200) -> dict[str, float]:
    """Gaps over their bounds, for τ = 0 to 5: a logistic loss, and a quadratic with f'' ≠ B.

    Args:
        step_factor: steps are longer by it than 1/(β_τ L).
        steps: of each.
    """
    return bound_shares(run, step_factor, steps)


@experiment
def krylov_minimum(
    run: Run, *, missing: int = 0, random_start: bool = False, steps: int = 10
) -> dict[str, float]:
    """The Krylov step of degree 3 on a quadratic, two points at once, and its search of M.

    Args:
        missing: the space has a degree this much lower.
        random_start: it is that of a random vector instead of g.
        steps: of the search of degree 2, on a logistic loss.
    """
    return step_errors(run, missing, random_start, steps)


@experiment
def details(run: Run, *, halved: bool = True, promise: float = 0.5) -> dict[str, float]:
    """The search of M against a search with the Gram system; small spaces, zeros, float32.

    Args:
        halved: that search begins with M/2 instead of M.
        promise: it asks f to fall by this share of ⟨c, a⟩.
    """
    search_error, decrease_error = search_errors(run, halved, promise)
    small_space_error, zero_error = small_space_errors(run)
    return {
        "search_error": search_error,
        "decrease_error": decrease_error,
        "small_space_error": small_space_error,
        "zero_error": zero_error,
        "stiff_basis_error": stiff_basis_error(run),
        "float32_error": float32_error(run),
    }


# Iterations


@experiment
def iterations(
    run: Run, *, family: str = "symmetric", permuted: bool = False, limit: int = 20_000
) -> dict[str, float]:
    """Steps to a relative gap of 1e-8 with τ = 0 to 4, on the quadratic with three outliers.

    Args:
        family: of polynomials.
        permuted: they are those of B with its coordinates in another order.
        limit: what a count is at most.
    """
    problem = OutlierQuadratic(run)
    p = polynomials(shuffled(run, problem.b) if permuted else problem.b, 4, family)
    gradient = np.array([problem.gradient_steps(each, limit) for each in p])
    fast = np.array([problem.fast_steps(each, limit) for each in p])
    factors = np.array([xi(problem.lam, tau) for tau in range(5)])
    for name, values in (("gradient method", gradient), ("fast gradient method", fast)):
        run.curve(name, range(5), values)
    return {
        "gradient_error": float(np.abs(gradient / gradient[0] / factors - 1).max()),
        "fast_error": float(np.abs(fast / fast[0] / np.sqrt(factors) - 1).max()),
    }


@experiment
def krylov_search(run: Run, *, search: str = "krylov", limit: int = 20_000) -> dict[str, float]:
    """Steps of exact minimisation over subspaces, on the quadratic with three outliers.

    `search`: "krylov"; "random", the Krylov space of a random vector; "fixed", the span of P_τ g;
    "none", a step with P_τ and M = β_τ. Degree zero is steepest descent for all of them.
    """
    problem = OutlierQuadratic(run)
    p, product = polynomials(problem.b, 3, "symmetric"), times(problem.b)

    def steps(tau: int) -> float:
        if search == "none":
            return fixed[tau]
        if search == "fixed":
            return problem.subspace_steps(lambda g: (p[tau] @ g)[:, None], limit)
        return problem.subspace_steps(
            lambda g: krylov_space(run, product, g, tau, search == "random"), limit
        )

    fixed = [problem.gradient_steps(each, limit) for each in p]
    steepest = problem.subspace_steps(lambda g: g[:, None], limit)
    found = [steepest, *(steps(tau) for tau in (1, 2, 3))]
    for name, values in (("search", found), ("fixed polynomial", fixed)):
        run.curve(name, range(4), values)
    return {
        "fixed_ratio": max(found[tau] / fixed[tau] for tau in (1, 2, 3)),
        "collapse": found[3] / steepest,
        "conjugate_gradient_steps": problem.conjugate_steps(limit),
        "krylov_steps": found[3],
    }


@experiment
def logistic(
    run: Run,
    *,
    family: str = "symmetric",
    permuted: bool = False,
    search: str = "krylov",
    steps: int = 2000,
    krylov_steps: int = 400,
) -> dict[str, float]:
    """Relative gaps on breast cancer data: τ = 0 to 3, Neumann series, and the Krylov search.

    Args:
        family: of polynomials.
        permuted: they are those of B with its coordinates in another order.
        search: "krylov", "random" or "fixed", see `krylov_gaps`.
        steps: gradients of the two gradient methods.
        krylov_steps: gradients of the search.
    """
    loss, b = breast_cancer(run)
    arms = np.concatenate(
        [polynomials(shuffled(run, b) if permuted else b, 3, family), polynomials(b, 3, "neumann")]
    )
    plain, fast = logistic_gaps(loss, b, arms, steps)
    found, values = krylov_gaps(run, loss, b, arms[2], 2, search, krylov_steps)
    for tau in range(4):
        run.curve(f"gradient method, τ = {tau}", range(steps + 1), plain[:, tau])
        run.curve(f"fast gradient method, τ = {tau}", range(steps + 1), fast[:, tau])
    run.curve("Krylov, τ = 2", range(krylov_steps + 1), found)
    end, fast_end = plain[-1], fast[-1]
    return {
        "gradient_ratio": float((end[1:4] / end[:3]).max()),
        "fast_ratio": float((fast_end[1:4] / fast_end[:3]).max()),
        "neumann_ratio": float((end[1:4] / end[5:]).max()),
        "neumann_fast_ratio": float((fast_end[1:4] / fast_end[5:]).max()),
        "krylov_ratio": float(found[-1] / end[2]),
        "krylov_fast_ratio": float(found[-1] / fast[krylov_steps, 2]),
        "krylov_values_a_step": values,
        "krylov_gap": float(found[-1]),
    }
