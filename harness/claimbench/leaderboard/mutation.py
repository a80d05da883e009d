"""What is published of mutants: of each paper, how many of them its claims caught.

The scores are files `<slug>.json` in a folder of their own, beside the results.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from claimbench.cache import digest
from claimbench.errors import UsageError
from claimbench.judging.record import sentences, strict
from claimbench.leaderboard.files import write_if_changed

FOLDER = "mutation"
NIGHTS = 7


@strict
@dataclass(frozen=True)
class Score:
    """How many mutants of a paper's method its claims caught.

    Attributes:
        profile: under which they were tried.
        tier: at which.
        caught: mutants that a claim caught.
        mutants: of so many that change something; a function that no claim reaches counts as one.
        equivalent: others, of which mutants.yaml says why they change nothing.
        date: when, ISO 8601.
        commit: of the code.
    """

    profile: str
    tier: str
    caught: int
    mutants: int
    equivalent: int
    date: str
    commit: str | None


def write(slug: str, score: Score, folder: Path) -> Path:
    """Write a paper's score into a folder, and return the file."""
    path = folder / f"{slug}.json"
    write_if_changed(path, json.dumps(dataclasses.asdict(score), indent=1) + "\n")
    return path


def read(folder: Path) -> dict[str, Score]:
    """Return the scores in a folder, by slug; none where there is no such folder.

    Raises:
        UsageError: a file is no score.
    """
    scores = {}
    for path in sorted(folder.glob("*.json")):
        try:
            scores[path.stem] = TypeAdapter(Score).validate_json(path.read_bytes())
        except ValidationError as mistake:
            raise UsageError(
                f"{path}: no score of mutants ({sentences(mistake)}); remove it, then run: "
                f"claimbench mutate {path.stem} --publish {folder}"
            ) from None
    return scores


def due(slugs: Iterable[str], night: int) -> list[str]:
    """Return the papers whose mutants are tried in a night: each in one of seven, by its name.

    Args:
        slugs: of all papers.
        night: a number; every seventh is the same night.
    """
    return sorted(slug for slug in slugs if (int(digest(slug), 16) - night) % NIGHTS == 0)
