"""Data sets: what is shipped, and what is said where it is not there."""

import dataclasses
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

from common.data import DataSet, checksum, digits, kjv, load


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


@pytest.mark.parametrize("data_set", [digits, kjv])
def test_data_sets_are_not_missing(data_set: DataSet):
    assert data_set.missing() is None


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
        ("imagenet", "unknown data set `imagenet`; known: digits, kjv"),
    ],
)
def test_unknown_name(name: str, message: str):
    with pytest.raises(ValueError, match="unknown") as error:
        load(name)
    assert str(error.value) == message


@pytest.mark.parametrize("data_set", [digits, kjv])
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
