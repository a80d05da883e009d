"""`claimbench list`: the papers that are there."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, USAGE, add_examples, add_papers
from claimbench.home import home
from claimbench.showing.output import error, line
from claimbench.spec.discovery import find_papers
from claimbench.spec.load import Outline, load_spec, outline
from claimbench.spec.problems import SpecError

if TYPE_CHECKING:
    from claimbench.spec.models import Spec


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
            found.append((folder, outline(folder, cache)))
        except SpecError as problems:
            error(str(problems))
            code = USAGE
    if options.json:
        records = [_record(load_spec(folder, cache)) for folder, _ in found]
        line(json.dumps(records, indent=2, default=str))
    else:
        _table([paper for _, paper in found])
    cache.close()
    return code


def _table(papers: Sequence[Outline]) -> None:
    width = max((len(paper.slug) for paper in papers), default=0)
    theme_width = max((len(paper.theme) for paper in papers), default=0)
    for paper in papers:
        claims = f"{paper.claims} claims"
        line(f"{paper.slug:{width}}  {paper.theme:{theme_width}}  {claims:>9}  {paper.title}")


def _record(spec: Spec) -> dict[str, Any]:
    return {
        "paper": spec.slug,
        "folder": str(spec.folder),
        **spec.paper.model_dump(),
        "claims": [
            {
                "id": claim.id,
                "statement": claim.statement,
                "source": claim.source,
                "kind": claim.kind,
                "fidelity": claim.fidelity,
                "from": claim.from_,
                "experiment": claim.experiment,
            }
            for claim in spec.claims
        ],
    }
