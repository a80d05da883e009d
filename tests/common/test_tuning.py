"""Tuning: which setting wins, which seeds it sees, and what is kept of the choice."""

import math

import pytest
import torch

from claimbench import Run
from common.tuning import Grid, best, best_of_each, pick, pilot_seeds, settings

GRID = {"rate": [0.1, 0.3, 1.0], "decay": [0, 2]}


def test_settings_are_all_combinations_the_last_name_fastest():
    assert settings(GRID)[:3] == [
        {"rate": 0.1, "decay": 0},
        {"rate": 0.1, "decay": 2},
        {"rate": 0.3, "decay": 0},
    ]
    assert len(settings(GRID)) == 6


def test_lowest_mean_over_the_pilots_wins_and_is_kept():
    run = Run(seed=3)
    # seed 10 favours a rate of 1, seed 20 one of 0.1 by more
    losses = {(0.1, 10): 5, (0.3, 10): 4, (1.0, 10): 1, (0.1, 20): 1, (0.3, 20): 4, (1.0, 20): 8}
    choice = best(
        run, "SGD", GRID, lambda s, seed: losses[s["rate"], seed] - s["decay"], pilots=[10, 20]
    )
    assert choice.setting == {"rate": 0.1, "decay": 2}
    assert choice.score == 1
    assert choice.scores == [3, 1, 4, 2, 4.5, 2.5]
    kept = run.choices["SGD"]
    assert kept["setting"] == choice.setting
    assert kept["grid"] == GRID
    assert kept["at_end"] == ["rate", "decay"]


def test_pilots_differ_from_the_run_and_from_each_other_and_are_the_same_for_all_arms():
    run = Run(seed=3)
    seen: dict[str, list[int]] = {"a": [], "b": []}

    def score(arm, setting, seed):
        seen[arm].append(seed)
        return setting["rate"]

    best_of_each(run, {"a": {"rate": [1, 2]}, "b": {"rate": [5, 6]}}, score, pilots=3)
    assert seen["a"] == seen["b"] == 2 * pilot_seeds(run, 3)
    assert len({3, *seen["a"]}) == 4
    assert pilot_seeds(Run(seed=4), 3) != pilot_seeds(run, 3)


def test_each_arm_of_a_comparison_has_its_own_best():
    plain = {"rate": [1, 2, 4]}
    arms: dict[str, Grid] = {"plain": plain, "ours": {"rate": [1, 4], "beta": [0.5]}}
    with pytest.raises(ValueError, match=r"as many settings.*'plain': 3, 'ours': 2"):
        best_of_each(Run(), arms, lambda *_: 1.0, pilots=1)
    arms = {"plain": plain, "ours": {"rate": [1, 2, 8]}}
    target = {"plain": 2, "ours": 8}
    run = Run()
    found = best_of_each(run, arms, lambda arm, s, _: abs(s["rate"] - target[arm]), pilots=1)
    assert {arm: choice.setting["rate"] for arm, choice in found.items()} == target
    assert run.choices.keys() == target.keys()


@pytest.mark.parametrize("bad", [math.nan, -math.inf, math.inf])
@pytest.mark.parametrize("higher", [False, True])
def test_what_is_not_finite_on_one_pilot_never_wins(bad, higher):
    scores = torch.tensor([[bad, 0.0], [7.0, 9.0], [6.0, bad]])
    choice = pick(Run(), "SGD", {"rate": [1, 2, 3]}, scores, higher=higher)
    assert choice.setting == {"rate": 2}
    assert choice.score == 8
    assert choice.scores[0] == choice.scores[2] == (-math.inf if higher else math.inf)


def test_progress_counts_each_training():
    seen: list[tuple[int, int]] = []
    run = Run()
    run.progress = lambda done, total: seen.append((done, total))  # type: ignore[method-assign]
    best(run, "SGD", {"rate": [1, 2]}, lambda *_: 1.0, pilots=2)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_highest_wins_if_asked_for_and_of_equals_the_first():
    grid = {"rate": [5, 6, 7, 8]}
    assert pick(Run(), "a", grid, [1, 3, 3, 2], higher=True).setting == {"rate": 6}
    assert pick(Run(), "b", grid, [4, 1, 2, 1]).setting == {"rate": 6}


def test_where_everything_diverged_the_first_is_chosen():
    choice = pick(Run(), "SGD", {"rate": [5, 6]}, [math.nan, math.inf])
    assert choice.setting == {"rate": 5}
    assert choice.score == math.inf


def test_unequal_budget_is_refused_before_any_training():
    with pytest.raises(ValueError, match=r"6 settings on 2 pilots are 12 trainings.*9"):
        best(Run(), "SGD", GRID, lambda *_: pytest.fail("trained"), pilots=2, budget=9)
    assert best(Run(), "SGD", GRID, lambda *_: 1.0, pilots=2, budget=12).score == 1


def test_scores_that_do_not_fit_the_grid_are_refused():
    with pytest.raises(ValueError, match=r"6 settings, but scores of shape \(5, 1\)"):
        pick(Run(), "SGD", GRID, range(5))
