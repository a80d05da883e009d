"""Splits of images: who is in which part, what the pixels and the labels are."""

import numpy as np
import pytest
import torch

from common.data import load
from common.images import pixels, split

LIKE = torch.zeros((), dtype=torch.float64)


def rng():
    return np.random.default_rng(7)


def lines(x):
    return {tuple(row) for row in x.tolist()}


def test_parts_are_balanced_and_disjoint_rows_of_the_data_set_with_their_labels():
    task = split("digits", rng(), LIKE, train=200, test=50, scale="raw")
    assert torch.bincount(task.y).tolist() == [20] * 10
    assert torch.bincount(task.y_test).tolist() == [5] * 10
    assert not lines(task.x) & lines(task.x_test)
    images, labels = load("digits")
    known = {tuple(row): label for row, label in zip(images.tolist(), labels, strict=True)}
    for x, y in ((task.x, task.y), (task.x_test, task.y_test)):
        assert [known[tuple(row)] for row in x.tolist()] == y.tolist()


def test_without_a_size_all_others_are_for_testing():
    task = split("digits", rng(), LIKE, train=1000, pool=2)
    assert task.x.shape == (1000, 16)
    assert task.x_test.shape == (797, 16)


def test_generator_decides_on_the_rows():
    same, other = rng(), np.random.default_rng(8)
    first = split("digits", rng(), LIKE, train=100)
    assert torch.equal(first.x, split("digits", same, LIKE, train=100).x)
    assert not torch.equal(first.x, split("digits", other, LIKE, train=100).x)


@pytest.mark.parametrize(("name", "largest", "side"), [("mnist5k", 255, 28), ("digits", 16, 8)])
def test_pooled_pixels_are_means_of_squares(name, largest, side):
    rows = np.array([3, 1002, 1500])
    images = torch.as_tensor(load(name).inputs[rows], dtype=torch.float64) / largest
    expected = torch.nn.functional.avg_pool2d(images.reshape(-1, 1, side, side), 4).flatten(1)
    actual = pixels(name, pool=4, rows=rows)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert actual.std() > 0.1


@pytest.mark.parametrize(("name", "largest"), [("mnist5k", 255), ("digits", 16)])
def test_pixels_as_they_are_lie_between_zero_and_one(name, largest):
    rows = np.array([3, 1002, 1500])
    assert np.array_equal(pixels(name, rows=rows), load(name).inputs[rows] / largest)
    unit = split(name, rng(), LIKE, train=20, scale="unit")
    assert (unit.x.min().item(), unit.x.max().item()) == (0, 1)


def test_pooling_in_blocks_equals_pooling_of_some():
    rows = np.array([0, 4999, 5000, 12345, 69999])
    assert np.array_equal(
        pixels("fashion_mnist", pool=2)[rows], pixels("fashion_mnist", pool=2, rows=rows)
    )


def test_standard_scale_is_that_of_the_training_pixels():
    task = split("mnist5k", rng(), LIKE, train=300, pool=2)
    assert task.x.mean().item() == pytest.approx(0, abs=1e-12)
    assert task.x.std(correction=0).item() == pytest.approx(1, rel=1e-12)
    unit = split("mnist5k", rng(), LIKE, train=300, pool=2, scale="unit")
    mean, deviation = unit.x.mean(), unit.x.std(correction=0)
    torch.testing.assert_close(task.x_test, (unit.x_test - mean) / deviation)
    signed = split("mnist5k", rng(), LIKE, train=300, pool=2, scale="signed")
    torch.testing.assert_close(signed.x, 2 * unit.x - 1)


def test_columns_are_scaled_each_by_itself_and_constant_ones_only_centred():
    task = split("digits", rng(), LIKE, train=300, scale="columns")
    raw = split("digits", rng(), LIKE, train=300, scale="raw")
    constant = raw.x.std(dim=0) == 0
    assert 0 < constant.sum() < 20
    torch.testing.assert_close(task.x.mean(dim=0), torch.zeros(64, dtype=torch.float64))
    deviations = task.x.std(dim=0, correction=0)
    torch.testing.assert_close(deviations, (~constant).double())
    moved = raw.x_test[:, constant] - raw.x[0, constant]
    torch.testing.assert_close(task.x_test[:, constant], moved)


def test_table_of_two_classes_splits_as_images_do():
    task = split("breast_cancer", rng(), LIKE, train=100, scale="columns")
    assert torch.bincount(task.y).tolist() == [50, 50]
    assert task.x_test.shape == (469, 30)


def test_noise_is_on_a_share_of_the_training_labels_alone():
    clean = split("mnist5k", rng(), LIKE, train=2000)
    noisy = split("mnist5k", rng(), LIKE, train=2000, label_noise=0.4)
    assert torch.equal(clean.x, noisy.x)
    assert torch.equal(clean.y_test, noisy.y_test)
    # a tenth of the new labels are the old ones by chance
    assert (clean.y != noisy.y).double().mean().item() == pytest.approx(0.4 * 0.9, abs=0.04)
    assert set(noisy.y[clean.y != noisy.y].tolist()) == set(range(10))


def test_permuted_pixels_are_the_same_reordering_in_all_rows():
    plain = split("digits", rng(), LIKE, train=100)
    moved = split("digits", rng(), LIKE, train=100, permuted=True)
    before, after = (torch.cat([task.x, task.x_test]).T for task in (plain, moved))
    order = (before[:, None] == after).all(dim=2).double().argmax(dim=0)
    assert torch.equal(before[order], after)
    assert not torch.equal(before, after)


def test_dtype_is_that_of_like():
    task = split("digits", rng(), LIKE.float(), train=10)
    assert task.x.dtype == task.x_test.dtype == torch.float32
    assert task.y.dtype == torch.int64


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("digits", {"train": 105}, "no multiple of 10"),
        ("digits", {"train": 100, "test": 15}, "15 rows are no multiple"),
        ("digits", {"train": 1700, "test": 100}, "class 0 has 178 rows, 180 are wanted"),
        ("digits", {"train": 100, "pool": 3}, "64 pixels in squares of 3 by 3"),
        ("wine", {"train": 30}, "13 pixels"),
        ("diabetes", {"train": 30, "scale": "columns"}, "whole numbers"),
    ],
)
def test_split_refuses(name, options, why):
    with pytest.raises(ValueError, match=why):
        split(name, rng(), LIKE, **options)
