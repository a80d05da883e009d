"""The table of results in each paper's README, between two marks, as `publish` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from claimbench.cache import Cache
from claimbench.leaderboard.board import ClaimRow, make_board
from claimbench.leaderboard.files import write_if_changed
from claimbench.leaderboard.published import Published
from claimbench.leaderboard.tables import figure_cells
from claimbench.showing.markdown import table
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec

README = "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
NOTHING = "Nothing is published yet."
_NOTE = (
    "Written by `claimbench leaderboard publish`; ★ marks headlines. Each verdict is that of the "
    "highest tier that judged the claim."
)
_BLOCK = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)


def problem(text: str) -> str | None:
    """Return what keeps results from being written into a README, with the remedy."""
    if text.count(BEGIN) == text.count(END) == 1 and _BLOCK.search(text):
        return None
    return (
        f"the results have no place; write the lines `{BEGIN}` and `{END}` once, one below the "
        "other, under the heading where results stand"
    )


def block(text: str) -> str | None:
    """Return what stands between the marks of a README; None where there are none."""
    found = _BLOCK.search(text)
    return found[0] if found else None


def without_block(text: str) -> str:
    """Return a README without marks and results, for who shows the results himself."""
    return _BLOCK.sub("", text).replace(f"{BEGIN}\n{END}", "")


def results(files: Iterable[Published], spec: Spec) -> str:
    """Return what stands between the marks of a paper's README.

    Args:
        files: published results; of several profiles, those of `cpu` count, or of the first.
        spec: of the paper.
    """
    own = [file for file in files if file.paper == spec.slug]
    profiles = sorted({file.profile for file in own}, key=lambda name: (name != "cpu", name))
    if not profiles:
        return f"{NOTHING}\n"
    (paper,) = make_board(own, {spec.slug: spec}, profiles[0]).papers
    head = ("verdict", "claim", "held", "measured", "expected", "the paper's", "controls")
    return f"{_NOTE}\n\n{table(head, _rows(paper.claims))}\n"


def _rows(claims: Sequence[ClaimRow]) -> Iterator[tuple[str, ...]]:
    for claim in claims:
        verdict = claim.verdict.marked + (" (known)" if claim.known else "")
        controls = "; ".join(f"{name} {outcome}" for name, outcome in claim.controls.items())
        cells = (
            f"{verdict}, {claim.tier}",
            f"{'★ ' if claim.headline else ''}`{claim.claim}`",
            f"{claim.held}/{claim.seeds}" if claim.verdict.judged else "",
        )
        shown = claim.figures if claim.verdict.judged else [None]
        for number, figure in enumerate(shown):
            first = number == 0
            yield (
                *(cells if first else ("", "", "")),
                *figure_cells(figure),
                controls if first else "",
            )


def write(
    files: Iterable[Published], papers: Path, cache: Cache, slugs: Iterable[str]
) -> list[Path]:
    """Write the results of some papers into their READMEs; return those that changed.

    A README without marks is left as it is.

    Args:
        files: all published results of these papers.
        papers: folder of the papers.
        cache: of parsed specs.
        slugs: of the papers.
    """
    known = list(files)
    changed = []
    for slug in sorted(set(slugs)):
        path = papers / slug / README
        if not path.is_file() or not (papers / slug / SPEC_FILE).is_file():
            continue
        text = path.read_text(encoding="utf-8")
        if problem(text) is None:
            before, after = _BLOCK.split(text)
            said = results(known, load_spec(papers / slug, cache))
            if write_if_changed(path, f"{before}{said}{after}"):
                changed.append(path)
    return changed
