"""What was chosen in tuning: counted over seeds, and in words."""

import pytest

from claimbench.judging.chosen import Chosen, Scalar, chosen_in, chosen_text

LR = {"lr": [0.01, 0.001, 0.003]}


def choice(lr: float, *, end: bool = False):
    return {"setting": {"lr": lr}, "grid": LR, "at_end": ["lr"] if end else []}


def test_seeds_that_chose_alike_are_counted_together_and_the_most_come_first():
    fixed = {"setting": {"steps": 5}, "grid": {"steps": [5]}, "at_end": []}
    runs = [
        {"SGD": choice(0.01, end=True), "Adam": fixed},
        {"SGD": choice(0.003), "Adam": fixed},
        {"SGD": choice(0.003)},
    ]
    grid: dict[str, tuple[Scalar, ...]] = {"lr": (0.01, 0.001, 0.003)}
    assert chosen_in(runs) == {
        "Adam": (Chosen({"steps": 5}, {"steps": (5,)}, (), 2),),
        "SGD": (Chosen({"lr": 0.003}, grid, (), 2), Chosen({"lr": 0.01}, grid, ("lr",), 1)),
    }
    assert chosen_in([]) == chosen_in([{}]) == {}


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([{"AdamW": choice(0.003)}], "AdamW lr 0.003 of 0.001…0.01"),
        (
            [{"B": choice(0.01, end=True), "A": choice(0.003)}],
            "A lr 0.003 of 0.001…0.01; B lr 0.01 (end of its grid)",
        ),
        (
            [{"A": choice(0.003)}, {"A": choice(0.01, end=True)}, {"A": choice(0.003)}],
            "A lr 0.003 of 0.001…0.01 in 2 or lr 0.01 (end of its grid) in 1",
        ),
        (
            [
                {
                    "A": {
                        "setting": {"norm": "l2", "n": 3},
                        "grid": {"norm": ["l1", "l2"], "n": [3]},
                        "at_end": [],
                    }
                }
            ],
            "A norm l2 of l1, l2, n 3",
        ),
        ([], ""),
    ],
)
def test_choices_in_words(runs, text):
    assert chosen_text(chosen_in(runs)) == text
