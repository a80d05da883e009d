"""Weights & Biases: one of its runs for each claim, and one for the table of verdicts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from claimbench.judging.record import Record
from claimbench.judging.words import interval_text
from claimbench.leaderboard.site import plots
from claimbench.running.store import Store
from claimbench.showing.output import error
from claimbench.spec.models import Spec

if TYPE_CHECKING:
    import wandb

    from claimbench.judging.result import Result

Mode = Literal["online", "offline", "disabled", "shared"]

_COLUMNS = ("paper", "claim", "verdict", "reason", "held", "seeds", "metric", "value", "expected")


class WandbTracker:
    """Logs each claim's configuration, metrics a seed, curves and plots.

    A W&B run is grouped by paper and tagged with theme, tier and profile.

    Args:
        project: W&B's project.
        entity: user or team; None for the default one.
        mode: online, offline or disabled; None for what `WANDB_MODE` says, or else for offline
            where no key is there.

    Raises:
        ModuleNotFoundError: wandb is not installed.
    """

    def __init__(
        self, project: str = "claimbench", entity: str | None = None, mode: Mode | None = None
    ) -> None:
        import wandb

        self._project = project
        self._entity = entity
        if mode is None and "WANDB_MODE" not in os.environ:
            mode = "online" if wandb.api.api_key else "offline"
        self._mode = mode
        self._folder = Path()
        self._config: dict[str, Any] = {}

    def start(self, config: dict[str, Any], home: Path) -> None:
        """Remember the configuration and where files go."""
        self._config = config
        self._folder = home
        self._folder.mkdir(parents=True, exist_ok=True)

    def verdict(self, spec: Spec, result: Result, store: Store) -> None:
        """Log a claim."""
        import wandb

        record = result.record
        data = record.as_json()
        claim = {
            key: data[key]
            for key in ("paper", "claim", "kind", "fidelity", "rule", "expect_text", "reported")
        }
        about = {"run": self._config, "claim": claim, "arguments": _arguments(spec, record)}
        tags = [spec.paper.theme, record.tier, record.profile]
        with self._open(record.name, record.paper, tags, about) as run:
            for index in range(record.seeds):
                values = {name: one.values[index] for name, one in record.metrics.items()}
                run.log({"seed": index, **values})
            points = list(_points(store, record))
            if points:
                table = wandb.Table(columns=["curve", "x", "y"], data=points)
                run.log({"curves": wandb.plot.line(table, "x", "y", stroke="curve")})
            for metric in record.expect:
                plot = plots.forest(record, metric)
                if plot is not None:
                    run.log({f"plots/{metric}": wandb.Html(plots.svg(plot))})
            keys = ("verdict", "reason", "held", "seeds", "cpu_seconds", "run_key")
            run.summary.update({key: data[key] for key in keys})

    def finish(self, results: Sequence[Result]) -> None:
        """Log the table of verdicts, and say where offline runs lie and how they are sent."""
        import wandb

        tier, profile = self._config["tier"]["name"], self._config["profile"]["name"]
        rows = [row for result in results for row in _rows(result.record)]
        with self._open("verdicts", "verdicts", [tier, profile], {"run": self._config}) as run:
            run.log({"verdicts": wandb.Table(columns=list(_COLUMNS), data=rows)})
            offline = run.offline
        if offline:
            folder = self._folder / "wandb"
            error(
                f"W&B is offline: its runs lie in {folder}; send them: wandb sync {folder}/*-run-*"
            )

    def _open(self, name: str, group: str, tags: list[str], config: dict[str, Any]) -> wandb.Run:
        import wandb

        return wandb.init(
            project=self._project,
            entity=self._entity,
            mode=self._mode,
            dir=self._folder,
            name=name,
            group=group,
            tags=tags,
            config=config,
            settings=wandb.Settings(silent=True, console="off"),
        )


def _arguments(spec: Spec, record: Record) -> dict[str, Any]:
    experiment = spec.experiments[spec.claim(record.claim).experiment]
    return dict(experiment.arguments(record.tier))


def _points(store: Store, record: Record) -> Iterator[list[Any]]:
    """Yield name, abscissa and ordinate of every point of the curves that the seeds logged."""
    key = record.run_key
    for index in range(record.seeds):
        for name, (xs, ys) in store.curves(key, index).items() if key else ():
            yield from ([f"{name}, seed {index}", x, y] for x, y in zip(xs, ys, strict=True))


def _rows(record: Record) -> Iterator[list[Any]]:
    data = record.as_json()
    for metric, expected in record.expect_text.items():
        measured = record.metrics.get(metric)
        value = interval_text(measured) if measured else ""
        yield [*(data[key] for key in _COLUMNS[:6]), metric, value, expected]
