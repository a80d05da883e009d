"""Experiments of the gradient-normalized smoothness paper."""

from itertools import pairwise

import numpy as np
import scipy.special

from claimbench import Run, experiment
from common.convex import LogSumExp
from common.fits import power

from .checks import edge_errors, matrix_errors, path_errors, progress_shares, radius_errors
from .method import (
    Array,
    fisher_vector,
    inexact_hessian,
    log_sum_exp_matrix,
    metric,
    softmax_blocks,
)
from .problems import (
    Goal,
    Power,
    Rosenbrock,
    descent_path,
    far_start,
    line_share,
    logistic_regression,
    maximum_paths,
    newton_path,
    ratios,
    smooth_maximum,
    softmax,
    softmax_regression,
)

# Convex problems


@experiment
def logsumexp(
    run: Run,
    *,
    matrix: str = "gauss-newton",
    rows: int = 200,
    columns: int = 100,
    limit: int = 3000,
) -> dict[str, float]:
    """Iterations to a gap of 1e-8 on a smooth maximum with μ = 0.1.

    Args:
        matrix: "gauss-newton"; in its place "zero", or "uniform" weights.
        rows: of A.
        columns: of A.
        limit: of iterations.
    """
    loss = smooth_maximum(run, rows, columns, 0.1)
    paths = maximum_paths(run, loss, matrix, limit)
    return {
        "newton_small": paths["newton"].steps,
        "newton_ratio": paths["newton"].steps / paths["exact"].steps,
        "metric_gap_small": paths["metric"].gaps[-1],
    }


@experiment
def unit_smoothing(
    run: Run,
    *,
    matrix: str = "gauss-newton",
    rows: int = 200,
    columns: int = 100,
    limit: int = 3000,
) -> dict[str, float]:
    """As `logsumexp`, with μ = 1."""
    loss = smooth_maximum(run, rows, columns, 1.0)
    paths = maximum_paths(run, loss, matrix, limit)
    return {f"{arm}_large": path.steps for arm, path in paths.items()}


@experiment
def smoothing(
    run: Run, *, fixed: float = 0.0, rows: int = 100, columns: int = 50, limit: int = 2000
) -> dict[str, float]:
    """Iterations and accepted γ on a smooth maximum for μ from 1 to 0.03.

    Args:
        fixed: γ of each step, without a search; 0 searches.
        rows: of A.
        columns: of A.
        limit: of iterations.
    """
    mus = (1.0, 0.3, 0.1, 0.03)
    exact, newton, gammas = [], [], []
    for mu in mus:
        loss = smooth_maximum(run, rows, columns, mu)

        def approximation(x: Array, loss: LogSumExp = loss) -> Array:
            return log_sum_exp_matrix(loss.a, softmax(loss, x), loss.mu)

        data, x0 = metric(loss.a.T @ loss.a), np.ones(columns)
        goal = Goal(float(loss.value(np.zeros(columns))), 1e-8, limit)
        paths = [
            newton_path(loss, h, data, x0, goal, fixed=fixed) for h in (loss.hessian, approximation)
        ]
        exact.append(paths[0].steps)
        newton.append(paths[1].steps)
        gammas.append(fixed or float(np.median(paths[0].gammas[1:])))
    inverse = [1 / mu for mu in mus]
    for name, values in (("Hessian", exact), ("Gauss–Newton", newton), ("γ", gammas)):
        run.curve(name, inverse, values)
    return {
        "exact_exponent": power(inverse, exact).exponent,
        "newton_exponent": power(inverse, newton).exponent,
        "gamma_rise": max(b / a for a, b in pairwise(gammas)),
        "gamma_fall": gammas[0] / gammas[-1],
    }


@experiment
def breast_cancer(
    run: Run, *, matrix: str = "hessian", fixed: float = 0.0, limit: int = 3000
) -> dict[str, float]:
    """Iterations to a relative gap of 1e-6 of logistic regression, from a start of norm 10.

    Args:
        matrix: "hessian", or "zero".
        fixed: γ of each step, without a search; 0 searches.
        limit: of iterations.
    """
    loss, data = logistic_regression()
    x0, goal = far_start(run, loss, len(data.b), limit)

    def hessian(x: Array) -> Array:
        return loss.hessian(x) * (matrix == "hessian")

    return ratios(
        run, newton_path(loss, hessian, data, x0, goal, fixed=fixed), loss, data, x0, goal
    )


@experiment
def digits(
    run: Run, *, matrix: str = "blocks", fixed: float = 0.0, rows: int = 1000, limit: int = 3000
) -> dict[str, float]:
    """As `breast_cancer`, for softmax regression on pooled digits, with the block-diagonal matrix.

    Args:
        matrix: "blocks"; in its place "zero", or the exact "hessian".
        fixed: γ of each step, without a search; 0 searches.
        rows: of the data, drawn at random.
        limit: of iterations.
    """
    loss, data = softmax_regression(run, rows)
    n = len(data.b)
    x0, goal = far_start(run, loss, n, limit)

    def approximation(x: Array) -> Array:
        if matrix == "hessian":
            return loss.hessian(x)
        pi = scipy.special.softmax(loss.a @ x.reshape(loss.classes, -1).T, axis=1)
        return (softmax_blocks(loss.a, pi) + loss.ridge * np.eye(n)) * (matrix == "blocks")

    ours = newton_path(loss, approximation, data, x0, goal, fixed=fixed)
    return {**ratios(run, ours, loss, data, x0, goal), "r2": line_share(ours.gaps)}


# Powers of norms


@experiment
def fisher(
    run: Run,
    *,
    matrix: str = "fisher",
    euclidean: bool = False,
    rows: int = 50,
    columns: int = 100,
    limit: int = 1000,
) -> dict[str, float]:
    """Iterations to f < 1e-10 of f = ‖Ax − b‖⁴/4 with its Fisher term.

    Args:
        matrix: "fisher"; in its place "zero", or "random", the same with a random direction.
        euclidean: its metric is the Euclidean one instead of AᵀA.
        rows: of A.
        columns: of A.
        limit: of iterations.
    """
    a, b = run.rng.uniform(-1, 1, (rows, columns)), run.rng.uniform(-1, 1, rows)
    loss, x0 = Power(a, b, 4), np.ones(columns)
    data, plain = metric(a.T @ a + 1e-8 * np.eye(columns)), metric(np.eye(columns))

    def term(x: Array) -> Array:
        v = fisher_vector(loss.residual(x), a, loss.p)
        if matrix == "random":
            d = run.rng.standard_normal(columns)
            v = d * np.linalg.norm(v) / np.linalg.norm(d)
        return np.outer(v, v) * (matrix != "zero")

    def hessian(x: Array) -> Array:
        return inexact_hessian(loss.residual(x), a, loss.p)

    goal = Goal(0.0, 1e-10, limit)
    paths = {
        "Fisher term": newton_path(loss, term, plain if euclidean else data, x0, goal),
        "Hessian": newton_path(loss, hessian, data, x0, goal),
        "gradient method": descent_path(loss, plain, x0, goal),
        "gradient method, metric": descent_path(loss, data, x0, goal),
    }
    for name, path in paths.items():
        run.curve(name, range(len(path.gaps)), path.gaps)
    steps = [path.steps for path in paths.values()]
    return {
        "hessian_ratio": steps[0] / steps[1],
        "fisher_steps": steps[0],
        "gradient_ratio": steps[2] / steps[0],
        "metric_ratio": steps[3] / steps[0],
    }


@experiment
def rosenbrock(
    run: Run, *, matrix: str = "gauss-newton", constant: float = 0.0, limit: int = 20_000
) -> dict[str, float]:
    """Iterations to f < 1e-12 on Rosenbrock's function, from near (−2, 2).

    Args:
        matrix: "gauss-newton", or "zero" in its place.
        constant: λ of each step, of both matrices; 0 takes it from γ.
        limit: of iterations.
    """
    loss, plain = Rosenbrock(), metric(np.eye(2))
    x0 = np.array([-2.0, 2.0]) + 0.1 * run.rng.standard_normal(2)

    def newton(x: Array) -> Array:
        found = inexact_hessian(loss.residual(x), loss.jacobian(x), loss.p)
        return found * (matrix == "gauss-newton")

    def hessian(x: Array) -> Array:
        return inexact_hessian(loss.residual(x), loss.jacobian(x), loss.p) + loss.second(x)

    goal = Goal(0.0, 1e-12, limit)
    paths = {
        "Gauss–Newton": newton_path(loss, newton, plain, x0, goal, constant=constant),
        "Hessian": newton_path(loss, hessian, plain, x0, goal, constant=constant),
        "gradient method": descent_path(loss, plain, x0, goal),
    }
    for name, path in paths.items():
        run.curve(name, range(len(path.gaps)), path.gaps)
    ours, exact, gradient = (path.steps for path in paths.values())
    return {"newton_steps": ours, "hessian_steps": exact, "gradient_ratio": gradient / ours}


# Exact checks


@experiment
def progress(run: Run, *, factor: float = 1.0, points: int = 2000) -> dict[str, float]:
    """Falls of f over ‖f'(x⁺)‖²/(8λ) at random points.

    Args:
        factor: γ is multiplied by it.
        points: of each function.
    """
    return progress_shares(run, factor, points)


@experiment
def radius(run: Run, *, primal: bool = False) -> dict[str, float]:
    """γ(x) by its definition against closed forms.

    `primal`: gradients are measured in the norm of points.
    """
    return radius_errors(primal)


@experiment
def matrices(run: Run, *, shift: float = 0.0, primal: bool = False) -> dict[str, float]:
    """Matrices against automatic derivatives, and steps against their equations.

    Args:
        shift: is added to p where a matrix is made.
        primal: gradients are measured in the norm of points.
    """
    return matrix_errors(run, shift, primal)


@experiment
def authors_code(run: Run, *, gamma0: float = 1.0) -> dict[str, float]:
    """Paths on small fixed problems against those of the authors' code; `gamma0`: the first γ."""
    return path_errors(gamma0)


@experiment
def edges(run: Run, *, extra: int = 0) -> dict[str, float]:
    """Degenerate cases; `extra`: the reference halves γ so much more often at an indefinite H."""
    return edge_errors(run, extra)
