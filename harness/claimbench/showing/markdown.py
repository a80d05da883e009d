"""Markdown: text that shows as it is written, and tables."""

import html
import re
from collections.abc import Collection, Iterable, Sequence


def escape(text: str) -> str:
    """Return plain text as Markdown that shows it, on one line."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", html.escape(one_line, quote=False))


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[str] = ()
) -> str:
    """Return a table, one line a row, without a line end after the last.

    Args:
        head: titles of the columns.
        rows: cells, which are Markdown already, see `escape`.
        numbers: titles of the columns that stand to the right.
    """
    align = ["--:" if title in numbers else ":--" for title in head]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, align, *rows))
