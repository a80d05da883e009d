"""Plots as SVG: a forest plot for each expected metric, and the curves that a run logged."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimbench.cache import digest
from claimbench.judging.record import Record
from claimbench.judging.words import counted, interval_text, number
from claimbench.leaderboard.files import write_if_changed
from claimbench.spec.region import Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORMAT = "plots 2"
_DARK = (
    "<style>@media (prefers-color-scheme: dark){svg{filter:invert(1) hue-rotate(180deg)}}</style>"
)
"""Plots are drawn for a light page; on a dark one lightness is turned round and hues stay."""

_METHOD, _CONTROL, _PAPER = "#2166ac", "#808080", "#b2182b"
_MOST_CURVES = 8
_LETTER = 0.0105
"""Room for a letter of a label, as a share of the width, in whatever font a browser takes."""


@dataclass(frozen=True)
class Plot:
    """A plot to be drawn.

    Attributes:
        kind: forest or curves.
        data: what it shows, as JSON data.
        alternative: the same in words.
    """

    kind: str
    data: Mapping[str, Any]
    alternative: str

    @property
    def name(self) -> str:
        """The file's name, which changes with what it shows."""
        return f"{digest(_FORMAT, self.kind, repr(sorted(self.data.items())))[:20]}.svg"


def forest(record: Record, metric: str) -> Plot | None:
    """Return the plot of a metric's seeds against its region; None where nothing finite is there.

    The control's seeds are grey, the paper's own number is a vertical line.
    """
    measured = record.metrics.get(metric)
    if measured is None:
        return None
    region = Region.model_validate(record.expect[metric])
    rows = [("claim", measured)]
    for control in record.controls:
        if metric in control.metrics:
            rows.append((f"control {control.name}", control.metrics[metric]))
    reported = record.reported.get(metric)
    data = {
        "metric": metric,
        "rows": [(label, list(row.values)) for label, row in rows],
        "medians": [(row.median, row.low, row.high) for _, row in rows],
        "lower": region.lower,
        "upper": region.upper,
        "reported": reported,
    }
    if not any(math.isfinite(value) for _, row in rows for value in row.values):
        return None
    words = [f"{metric}, expected {record.expect_text[metric]}."]
    words += [
        f"{label.capitalize()}: {counted(len(row.values), 'seed')}, median {interval_text(row)}."
        for label, row in rows
    ]
    if reported is not None:
        words.append(f"The paper's: {number(reported)}.")
    return Plot("forest", data, " ".join(words))


def curves(logged: Mapping[str, Sequence[Sequence[Any]]]) -> Plot | None:
    """Return the plot of the curves of the first seed; None where there are none."""
    shown = {
        name: ([float(x) for x in xs], [float(y) for y in ys])
        for name, (xs, ys) in list(logged.items())[:_MOST_CURVES]
        if len(xs) > 1
    }
    if not shown:
        return None
    words = [f"{name} from {number(ys[0])} to {number(ys[-1])}" for name, (_, ys) in shown.items()]
    more = len(logged) - len(shown)
    ending = f"; {more} more not shown." if more > 0 else "."
    return Plot(
        "curves", {"curves": shown}, f"Curves of the first seed: {'; '.join(words)}{ending}"
    )


def draw(plots: Iterable[Plot], folder: Path, kept: Path, *, workers: int = 1) -> int:
    """Write the plots into a folder, taking what was drawn before from another; return the new.

    Args:
        plots: what to draw.
        folder: where they are to be.
        kept: where they are kept from one time to the next.
        workers: processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {plot.name: plot for plot in plots}
    missing = [plot for name, plot in sorted(wanted.items()) if not (kept / name).is_file()]
    for name, text in _draw_all(missing, workers):
        write_if_changed(kept / name, text)
    for name in wanted:
        target = folder / name
        if not target.is_file():
            target.write_bytes((kept / name).read_bytes())
    return len(missing)


def _draw_all(missing: Sequence[Plot], workers: int) -> Iterator[tuple[str, str]]:
    if len(missing) > 1 and workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield from pool.map(_drawn, missing, chunksize=8)
    else:
        yield from map(_drawn, missing)


def _drawn(plot: Plot) -> tuple[str, str]:
    return plot.name, svg(plot)


def svg(plot: Plot) -> str:
    """Return the plot as SVG, without a date or anything else that changes from time to time."""
    labels = [label for label, _ in plot.data["rows"]] if plot.kind == "forest" else []
    height = 0.8 + 0.24 * len(labels) if labels else 2.4
    left = max(0.12, 0.02 + _LETTER * max(map(len, labels), default=0))
    figure, axes = _canvas(round(height, 2), round(min(left, 0.5), 2))
    axes.clear()
    if plot.kind == "forest":
        _draw_forest(axes, plot.data)
    else:
        _draw_curves(axes, plot.data)
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    start = text.index("<svg")
    end = text.index(">", start) + 1
    return text[start:end] + _DARK + text[end:]


@cache
def _canvas(height: float, left: float) -> tuple[Figure, Axes]:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    mpl.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "claimbench",
            "font.family": "sans-serif",
            "font.size": 8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.parse_math": False,
            "axes.formatter.useoffset": False,
            "axes.formatter.limits": (-4, 6),
        }
    )
    figure = Figure(figsize=(6.4, height))
    FigureCanvasSVG(figure)
    bottom = 0.34 / height
    return figure, figure.add_axes((left, bottom, 0.97 - left, 1 - bottom - 0.22 / height))


def _draw_forest(axes: Axes, data: Mapping[str, Any]) -> None:
    low, high = _limits(data)
    axes.set_xlim(low, high)
    axes.set_ylim(len(data["rows"]) - 0.4, -0.6)
    axes.axvspan(max(data["lower"], low), min(data["upper"], high), color="#d9ead3", zorder=0)
    for place, ((label, values), (median, start, end)) in enumerate(
        zip(data["rows"], data["medians"], strict=True)
    ):
        color = _METHOD if label == "claim" else _CONTROL
        finite = [min(max(value, low), high) for value in values]
        axes.plot(finite, [place] * len(finite), "|", color=color, markersize=9, alpha=0.6)
        ends = [min(max(value, low), high) for value in (start, end)]
        axes.plot(ends, [place, place], "-", color=color, linewidth=1.5)
        axes.plot([min(max(median, low), high)], [place], "o", color=color, markersize=4)
    if data["reported"] is not None:
        axes.axvline(data["reported"], color=_PAPER, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(data["rows"])), [label for label, _ in data["rows"]])
    axes.set_title(data["metric"], loc="left", fontsize=8, pad=3)
    axes.tick_params(length=2)
    axes.spines["left"].set_visible(False)


def _limits(data: Mapping[str, Any]) -> tuple[float, float]:
    points = [value for _, values in data["rows"] for value in values if math.isfinite(value)]
    points += [end for end in (data["lower"], data["upper"]) if math.isfinite(end)]
    points += [data["reported"]] if data["reported"] is not None else []
    low, high = min(points), max(points)
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _draw_curves(axes: Axes, data: Mapping[str, Any]) -> None:
    lowest, highest = math.inf, -math.inf
    for name, (xs, ys) in data["curves"].items():
        axes.plot(xs, ys, linewidth=1.2, label=name)
        finite = [y for y in ys if math.isfinite(y)]
        lowest, highest = min([lowest, *finite]), max([highest, *finite])
    if 0 < lowest < highest / 100:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    elif axes.get_yscale() != "linear":
        axes.set_yscale("linear")
    axes.legend(frameon=False, fontsize=7)
    axes.tick_params(length=2)
