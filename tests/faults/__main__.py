"""The table of faults that are tried and what is promised: `python -m tests.faults`.

Prints the page docs/faults.md. A row is a test, anywhere in tests/, whose docstring is one line of
the form `fault → promise`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from claimbench.showing.output import line

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"
ARROW = " → "

_HEAD = """\
# Faults that are tried on purpose

What goes wrong around a benchmark must not end in a wrong verdict, a lost result or a riddle. Each
row is a fault, what is promised where it happens, and the test that tries it. The page is written
from the tests (`python -m tests.faults > docs/faults.md`), and a test compares the two."""


def rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield fault, promise and name of each test in a file whose docstring states them."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            fault, arrow, promise = (ast.get_docstring(node) or "").partition(ARROW)
            if arrow and "\n" not in promise:
                yield fault, promise, node.name


def page(tests: Path = TESTS) -> str:
    """Return the page: one table for each test file that has rows, those of faults/ first."""
    parts = [_HEAD]
    paths = sorted(tests.rglob("test_*.py"), key=lambda path: (path.parent.name != "faults", path))
    for path in paths:
        found = list(rows(path))
        if found:
            title = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
            place = path.relative_to(tests.parent).as_posix()
            parts.append(f"\n## {title.splitlines()[0].rstrip('.')}\n\n[{place}](../{place})\n")
            parts.append("| fault | promise | test |\n| --- | --- | --- |")
            parts += [
                f"| {fault} | {promise} | `{name.removeprefix('test_')}` |"
                for fault, promise, name in found
            ]
    return "\n".join(parts)


if __name__ == "__main__":
    line(page())
