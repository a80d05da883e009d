"""Data sets: what is shipped, and what is said where it is not there."""

import dataclasses
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

from common.data import checksum, digits, load


def test_digits_as_published():
    images, labels = load("digits")
    assert images.shape == (1797, 64)
    assert images.dtype == np.float64
    assert (images.min(), images.max()) == (0, 16)
    assert images[0, :8].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert labels[:10].tolist() == list(range(10))
    # class sizes as in the repository's optdigits.names, testing part
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_are_not_missing():
    assert digits.missing() is None


def test_missing_module_names_the_command():
    absent = dataclasses.replace(digits, module="no_such_module")
    assert absent.missing() == (
        "data set `digits` needs no_such_module; run: pip install 'claimbench[papers]'"
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
        ("imagenet", "unknown data set `imagenet`; known: digits"),
    ],
)
def test_unknown_name(name: str, message: str):
    with pytest.raises(ValueError, match="unknown") as error:
        load(name)
    assert str(error.value) == message


def test_entry_point_is_the_same_object():
    (entry,) = entry_points(group="claimbench.data", name="digits")
    assert entry.load() is digits


def test_import_is_light():
    code = "import common.data, sys; print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
