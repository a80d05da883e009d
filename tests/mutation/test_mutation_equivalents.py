"""mutants.yaml: what it may say, and what is said where it is wrong."""

import pytest
import yaml

from claimbench.errors import UsageError
from claimbench.mutation.equivalents import read_equivalents, stale
from claimbench.mutation.rewriting import all_mutants

ENTRY = {
    "file": "method.py",
    "function": "scaled",
    "was": "return scale * x",
    "now": "return scale / x",
    "reason": "It is not, but a test may say so.",
}


@pytest.fixture
def folder(make_paper):
    """A paper folder."""
    return make_paper().folder


@pytest.fixture
def read(folder):
    """Write the paper's mutants.yaml and read it."""

    def with_text(content):
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (folder / "mutants.yaml").write_text(text, encoding="utf-8")
        return read_equivalents(folder)

    return with_text


def test_no_file_is_no_entry(make_paper):
    assert read_equivalents(make_paper().folder) == []


def test_entry_names_its_mutant_however_it_is_broken_into_lines(read, folder):
    (entry,) = read({"equivalent": [{**ENTRY, "was": " return  scale *\n x "}]})
    described = [m for m in all_mutants(folder) if m.description == entry.description]
    assert [(m.kind, m.line) for m in described] == [("arithmetic", 5)]
    assert entry.reason == "It is not, but a test may say so."
    assert entry.line == 2


def test_entries_that_match_nothing_are_stale(read, folder):
    entries = read(
        {
            "equivalent": [
                ENTRY,
                {**ENTRY, "nth": 2},
                {**ENTRY, "function": "f"},
                {**ENTRY, "now": "return scale // x"},
            ]
        }
    )
    mutants = all_mutants(folder)
    assert stale(entries, mutants) == entries[1:]
    assert stale(entries, []) == entries


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "must be a mapping with the key `equivalent`"),
        ("equivalent: []", "`equivalent` must be a list of mappings; remove the file"),
        ("equivalents: [{}]", "unknown key `equivalents`; the only one is `equivalent`"),
        ("equivalent: [3]", "entry 1 must be a mapping of file, function, was, now, reason, nth"),
        ("equivalent: [{a: 1, a: 2}]", "duplicate key `a`"),
        ("equivalent: [", "not valid YAML"),
        ({"equivalent": [{**ENTRY, "reason": ""}]}, "entry 1: `reason` must be text"),
        ({"equivalent": [{**ENTRY, "was": 3}]}, "entry 1: `was` must be text"),
        ({"equivalent": [{**ENTRY, "nth": 0}]}, "entry 1: `nth` must be a whole number from 1"),
        ({"equivalent": [{**ENTRY, "nth": True}]}, "entry 1: `nth` must be a whole number"),
        ({"equivalent": [{**ENTRY, "line": 3}]}, "unknown key `line`; allowed are file, function"),
        (
            {"equivalent": [{**{k: v for k, v in ENTRY.items() if k != "reason"}, "reasn": "x"}]},
            "entry 1: unknown key `reasn`; did you mean `reason`?",
        ),
        (
            {"equivalent": [ENTRY, {k: v for k, v in ENTRY.items() if k != "reason"}]},
            "entry 2: no `reason`",
        ),
        ({"equivalent": [ENTRY, dict(ENTRY)]}, "the same mutant as in line 2; remove one"),
    ],
)
def test_problem(read, content, sentence):
    with pytest.raises(UsageError) as refused:
        read(content)
    text = str(refused.value)
    assert text.startswith("mutants.yaml has problems\n")
    assert sentence in text
    assert "/mutants.yaml:" in text


def test_all_problems_are_told_at_once(read):
    with pytest.raises(UsageError) as refused:
        read({"equivalent": [{**ENTRY, "line": 3, "nth": 0}, 3]})
    assert str(refused.value).count("mutants.yaml:") == 3
