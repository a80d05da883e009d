"""What a configuration selects."""

from __future__ import annotations

import subprocess

import pytest

from claimbench.cache import Cache
from claimbench.errors import UsageError
from claimbench.hydra.config import SelectionConfig
from claimbench.hydra.selection import costs, select
from claimbench.leaderboard.published import RESULTS, Entry, Published, PublishedResult
from claimbench.running.store import Store
from claimbench.settings import Settings
from tests.records import make_record

FIRST = {"id": "first", "kind": "exact"}
SECOND = {"id": "second", "kind": "number", "expect": {"value": {"above": 0}}}


@pytest.fixture
def chosen(make_paper, tmp_path, monkeypatch, store_home):
    """Return a function from a selection to the claims that it selects, of three papers."""
    for slug in ("one", "two", "three"):
        make_paper(slug, claims=[FIRST, SECOND])
    spec = tmp_path / "papers" / "two" / "claims.yaml"
    text = spec.read_text(encoding="utf-8")
    theme = next(line for line in text.splitlines() if "theme:" in line)
    spec.write_text(text.replace(theme, "  theme: another-theme"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    store = Store(store_home)

    def choose(**conditions):
        selection = SelectionConfig(**conditions)
        found = select(selection, Settings(), Cache(None), store)
        return [f"{one.spec.slug}::{claim.id}" for one in found for claim in one.claims]

    yield choose
    store.close()


def test_nothing_said_selects_everything(chosen):
    assert len(chosen()) == 6


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"papers": "two"}, ["two::first", "two::second"]),
        ({"themes": ["another-theme"], "kinds": ["exact"]}, ["two::first"]),
        ({"claims": ["second"], "papers": ["one", "two"]}, ["one::second", "two::second"]),
        ({"claims": ["one::first"]}, ["one::first"]),
    ],
)
def test_conditions_are_met_together(chosen, conditions, expected):
    assert chosen(**conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"themes": ["another-them"]}, "selection.themes: no theme `another-them`; did you mean"),
        ({"kinds": ["exactly"]}, "selection.kinds: no kind `exactly`; did you mean `exact`"),
        ({"claims": ["third"]}, "selection.claims: no claim `third`; there are: first, one::first"),
        ({"shard": "3/2"}, "selection.shard: `3/2` is not i/n"),
        ({"shard": "0/2"}, "selection.shard: `0/2` is not i/n"),
    ],
)
def test_words_that_mean_nothing(chosen, conditions, message):
    with pytest.raises(UsageError, match=message):
        chosen(**conditions)


def test_shards_share_all_papers_whatever_else_is_chosen(chosen):
    parts = [chosen(shard=f"{i}/2") for i in (1, 2)]
    assert sorted(parts[0] + parts[1]) == sorted(chosen())
    only = [chosen(shard=f"{i}/2", papers="two") for i in (1, 2)]
    assert sorted(only[0] + only[1]) == ["two::first", "two::second"]
    assert all(set(part) <= set(whole) for part, whole in zip(only, parts, strict=True))


def test_costs_come_from_published_results(tmp_path):
    folder = tmp_path / RESULTS / "cpu" / "smoke"
    folder.mkdir(parents=True)

    def entry(claim, run_key, seconds):
        record = make_record(claim=claim, cpu="A", run_key=run_key, cpu_seconds=seconds)
        return Entry({"A": PublishedResult(record, {})}, ())

    runs = [("a", "k", 30.0), ("b", "k", 10.0), ("c", "l", 5.3)]
    claims = {claim: entry(claim, run_key, seconds) for claim, run_key, seconds in runs}
    text = Published("cpu", "smoke", "one", claims).text()
    (folder / "one.json").write_text(text, encoding="utf-8")
    found = costs({"one", "two"}, tmp_path / "papers", Settings())
    assert found == {"one": 36.0, "two": 36.0}  # shared runs count once, in whole seconds


def test_failed_are_those_that_were_not_as_expected(chosen, store_home):
    store = Store(store_home)
    words = [("one", "first", "diverged", None), ("two", "first", "diverged", "diverged")]
    words += [("two", "second", "reproduced", "diverged"), ("three", "first", "skipped", None)]
    for paper, claim, verdict, known in words:
        record = make_record(paper=paper, claim=claim, verdict=verdict, known_verdict=known)
        store.add_verdict(record, verdict)
    store.close()
    assert chosen(failed=True) == ["one::first", "two::second"]


def git(*words):
    identity = ("-c", "user.name=A", "-c", "user.email=a@b")
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


def test_changed_are_papers_whose_files_or_imports_differ(chosen, tmp_path):
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    assert chosen(changed="HEAD") == []
    method = tmp_path / "papers" / "two" / "method.py"
    method.write_text(method.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (tmp_path / "papers" / "three" / "new.py").write_text("", encoding="utf-8")
    (tmp_path / "unrelated.py").write_text("", encoding="utf-8")
    assert {name.partition("::")[0] for name in chosen(changed="HEAD")} == {"two", "three"}
    git("add", ".")
    git("commit", "-q", "-m", "changes")
    assert chosen(changed="HEAD") == []
    assert {name.partition("::")[0] for name in chosen(changed="HEAD~1")} == {"two", "three"}
    with pytest.raises(UsageError, match=r"selection\.changed: "):
        chosen(changed="no-such-branch")


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_other_versions_change_everything(chosen, tmp_path, name):
    (tmp_path / name).write_text("numpy==2.0\n", encoding="utf-8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    (tmp_path / name).write_text("numpy==2.1\n", encoding="utf-8")
    assert chosen(changed="HEAD") == chosen()


def test_a_renamed_file_is_missed_where_it_was(chosen, tmp_path):
    helper = tmp_path / "papers" / "two" / "helper.py"
    helper.write_text("VALUE = 1\n" * 9, encoding="utf-8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    helper.rename(tmp_path / "elsewhere.py")
    git("add", ".")
    assert chosen(changed="HEAD") == ["two::first", "two::second"]
