"""Scores of mutants as files, and on the board."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from claimbench.errors import UsageError
from claimbench.leaderboard import tables
from claimbench.leaderboard.board import make_board
from claimbench.leaderboard.mutation import Score, due, read, write

SCORE = Score("cpu", "smoke", 36, 40, 2, "2026-12-01T02:30:00+00:00", "abc")


def test_scores_come_back_from_their_files(tmp_path):
    other = replace(SCORE, caught=0, commit=None)
    assert write("lion", SCORE, tmp_path / "mutation") == tmp_path / "mutation" / "lion.json"
    write("tiger", other, tmp_path / "mutation")
    assert read(tmp_path / "mutation") == {"lion": SCORE, "tiger": other}
    assert read(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"caught": 1}'])
def test_a_file_that_is_no_score(tmp_path, text):
    (tmp_path / "lion.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"lion\.json: no score of mutants .*mutate lion"):
        read(tmp_path)


def test_every_paper_has_one_night_in_seven_whatever_the_others():
    slugs = [f"paper_{number}" for number in range(119)]
    nights = [due(slugs, night) for night in range(1, 8)]
    assert sorted(slug for night in nights for slug in night) == sorted(slugs)
    assert min(map(len, nights)) >= 5
    assert due(slugs, 8) == nights[0]
    alone = next(night for night in range(7) if due(["paper_7"], night))
    assert "paper_7" in due(slugs, alone)


def test_board_and_table_show_the_score_of_their_profile(make_file):
    files = [make_file("lion", fine={}), make_file("lion", profile="gpu", fine={})]
    boards = [make_board(files, {}, profile, {"lion": SCORE}) for profile in ("cpu", "gpu")]
    assert [row.mutation for board in boards for row in board.papers] == [SCORE, None]
    rows = [line for line in tables.markdown(boards).splitlines() if "papers/lion" in line]
    column = tables.markdown(boards).partition("| paper |")[2].split("|").index(" mutants caught ")
    assert [re.split(r"\s*\|\s*", row)[column + 2] for row in rows] == ["36/40", ""]
    assert '"mutation": {\n' in tables.as_json(boards)
