"""`claimbench check`: every problem of a spec that can be found without running anything."""

from collections.abc import Sequence

from claimbench.commands import AS_EXPECTED, USAGE
from claimbench.showing.output import error, line
from claimbench.spec import SpecError, load_spec
from claimbench.spec.amendments import papers_at, spec_at, unamended
from claimbench.spec.discovery import find_papers, paper_folders, papers_root


def run(papers: Sequence[str], *, against: str | None) -> int:
    """Check the papers and print all problems of each.

    With a revision `against`, what was loosened since without an amendment is a problem too.
    """
    code = AS_EXPECTED
    if against is not None and not papers:
        root = papers_root()
        gone = papers_at(against, root) - {folder.name for folder in paper_folders(root)}
        for slug in sorted(gone):
            error(f"paper `{slug}` is gone since {against}; its claims can't be dropped silently")
            code = USAGE
    for folder in find_papers(papers):
        try:
            spec = load_spec(folder)
        except SpecError as problems:
            error(str(problems))
            code = USAGE
            continue
        old = None if against is None else spec_at(against, folder)
        changes = [] if old is None else unamended(old, spec)
        for change in changes:
            error(change)
            code = USAGE
        if not changes:
            line(f"{spec.slug}: {len(spec.claims)} claims, no problem")
    return code
