"""Images as training and test rows: pooled, scaled, split by class, with noise on the labels."""

import math
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from common.data import DataSet, Examples, find

Pixels = npt.NDArray[np.float64]
Scale = Literal["standard", "columns", "unit", "signed", "raw"]

LARGEST = {"digits": 16.0}  # what a pixel counts up to, where it is not 255
BLOCK = 5000  # images that are pooled at once, which bounds the memory


class Task(NamedTuple):
    """Training and test rows, (n, p), and their classes, (n,) of int64."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor


def split(
    name: str,
    rng: np.random.Generator,
    like: Tensor,
    *,
    train: int,
    test: int | None = None,
    pool: int = 1,
    scale: Scale = "standard",
    label_noise: float = 0.0,
    permuted: bool = False,
) -> Task:
    """Return a random split of a data set, all classes equally often in the training part.

    Rows follow one another class by class; shuffle batches. The generator is used in the order:
    rows, pixels, random labels, which of them to take.

    Args:
        name: of `common.data`, with whole numbers for classes.
        rng: draws the rows.
        like: gives dtype and device.
        train: how many rows, a multiple of the number of classes.
        test: how many of the others, such a multiple too; None for all others.
        pool: average over squares of so many by so many pixels.
        scale: "standard" subtracts the mean of all training pixels and divides by their deviation;
            "columns" does so for each column, and only centres those that are constant; "unit" is
            [0, 1], "signed" [−1, 1]; "raw" leaves numbers that are no pixels as they are. Tables
            take "columns" or "raw".
        label_noise: share of the training labels that is drawn anew from all classes, so that some
            stay right.
        permuted: reorder the columns, equally in all rows.

    Raises:
        ValueError: a class has too few rows, a number is no multiple of the number of classes, or
            the pixels cannot be pooled so.
    """
    examples = _examples(find(name))
    labels = examples.targets
    rows, test_rows = _rows(labels, rng, train, test)
    both = np.concatenate([rows, test_rows])
    if scale in ("columns", "raw") and pool == 1:
        x = examples.inputs[both].astype(np.float64)
    else:
        x = pixels(name, pool=pool, rows=both)
    x = _scaled(x, len(rows), scale)
    if permuted:
        x = x[:, rng.permutation(x.shape[1])]
    classes = int(labels.max()) + 1
    random = rng.integers(0, classes, len(rows))
    y = np.where(rng.random(len(rows)) < label_noise, random, labels[rows])
    xs = [torch.as_tensor(part).to(like) for part in (x[: len(rows)], x[len(rows) :])]
    ys = [torch.as_tensor(part, device=like.device) for part in (y, labels[test_rows])]
    return Task(xs[0], ys[0], xs[1], ys[1])


def pixels(name: str, *, pool: int = 1, rows: npt.NDArray[np.integer[Any]] | None = None) -> Pixels:
    """Return images of a data set with pixels in [0, 1], shape (n, pixels).

    Args:
        name: a data set of square images, in `common.data`.
        pool: average over squares of so many by so many pixels.
        rows: which images; None for all.

    Raises:
        ValueError: the images are not square, or `pool` does not divide their side.
    """
    images = _examples(find(name)).inputs
    images = images if rows is None else images[rows]
    side = math.isqrt(images.shape[1])
    if side**2 != images.shape[1] or side % pool != 0:
        raise ValueError(f"`{name}`: {images.shape[1]} pixels in squares of {pool} by {pool}")
    if pool == 1:
        return images / LARGEST.get(name, 255.0)
    small = side // pool
    pooled = np.empty((len(images), small**2))
    for start in range(0, len(images), BLOCK):
        part = images[start : start + BLOCK] / LARGEST.get(name, 255.0)
        squares = part.reshape(-1, small, pool, small, pool).mean(axis=(2, 4))
        pooled[start : start + BLOCK] = squares.reshape(len(part), -1)
    return pooled


@cache
def _examples(data_set: DataSet) -> Examples:
    """Return what a data set holds; `find`, which tells that it is used, is called each time."""
    return data_set.load()


def _rows(
    labels: npt.NDArray[Any], rng: np.random.Generator, train: int, test: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return random rows for training and for testing, class by class."""
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError("a split by class needs whole numbers as targets")
    classes = np.unique(labels)
    for count in (train, test or 0):
        if count % len(classes) != 0:
            raise ValueError(f"{count} rows are no multiple of {len(classes)} classes")
    each, parts, others = train // len(classes), [], []
    for label in classes:
        rows = rng.permuted(np.flatnonzero(labels == label))
        wanted = each + (test or 0) // len(classes)
        if len(rows) < wanted:
            raise ValueError(f"class {label} has {len(rows)} rows, {wanted} are wanted")
        parts.append(rows[:each])
        others.append(rows[each:] if test is None else rows[each:wanted])
    return np.concatenate(parts), np.concatenate(others)


def _scaled(x: Pixels, train: int, scale: Scale) -> Pixels:
    mean: Any = 0.0
    deviation: Any = 1.0
    if scale == "standard":
        mean, deviation = x[:train].mean(), x[:train].std()
    elif scale == "columns":
        mean, deviation = x[:train].mean(axis=0), x[:train].std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1.0)
    elif scale == "signed":
        mean, deviation = 0.5, 0.5
    scaled: Pixels = (x - mean) / deviation
    return scaled
