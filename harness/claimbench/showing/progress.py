"""Showing what is under way, on a terminal and elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from claimbench.showing.output import error

if TYPE_CHECKING:
    import pytest

    from claimbench.judging.result import Result
    from claimbench.running.scheduler import Status

PLAIN_SECONDS = 30.0
"""Time between two lines of progress where the output is no terminal."""


class Display:
    """A rich display on a terminal; elsewhere a line a verdict, and one now and then."""

    def __init__(self) -> None:
        self._display = None
        self._last = time.monotonic()
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.status import Status as Spinner

            self._display = Spinner("starting", console=Console(stderr=True))

    def __enter__(self) -> Display:
        if self._display is not None:
            self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._display is not None:
            self._display.stop()

    def status(self, status: Status) -> None:
        """Show what is under way."""
        text = f"{status.finished} runs done; {', '.join(status.running)}"
        if self._display is not None:
            self._display.update(text)
        elif status.running and time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            error(text)

    def verdict(self, result: Result) -> None:
        """Show a verdict that has just been reached."""
        if self._display is not None:
            self._display.console.print(result.headline, highlight=False, markup=False)
        else:
            error(result.headline)


class ProgressLine:
    """What is under way: behind pytest's own line on a terminal, else a line now and then."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began = self._last = time.monotonic()
        self._shown = False

    def show(self, status: Status) -> None:
        """Show how far the runs are, at most five times a second."""
        now = time.monotonic()
        writer = self._config.get_terminal_writer()
        on_terminal = writer.hasmarkup
        if not status.running or now - self._last < (0.2 if on_terminal else PLAIN_SECONDS):
            return
        self._last = now
        text = f"{status.finished} runs done; {', '.join(status.running)}"
        if on_terminal:
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
            with open("/dev/tty", "w", encoding="utf-8") as terminal:
                terminal.write(f"\x1b7\x1b[2m{text}\x1b[0m\x1b[K\x1b8")
            self._shown = True
        except OSError:
            self._shown = False
