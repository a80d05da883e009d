"""`claimbench list`: the papers that are there."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, USAGE, add_examples, add_papers
from claimbench.home import home
from claimbench.showing.output import error, line
from claimbench.spec import Spec, SpecError, load_spec
from claimbench.spec.discovery import find_papers


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_papers(parser)
    parser.add_argument("--json", action="store_true", help="everything, claims included")
    add_examples(parser, "  claimbench list\n  claimbench list --json")


def run(options: Namespace) -> int:
    """Print one line a paper, or a JSON list with every claim; problems go to standard error."""
    cache = Cache(home())
    specs, code = [], AS_EXPECTED
    for folder in find_papers(options.papers):
        try:
            specs.append(load_spec(folder, cache))
        except SpecError as problems:
            error(str(problems))
            code = USAGE
    cache.close()
    if options.json:
        line(json.dumps([_record(spec) for spec in specs], indent=2, default=str))
        return code
    width = max((len(spec.slug) for spec in specs), default=0)
    theme_width = max((len(spec.paper.theme) for spec in specs), default=0)
    for spec in specs:
        claims = f"{len(spec.claims)} claims"
        line(
            f"{spec.slug:{width}}  {spec.paper.theme:{theme_width}}  {claims:>9}  "
            f"{spec.paper.title}"
        )
    return code


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
