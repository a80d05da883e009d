"""What is said of a claim: the verdict, why, and the numbers behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claimbench.judging.rules import median_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from claimbench.running.store import StoredRun
    from claimbench.running.workers.jobs import Failure

VERDICTS = ("reproduced", "diverged", "inconclusive", "vacuous", "skipped", "error")


@dataclass(frozen=True)
class Result:
    """A verdict on one claim at one tier and profile.

    Attributes:
        record: everything that is published, as JSON data.
        known: the finding, where the spec says that the claim diverges.
        repeat: the command that runs this claim again.
        failure: what a failed run left behind, where the verdict is `error`.
    """

    record: dict[str, Any]
    known: str | None
    repeat: str
    failure: Failure | None = field(default=None, compare=False)

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`."""
        return str(self.record["verdict"])

    @property
    def claim(self) -> str:
        """The claim's id."""
        return str(self.record["claim"])

    @property
    def reason(self) -> str:
        """One line: what the verdict rests on."""
        return str(self.record["reason"])

    @property
    def as_expected(self) -> bool:
        """Reproduced or skipped, or diverged as the spec says; a known divergence must diverge."""
        return is_expected(self.verdict, self.known)

    @property
    def measured(self) -> bool:
        """Say whether any run stands behind the verdict."""
        return bool(self.record["metrics"])

    @property
    def headline(self) -> str:
        """The failure or success in one line: paper, claim, verdict, reason."""
        word = self.verdict
        if self.verdict == "reproduced" and self.known is not None:
            word = "reproduced, though the spec knows it as diverging"
        return f"{self.record['paper']}::{self.claim} {word}: {self.reason}"


def is_expected(verdict: str, known: str | None) -> bool:
    """Say whether a verdict is reproduced or skipped, or diverged where that is known."""
    return verdict in ("skipped", "reproduced" if known is None else "diverged")


def cpu_seconds(records: Iterable[Mapping[str, Any]]) -> float:
    """Return the CPU-seconds of all runs behind verdicts.

    Claims that share an experiment share its runs, of which one may have needed more than another;
    they count once.
    """
    runs: dict[str, float] = {}
    for record in records:
        key = record["run_key"] or record["claim"]
        runs[key] = max(runs.get(key, 0.0), record["cpu_seconds"] or 0.0)
    return sum(runs.values())


def summarise(runs: Sequence[StoredRun]) -> dict[str, dict[str, Any]]:
    """Return median, interval and values of each metric that all runs have."""
    if not runs:
        return {}
    names = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    summary = {}
    for name in names:
        values = [run.metrics[name] for run in runs]
        median, low, high = median_interval(values)
        summary[name] = {"median": median, "low": low, "high": high, "values": values}
    return summary


def jsonable(value: Any) -> Any:
    """Return data with ±inf and NaN as text, since JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def number(value: float) -> str:
    """Return a number for a reader: whole where it is, else with five significant digits."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.5g}"


def counted(count: int, word: str) -> str:
    """Return `1 seed`, `2 seeds`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def interval_text(summary: Mapping[str, Any]) -> str:
    """Return `median [low, high]`, or the one value there is; ±inf may be text, as in JSON."""
    median, low, high = (number(float(summary[key])) for key in ("median", "low", "high"))
    return median if low == high else f"{median} [{low}, {high}]"
