"""What would tell about a machine or a person is taken out of texts; the rest stays."""

import getpass

import pytest

from claimbench.leaderboard.scrubbing import Scrubber

SCRUBBER = Scrubber({"TOKEN": "s3cret-t0ken", "HOME": "/home/alice", "YES": "1", "LANG": "C.UTF-8"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "FileNotFoundError: '/home/alice/data/set.npz'",
            "FileNotFoundError: '…/set.npz'",
        ),
        ("no file /srv/runs/7/x.json: gone", "no file …/x.json: gone"),
        (r"no file C:\Users\bob\x.json", "no file …/x.json"),
        ("got s3cret-t0ken, no good", "got <TOKEN>, no good"),
        ("ratio 1/2 and/or 3/4; https://example.org/a/b", None),
        ("1 of 1 seed held; value is 0.5, expected ≥ 1", None),
        ("/2 is a half", None),
        ("s3cret-t0kens", None),  # another word
        ("C.UTF-8", None),
    ],
)
def test_texts(text: str, expected: str | None):
    assert SCRUBBER.text(text) == (text if expected is None else expected)


def test_user_and_host(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "alice42")
    monkeypatch.setattr("socket.gethostname", lambda: "thin.kpad")
    scrubber = Scrubber({})
    assert scrubber.text("alice42 on thin.kpad") == "<user> on <host>"
    assert scrubber.text("malice42 on thinkkpad") == "malice42 on thinkkpad"


def test_common_names_stay(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    assert Scrubber({}).text("the root of x") == "the root of x"
