"""Results of papers that do not exist, for tests and benches of the site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from claimbench.leaderboard.files import write_if_changed
from claimbench.leaderboard.ledger import ClaimLedger, Event, PaperLedger
from claimbench.leaderboard.merging import join
from claimbench.leaderboard.mutation import Score
from claimbench.leaderboard.published import Entry, Published, PublishedResult
from claimbench.leaderboard.site.build import Site, pages
from claimbench.spec.marking import Finding
from claimbench.spec.models import Spec
from claimbench.spec.wording import Told
from tests.records import make_record

HOSTILE = "<script>window.hit = 1</script><img src=x onerror=alert(1)> \"quoted\" 'too' {{ 7 * 7 }}"
THEMES = ("stochastic-optimizers", "training-dynamics", "scientific-ml", "structured-optimization")
VERDICTS = ("reproduced", "reproduced", "diverged", "inconclusive", "vacuous", "error", "skipped")
KINDS = ("exact", "rate", "number", "comparison", "shape")
README = """# A paper

## What it says
The update is $x_{t+1} = x_t - \\eta \\nabla f(x_t)$, and <b>no</b> raw HTML.

| a | b |
|---|---|
| 1 | $\\frac{1}{2}$ |
"""


def make_site(papers: int, claims: int = 5) -> Site:
    """Return a site of so many papers with so many claims each."""
    results, specs = [], {}
    for number in range(papers):
        slug = f"paper_{number:04d}"
        specs[slug] = _spec(slug, number, claims)
        entries = {f"claim-{i}": _entry(number, i) for i in range(claims)}
        results.append(Published("cpu", "smoke", slug, entries))
    score = Score("cpu", "smoke", 36, 40, 2, "2026-12-01T02:30:00+00:00", None)
    ledgers = {slug: _ledger(slug, claims) for slug in list(specs)[::3]}
    readmes = dict.fromkeys(specs, README)
    return Site(results, specs, readmes, scores={"paper_0003": score}, ledgers=ledgers)


def _ledger(slug: str, claims: int) -> PaperLedger:
    """Return timelines with every kind of event, some things not marked, and hostile texts."""
    entry = ("2026-11-24", HOSTILE, HOSTILE, HOSTILE)
    tiers, word = ("standard", "full"), {"smoke": "diverged"}
    changes = [
        Told("expect", "expect", "{gap: {at_least: 1.1}}", "{gap: {above: 1}}", tiers, True, entry),
        Told("arguments", "arguments steps", HOSTILE, "60", ("smoke",), True, None),
        Told("source", "source", "Sec. 1", "Sec. 2", (), False, None),
    ]
    events = [
        Event("2026-11-20", "a" * 40, "registered", after=word),
        Event("2026-11-21", "b" * 40, "published", verdicts={"smoke": ("none", "diverged")}),
        Event("2026-11-24", "c" * 40, "changed", changes=changes, before=word),
        Event("", None, "amended", text=HOSTILE),
    ]
    finding = Finding("claim-0", 20, f"`arguments` was {HOSTILE}", "arguments")
    ledgers = [ClaimLedger(f"claim-{i}", True, True, events, [finding]) for i in range(claims)]
    return PaperLedger(slug, (), True, ledgers)


def write_overview(site: Site, out: Path) -> None:
    """Write the overview and what it loads, without the papers' pages and plots."""
    for name, text in pages(site, {}):
        if name == "index.html" or name.startswith("assets/"):
            write_if_changed(out / name, text)


def _spec(slug: str, number: int, claims: int) -> Spec:
    data = {
        "paper": {
            "title": f"{HOSTILE} {number}" if number % 4 == 3 else f"On Descent {number}",
            "year": 2020 + number % 6,
            "authors": ["A. Author", "B. Writer"],
            "theme": THEMES[number % len(THEMES)],
            "arxiv": f"24{number % 12 + 1:02d}.{number:05d}",
        },
        "experiments": {"measure": {}},
        "claims": [
            {
                "id": f"claim-{i}",
                "statement": HOSTILE if i == 1 else f"Claim {i} of paper {number} holds.",
                "source": "Sec. 1",
                "headline": i == 0,
                "kind": KINDS[i % len(KINDS)],
                "fidelity": "exact" if i % 2 else "reduced",
                "deviation": "Smaller.",
                "experiment": "measure",
                "expect": {"value": {"at_least": 1}},
                "controls": {"without": {"scale": 0.25}},
            }
            for i in range(claims)
        ],
    }
    return Spec.model_validate_json(json.dumps({**data, "slug": slug, "lines": [1] * claims}))


def _entry(number: int, i: int) -> Entry:
    verdict = VERDICTS[(number + i * i) % len(VERDICTS)]
    shift = 0.001 * (17 * number + 5 * i)
    values = [1.25 + shift, 1.5 + shift, 1.75 + shift]
    record: dict[str, Any] = {
        "paper": f"paper_{number:04d}",
        "claim": f"claim-{i}",
        "kind": KINDS[i % len(KINDS)],
        "fidelity": "exact" if i % 2 else "reduced",
        "verdict": verdict,
        "reason": HOSTILE if verdict == "error" else "3 of 3 seeds held; control rejected",
        "known": HOSTILE if verdict == "diverged" and number % 2 else None,
        "known_verdict": "diverged" if verdict == "diverged" and number % 2 else None,
        "metrics": {
            "value": {"median": values[1], "low": values[0], "high": values[2], "values": values}
        },
        "run_key": f"{number}-{i}",
    }
    earlier = PublishedResult(make_record(**{**record, "verdict": "reproduced"}), {})
    curve = {"loss": [[float(x) for x in range(50)], [2.0 / (x + 1 + shift) for x in range(50)]]}
    newest = make_record(**record, judged_at="2026-02-01T00:00:00.000+00:00")
    later = PublishedResult(newest, {}, curve if i == 0 else {})
    return join([Entry({earlier.cpu: earlier}, ()), Entry({later.cpu: later}, ())])
