"""What somebody may have meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbench.guessing import guess, meant

KNOWN = ["smoke", "standard", "full"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("smok", "smoke"), ("standart", "standard"), ("fulll", "full"), ("gpu", None), ("", None)],
)
def test_nearest_word_if_any_is_near(word, near):
    assert meant(word, KNOWN) == near


def test_sentence_names_the_nearest_or_all():
    assert guess("smok", KNOWN) == "did you mean `smoke`?"
    assert guess("gpu", KNOWN) == "allowed are smoke, standard, full"
    assert guess("gpu", KNOWN, "there are:") == "there are: smoke, standard, full"


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=8))
def test_guess_is_a_known_word_and_a_known_word_is_its_own(word, known):
    assert meant(word, known) in {None, *known}
    assert all(meant(one, known) == one for one in known if one)


def test_long_word_takes_no_long_time():
    assert meant("smoke" + "x" * 1_000_000, ["smoke", "s" * 1_000_000]) is None
