"""Showing what is under way: one view, whose text its caller chooses, and pytest's own line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from claimbench.showing.output import error

if TYPE_CHECKING:
    import pytest

    from claimbench.running.scheduler import Status
    from claimbench.running.workers.jobs import Progress

PLAIN_SECONDS = 30.0
"""Time between two lines of progress where the output is no terminal."""

_TERMINAL_SECONDS = 0.2
_FRAME = 4  # lines of the terminal that a view leaves free


def progress_text(progress: Progress) -> str:
    """Return `tiny measure (seed 3) 40 %`."""
    return f"{progress.job.folder.name} {progress.job.experiment} {seed_text(progress)}"


def seed_text(progress: Progress) -> str:
    """Return `(seed 3) 40 %`, or what the run is building in the place of the share."""
    again = ", again" if progress.job.repeat else ""
    done = progress.doing or f"{100 * progress.done // max(progress.total, 1)} %"
    return f"(seed {progress.job.index}{again}) {done}"


def running_text(status: Status) -> str:
    """Return all that is under way, in one line."""
    return ", ".join(map(progress_text, status.running))


def status_text(status: Status) -> str:
    """Return how far the runs are, in one line."""
    return f"{status.finished} runs done; {running_text(status)}"


class View:
    """What is under way, on standard error: kept below the text on a terminal, else a line now and
    then.

    Args:
        line: returns it in one line.
        body: returns it for a terminal as what rich renders, in so many lines at most; the
            default is the line beside a spinner.
    """

    def __init__(
        self,
        line: Callable[[Status], str] = status_text,
        body: Callable[[Status, int], Any] | None = None,
    ) -> None:
        self._line = line
        self._body = body
        self.on_terminal = sys.stderr.isatty()
        self._last = 0.0 if self.on_terminal else time.monotonic()

    def __enter__(self) -> View:
        if self.on_terminal:
            from rich.console import Console
            from rich.live import Live
            from rich.spinner import Spinner

            self._console = Console(stderr=True)
            self._spinner = Spinner("dots", "starting")
            self._live = Live(
                self._spinner, console=self._console, refresh_per_second=12.5, transient=True
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.on_terminal:
            self._live.stop()

    def status(self, status: Status) -> None:
        """Show how far the runs are, at most five times a second."""
        now = time.monotonic()
        seconds = _TERMINAL_SECONDS if self.on_terminal else PLAIN_SECONDS
        if not status.running or now - self._last < seconds:
            return
        self._last = now
        if not self.on_terminal:
            error(self._line(status))
        elif self._body is None:
            self._spinner.update(text=self._line(status))
        else:
            self._live.update(self._body(status, max(self._console.height - _FRAME, 1)))

    def say(self, text: str) -> None:
        """Write a line that stays."""
        if self.on_terminal:
            self._console.print(text, highlight=False, markup=False)
        else:
            error(text)


class ProgressLine:
    """What is under way: behind pytest's own line on a terminal, else a line now and then."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._last = time.monotonic()
        self._shown = False

    def show(self, status: Status) -> None:
        """Show how far the runs are, at most five times a second."""
        now = time.monotonic()
        writer = self._config.get_terminal_writer()
        seconds = _TERMINAL_SECONDS if writer.hasmarkup else PLAIN_SECONDS
        if not status.running or now - self._last < seconds:
            return
        self._last = now
        text = status_text(status)
        if writer.hasmarkup:
            room = writer.fullwidth - writer.width_of_current_line - 3
            self._draw(f"  {text[: max(room, 0)]}")
            return
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"claimbench: {text}")

    def clear(self) -> None:
        """Remove what `show` drew."""
        if self._shown:
            self._draw("")
            self._shown = False

    def _draw(self, text: str) -> None:
        """Write behind the cursor and leave it where it is; pytest holds standard output."""
        try:
            encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
            with open("/dev/tty", "w", encoding=encoding, errors="backslashreplace") as terminal:
                terminal.write(f"\x1b7\x1b[2m{text}\x1b[0m\x1b[K\x1b8")
            self._shown = True
        except OSError:
            self._shown = False
