"""Seeds: stable, distinct, and given back."""

import random

import numpy as np
import torch

from claimbench.running.seeds import derive, global_generators_kept, seed_everything


def test_seed_is_the_same_for_ever():
    assert [derive("rosenbrock", index) for index in range(3)] == [
        1744513998,
        983151899,
        1819129150,
    ]


def test_seeds_of_experiments_and_indices_differ_and_fit_into_32_bits():
    seeds = {derive(name, index) for name in ("a", "b", "a/1") for index in range(200)}
    assert len(seeds) == 600
    assert all(0 <= seed < 2**32 for seed in seeds)


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002


def test_seeding_sets_every_global_generator():
    seed_everything(5)
    first = draws()
    assert draws() != first
    seed_everything(5)
    assert draws() == first
    seed_everything(6)
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_generators_are_given_back():
    seed_everything(5)
    expected = draws()
    seed_everything(5)
    with global_generators_kept():
        draws()
        seed_everything(7)
    assert draws() == expected
