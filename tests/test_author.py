"""The author surface: what a reproduce.py may rely on."""

import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch

import claimbench
from claimbench import Run, artefact, experiment
from claimbench.author import CURVE_POINTS
from claimbench.cache import Cache
from claimbench.errors import AuthorError
from claimbench.identity.closure import source_digest


def test_exported_names_are_the_documented_ones():
    assert set(claimbench.__all__) == {"Run", "artefact", "experiment", "verify"}
    assert all(hasattr(claimbench, name) for name in claimbench.__all__)
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        _ = claimbench.nothing


def test_decorators_leave_the_function_callable():
    @experiment
    def measure(run: Run, *, n: int = 2) -> dict[str, float]:
        return {"seed": run.seed * n}

    assert measure(Run(3), n=4) == {"seed": 12}


@pytest.mark.parametrize("decorator", [experiment, artefact], ids=["experiment", "artefact"])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: 0, "first parameter must be `run`"),
        (lambda seed: 0, "first parameter must be `run`"),
        (lambda *run: 0, "first parameter must be `run`"),
        (lambda run, n: 0, "write `\\*` after `run`, so that `n` is passed by keyword"),
        (lambda run, **rest: 0, "`rest` is passed by keyword"),
    ],
    ids=["none", "other name", "starred", "positional", "any keyword"],
)
def test_other_signature_is_refused(decorator, function, message: str):
    with pytest.raises(AuthorError, match=message):
        decorator(function)


def test_artefact_takes_a_timeout():
    def prior(run: Run) -> list[float]:
        return [1.0]

    assert getattr(artefact(timeout=5)(prior), "timeout") == 5  # noqa: B009  set by the decorator
    assert getattr(artefact(prior), "timeout") == 600  # noqa: B009
    with pytest.raises(AuthorError, match="timeout must be positive"):
        artefact(timeout=0)(prior)


def test_artefact_without_a_harness_is_built_in_place():
    @artefact
    def prior(run: Run, *, size: int = 1) -> list[int]:
        return [run.seed] * size

    assert Run(4).artefact(prior, size=2) == [4, 4]


def test_unmarked_function_is_no_artefact():
    with pytest.raises(AuthorError, match="mark `<lambda>` with @artefact"):
        Run().artefact(lambda run: 0)


def test_generators_repeat_for_the_same_seed_and_differ_for_others():
    def draws(seed: int) -> list[float]:
        run = Run(seed)
        return [
            float(run.rng.random()),
            float(torch.rand((), generator=run.torch_generator())),
            float(jax.random.uniform(run.jax_key())),
        ]

    assert draws(1) == draws(1)
    assert all(a != b for a, b in zip(draws(1), draws(2), strict=True))


def test_rng_and_torch_generator_go_on_and_jax_key_is_the_same():
    run = Run(1)
    assert run.rng.random() != run.rng.random()
    first = torch.rand((), generator=run.torch_generator())
    assert torch.rand((), generator=run.torch_generator()) != first
    both = torch.rand(2, generator=torch.Generator(run.device).manual_seed(run.seed))
    assert first == both[0]
    assert jax.random.uniform(run.jax_key()) == jax.random.uniform(run.jax_key())


def test_dtype_is_that_of_the_papers_framework():
    assert Run(precision="float64", torch_dtype=True).dtype is torch.float64
    assert Run(precision="float32", torch_dtype=False).dtype == np.dtype("float32")


def test_curve_is_kept_as_floats():
    run = Run()
    run.curve("loss", range(3), torch.tensor([3.0, 2.0, 1.0]))
    assert run.curves == {"loss": ([0.0, 1.0, 2.0], [3.0, 2.0, 1.0])}


def test_chosen_keeps_setting_grid_and_which_values_lie_at_an_end():
    run = Run()
    grid: dict[str, Any] = {
        "lr": (0.01, 0.001, 0.1),
        "beta": np.array([0.9, 0.99]),
        "steps": [7],
        "norm": "abc",
    }
    run.chosen(
        "AdamW", grid=grid, lr=0.01, beta=torch.tensor(0.99, dtype=torch.float64), steps=7, norm="a"
    )
    assert run.choices == {
        "AdamW": {
            "setting": {"lr": 0.01, "beta": 0.99, "steps": 7, "norm": "a"},
            "grid": {
                "lr": [0.01, 0.001, 0.1],
                "beta": [0.9, 0.99],
                "steps": [7],
                "norm": ["a", "b", "c"],
            },
            "at_end": ["beta"],
        }
    }


@pytest.mark.parametrize(("lr", "ends"), [(0.001, ["lr"]), (0.01, []), (0.1, ["lr"])])
def test_end_of_a_grid_is_its_smallest_and_largest_number_in_any_order(lr, ends):
    run = Run()
    run.chosen("SGD", grid={"lr": [0.01, 0.1, 0.001]}, lr=lr)
    assert run.choices["SGD"]["at_end"] == ends


def test_chosen_once_more_alike_changes_nothing_and_otherwise_is_refused():
    run = Run()
    run.chosen("SGD", grid={"lr": [0.1, 0.2]}, lr=0.1)
    run.chosen("SGD", grid={"lr": [0.1, 0.2]}, lr=0.1)
    run.chosen("Adam", grid={"lr": [0.1, 0.2]}, lr=0.2)
    before = dict(run.choices)
    with pytest.raises(AuthorError, match=r"`SGD`: chosen twice, first lr = 0.1 .* a name of its"):
        run.chosen("SGD", grid={"lr": [0.1, 0.2]}, lr=0.2)
    assert run.choices == before


@pytest.mark.parametrize(
    ("grid", "setting", "message"),
    [
        ({"lr": [1, 2]}, {"rate": 1}, "the grid is of `lr`, the setting of `rate`; give both"),
        ({"lr": [1, 2]}, {}, "the grid is of `lr`, the setting of nothing; give both"),
        ({}, {}, "the grid is of nothing, the setting of nothing; give both"),
        ({"lr": [1, 2]}, {"lr": 3}, r"lr = 3 is not on its grid \[1, 2\]; give the grid that"),
        ({"lr": [1, [2]]}, {"lr": 1}, r"lr = \[2\] is list; give a finite number, a text"),
        ({"lr": [1.0, float("inf")]}, {"lr": 1.0}, "lr = inf is float; give a finite number"),
    ],
)
def test_what_was_not_chosen_from_its_grid_is_refused(grid, setting, message):
    with pytest.raises(AuthorError, match=f"run.chosen `SGD`: {message}"):
        Run().chosen("SGD", grid=grid, **setting)


@pytest.mark.parametrize("length", [CURVE_POINTS, CURVE_POINTS + 1, 5 * CURVE_POINTS])
def test_long_curve_is_thinned_evenly(length: int):
    run = Run()
    run.curve("loss", np.arange(length), np.arange(length))
    xs, ys = run.curves["loss"]
    assert len(xs) <= CURVE_POINTS
    assert xs == ys
    assert len(set(np.diff(xs))) == 1


@pytest.mark.parametrize(("xs", "ys"), [([1, 2], [1]), ([], [])])
def test_curve_of_unequal_or_no_points_is_refused(xs, ys):
    with pytest.raises(AuthorError, match="give one y an x"):
        Run().curve("loss", xs, ys)


def test_time_ratio_is_that_of_the_two_calls():
    ratio = Run().time_ratio(lambda: time.sleep(0.006), lambda: time.sleep(0.002), rounds=5)
    assert 2 < ratio < 4


def test_changed_behaviour_of_the_surface_raises_its_version(golden):
    """The version is part of every run's key, the text of these files is not.

    Where this fails: does a run that is stored still say what it would say now? If it does not,
    raise `SURFACE`; either way write the new digest with `--update-golden`.
    """
    package = Path(claimbench.__file__).parent
    lines = [f"SURFACE = {claimbench.author.SURFACE}"]
    for name in ("author.py", "running/seeds.py"):
        path = package / name
        lines.append(f"{name} {source_digest(path, path.read_bytes(), None, Cache(None))}")
    golden("author-surface.txt", "\n".join([*lines, ""]))
