"""What others have written into our files is never taken for a bug of ours."""

import json
import sqlite3
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.cli import main
from claimbench.errors import StoreError, UsageError
from claimbench.leaderboard import mutation
from claimbench.leaderboard.published import parse, read
from claimbench.running.store import Store

VALUES = (None, 5, '{"x": "y"}', "[" * 10_000, b"\xff")
WHY, PLAN, GC = ("why", "tiny"), ("verify", "tiny", "--plan"), ("gc", "--dry-run")
PUBLISH = ("leaderboard", "publish", "--into", "elsewhere")
READERS = {
    "runs": (WHY, PLAN, GC, PUBLISH),
    "identities": (WHY, GC, PUBLISH),
    "environments": (PLAN,),
    "repeats": (PLAN,),
    "verdicts": (("results",), PUBLISH),
}
"""The commands that read a table."""


def columns(path: Path, table: str) -> list[str]:
    """Return the columns of a table, which from now on take any value."""
    with sqlite3.connect(path) as store:
        store.executescript(
            f"CREATE TABLE loose AS SELECT * FROM {table}; DROP TABLE {table}; "
            f"ALTER TABLE loose RENAME TO {table};"
        )
        return [row[1] for row in store.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", READERS)
def test_any_value_in_any_column_of_the_store(verified: Path, said, table: str):
    """a row of the store that claimbench did not write → a sentence that names the store"""
    path = verified / ".claimbench" / "store.sqlite"
    wrong = 0
    for column in columns(path, table):
        for value in VALUES:
            with sqlite3.connect(path) as store:
                before = store.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
                store.execute(f"UPDATE {table} SET {column} = ?", (value,))
            for words in READERS[table]:
                done = said(*words)
                if done.code == 2 and "no verdict on" not in done.err:
                    assert done.says(f"{path}: ", "move this file away"), (column, value, words)
                    wrong += 1
                assert done.code in (0, 1, 2), (column, value, words, done.err)
            with sqlite3.connect(path) as store:
                store.executemany(
                    f"UPDATE {table} SET {column} = ? WHERE rowid = ?",
                    [(old, rowid) for rowid, old in before],
                )
    assert wrong
    assert said("results").code == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("'{}'", "no field `paper`"),
        ("replace(record, '\"smoke\"', '\"tiny\"')", "`tier`: Input should be 'smoke'"),
        ("replace(record, '\"reproduced\"', '\"perhaps\"')", "`verdict`: Input should be"),
        ("replace(record, '\"held\"', '\"stood\"')", "unknown field `stood`"),
        ('replace(record, \'"seeds": 3\', \'"seeds": "3"\')', "`seeds`: Input should be a valid"),
    ],
)
def test_verdict_of_other_fields(verified: Path, said, change: str, message: str):
    """a verdict of other fields, words or types → a sentence that names the field"""
    path = verified / ".claimbench" / "store.sqlite"
    with sqlite3.connect(path) as store:
        store.execute(f"UPDATE verdicts SET record = {change}")
    assert said("results").says(f"{path}: ", message, "move this file away")


def test_run_without_an_identity(verified: Path):
    """a run whose identity is gone → a sentence that names the run key"""
    home = verified / ".claimbench"
    with sqlite3.connect(home / "store.sqlite") as store:
        store.execute("UPDATE runs SET artefacts = '[\"a\"]', run_key = 'k' WHERE rowid = 1")
    with pytest.raises(StoreError, match="the run key 'k' has runs and no identity; set CLAIMB"):
        Store(home).run_keys()


def test_any_value_in_the_cache(verified: Path, command):
    """an entry of the cache that claimbench did not write → computed again, and mended"""
    home = verified / ".claimbench"
    with sqlite3.connect(home / "cache.sqlite") as cache:
        kept = cache.execute("SELECT * FROM entries").fetchall()
    for value in (5, "", "no JSON", "[]", '{"paper": 1}', b"\xff", b'["bytes"]', "[" * 9999):
        for column in ("value", "checksum"):
            with sqlite3.connect(home / "cache.sqlite") as cache:
                cache.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", kept)
                cache.execute(f"UPDATE entries SET {column} = ?", (value,))
            opened = Cache(home)
            assert {opened.get(key) for key, _, _ in kept} == {None}, (column, value)
            opened.close()
    assert command("why", "tiny").out.count("they are reused") == 1
    with sqlite3.connect(home / "cache.sqlite") as cache:
        assert set(cache.execute("SELECT * FROM entries")) == set(kept)


def test_value_of_another_key(tmp_path: Path):
    """two entries of the cache change places → computed again"""
    cache = Cache(tmp_path)
    cache.put("a", "1")
    cache.put("b", "2")
    cache.close()
    with sqlite3.connect(tmp_path / "cache.sqlite") as database:
        for before, after in (("a", "c"), ("b", "a"), ("c", "b")):
            database.execute("UPDATE entries SET key = ? WHERE key = ?", (after, before))
    assert [Cache(tmp_path).get(key) for key in "ab"] == [None, None]


@pytest.fixture
def published(verified: Path, said) -> Path:
    """The file of published results of a verified paper."""
    assert said("leaderboard", "publish").code == 0
    (path,) = (verified / "leaderboards" / "results").rglob("*.json")
    return path


OTHERS: tuple[object, ...] = (None, 5, "x", [1], {"x": {}}, {})
REST = "restore the file, or remove it and publish again"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ":1:1: no JSON: "),
        (b'{"format": 2, "claims": {"caf\xe9": 1}}', ": no JSON: "),
        (b'{"format": 2, "claims": NaN}', ": no JSON: "),
        (b"null", "no published results (TypeError"),
        (b'"text"', "no published results (TypeError"),
        (b'{"format": "one"}', "format one, and this version reads 2; update claimbench"),
    ],
)
def test_published_file_that_is_something_else(published: Path, said, content: bytes, message: str):
    """a published file that is empty, not UTF-8 or of another kind → a sentence that names it"""
    published.write_bytes(content)
    for words in (("alert",), ("publish",), ("merge", "."), ("diff", "leaderboards", "store")):
        done = said("leaderboard", *words)
        assert done.says("tiny.json", message), done.err


def test_published_file_cut_at_any_place(published: Path, said):
    """a published file that was truncated → a sentence with line and column"""
    whole = published.read_bytes()
    for length in range(0, len(whole) - 2, 97):
        published.write_bytes(whole[:length])
        assert said("leaderboard", "alert").says(f"{published.relative_to(Path.cwd())}:", REST)


def places(data: object, path: tuple = ()):
    """Yield the path to each value within JSON data."""
    if path:
        yield path
    inner = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in inner:
        yield from places(value, (*path, key))


def changed(text: str, path: tuple, value: object) -> str:
    data = json.loads(text)
    inside = data
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return json.dumps(data)


def refused_for(text: str) -> str | None:
    """Return why a content is refused; one that is not comes back as it was read."""
    try:
        back = parse(text, "f.json")
    except UsageError as error:
        return str(error)
    assert parse(back.text(), "f.json") == back
    return None


def test_any_value_in_any_place_of_a_published_file(published: Path):
    """another type or a missing value anywhere in a published file → told, or read and kept"""
    text = published.read_text(encoding="utf-8")
    refused = 0
    for path in places(json.loads(text)):
        for value in OTHERS:
            refusal = refused_for(changed(text, path, value))
            if refusal is not None:
                assert refusal.startswith("f.json: ")
                assert refusal.endswith((REST, "update claimbench", "smoke, standard, full"))
                refused += 1
    assert refused > 300


@pytest.mark.parametrize("path", [(), ("claims", "holds")], ids=["file", "claim"])
def test_unknown_field_of_a_published_file(published: Path, path: tuple):
    """an unknown field in a published file → a sentence that names the field"""
    text = changed(published.read_text(encoding="utf-8"), (*path, "mood"), "good")
    with pytest.raises(UsageError, match=rf"f\.json: unknown field `mood`; {REST}"):
        parse(text, "f.json")


@pytest.mark.parametrize(
    "axes", [["inf", "inf"], [[1.0], [1.0, 2.0]], [[1.0]], [[1.0], ["x"]], [[True], [1.0]], 5, None]
)
def test_curve_that_is_none(published: Path, axes: object):
    """a curve that is not two lists of as many numbers → a sentence that names the curve"""
    data = json.loads(published.read_text(encoding="utf-8"))
    (result,) = data["claims"]["holds"]["results"].values()
    result["curves"] = {"loss": [[0.0, 1], ["inf", 2.5]]}
    assert parse(json.dumps(data), "f.json").entries["holds"].latest.curves == result["curves"]
    result["curves"] = {"loss": axes}
    with pytest.raises(UsageError, match="the curve `loss` is not two lists of as many numbers"):
        parse(json.dumps(data), "f.json")


@pytest.mark.parametrize("name", ["claim", "cpu"])
def test_record_of_something_else(published: Path, name: str):
    """a record under another claim's or CPU's name → a sentence that names both"""
    data = json.loads(published.read_text(encoding="utf-8"))
    (result,) = data["claims"]["holds"]["results"].values()
    result["record"][name] = "another"
    with pytest.raises(UsageError, match=r"the record of `another` stands under `"):
        parse(json.dumps(data), "f.json")


@pytest.mark.parametrize("place", ["tiny.json", "cpu/tiny.json", "cpu/smoke/more/tiny.json"])
def test_published_file_at_another_depth(published: Path, place: str):
    """a published file in the wrong folder → a sentence that says where it belongs"""
    results = published.parents[2]
    target = results / place
    target.parent.mkdir(parents=True, exist_ok=True)
    published.rename(target)
    with pytest.raises(UsageError, match=rf"{place}: holds what belongs into .*; move it"):
        read(results)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{}", b'{"profile": "cpu", "caught": "many"}', b"[" * 9999]
)
def test_score_of_mutants_that_is_none(tmp_path: Path, content: bytes):
    """a file of mutation scores that is none → a sentence that names it"""
    (tmp_path / "tiny.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"tiny\.json: no score of mutants \(.*\); remove it"):
        mutation.read(tmp_path)


@pytest.mark.parametrize("days", ["inf", "nan", "-1", "1e9", "soon"])
def test_age_that_no_calendar_has(verified: Path, capsys, days: str):
    """`gc --older-than` of inf, nan or a negative number → an error of the command line"""
    with pytest.raises(SystemExit) as left:
        main(["gc", f"--older-than={days}"])
    assert left.value.code == 2
    assert "argument --older-than: " in capsys.readouterr().err
