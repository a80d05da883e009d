"""Telling a tracking service what a run of the suite measured.

A tracker is any class with the three methods of `Tracker`. A file `tracker/mine.yaml` among the
user's own options makes it known to `claimbench run`, with what its constructor takes:

    _target_: my_package.MyTracker
    project: claims
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from claimbench.showing.output import error

if TYPE_CHECKING:
    from claimbench.judging.result import Result
    from claimbench.running.store import Store
    from claimbench.spec.models import Spec


class Tracker(Protocol):
    """What `claimbench run` tells of. Runs are over, and verdicts fixed, before it is called."""

    def start(self, config: dict[str, Any], home: Path) -> None:
        """The run begins.

        Args:
            config: its configuration, as plain data.
            home: folder for files.
        """

    def verdict(self, spec: Spec, result: Result, store: Store) -> None:
        """A claim has its verdict; the store has the curves of its runs."""

    def finish(self, results: Sequence[Result]) -> None:
        """All claims have their verdicts."""


class NoTracker:
    """Tells nobody."""

    def start(self, config: dict[str, Any], home: Path) -> None:
        """Do nothing."""

    def verdict(self, spec: Spec, result: Result, store: Store) -> None:
        """Do nothing."""

    def finish(self, results: Sequence[Result]) -> None:
        """Do nothing."""


class Shielded:
    """A tracker whose failures are shown once and change nothing; it is then left alone."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker: Tracker = tracker
        self._name = type(tracker).__name__

    def start(self, config: dict[str, Any], home: Path) -> None:
        """Pass it on."""
        with self._shield():
            self._tracker.start(config, home)

    def verdict(self, spec: Spec, result: Result, store: Store) -> None:
        """Pass it on."""
        with self._shield():
            self._tracker.verdict(spec, result, store)

    def finish(self, results: Sequence[Result]) -> None:
        """Pass it on."""
        with self._shield():
            self._tracker.finish(results)

    @contextlib.contextmanager
    def _shield(self) -> Iterator[None]:
        try:
            yield
        except Exception as trouble:  # noqa: BLE001  others' code, and no verdict depends on it
            self._tracker = NoTracker()
            error(
                f"claimbench: the tracker {self._name} failed and is left out from here on, "
                f"verdicts are not touched: {type(trouble).__name__}: {trouble}"
            )
