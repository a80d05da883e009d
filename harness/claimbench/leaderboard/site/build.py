"""Building the site from published results, specs and READMEs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from claimbench.errors import UsageError
from claimbench.judging.chosen import chosen_text
from claimbench.judging.record import Control, Record
from claimbench.judging.verdict import Verdict
from claimbench.judging.words import interval_text, number
from claimbench.leaderboard import tables
from claimbench.leaderboard.board import (
    Board,
    ClaimRow,
    PaperRow,
    Place,
    claim_places,
    count_decided,
    day,
    make_board,
)
from claimbench.leaderboard.files import write_if_changed
from claimbench.leaderboard.ledger import ClaimLedger, PaperLedger
from claimbench.leaderboard.merging import flips
from claimbench.leaderboard.mutation import Score
from claimbench.leaderboard.published import Event, Published
from claimbench.leaderboard.site import plots, readme
from claimbench.showing.report import reported_text
from claimbench.spec.models import Claim, Spec

if TYPE_CHECKING:
    from jinja2 import Environment

MARK = ".claimbench-site"
"""The file by which a folder is known to hold a site, so that it may be written anew."""

FEED_ENTRIES = 100
_ASSETS = ("icon.svg", "site.css", "site.js")
_COLORS = ((0.8, "brightgreen"), (0.5, "yellow"), (0.0, "orange"))


@dataclass(frozen=True)
class ClaimPage:
    """What a paper's page shows of a claim.

    Attributes:
        row: its row on the leaderboard.
        spec: its entry in the spec; None if it is gone.
        record: the newest verdict's record.
        metrics: for each expected metric: name, value, region, the paper's number.
        forests: a plot for each metric, where there is one.
        curves: plot of the logged curves.
        controls: what each control's metrics came to.
        history: the verdicts that differ from the one before on the same CPU model.
        tiers: verdicts at the other tiers.
        timeline: what changed since it was registered; None where there is no git history.
    """

    row: ClaimRow
    spec: Claim | None
    record: Record
    metrics: Sequence[tuple[str, str, str, str]]
    forests: Sequence[plots.Plot]
    curves: plots.Plot | None
    controls: Sequence[tuple[str, str, str, str]]
    history: Sequence[Event]
    tiers: Mapping[str, Verdict]
    timeline: ClaimLedger | None

    @property
    def plots(self) -> list[plots.Plot]:
        """All its plots."""
        return [*self.forests, *([self.curves] if self.curves else [])]


@dataclass(frozen=True)
class Site:
    """All that the pages show.

    Attributes:
        results: published results.
        specs: by slug.
        readmes: Markdown, by slug.
        profile: whose board it is.
        scores: of mutants, by slug.
        ledgers: timelines of claims, by slug; empty where there is no git history.
    """

    results: Sequence[Published]
    specs: Mapping[str, Spec]
    readmes: Mapping[str, str]
    profile: str = "cpu"
    scores: Mapping[str, Score] = field(default_factory=dict)
    ledgers: Mapping[str, PaperLedger] = field(default_factory=dict)

    @cached_property
    def board(self) -> Board:
        """The leaderboard."""
        return make_board(self.results, self.specs, self.profile, self.scores)

    @cached_property
    def _places(self) -> dict[str, dict[str, Place]]:
        return claim_places(file for file in self.results if file.profile == self.profile)

    def claims(self, paper: PaperRow) -> list[ClaimPage]:
        """Return what a paper's page shows of its claims."""
        spec = self.specs.get(paper.paper)
        by_id = {claim.id: claim for claim in spec.claims} if spec else {}
        return [self._claim(row, by_id.get(row.claim)) for row in paper.claims]

    def _claim(self, row: ClaimRow, claim: Claim | None) -> ClaimPage:
        entry = self._places[row.paper][row.claim].entry
        result = entry.latest
        record = result.record
        forests = [plots.forest(record, metric) for metric in record.expect]
        ledger = self.ledgers.get(row.paper)
        return ClaimPage(
            row=row,
            spec=claim,
            record=record,
            metrics=[_metric(record, name) for name in record.expect],
            forests=[plot for plot in forests if plot is not None],
            curves=plots.curves(result.curves),
            controls=[_control(record, control) for control in record.controls],
            history=[event for event, _ in flips(entry.history)][::-1],
            tiers={
                file.tier: file.entries[row.claim].latest.record.verdict
                for file in self.results
                if file.paper == row.paper
                and file.profile == self.profile
                and row.claim in file.entries
            },
            timeline=None if ledger is None else ledger.claim(row.claim),
        )


def build(
    site: Site,
    out: Path,
    kept: Path,
    *,
    workers: int | None = None,
    watch: Callable[[str], None] = lambda what: None,
) -> int:
    """Write the site into a folder and return the number of its files.

    Args:
        site: what to show.
        out: a new or empty folder, or one that holds a site; what does not belong there any more is
            removed.
        kept: folder where plots are kept from one time to the next.
        workers: processes that draw; default: one a CPU.
        watch: told what is being done.

    Raises:
        UsageError: the folder holds something else.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UsageError(f"{out} holds something else than a site; name another folder")
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).touch()
    written = {MARK}
    wanted: dict[str, plots.Plot] = {}
    watch("pages")
    for name, text in pages(site, wanted):
        write_if_changed(out / name, text)
        written.add(name)
    watch(f"{len(wanted)} plots")
    count = workers or os.cpu_count() or 1
    plots.draw(wanted.values(), out / "plots", kept, workers=count)
    written |= {f"plots/{name}" for name in wanted}
    for path in out.rglob("*"):
        if path.is_file() and path.relative_to(out).as_posix() not in written:
            path.unlink()
    return len(written)


def pages(site: Site, wanted: dict[str, plots.Plot]) -> Iterator[tuple[str, str]]:
    """Yield path and content of every text file, noting the plots that they need."""
    environment = _environment()
    board = site.board
    shared = {"board": board, "root": ""}
    render = environment.get_template
    yield "index.html", render("overview.html.j2").render(shared, facets=_facets(board))
    diverging = [
        (paper, claim)
        for paper in board.papers
        for claim in paper.claims
        if claim.verdict is Verdict.DIVERGED
    ]
    yield "diverging.html", render("diverging.html.j2").render(shared, diverging=diverging)
    yield "verdicts.html", render("verdicts.html.j2").render(shared)
    yield "feed.xml", render("feed.xml.j2").render(shared, changes=board.changes[:FEED_ENTRIES])
    yield "leaderboard.json", tables.as_json([board])
    yield "leaderboard.csv", tables.as_csv([board])
    template = render("paper.html.j2")
    for paper in board.papers:
        claims = site.claims(paper)
        wanted |= {plot.name: plot for claim in claims for plot in claim.plots}
        spec = site.specs.get(paper.paper)
        text = readme.as_html(site.readmes.get(paper.paper, ""))
        context = {"paper": paper, "claims": claims, "spec": spec, "readme": text}
        yield (
            f"papers/{paper.paper}.html",
            template.render({**shared, "root": "../", "bibtex": _bibtex(paper, spec), **context}),
        )
        yield f"badges/{paper.paper}.json", _badge(paper)
    for name in _ASSETS:
        yield f"assets/{name}", files(__package__).joinpath("assets", name).read_text("utf-8")


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # an extra

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=lambda name: name is not None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": day, "safe_url": safe_url, "number": number}
    environment.filters |= {
        "chosen": chosen_text,
        "counts": tables.count_text,
        "chance": tables.chance_text,
        "paper_text": tables.paper_text,
    }
    environment.globals |= {"Verdict": Verdict}
    return environment


def safe_url(url: str | None) -> str:
    """Return a web address as it is, and `#` for anything else."""
    return url if url and urlsplit(url).scheme in ("http", "https") else "#"


def _facets(board: Board) -> dict[str, list[str]]:
    claims = [claim for paper in board.papers for claim in paper.claims]
    found: dict[str, Iterable[str]] = {
        "theme": {paper.theme for paper in board.papers if paper.theme},
        "verdict": {claim.verdict for claim in claims},
        "kind": {claim.kind for claim in claims},
        "fidelity": {claim.fidelity for claim in claims},
        "tier": {claim.tier for claim in claims},
    }
    return {name: sorted(values) for name, values in found.items()}


def _metric(record: Record, name: str) -> tuple[str, str, str, str]:
    measured = record.metrics.get(name)
    return (
        name,
        interval_text(measured) if measured else "–",
        record.expect_text[name],
        reported_text(record, name),
    )


def _control(record: Record, control: Control) -> tuple[str, str, str, str]:
    arguments = ", ".join(f"{key} = {value}" for key, value in control.arguments.items())
    values = "; ".join(
        f"{name} {interval_text(control.metrics[name])}"
        for name in record.expect
        if name in control.metrics
    )
    outcome = f"{control.verdict.of_control} ({control.held}/{control.seeds})"
    return control.name, arguments, outcome, values


def _badge(paper: PaperRow) -> str:
    """Return what a shields.io endpoint badge reads."""
    message, color = "not judged yet", "lightgrey"
    if paper.share is not None:
        reproduced = paper.verdicts.get(Verdict.REPRODUCED, 0)
        message = f"{reproduced}/{count_decided(paper.verdicts)} reproduced"
        color = next(color for least, color in _COLORS if paper.share >= least)
    badge = {"schemaVersion": 1, "label": "claimbench", "message": message, "color": color}
    return json.dumps(badge, indent=1) + "\n"


def _bibtex(paper: PaperRow, spec: Spec | None) -> str:
    if spec is None:
        return ""
    about = spec.paper
    fields = {"title": f"{{{about.title}}}", "author": " and ".join(about.authors)}
    fields["year"] = str(about.year)
    if about.arxiv:
        fields |= {"eprint": about.arxiv, "archivePrefix": "arXiv"}
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@article{{{paper.paper},\n{lines}\n}}"
