"""Markdown that shows what was meant, read back by a parser of Markdown."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from claimbench.showing.markdown import escape, table

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TEXT = st.text(
    st.sampled_from(list("ab 1.|*_`~#$<>&[]()\\!\n\t-=+"))
    | st.characters(codec="utf-8", exclude_categories=["C"]),
    max_size=40,
)


def cells(markdown):
    """The rows of the table that a reader of Markdown sees, tags and all."""
    rows = re.findall(r"<tr>(.*?)</tr>", READER.render(markdown), re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(TEXT, TEXT)
def test_escaped_text_stays_in_its_cell_and_shows_as_it_was(one, other):
    shown = cells(table(["a", "b"], [[escape(one), escape(other)]]))
    assert len(shown) == 2
    assert [html.unescape(cell).split() for cell in shown[1]] == [one.split(), other.split()]


def test_table_has_titles_alignment_and_rows():
    text = table(["claim", "held"], [["`a`", "3"], ["**b**", ""]], numbers=["held"])
    assert text == "| claim | held |\n| :-- | --: |\n| `a` | 3 |\n| **b** |  |"
    assert cells(text)[1:] == [["<code>a</code>", "3"], ["<strong>b</strong>", ""]]


@pytest.mark.parametrize("rows", [[], iter([])])
def test_table_without_rows_is_its_head(rows):
    assert table(["a", "b"], rows) == "| a | b |\n| :-- | :-- |"
