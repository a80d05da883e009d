"""Mutants of a paper's method: copies of its files with one change each, and a choice of them."""

from __future__ import annotations

import ast
import difflib
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from claimbench.cache import Cache, digest
from claimbench.errors import UsageError
from claimbench.identity.closure import closure
from claimbench.mutation.sites import Change, changes_of

METHOD = "method.py"
MOST = 40

Description = tuple[str, str, str, str, int]
"""What names a mutant however lines shift: file, function, was, now, which of several such."""


@dataclass(frozen=True)
class Mutant:
    """The method with one change.

    Attributes:
        file: path of the changed file in the paper folder.
        function: dotted name of the function around the change, or `(module)`.
        kind: what is changed, one of `sites.KINDS`.
        line: where the change begins, from 1.
        was: the lines that change, blanks drawn together.
        now: what they become.
        nth: which one it is, from 1, where a function can be changed in this way several times.
        source: the whole file before.
        text: the whole file after.
    """

    file: str
    function: str
    kind: str
    line: int
    was: str
    now: str
    nth: int
    source: str
    text: str

    @property
    def description(self) -> Description:
        """What names the mutant in mutants.yaml."""
        return self.file, self.function, self.was, self.now, self.nth

    def diff(self) -> str:
        """Return the change as a unified diff."""
        lines = difflib.unified_diff(
            self.source.splitlines(keepends=True),
            self.text.splitlines(keepends=True),
            f"a/{self.file}",
            f"b/{self.file}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self, original: Path, folder: Path) -> None:
        """Copy a paper folder to `folder`, which is made, and change the file there."""
        shutil.copytree(original, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        (folder / self.file).write_bytes(self.text.encode())


def method_files(folder: Path) -> list[Path]:
    """Return method.py and the modules of the paper folder that it imports.

    Raises:
        UsageError: one cannot be parsed.
    """
    return own_files(folder, METHOD)


def own_files(folder: Path, file: str) -> list[Path]:
    """Return a file of a paper folder and the modules of that folder that it imports.

    Raises:
        UsageError: one cannot be parsed.
    """
    try:
        paths = closure(folder, "", Cache(None), file=file).paths
    except SyntaxError as error:
        raise UsageError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    own = [path for path in paths if path.is_relative_to(folder)]
    return sorted(own, key=lambda path: (path.name != file, path))


def all_mutants(folder: Path) -> list[Mutant]:
    """Return every mutant of a paper's method, in the order of its files and lines.

    Raises:
        UsageError: a file cannot be parsed.
    """
    return [mutant for path in method_files(folder) for mutant in _of_file(path, folder)]


def _of_file(path: Path, folder: Path) -> list[Mutant]:
    source = path.read_bytes()
    name = path.relative_to(folder).as_posix()
    try:
        changes = changes_of(source)
    except cst.ParserSyntaxError as error:
        raise UsageError(f"{name}:{error.raw_line}: {error.message}") from None
    seen: set[bytes] = {source}
    count: Counter[tuple[str, str, str]] = Counter()
    mutants = []
    for change in changes:
        after = _spliced(source, change)
        if after in seen:
            continue
        seen.add(after)
        was, now = _changed_lines(source.decode(), after.decode())
        count[change.function, was, now] += 1
        mutants.append(
            Mutant(
                file=name,
                function=change.function,
                kind=change.kind,
                line=change.line,
                was=was,
                now=now,
                nth=count[change.function, was, now],
                source=source.decode(),
                text=after.decode(),
            )
        )
    return mutants


def _spliced(source: bytes, change: Change) -> bytes:
    end = change.start + change.length
    return source[: change.start] + change.text.encode() + source[end:]


def _changed_lines(before: str, after: str) -> tuple[str, str]:
    """Return the lines in which two texts differ, each side on one line."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return _one_line(old[start : len(old) - end]), _one_line(new[start : len(new) - end])


def _one_line(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())


def choose(mutants: Iterable[Mutant], most: int = MOST, seed: int = 0) -> list[Mutant]:
    """Return at most so many mutants, spread over functions and kinds of change.

    The next one is of the pair of function and kind that was drawn from least, then of the
    function, then of the kind. Ties are broken by a digest of the seed and of what names the
    mutant, so that an edit elsewhere in the file hardly changes the choice. What does not compile,
    or parses to the same syntax tree, is left out.
    """
    waiting = sorted(mutants, key=lambda m: digest(str(seed), *map(str, m.description)))
    pairs: Counter[tuple[str, str]] = Counter()
    functions: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    chosen: list[Mutant] = []
    while waiting and len(chosen) < most:
        place, mutant = min(
            enumerate(waiting),
            key=lambda item: (
                pairs[item[1].function, item[1].kind],
                functions[item[1].function],
                kinds[item[1].kind],
                item[0],
            ),
        )
        del waiting[place]
        if not _differs(mutant):
            continue
        pairs[mutant.function, mutant.kind] += 1
        functions[mutant.function] += 1
        kinds[mutant.kind] += 1
        chosen.append(mutant)
    return sorted(chosen, key=lambda m: (m.file != METHOD, m.file, m.line, m.now))


def _differs(mutant: Mutant) -> bool:
    try:
        return ast.dump(ast.parse(mutant.text)) != ast.dump(ast.parse(mutant.source))
    except SyntaxError:
        return False
