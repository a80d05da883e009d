"""The files of the site: complete without a script, safe, and the same each time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from claimbench.cache import Cache
from claimbench.errors import UsageError
from claimbench.judging.chosen import chosen_in
from claimbench.judging.record import NOT_RUN
from claimbench.leaderboard.ledger import ledgers_of
from claimbench.leaderboard.site.build import MARK, build, safe_url
from claimbench.leaderboard.site.plots import curves, draw, forest, svg
from claimbench.leaderboard.site.readme import as_html
from tests.records import make_record
from tests.site.synthetic import VERDICTS, make_site
from tests.spec.repository import Repository, entry


@pytest.fixture
def paper_in_git(tmp_path):
    """A paper with one change that an entry marks and one that none does."""
    paper = Repository(tmp_path / "project")
    paper.edit(("max: 12", "max: 15"), ("Sec. 1", "Sec. 9"))
    paper.amend(entry("seeds", '"<b>few</b>"'))
    paper.commit()
    return paper


def test_every_claim_is_on_the_overview_and_on_its_papers_page(site, built):
    overview = (built / "index.html").read_text(encoding="utf-8")
    assert overview.count('class="mark ') == 12 * 5
    for paper in site.board.papers:
        page = (built / "papers" / f"{paper.paper}.html").read_text(encoding="utf-8")
        for claim in paper.claims:
            assert f'href="papers/{paper.paper}.html#{claim.claim}"' in overview
            assert f'<section class="claim" id="{claim.claim}"' in page
        assert page.count('<img class="plot"') == 5 + 1  # a forest each, and one has curves
        assert "<math" in page
        assert "@article{" in page
        badge = json.loads((built / "badges" / f"{paper.paper}.json").read_text(encoding="utf-8"))
        assert badge["schemaVersion"] == 1
        assert badge["message"].endswith("reproduced")


def test_all_links_within_the_site_lead_somewhere(built):
    for path in built.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r'(?:href|src)="([^"]*)"', text):
            if target.startswith(("http", "#")):
                continue
            file, _, fragment = target.partition("#")
            found = (path.parent / file).resolve()
            assert found.is_file(), f"{path.name}: {target}"
            if fragment:
                assert f'id="{fragment}"' in found.read_text(encoding="utf-8")


def test_control_that_was_not_run_is_shown_as_such(tmp_path):
    site = make_site(1, 2)
    results = site.results[0].entries["claim-0"].results
    (cpu, latest), *_ = results.items()
    results[cpu] = replace(latest, record=replace(latest.record, control=NOT_RUN, controls=()))
    build(site, tmp_path / "out", tmp_path / "kept", workers=1)
    overview = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert overview.count("(control not run)") == 1
    page = (tmp_path / "out" / "papers" / "paper_0000.html").read_text(encoding="utf-8")
    assert page.count("Negative controls not run.") == 1


def test_timeline_stands_beside_its_claim(tmp_path, paper_in_git):
    """What changed in a repository, and what marks it."""
    site = make_site(2, 2)
    ledger = ledgers_of([paper_in_git.folder], Cache(None))["paper"]
    ledger = replace(ledger, claims=[replace(ledger.claims[0], id="claim-0")])
    known = replace(site, ledgers={"paper_0001": ledger})
    build(known, tmp_path / "out", tmp_path / "kept", workers=1)
    page = (tmp_path / "out" / "papers" / "paper_0001.html").read_text(encoding="utf-8")
    section = " ".join(page.partition('id="claim-0"')[2].partition("</section>")[0].split())
    assert re.search(r"Registered \d{4}-\d\d-\d\d, 2 changes since, <strong>1 not marked", section)
    assert "<code>seeds</code>: 12 → 15; marked 2026-12-01: &lt;b&gt;few&lt;/b&gt;" in section
    assert "<code>source</code>: Sec. 1 → Sec. 9; <strong>not marked</strong>" in section
    assert page.count("Registered 2") == 1
    other = (tmp_path / "out" / "papers" / "paper_0000.html").read_text(encoding="utf-8")
    assert "Registered" not in other


def test_timelines_are_left_out_where_there_is_no_git(tmp_path):
    folder = tmp_path / "papers" / "paper"
    folder.mkdir(parents=True)
    assert ledgers_of([folder], Cache(None)) == {}


def test_data_behind_a_verdict_is_named(built):
    page = (built / "papers" / "paper_0000.html").read_text(encoding="utf-8")
    assert f"digits, version 1998, CC-BY-4.0, sha256 <code>{'d' * 64}</code>" in page


def test_what_was_chosen_is_on_its_papers_page(tmp_path):
    site = make_site(1, 2)
    results = site.results[0].entries["claim-0"].results
    (cpu, latest), *_ = results.items()
    chosen = chosen_in(
        [{"SGD": {"setting": {"lr": 0.1}, "grid": {"lr": [0.1, 1]}, "at_end": ["lr"]}}]
    )
    results[cpu] = replace(latest, record=replace(latest.record, chosen=chosen))
    build(site, tmp_path / "out", tmp_path / "kept", workers=1)
    page = (tmp_path / "out" / "papers" / "paper_0000.html").read_text(encoding="utf-8")
    assert page.count("Chosen in tuning: SGD lr 0.1 (end of its grid).") == 1


def test_score_of_mutants_is_on_its_papers_page(built):
    said = "Mutants of the method that the claims catch: 36 of 40 (2026-12-01, commit unknown)."
    papers = sorted((built / "papers").iterdir())
    shown = [path.stem for path in papers if said in path.read_text(encoding="utf-8")]
    assert shown == ["paper_0003"]


def test_hostile_texts_are_text(built):
    for path in [*built.rglob("*.html"), built / "feed.xml"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script>|<img src=x|onerror=alert\(1\)>(?!&)", text), path.name
        assert not re.search(r"<[^>]* on\w+=", text)
    assert "&lt;script&gt;" in (built / "index.html").read_text(encoding="utf-8")


def test_policy_allows_no_inline_script_or_style(built):
    for path in built.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'" in text
        assert "<style" not in text
        assert ' style="' not in text
        assert not re.search(r"<script(?! src=)", text)


def test_feed_is_atom_with_the_changes(site, built):
    feed = ElementTree.parse(built / "feed.xml").getroot()
    space = {"a": "http://www.w3.org/2005/Atom"}
    titles = [entry.findtext("a:title", "", space) for entry in feed.findall("a:entry", space)]
    assert len(titles) == len(site.board.changes) > 0
    assert titles[0].startswith(f"{site.board.changes[0].paper}: ")
    assert all(
        entry.find("a:updated", space) is not None for entry in feed.findall("a:entry", space)
    )


def test_diverging_page_has_all_of_them(site, built):
    text = (built / "diverging.html").read_text(encoding="utf-8")
    claims = [claim for paper in site.board.papers for claim in paper.claims]
    assert text.count('<section class="claim">') == sum(c.verdict == "diverged" for c in claims) > 0
    assert "Not explained yet." in text


def test_building_again_changes_nothing_and_removes_what_is_gone(tmp_path):
    out, kept = tmp_path / "out", tmp_path / "kept"
    build(make_site(3), out, kept, workers=1)
    files = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    build(make_site(3), out, kept, workers=1)
    assert {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} == files
    build(make_site(2), out, kept, workers=1)
    assert not (out / "papers" / "paper_0002.html").exists()
    assert (out / MARK).is_file()


def test_another_folder_is_left_alone(tmp_path):
    (tmp_path / "precious.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else than a site"):
        build(make_site(1), tmp_path, tmp_path / "kept")


def test_forest_says_in_words_what_it_shows():
    plot = forest(make_record(reported={"value": 1.9}), "value")
    assert plot is not None
    assert plot.alternative == (
        "value, expected ≥ 1. Claim: 3 seeds, median 1.5 [1.25, 1.75]. "
        "Control quarter: 1 seed, median 0.3. The paper's: 1.9."
    )
    text = svg(plot)
    assert ElementTree.fromstring(text[text.index("<svg") :]).tag.endswith("svg")
    assert "value" in text
    assert svg(plot) == text  # no date, no random ids


def test_plots_without_a_finite_value():
    infinite = {"median": "inf", "low": "inf", "high": "inf", "values": ["inf", "inf"]}
    lost = make_record(metrics={"value": infinite}, controls=[])
    assert forest(lost, "value") is None
    assert forest(make_record(), "other") is None
    assert curves({"loss": [[0], [1]]}) is None
    plot = curves({"loss": [[0, 1, 2, 3], [1, "inf", "nan", 2]]})
    assert plot is not None
    assert "<svg" in svg(plot)


def test_plots_are_drawn_once(tmp_path):
    plot = forest(make_record(), "value")
    assert plot is not None
    assert draw([plot, plot], tmp_path / "a", tmp_path / "kept") == 1
    assert draw([plot], tmp_path / "b", tmp_path / "kept") == 0
    assert (tmp_path / "a" / plot.name).read_bytes() == (tmp_path / "b" / plot.name).read_bytes()


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# Title\n\ntext", "<p>text</p>"),
        ("## Part", "<h3>Part</h3>"),
        ("<b onclick=x>b</b>", "<p>&lt;b onclick=x&gt;b&lt;/b&gt;</p>"),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>"),
        ("[a](https://x.org)", '<p><a href="https://x.org">a</a></p>'),
        ("![a picture](https://x.org/p.png)", "<p>a picture</p>"),
    ],
)
def test_readme(markdown: str, html: str):
    assert as_html(markdown).strip() == html


def test_formulas_become_mathml_or_stay_as_text():
    assert "<msub><mi>x</mi><mn>1</mn></msub>" in as_html("the $x_1$")
    assert 'display="block"' in as_html("$$x$$")
    assert "<script" not in as_html("$<script>$")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://x.org/a", "https://x.org/a"),
        ("javascript:alert(1)", "#"),
        (" javascript:alert(1)", "#"),
        (None, "#"),
    ],
)
def test_safe_url(url: str | None, safe: str):
    assert safe_url(url) == safe


def test_made_up_results_have_every_verdict(site):
    assert set(site.board.suite.verdicts) == set(VERDICTS)
