"""The words for what came out, their order, and what is known of each."""

import json
import pickle
from importlib.resources import files
from pathlib import Path

import pytest

from claimbench.judging.verdict import SettingVerdict, Verdict


def test_verdicts_in_the_order_of_tables():
    found = [(v.value, v.symbol, v.color, v.badness, v.decided, v.judged) for v in Verdict]
    assert found == [
        ("reproduced", "✓", 32, 0, True, True),
        ("diverged", "✗", 31, 3, True, True),
        ("vacuous", "∅", 35, 3, True, True),
        ("inconclusive", "?", 33, 2, False, True),
        ("error", "!", 31, 4, False, False),
        ("skipped", "–", 36, 1, False, False),
    ]
    assert [v.marked for v in Verdict][:2] == ["✓ reproduced", "✗ diverged"]


def test_setting_verdicts_with_the_least_welcome_of_a_control_first():
    assert [(v.value, v.of_control) for v in SettingVerdict] == [
        ("error", "error"),
        ("reproduced", "passes"),
        ("undecided", "undecided"),
        ("diverged", "rejected"),
        ("not run", "not run"),
    ]


@pytest.mark.parametrize(
    "word", [*Verdict, *SettingVerdict], ids=lambda word: f"{word!s} {type(word).__name__}"
)
def test_verdict_is_its_word_wherever_it_goes(word):
    assert word == word.value
    assert type(word)(word.value) is word
    assert (str(word), f"{word}", repr(word)) == (word.value, word.value, repr(word.value))
    assert json.loads(json.dumps({word: word})) == {word.value: word.value}
    assert pickle.loads(pickle.dumps(word)) is word


@pytest.mark.parametrize("kind", [Verdict, SettingVerdict])
def test_word_that_there_is_not(kind):
    with pytest.raises(ValueError, match="'perhaps' is not a valid"):
        kind("perhaps")


def test_readme_explains_every_verdict():
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert [v for v in Verdict if f"\n| {v.marked} | " not in text] == []


@pytest.mark.parametrize("verdict", Verdict)
def test_site_has_a_colour_and_an_explanation_for_every_verdict(verdict):
    site = files("claimbench.leaderboard.site")
    assert f".{verdict}" in site.joinpath("assets", "site.css").read_text("utf-8")
    explained = site.joinpath("templates", "verdicts.html.j2").read_text("utf-8")
    assert f"<dt>{{{{ verdict(Verdict.{verdict.name}) }}}}</dt>" in explained
