"""`claimbench data`."""

import json

from claimbench.cli import main


def test_list_shows_what_is_here(capsys):
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("✓ digits ") and "CC-BY-4.0" in line for line in lines)
    assert main(["data", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["digits"]["missing"] is None
    assert rows["digits"]["sha256"].startswith("f6d9e39f")


def test_get_checks_and_says_where(capsys):
    assert main(["data", "get", "digits", "wine"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "✓ digits 1998-07-01, checked: sklearn",
        "✓ wine 1991-07-01, checked: sklearn",
    ]


def test_get_of_what_there_is_not(capsys):
    assert main(["data", "get", "digit"]) == 2
    assert "no data set `digit`; did you mean `digits`?" in capsys.readouterr().err
