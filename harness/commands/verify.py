"""`claimbench verify`: run claims and show their verdicts."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness.commands import AS_EXPECTED, NOT_AS_EXPECTED
from harness.engine import verify_papers
from harness.output import color, error, line
from harness.report import failure_text, render
from harness.result import Result, jsonable
from harness.scheduler import Status
from harness.settings import Settings

_PLAIN_SECONDS = 10.0


def run(
    papers: Sequence[str],
    settings: Settings,
    *,
    claims: Sequence[str] | None,
    json_file: Path | None,
) -> int:
    """Run the claims, with progress on standard error and the table on standard output."""
    with _Progress() as progress:
        results = verify_papers(
            papers, claims, settings, watch=progress.status, report=progress.verdict
        )
    records = [result.record for result in results]
    line(render(records, color=color()))
    for result in results:
        if not result.as_expected:
            error(f"\n{failure_text(result)}")
    if json_file is not None:
        json_file.write_text(json.dumps(jsonable(records), indent=2) + "\n", encoding="utf-8")
    if not any(result.measured for result in results):
        error("no claim was measured, so this run shows nothing")
        return NOT_AS_EXPECTED
    return AS_EXPECTED if all(r.as_expected for r in results) else NOT_AS_EXPECTED


class _Progress:
    """A rich display on a terminal; elsewhere a line a verdict, and one now and then."""

    def __init__(self) -> None:
        self._display = None
        self._last = time.monotonic()
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.status import Status as Spinner

            self._display = Spinner("starting", console=Console(stderr=True))

    def __enter__(self) -> "_Progress":
        if self._display is not None:
            self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._display is not None:
            self._display.stop()

    def status(self, status: Status) -> None:
        text = f"{status.finished} runs done; {', '.join(status.running)}"
        if self._display is not None:
            self._display.update(text)
        elif status.running and time.monotonic() - self._last >= _PLAIN_SECONDS:
            self._last = time.monotonic()
            error(text)

    def verdict(self, result: Result) -> None:
        if self._display is not None:
            self._display.console.print(result.headline, highlight=False, markup=False)
        else:
            error(result.headline)
