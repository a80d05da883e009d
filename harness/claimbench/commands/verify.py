"""`claimbench verify`: run claims and show their verdicts."""

import json
from collections.abc import Sequence
from pathlib import Path

from claimbench.commands import AS_EXPECTED, NOT_AS_EXPECTED
from claimbench.errors import UsageError
from claimbench.judging.result import Result
from claimbench.running.engine import verify_papers
from claimbench.settings import Settings
from claimbench.showing.output import color, error, line
from claimbench.showing.progress import Display
from claimbench.showing.report import failure_text, render


def run(
    papers: Sequence[str],
    settings: Settings,
    *,
    claims: Sequence[str] | None,
    json_file: Path | None,
) -> int:
    """Run the claims, with progress on standard error and the table on standard output."""
    if json_file is not None and not json_file.parent.is_dir():
        raise UsageError(f"--json {json_file}: there is no folder {json_file.parent}")
    with Display() as progress:
        results = verify_papers(
            papers, claims, settings, watch=progress.status, report=progress.verdict
        )
    if json_file is not None:
        records = [result.record.as_json() for result in results]
        json_file.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return conclude(results)


def conclude(results: Sequence[Result]) -> int:
    """Show the table, and what there is to say of claims that are not as expected; return the code.

    A run that measured nothing shows nothing, and is not as expected.
    """
    line(render([result.record for result in results], color=color()))
    for result in results:
        if not result.as_expected:
            error(f"\n{failure_text(result)}")
    if not any(result.measured for result in results):
        error("no claim was measured, so this run shows nothing")
        return NOT_AS_EXPECTED
    return AS_EXPECTED if all(r.as_expected for r in results) else NOT_AS_EXPECTED
