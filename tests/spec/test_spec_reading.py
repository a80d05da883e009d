"""Reading YAML: core schema, what is refused, and files that would crash a parser."""

import math
from pathlib import Path

import pytest
import yaml

from claimbench.spec import reading
from claimbench.spec.reading import Document, resolve
from tests.spec.lion import told

PARSERS = [yaml.BaseLoader, reading.Parser]


@pytest.fixture(params=PARSERS, ids=["python", "default"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here runs with the parser in Python and with the one in use."""
    monkeypatch.setattr(reading, "Parser", request.param)


def read(text: str | bytes) -> Document:
    return Document(Path("claims.yaml"), text if isinstance(text, bytes) else text.encode())


def test_the_parser_in_use_is_the_one_in_c():
    assert yaml.__with_libyaml__
    assert issubclass(PARSERS[1], yaml.CBaseLoader)


# YAML 1.2.2, section 10.3.2, table and examples.
SCALARS = [
    *((text, None) for text in ("", "~", "null", "Null", "NULL")),
    *((text, True) for text in ("true", "True", "TRUE")),
    *((text, False) for text in ("false", "False", "FALSE")),
    *((text, text) for text in ("yes", "no", "on", "off", "y", "n", "nUll", "tRue", "=", "<<")),
    *((text, text) for text in ("2026-12-01", "12:30:45", "1_000", "0b1", "-", ".", "..", "+.")),
    *((text, text) for text in ("1e", "e5", "0o8", "0xg", "-0o7", "1.2.3", ".nAn", "-.nan", "1 2")),
    *(("0", 0), ("-19", -19), ("+12", 12), ("007", 7), ("0o17", 15), ("0x3A", 58), ("-0", 0)),
    *(("1e-12", 1e-12), ("0.", 0.0), (".5", 0.5), ("+12e03", 12000.0), ("-2E+05", -2e5)),
    *((".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf), ("1e999", math.inf)),
    *(("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_core_schema(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_core_schema_nan(text):
    assert math.isnan(resolve(text))


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 9000])
def test_whole_number_beyond_64_bits(text):
    document = read(f"a: {text}\n")
    (problem,) = document.problems
    assert told(problem) == (1, text, "the whole number does not fit 64 bits")


def test_data_of_all_styles():
    document = read(
        "# a comment\n---\na: {b: [1, 'x', \"2\"], c: }\nd:\n- |\n  two\n  lines\n- - e: 1.5\n"
        "'true': yes\n? f\n: g\n...\n"
    )
    assert document.problems == []
    assert document.data == {
        "a": {"b": [1, "x", "2"], "c": None},
        "d": ["two\nlines\n", [{"e": 1.5}]],
        "true": "yes",
        "f": "g",
    }


def test_byte_order_mark_and_line_ends_of_windows():
    document = read(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert document.data == {"a": 1, "b": "x"}
    assert told(document.problem(("b",), "m")) == (2, "x", "m")


REFUSED = [
    ("a: 1\nb: 2\na: 3\n", (3, "a", "duplicate key `a`; it stands in line 1")),
    ("a: &x 1\n", (1, "&x 1", "anchor `&x`; write values out where they stand")),
    ("a: !!str 1\n", (1, "!!str 1", "a tag; remove it, types follow from how a value is written")),
    ("a: ! 1\n", (1, "! 1", "a tag; remove it, types follow from how a value is written")),
    ("a: !x [1]\n", (1, "!x [", "a tag; remove it, types follow from how a value is written")),
    ("a: *x\n", (1, "*", "alias `*x`; write the value out")),
    ("a: 1\n---\nb: 1\n", (2, "-", "a second document; a spec is one, remove the rest")),
    (
        "%YAML 1.2\n---\na: 1\n",
        (1, "%YAML 1.2", "a directive; remove it, the file is YAML 1.2 as it is"),
    ),
    ("1: a\n", (1, "1", "key `1` is not text; write it in quotes")),
    ("null: a\n", (1, "null", "key `null` is not text; write it in quotes")),
    ("[1]: a\n", (1, "[", "this key is not text; write it in quotes")),
    ('a: "x\\0"\n', (1, '"x\\0"', "the text holds a control character; remove it")),
    ("", (1, "", "the file is empty; CONTRIBUTING.md shows how to write one")),
    (" \n\n", (1, " ", "the file is empty; CONTRIBUTING.md shows how to write one")),
    ("# c\n", (1, "", "the file holds comments and no keys")),
    (b"a: 1\nb: \xff\n", (2, "\ufffd", "byte 0xff is not UTF-8; save the file as UTF-8")),
    (b"\xef\xbb\xbfa: \xff", (1, "\ufffd", "byte 0xff is not UTF-8; save the file as UTF-8")),
    ("a: 1\nb: \x07\n", (2, "\x07", "control character U+0007; remove it")),
    ("a: \u2028\n", (1, "\u2028", "control character U+2028; remove it")),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_is_refused(text, expected):
    line, marked, message = expected
    (problem,) = read(text).problems
    assert (problem.line, problem.message) == (line, message)
    assert told(problem)[1] == marked


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a: b: c\n", 1, "write text that contains `: ` in quotes"),
        (
            "a:\n\t- 1\n",
            2,
            "indent with spaces, and write text that begins with such a character in quotes",
        ),
    ],
)
def test_invalid_yaml_with_a_hint(text, line, hint):
    (problem,) = read(text).problems
    assert problem.line == line
    assert problem.message.startswith("not valid YAML: ")
    assert problem.message.endswith(f"; {hint}")


def test_all_problems_of_the_notation_at_once():
    document = read("a: &x 1\na: !!int 2\nb: {1: 2}\n")
    assert [problem.line for problem in document.problems] == [1, 2, 2, 3]
    assert document.data == {"a": 1, "b": {}}


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "[" * 100_000 + "]" * 100_000, "- " * 100_000, "? " * 100_000, "{a: " * 60_000],
    ids=["flow", "closed", "block", "keys", "mappings"],
)
def test_deep_nesting(text):
    (problem,) = read(text).problems
    assert problem.message == "nested more than 20 deep"


def test_depth_limit_is_exact():
    assert read("[" * 20 + "]" * 20).problems == []
    assert [p.column for p in read("[" * 21 + "]" * 21).problems] == [21]


def test_size_limit():
    assert read("a: " + "x" * (256 * 1024 - 3)).problems == []
    (problem,) = read("a: " + "x" * (256 * 1024 - 2)).problems
    assert problem.message == "262,145 bytes; a spec has at most 262,144"


PLACES = "a:\n  b: [10, {c: 2}]\n  d:\n    - e: 5\n      f:\n  é: {g: {}}\n"


@pytest.mark.parametrize(
    ("location", "at", "line", "marked"),
    [
        (("a", "b", 0), "value", 2, "10"),
        (("a", "b"), "value", 2, "[10, {c: 2}]"),
        (("a", "b"), "key", 2, "b"),
        (("a", "b", 1, "c"), "value", 2, "2"),
        (("a", "b", 1), "value", 2, "{c: 2}"),
        (("a", "d"), "value", 3, "d"),
        (("a", "d", 0), "value", 4, "e"),
        (("a", "d", 0, "f"), "value", 5, "f"),
        (("a", "d", 0, "missing"), "value", 4, "e"),
        (("a", "é", 0, "g"), "value", 6, "{}"),
        ((), "value", 1, "a"),
    ],
)
def test_places(location, at, line, marked):
    assert told(read(PLACES).problem(location, "m", at=at)) == (line, marked, "m")


def test_written_and_line():
    document = read("a:\n - 2409.10\n")
    assert document.written(("a", 0)) == "2409.10"
    assert document.written(("a",)) == ""
    assert document.line(("a", 0)) == 2
