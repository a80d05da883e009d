"""Problems of a paper folder, and how they are shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from claimbench.errors import ClaimbenchError

LIMIT = 100  # problems shown; a file with more is another kind of file
LINE_WIDTH = 120  # characters of a source line that are shown


@dataclass(frozen=True)
class Problem:
    """One problem, where it is, and the remedy.

    Attributes:
        path: the file.
        line: from 1.
        column: in characters, from 1.
        message: one sentence.
        source_line: the line's text; empty where there is nothing to show.
        width: how many characters the carets mark.
    """

    path: Path
    line: int
    column: int
    message: str
    source_line: str = ""
    width: int = 1

    def __str__(self) -> str:
        head = f"{shown(self.path)}:{self.line}:{self.column}: {_printable(self.message)}"
        if not self.source_line.strip():
            return head
        start = max(0, self.column - 1 - LINE_WIDTH // 2) if self.column > LINE_WIDTH else 0
        text = _printable(self.source_line[start : start + LINE_WIDTH]).rstrip()
        indent = self.column - 1 - start
        carets = "^" * max(1, min(self.width, LINE_WIDTH - indent))
        return f"{head}\n{self.line:>5} | {text}\n      | {' ' * indent}{carets}"


class SpecError(ClaimbenchError):
    """A paper folder breaks its contract; the text shows every problem.

    Attributes:
        problems: sorted by file, line and column; at most 100.
        slug: name of the folder.
    """

    def __init__(self, slug: str, problems: Iterable[Problem]) -> None:
        unique = dict.fromkeys(problems)
        files = {path: place for place, path in enumerate(dict.fromkeys(p.path for p in unique))}
        ordered = sorted(unique, key=lambda p: (files[p.path], p.line, p.column))
        self.slug = slug
        self.problems = tuple(ordered[:LIMIT])
        self._total = len(ordered)
        super().__init__(slug, self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self._total == 1:
            last = "1 problem. Fix it"
        elif self._total <= LIMIT:
            last = f"{self._total} problems. Fix them"
        else:
            last = f"More than {LIMIT} problems, {LIMIT} shown. Fix them"
        return "\n".join([*lines, f"{last}, then run: claimbench check {self.slug}"])


def _printable(text: str) -> str:
    """Keep every character's place, but no line break, tab or control sequence."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def shown(path: Path) -> str:
    """Return the path as messages show it: relative to the working directory when below it."""
    absolute = path.absolute()
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return absolute.as_posix()
