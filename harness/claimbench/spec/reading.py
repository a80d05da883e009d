"""From the bytes of a YAML file to plain data, with the place of every key and value.

Scalars follow the core schema of YAML 1.2 (section 10.3.2): `1e-12` is a number, `yes` is text.
What makes a file hard to read at a glance (anchors, aliases, tags, duplicate keys, several
documents) is a problem, and so is what makes it dangerous to parse (size, depth).
"""

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from claimbench.spec.problems import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_INTEGER = 2**63

Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
Location = tuple[str | int, ...]

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_BREAK = re.compile("\r\n|\r|\n")
_NUMERIC = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_HINTS = {
    "mapping values are not allowed": "write text that contains `: ` in quotes",
    "cannot start any token": "indent with spaces, and write text that begins with such a "
    "character in quotes",
    "did not find expected key": "look at the indentation and the quotes of this line",
}


class Node:
    """Where a value stands: its first event, and the nodes of what it contains."""

    __slots__ = ("end", "event", "items", "keys")

    def __init__(self, event: Any) -> None:
        self.event: Any = event
        self.end: Any = event
        self.keys: dict[str, Any] = {}
        self.items: dict[str | int, Node] = {}


class Document:
    """A file as data, and the places that its problems point at.

    Attributes:
        path: the file.
        data: dicts, lists, text, numbers, booleans and None; None where it cannot be read.
        problems: what is wrong with the YAML itself.
        readable: whether `data` is all that the file says, so that it can be judged.
    """

    def __init__(self, path: Path, raw: bytes) -> None:
        self.path = path
        self.data: Any = None
        self.problems: list[Problem] = []
        self.readable = False
        self.text = ""
        self.root: Node | None = None
        self._lines: list[str] | None = None
        if self._decode(raw):
            self._parse()

    def problem(self, location: Location, message: str, *, at: str = "value") -> Problem:
        """Return the problem with the message at a location.

        Args:
            location: keys and list indices from the top; a part that the file does not have (a
                default, an index into what is written as one mapping) is passed over.
            message: one sentence.
            at: "key" marks the last key, "value" its value; a value of several lines, or none,
                is marked at its key.
        """
        node, key = self.root, None
        for part in location:
            below = None if node is None else node.items.get(part)
            if node is None or below is None:
                continue
            key = node.keys.get(part) if isinstance(part, str) else None
            node = below
        if node is None:
            return self._at(0, 0, message)
        start, end = node.event.start_mark, node.end.end_mark
        inline = start.line == end.line and start.index < end.index
        if key is not None and (at == "key" or not inline):
            start, end = key.start_mark, key.end_mark
        elif not inline and node.keys:
            end = next(iter(node.keys.values())).end_mark
        width = end.column - start.column if start.line == end.line else None
        return self._at(start.line, start.column, message, width)

    def line(self, location: Location) -> int:
        """Return the line, from 1, in which the value at the location begins."""
        node = self.root
        for part in location:
            node = None if node is None else node.items.get(part)
        return 1 if node is None else int(node.event.start_mark.line) + 1

    def written(self, location: Location) -> str:
        """Return a scalar as the file writes it: `2409.10`, not the number 2409.1."""
        node = self.root
        for part in location:
            if node is not None:
                node = node.items.get(part, node)
        return str(node.event.value) if node and isinstance(node.event, ScalarEvent) else ""

    def _decode(self, raw: bytes) -> bool:
        if len(raw) > MAX_BYTES:
            self._report(0, 0, f"{len(raw):,} bytes; a spec has at most {MAX_BYTES:,}")
            return False
        self.text = raw.decode("utf-8-sig", errors="replace")
        try:
            raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode("utf-8-sig", errors="ignore")
            byte = f"byte 0x{error.object[error.start]:02x}"
            self._report_after(before, f"{byte} is not UTF-8; save the file as UTF-8")
            return False
        if found := _CONTROL.search(self.text):
            code = f"U+{ord(found.group()):04X}"
            self._report_after(self.text[: found.start()], f"control character {code}; remove it")
            return False
        if not self.text.strip():
            self._report(0, 0, "the file is empty; CONTRIBUTING.md shows how to write one")
            return False
        return True

    def _report_after(self, before: str, message: str) -> None:
        lines = _LINE_BREAK.split(before)
        self._report(len(lines) - 1, len(lines[-1]), message)

    def _parse(self) -> None:
        events = Parser(self.text)
        try:
            self.data, self.root = self._document(events)
            self.readable = True
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = f"not valid YAML: {error.problem or error.context}"
            said += next((f"; {hint}" for part, hint in _HINTS.items() if part in said), "")
            self._report(mark.line if mark else 0, mark.column if mark else 0, said)
        except _Unreadable as stop:
            self.problems.append(stop.problem)
        finally:
            events.dispose()

    def _document(self, events: Any) -> tuple[Any, Node]:
        events.get_event()
        start = events.get_event()
        if not isinstance(start, DocumentStartEvent):
            raise self._unreadable(start, "the file holds comments and no keys")
        if start.version or start.tags:
            self._report_event(start, "a directive; remove it, the file is YAML 1.2 as it is")
        data, root = self._value(events, events.get_event(), 1)
        while not isinstance(event := events.get_event(), StreamEndEvent):
            if not isinstance(event, DocumentEndEvent):
                raise self._unreadable(event, "a second document; a spec is one, remove the rest")
        return data, root

    def _value(self, events: Any, event: Any, depth: int) -> tuple[Any, Node]:
        node = Node(event)
        if isinstance(event, ScalarEvent):
            if event.anchor or event.tag:
                self._refuse_decoration(event)
            if event.implicit[0]:
                return self._plain(event), node
            if _CONTROL.search(event.value):
                self._report_event(event, "the text holds a control character; remove it")
            return event.value, node
        if isinstance(event, AliasEvent):
            raise self._unreadable(event, f"alias `*{event.anchor}`; write the value out")
        if depth > MAX_DEPTH:
            raise self._unreadable(event, f"nested more than {MAX_DEPTH} deep")
        if event.anchor or event.tag:
            self._refuse_decoration(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, node, depth), node
        values: list[Any] = []
        while not isinstance(event := events.get_event(), SequenceEndEvent):
            value, item = self._value(events, event, depth + 1)
            node.items[len(values)] = item
            values.append(value)
        if node.event.flow_style:
            node.end = event
        return values, node

    def _mapping(self, events: Any, node: Node, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := events.get_event(), MappingEndEvent):
            key, _ = self._value(events, event, depth + 1)
            value, item = self._value(events, events.get_event(), depth + 1)
            if not isinstance(key, str):
                found = f"key `{event.value}`" if isinstance(event, ScalarEvent) else "this key"
                self._report_event(event, f"{found} is not text; write it in quotes")
            elif key in values:
                line = node.keys[key].start_mark.line + 1
                self._report_event(event, f"duplicate key `{key}`; it stands in line {line}")
            else:
                values[key], node.items[key], node.keys[key] = value, item, event
        if node.event.flow_style:
            node.end = event
        return values

    def _plain(self, event: Any) -> Any:
        try:
            value = resolve(event.value)
        except OverflowError:
            self._report_event(event, "the whole number does not fit 64 bits")
            return 0
        return value

    def _refuse_decoration(self, event: Any) -> None:
        if event.anchor:
            self._report_event(
                event, f"anchor `&{event.anchor}`; write values out where they stand"
            )
        if event.tag:
            self._report_event(event, "a tag; remove it, types follow from how a value is written")

    def _unreadable(self, event: Any, message: str) -> "_Unreadable":
        mark = event.start_mark
        return _Unreadable(self._at(mark.line, mark.column, message))

    def _report_event(self, event: Any, message: str) -> None:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if start.line == end.line else None
        self.problems.append(self._at(start.line, start.column, message, width))

    def _report(self, line: int, column: int, message: str) -> None:
        self.problems.append(self._at(line, column, message))

    def _at(self, line: int, column: int, message: str, width: int | None = 1) -> Problem:
        """Return the problem at a line and column from 0; what lies past the end, at the end."""
        if self._lines is None:
            self._lines = _LINE_BREAK.split(self.text)
            while len(self._lines) > 1 and not self._lines[-1].strip():
                self._lines.pop()
        if line >= len(self._lines):
            line = len(self._lines) - 1
            column = len(self._lines[line])
        source = self._lines[line]
        marked = len(source.rstrip()) - column if width is None else width
        return Problem(self.path, line + 1, column + 1, message, source, max(1, marked))


class _Unreadable(Exception):
    """Reading stops here: what follows cannot be told apart from what the problem caused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def resolve(text: str) -> Any:
    """Return the value of a plain scalar by the core schema of YAML 1.2.

    Raises:
        OverflowError: a whole number outside [−2⁶³, 2⁶³).
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text):
        return _integer(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return _integer(text[2:], 16)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return text


def _integer(digits: str, base: int) -> int:
    significant = digits.lstrip("+-").lstrip("0")
    if len(significant) > 22:
        raise OverflowError
    value = int(significant or "0", base)
    value = -value if digits[0] == "-" else value
    if not -MAX_INTEGER <= value < MAX_INTEGER:
        raise OverflowError
    return value
