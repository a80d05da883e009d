"""`claimbench check`: every problem of a spec that can be found without running anything."""

from collections.abc import Sequence

from harness.commands import AS_EXPECTED, USAGE
from harness.discovery import find_papers
from harness.output import error, line
from harness.spec import SpecError, load_spec


def run(papers: Sequence[str]) -> int:
    """Check the papers and print all problems of each."""
    code = AS_EXPECTED
    for folder in find_papers(papers):
        try:
            spec = load_spec(folder)
        except SpecError as problems:
            error(str(problems))
            code = USAGE
        else:
            line(f"{spec.slug}: {len(spec.claims)} claims, no problem")
    return code
