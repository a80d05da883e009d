"""Published verdicts are marked as stale where code or spec has changed since, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.keys import run_identity
from claimbench.leaderboard.published import Published
from claimbench.leaderboard.staleness import code_parts, marked
from claimbench.profiles import load_profile
from claimbench.spec.load import load_spec


@pytest.fixture
def paper(make_paper):
    return make_paper(claims=[{}, {"id": "other"}])


@pytest.fixture
def published(paper, make_entry) -> Published:
    """What was published of the paper as it is now."""
    spec, cache = load_spec(paper.folder), Cache(None)
    identity = run_identity(spec, "measure", {}, profile=load_profile("cpu"), cache=cache)
    code = code_parts(identity.parts())
    entries = {
        claim.id: make_entry(
            {"claim": claim.id, "spec_hash": spec.claim_hash(claim)},
            {"claim": claim.id, "spec_hash": spec.claim_hash(claim), "cpu": "CPU B"},
            code=code,
        )
        for claim in spec.claims
    }
    return Published("cpu", "smoke", "tiny", entries)


def reasons(published: Published, folder: Path) -> dict[str, set[tuple[str, ...]]]:
    """Why the results of each claim are stale, whatever CPU they are from."""
    after = marked(published, folder.parent, Cache(None))
    return {
        claim: {result.stale for result in entry.results.values()}
        for claim, entry in after.entries.items()
    }


def test_nothing_is_stale_while_nothing_has_changed(paper, published):
    assert reasons(published, paper.folder) == {"holds": {()}, "other": {()}}


@pytest.mark.parametrize(
    ("old", "new", "file", "stale"),
    [
        ("scale * x", "x * scale", "method.py", ("method.py has changed",)),
        ("1 + random", "2 + random", "reproduce.py", ("reproduce.py has changed",)),
        ('"""A tiny paper."""', '"""A small paper."""', "reproduce.py", ()),
        ("scale * x", "scale * x  # a comment", "method.py", ()),
    ],
)
def test_changed_code_makes_all_its_claims_stale(paper, published, old, new, file, stale):
    paper.replace(old, new, file)
    assert reasons(published, paper.folder) == {"holds": {stale}, "other": {stale}}


def test_changed_entry_makes_that_claim_stale_alone(paper, published):
    text = (paper.folder / "claims.yaml").read_text(encoding="utf-8")
    first, second = text.split("- id: other")
    second = second.replace("at_least: 1", "at_least: 0.5")
    (paper.folder / "claims.yaml").write_text(f"{first}- id: other{second}", encoding="utf-8")
    changed = ("the claim's entry in the spec has changed",)
    assert reasons(published, paper.folder) == {"holds": {()}, "other": {changed}}


def test_changed_arguments_and_files_that_are_gone_or_new_are_named(paper, published):
    entry = published.entries["holds"]
    code = {**entry.results["CPU A"].code, "file gone.py": "0" * 16, "arguments": {"scale": 3.0}}
    del code["file method.py"]
    results = {"CPU A": replace(entry.results["CPU A"], code=code)}
    published.entries["holds"] = replace(entry, results=results)
    assert reasons(published, paper.folder)["holds"] == {
        ("arguments has changed", "gone.py has changed", "method.py has changed")
    }


def test_claim_and_paper_that_are_gone(paper, published):
    entry = published.entries.pop("other")
    published.entries["removed"] = entry
    assert reasons(published, paper.folder)["removed"] == {
        ("the spec has no claim `removed` any more",)
    }
    elsewhere = replace(published, paper="moved")
    assert reasons(elsewhere, paper.folder)["holds"] == {("there is no paper `moved` any more",)}


def test_marks_stay_where_the_profile_is_not_known_here(paper, published):
    entry = published.entries["holds"]
    old = {cpu: replace(one, stale=("as it was",)) for cpu, one in entry.results.items()}
    published.entries["holds"] = replace(entry, results=old)
    elsewhere = replace(published, profile="of-another-machine")
    assert reasons(elsewhere, paper.folder)["holds"] == {("as it was",)}
    assert reasons(published, paper.folder)["holds"] == {()}, "here they are looked at anew"


def test_packages_and_machine_make_nothing_stale_and_digests_are_short():
    parts = {
        "package numpy": "2.0",
        "machine": "EPYC",
        "file method.py": "0123456789abcdef" * 4,
        "arguments": {"n": 1},
        "function": "f" * 64,
        "precision": "float32",
    }
    assert code_parts(parts) == {
        "arguments": {"n": 1},
        "file method.py": "0123456789abcdef",
        "function": "f" * 16,
        "precision": "float32",
    }
