"""`claimbench list`: the papers that are there."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, USAGE, add_examples, add_papers
from claimbench.home import home
from claimbench.showing.output import error, line
from claimbench.spec.discovery import find_papers
from claimbench.spec.outline import Outline, outline
from claimbench.spec.problems import SpecError

PAPER = ("title", "arxiv", "url", "year", "authors", "code", "theme")
"""What claims.yaml may say of a paper."""


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_papers(parser)
    parser.add_argument("--json", action="store_true", help="everything, claims included")
    add_examples(parser, "  claimbench list\n  claimbench list --json")


def run(options: Namespace) -> int:
    """Print one line a paper, or a JSON list with every claim; problems go to standard error."""
    cache = Cache(home())
    found, code = [], AS_EXPECTED
    for folder in find_papers(options.papers):
        try:
            found.append(outline(folder, cache))
        except SpecError as problems:
            error(str(problems))
            code = USAGE
    if options.json:
        line(json.dumps([_record(paper) for paper in found], indent=2))
    else:
        _table(found)
    cache.close()
    return code


def _table(papers: Sequence[Outline]) -> None:
    width = max((len(paper.slug) for paper in papers), default=0)
    theme_width = max((len(paper.theme) for paper in papers), default=0)
    for paper in papers:
        claims = f"{len(paper.claims)} claims"
        line(f"{paper.slug:{width}}  {paper.theme:{theme_width}}  {claims:>9}  {paper.title}")


def _record(paper: Outline) -> dict[str, Any]:
    spec = json.loads(paper.text)
    return {
        "paper": paper.slug,
        "folder": str(paper.folder),
        **{key: spec["paper"].get(key) for key in PAPER},
        "claims": [
            {
                "id": claim["id"],
                "statement": claim["statement"],
                "source": claim["source"],
                "kind": claim["kind"],
                "fidelity": claim["fidelity"],
                "from": short.from_,
                "experiment": claim["experiment"],
            }
            for claim, short in zip(spec["claims"], paper.claims, strict=True)
        ],
    }
