"""`claimbench verify --plan`: what would run, before it runs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from claimbench.commands import AS_EXPECTED
from claimbench.leaderboard.published import RESULTS, Published, read_file
from claimbench.running.engine import Engine, Planned
from claimbench.settings import Settings, worker_count
from claimbench.showing.output import line
from claimbench.showing.planned import lines
from claimbench.spec.discovery import suite_root


def run(papers: Sequence[str], settings: Settings, *, claims: Sequence[str] | None) -> int:
    """Print the runs that each claim still needs, and the time that they probably take."""
    with Engine(settings) as engine:
        trials = engine.add_papers(papers, claims)
        folders = {trial.spec.slug: trial.spec.folder for trial in trials}
        published = _published(folders.values(), settings)
        planned = estimated(engine.plan(trials), published)
    for text in lines(planned, worker_count(settings.workers)):
        line(text)
    return AS_EXPECTED


def estimated(planned: Iterable[Planned], published: Iterable[Published]) -> list[Planned]:
    """Put what a run of the claim took where it was published for what never ran here."""
    usual = {(file.paper, claim): took for file in published for claim, took in _seconds_in(file)}
    return [
        replace(
            claim,
            seconds=tuple(
                usual.get((claim.paper, claim.claim)) if seconds is None else seconds
                for seconds in claim.seconds
            ),
        )
        for claim in planned
    ]


def _published(folders: Iterable[Path], settings: Settings) -> Iterator[Published]:
    """Yield what the suite of each paper has published at this tier and profile."""
    for folder in folders:
        results = suite_root(folder) / RESULTS
        path = results / settings.profile / settings.tier / f"{folder.name}.json"
        if path.is_file():
            yield read_file(path, results)


def _seconds_in(file: Published) -> Iterator[tuple[str, float]]:
    """Yield each claim with the mean time of the runs behind its verdict."""
    for record in file.records():
        passing = () if record.passes_with is None else (record.passes_with,)
        runs = record.seeds + sum(setting.seeds for setting in (*record.controls, *passing))
        if runs:
            yield record.claim, record.seconds / runs
