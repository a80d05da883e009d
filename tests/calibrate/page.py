"""The page on calibration: tables as Markdown, and its plot as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claimbench.judging.sequential import ALPHA, POWER
from claimbench.showing.markdown import table
from tests.calibrate.samples import KINDS
from tests.calibrate.tables import (
    INSIDE,
    MEAN,
    MEDIAN,
    OUTSIDE,
    PLACES,
    WORDS,
    Control,
    Row,
    controls,
    curves,
    rows,
    typical_errors,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FULL, FAST = 200_000, 4_000
COMMAND = "python -m tests.calibrate --out docs"

COLUMNS = (
    "typical",
    "t, 5 seeds",
    "t, 10 seeds",
    "t, until clear",
    "MLPerf, 5 runs",
    "MLPerf, 10 runs",
)
ABOUT_SHARE = ("every", "typical", "one seed")
DRAWN = (
    *("typical", "t, 10 seeds", "t, until clear", "MLPerf, 5 runs"),
    *("every", "t, 5 seeds", "one seed"),
)
AT_BOUND = DRAWN[:4]

INTRODUCTION = """\
# How often is a verdict wrong?

Every rule judged claims whose truth is known. Made by

    {command}

with {replications:,} samples a line and fixed seeds (needs NumPy, SciPy and Matplotlib); a smaller
version of it is a test. With so many samples a share of 5 % is known to within ±{error:.2f} points.

The metric of a seed is drawn from: a normal distribution; a log-normal one with σ = 1; an
exponential one; Student's t with 3 degrees of freedom; a bounded one, Beta(5, 1), skewed to the
left; a bimodal one, 70 % N(0, 0.3²) and 30 % N(3, 0.3²); a coarse one, the values 0, 1, 2, 3 with
50, 30, 15 and 5 %; and a constant. The region is `at_least: bound`.

What is judged how:

- `every` (3 seeds) and `typical` (up to 20 seeds) are the rules of claimbench.
- *t, 5 seeds* and *t, 10 seeds*: a 90 % t interval after so many seeds, inside or outside.
- *t, until clear*: the same interval at 5, 8, 12 and 20 seeds until it is clear, uncorrected.
- *one seed*: its value lies in the region, or does not.
- *MLPerf*: its reference-convergence rule. n runs pass unless their mean lies below that of 2n
  reference runs by a pooled one-sided t test at 5 %, both without their smallest and largest run,
  with the standard deviation of the reference runs for both, as the public checker computes it. It
  can reject; a pass shows nothing.

Cells hold: reproduced / diverged (per cent; what is missing to 100 is undecided), mean seeds. A t
interval says nothing while all values are equal, so nothing of a constant.
"""

EDGE = """\
## Exactly at the bound

Nothing is shown there, so both words are wrong, and 5 % each is what a rule may err. Each rule
stands at its own bound: `typical` where half of all seeds hold, the others where the mean is the
bound. (MLPerf's pass says "not shown to be smaller", which is right here; only its rejections are
wrong.)

![Wrong verdicts at the bound, and power](calibration.svg)

{table}

`typical` is at or below 5 % everywhere, as it must be: what it does depends on the share alone, and
its exact error is {typical:.2f} % on each side. For the constant, all seeds hold at the bound, and
"reproduced" is right. A t interval errs on skewed metrics: too many "diverged" for a long tail to
the right, too many "reproduced" for one to the left. Looking again until it is clear doubles its
error even for normal metrics.
MLPerf's rule rejects more than its 5 % because runs without their extremes vary too little.

`every` has no error of that kind: one seed that does not hold proves that not all do, and 3 that
hold leave a share of one half possible with 12.5 %. *One seed* is a toss at the bound.
"""

AWAY = """\
## One standard deviation {word} the bound

The mean lies one standard deviation {word} the bound, so "{wrong}" is wrong; `every` has another
claim, that all seeds hold. The second column has the share of seeds that do.

{table}
"""

CONTROLS = """\
## With a control

A claim and one control, each inside (by one standard deviation), at the rule's own bound, or
outside. Cells: reproduced / diverged / vacuous / inconclusive, mean seeds of both.

{tables}
With the control at the bound "reproduced" is wrong, for the control does not fail; with the claim
there every word but "inconclusive" is. `every` rejects a control as soon as one seed fails.
"""

EXACT = """\
## `typical`, exactly

By counting sequences, for each largest number of seeds: the error at a share of one half, on each
side, and the share that is shown in {power:.0f} % of cases.

{table}
"""


@dataclass(frozen=True)
class Results:
    """Everything that the page shows.

    Attributes:
        replications: samples a line.
        rows: verdicts without controls.
        controls: verdicts with controls.
        curves: shifts in sd, and for each rule how often it reproduces there.
    """

    replications: int
    rows: tuple[Row, ...]
    controls: tuple[Control, ...]
    curves: tuple[list[float], dict[str, list[float]]]


def measure(replications: int) -> Results:
    """Run the simulations."""
    return Results(
        replications=replications,
        rows=tuple(rows(replications)),
        controls=tuple(controls(replications)),
        curves=curves(replications),
    )


def edge(results: Sequence[Row], kind: str, rule: str) -> Row | None:
    """Return the row in which a rule stands at its own bound."""
    case = MEDIAN if rule in ABOUT_SHARE else MEAN
    return next((r for r in results if (r.kind, r.case, r.rule) == (kind, case, rule)), None)


def markdown(results: Results) -> str:
    """Return the page."""
    parts = [
        INTRODUCTION.format(
            command=COMMAND,
            replications=results.replications,
            error=200 * (ALPHA * (1 - ALPHA) / results.replications) ** 0.5,
        ),
        EDGE.format(table=_edges(results.rows), typical=100 * typical_errors()[20][0]),
        AWAY.format(word="inside", wrong="diverged", table=_away(results.rows, INSIDE)),
        AWAY.format(word="outside", wrong="reproduced", table=_away(results.rows, OUTSIDE)),
        CONTROLS.format(tables=_with_controls(results.controls)),
        EXACT.format(power=100 * POWER, table=_exactly()),
    ]
    return "\n".join(parts)


def _edges(results: Sequence[Row]) -> str:
    body = []
    for kind in KINDS:
        cells = [kind.name]
        for rule in COLUMNS:
            row = edge(results, kind.name, rule)
            cells.append(_cell(row))
        body.append(cells)
    return _table(["metric", *COLUMNS], body)


def _away(results: Iterable[Row], case: str) -> str:
    by_place = {(row.kind, row.rule): row for row in results if row.case == case}
    names = ["every", *COLUMNS, "one seed"]
    body = []
    for kind in KINDS:
        cells = [kind.name, f"{100 * by_place[kind.name, 'typical'].share:.0f}"]
        for rule in names:
            cells.append(_cell(by_place.get((kind.name, rule))))
        body.append(cells)
    return _table(["metric", "hold", *names], body)


def _with_controls(results: Iterable[Control]) -> str:
    found = {(c.kind, c.rule, c.claim, c.control): c for c in results}
    text = ""
    for rule in ("every", "typical"):
        body = []
        for kind in KINDS:
            cells = [kind.name]
            for places in PLACES:
                one = found[(kind.name, rule, *places)]
                shares = " / ".join(_percent(one.shares[word]) for word in WORDS)
                cells.append(f"{shares}, {one.seeds:.1f}")
            body.append(cells)
        titles = [f"claim {claim}, control {control}" for claim, control in PLACES]
        text += f"{_table([f'`{rule}`', *titles], body)}\n\n"
    return text


def _exactly() -> str:
    errors = typical_errors()
    titles = ["seeds", *map(str, errors)]
    error = ["error", *(f"{100 * error:.2f}" for error, _ in errors.values())]
    share = ["share", *(f"{100 * share:.1f}" for _, share in errors.values())]
    return _table(titles, [error, share])


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{_percent(row.reproduced)} / {_percent(row.diverged)}, {row.seeds:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _table(titles: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    return table(titles, body, numbers=titles[1:])


def plot(results: Results, path: Path) -> None:
    """Draw wrong verdicts at the bound, and how often a normal claim is reproduced."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "claimbench", "font.size": 9}):
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        FigureCanvasSVG(figure)
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
        _plot_edges(left, results.rows)
        shifts, shown = results.curves
        for rule, shares in shown.items():
            color = f"C{DRAWN.index(rule)}"
            right.plot(shifts, [100 * share for share in shares], color=color, label=rule)
        right.set(
            xlabel="distance of a normal mean from the bound, in sd",
            ylabel="reproduced, %",
            title="How often a claim is reproduced",
        )
        right.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _plot_edges(axes: Axes, results: Sequence[Row]) -> None:
    kinds: Mapping[str, int] = {
        kind.name: i for i, kind in enumerate(KINDS) if kind.name != "constant"
    }
    for j, rule in enumerate(AT_BOUND):
        for name, sign, marker in (("reproduced", 1, "^"), ("diverged", -1, "v")):
            places, heights = [], []
            for kind, i in kinds.items():
                row = edge(results, kind, rule)
                if row is not None and (sign < 0 or row.wrong_reproduced):
                    places.append(i + (j - 1.5) * 0.15)
                    heights.append(100 * (row.reproduced if sign > 0 else row.diverged))
            label = rule if name == "diverged" else None
            axes.plot(places, heights, marker, color=f"C{j}", label=label)
    axes.axhline(100 * ALPHA, color="0.6", linewidth=1)
    axes.set_xticks(list(kinds.values()), list(kinds))
    axes.set(
        ylabel="wrong verdicts, %",
        title="Exactly at the bound: wrong “reproduced” (▲) and “diverged” (▼)",
    )
    axes.legend(frameon=False)
