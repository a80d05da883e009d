"""Data sets: what is shipped, and what is said where it is not there."""

import dataclasses
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

from common.data import DataSet, checksum, load
from common.data.digits import digits
from common.data.fashion_mnist import fashion_mnist
from common.data.kjv import kjv
from common.data.mnist5k import mnist5k
from common.data.wordnet_mammals import wordnet_mammals


def debian(data_set: DataSet) -> pytest.MarkDecorator:
    """Skip where the Debian package is not installed; everything from pip must be there."""
    return pytest.mark.skipif(data_set.missing() is not None, reason=f"{data_set.missing()}")


def test_digits_as_published():
    images, labels = load("digits")
    assert images.shape == (1797, 64)
    assert images.dtype == np.float64
    assert (images.min(), images.max()) == (0, 16)
    assert images[0, :8].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert labels[:10].tolist() == list(range(10))
    # class sizes as in the repository's optdigits.names, testing part
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_kjv_is_the_whole_text():
    codes, following = load("kjv")
    assert codes.dtype == following.dtype == np.uint8
    assert np.array_equal(codes[1:], following[:-1])
    text = bytes(codes) + bytes(following[-1:])
    assert text.startswith(b"In the beginning God created the heaven and the earth. And the earth")
    assert text.endswith(b"The grace of our Lord Jesus Christ [be] with you all. Amen.")
    assert b"\nAnd God said, Let there be light: and there was light. And God saw" in text
    assert b"Jesus wept." in text
    assert b"Caesar's" in text  # shipped with a ligature and a curly apostrophe
    assert len(text) == 4_181_997


def test_mnist5k_has_500_of_each_digit():
    images, labels = load("mnist5k")
    assert images.shape == (5000, 784)
    assert images.dtype == np.uint8
    assert images.max() == 255
    assert np.bincount(labels).tolist() == [500] * 10
    # a zero has ink around an empty middle, a one has its ink in the middle
    middle = images.reshape(-1, 28, 28)[:, 12:16, 12:16].mean(axis=(1, 2))
    assert middle[labels == 0].mean() < 40 < 150 < middle[labels == 1].mean()


@debian(fashion_mnist)
def test_fashion_mnist_splits():
    images, labels = load("fashion_mnist")
    assert images.shape == (70_000, 784)
    assert images.dtype == np.uint8
    assert np.bincount(labels[:60_000]).tolist() == [6000] * 10
    assert np.bincount(labels[60_000:]).tolist() == [1000] * 10
    assert labels[:5].tolist() == [9, 0, 0, 3, 0]  # ankle boot, T-shirt, …


@debian(wordnet_mammals)
def test_wordnet_mammals_are_a_transitive_closure():
    pairs, steps = load("wordnet_mammals")
    assert (pairs.shape, steps.shape) == ((6542, 2), (6542,))
    size = pairs.max() + 1
    above = np.zeros((size, size), dtype=np.int64)
    above[pairs[:, 0], pairs[:, 1]] = 1
    assert not np.any(np.diag(above))
    assert not np.any((above @ above > 0) & (above == 0))
    # one root, the mammal, with all others below it; direct hypernyms are one step away
    assert np.bincount(above.sum(axis=1))[0] == 1
    assert above.sum(axis=0).max() == size - 1
    direct = (above == 1) & (above @ above == 0)
    assert np.all(direct[tuple(pairs[steps > 1].T)] == 0)
    assert np.all(steps[direct[tuple(pairs.T)]] == 1)


@pytest.mark.parametrize("data_set", [digits, kjv, mnist5k])
def test_data_sets_are_not_missing(data_set: DataSet):
    assert data_set.missing() is None


def test_missing_module_names_the_command():
    absent = dataclasses.replace(digits, needs="no_such_module")
    assert absent.missing() == (
        "data set `digits` needs no_such_module; run: pip install 'claimbench[papers]'"
    )


def test_missing_file_names_the_command():
    absent = dataclasses.replace(fashion_mnist, needs="/no/such/folder")
    assert absent.missing() == (
        "data set `fashion_mnist` needs /no/such/folder; run: sudo apt install "
        "dataset-fashion-mnist"
    )


def test_another_copy_is_refused():
    images, labels = load("digits")
    images = images.copy()
    images[3, 5] += 1
    altered = dataclasses.replace(digits, read=lambda: type(load("digits"))(images, labels))
    with pytest.raises(ValueError, match=r"this copy has sha256 [0-9a-f]{64}, expected f6d9e39f"):
        altered.load()


def test_checksum_sees_inputs_targets_and_order():
    examples = load("digits")
    swapped = examples._replace(targets=examples.targets[::-1].copy())
    moved = examples._replace(inputs=examples.inputs[:, ::-1].copy())
    assert len({checksum(examples), checksum(swapped), checksum(moved)}) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "unknown data set `digit`; did you mean `digits`?"),
        (
            "imagenet",
            "unknown data set `imagenet`; known: digits, fashion_mnist, kjv, mnist5k, "
            "wordnet_mammals",
        ),
    ],
)
def test_unknown_name(name: str, message: str):
    with pytest.raises(ValueError, match="unknown") as error:
        load(name)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "data_set", [digits, fashion_mnist, kjv, mnist5k, wordnet_mammals], ids=lambda d: d.name
)
def test_entry_point_is_the_same_object(data_set: DataSet):
    (entry,) = entry_points(group="claimbench.data", name=data_set.name)
    assert entry.load() is data_set


def test_import_is_light():
    heavy = ["torch", "sklearn", "pythonbible"]
    code = f"import common.data, sys; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
