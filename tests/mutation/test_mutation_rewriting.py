"""Mutants of a paper folder: which files, how they are named, and which are chosen."""

import ast
from collections import Counter

import pytest

from claimbench.errors import UsageError
from claimbench.mutation.rewriting import all_mutants, choose, method_files

METHOD = '''"""A method of two files."""

from .parts import half


def scaled(x: float, scale: float) -> float:
    y = half(x) * 2
    y = half(y) * 2
    return scale * y


def other(x: float) -> float:
    return x - 1 if x > 3 else x + 1
'''
PARTS = '''"""Parts."""


def half(x: float) -> float:
    return x / 2
'''


@pytest.fixture
def paper(make_paper):
    """A paper whose method lies in two files, with a third that it does not import."""
    paper = make_paper()
    (paper.folder / "method.py").write_text(METHOD, encoding="utf-8")
    (paper.folder / "parts.py").write_text(PARTS, encoding="utf-8")
    (paper.folder / "unused.py").write_text(PARTS, encoding="utf-8")
    return paper


def test_files_are_the_method_and_what_it_imports(paper):
    assert [path.name for path in method_files(paper.folder)] == ["method.py", "parts.py"]
    assert {mutant.file for mutant in all_mutants(paper.folder)} == {"method.py", "parts.py"}


def test_every_mutant_differs_from_the_original_and_from_the_others_in_one_place(paper):
    mutants = all_mutants(paper.folder)
    assert len(mutants) > 20
    assert len({mutant.text for mutant in mutants}) == len(mutants)
    assert len({mutant.description for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        assert (paper.folder / mutant.file).read_text(encoding="utf-8") == mutant.source
        ast.parse(mutant.text)
        pairs = zip(mutant.source.splitlines(), mutant.text.splitlines(), strict=True)
        (number,) = (n for n, (old, new) in enumerate(pairs, 1) if old != new)
        assert number == mutant.line


def test_description_has_the_lines_and_counts_those_that_are_alike(paper):
    (paper.folder / "method.py").write_text(
        "def f(x):\n    for _ in x:\n        x.add_(1.5)\n        x.add_(1.5)\n", encoding="utf-8"
    )
    found = [m.description for m in all_mutants(paper.folder) if m.kind == "constant"]
    assert found == [
        ("method.py", "f", "x.add_(1.5)", "x.add_(3.0)", 1),
        ("method.py", "f", "x.add_(1.5)", "x.add_(3.0)", 2),
    ]


def test_description_does_not_change_when_lines_shift(paper):
    before = {mutant.description for mutant in all_mutants(paper.folder)}
    paper.replace("def scaled", "UNRELATED = None\n\n\ndef scaled", "method.py")
    assert {mutant.description for mutant in all_mutants(paper.folder)} == before


def test_diff_shows_the_change_alone(paper):
    (mutant,) = [m for m in all_mutants(paper.folder) if m.file == "parts.py" and m.kind == "sign"]
    assert mutant.diff() == (
        "--- a/parts.py\n+++ b/parts.py\n@@ -2,4 +2,4 @@\n \n \n def half(x: float) -> float:\n"
        "-    return x / 2\n+    return -(x / 2)\n"
    )


def test_written_copy_has_the_change_and_the_original_has_not(paper, tmp_path):
    mutant = all_mutants(paper.folder)[0]
    (paper.folder / "__pycache__").mkdir()
    mutant.write(paper.folder, tmp_path / "copy" / "tiny")
    assert (tmp_path / "copy/tiny/method.py").read_text(encoding="utf-8") == mutant.text
    assert (paper.folder / "method.py").read_text(encoding="utf-8") == METHOD
    names = {path.name for path in (tmp_path / "copy/tiny").iterdir()}
    assert names == {
        *("claims.yaml", "reproduce.py", "README.md", "method.py", "parts.py", "unused.py")
    }


def test_choice_is_the_same_each_time_and_another_for_another_seed(paper):
    mutants = all_mutants(paper.folder)
    first = choose(mutants, 8, 0)
    assert first == choose(list(reversed(mutants)), 8, 0)
    assert first != choose(mutants, 8, 1)
    assert len(first) == 8
    assert choose(mutants, 1000, 0) == sorted(
        mutants, key=lambda m: (m.file != "method.py", m.file, m.line, m.now)
    )


@pytest.mark.parametrize("seed", range(5))
def test_choice_is_spread_over_functions_and_kinds(paper, seed):
    mutants = all_mutants(paper.folder)
    functions = {mutant.function for mutant in mutants}
    assert {m.function for m in choose(mutants, len(functions), seed)} == functions
    pairs = {(m.function, m.kind) for m in mutants}
    chosen = Counter((m.function, m.kind) for m in choose(mutants, len(pairs), seed))
    assert chosen == Counter(pairs)


def test_mutant_with_the_same_syntax_tree_is_not_chosen(paper):
    (paper.folder / "method.py").write_text("def f(x):\n    return x[-0]\n", encoding="utf-8")
    same = [m for m in all_mutants(paper.folder) if m.now == "return x[-1]"]
    assert choose(same, 5) == same
    unchanged = [m.__class__(**{**vars(m), "text": m.source + "# more\n"}) for m in same]
    assert choose(unchanged, 5) == []


@pytest.mark.parametrize("text", ["def f(:\n", "def f(x):\n  return 1\n return 2\n"])
def test_file_that_cannot_be_parsed(paper, text):
    (paper.folder / "method.py").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"method\.py:\d"):
        all_mutants(paper.folder)
