"""Text: its alphabet, its parts, its windows."""

import pytest
import torch

from common.data import load
from common.text import Characters, characters


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def counted():
    """A text of 20 characters in which each is its own place, and is followed by the next."""
    return Characters(torch.arange(20, dtype=torch.uint8), torch.arange(1, 21, dtype=torch.uint8))


def test_characters_decode_to_the_text():
    alphabet, text = characters("kjv")
    codes, _ = load("kjv")
    assert len(alphabet) == 65
    assert list(alphabet) == sorted(set(alphabet))
    decoded = "".join(alphabet[i] for i in text.inputs[:5000].tolist())
    assert decoded == bytes(codes[:5000]).decode()
    assert int(text.inputs.max()) == 64
    assert torch.equal(text.inputs[1:], text.targets[:-1])
    assert alphabet[int(text.targets[-1])] == "."


def test_split_keeps_order_and_loses_nothing(counted):
    first, last = counted.split(0.3)
    assert first.inputs.tolist() == list(range(14))
    assert first.targets.tolist() == list(range(1, 15))
    assert last.inputs.tolist() == list(range(14, 20))
    assert last.targets.tolist() == list(range(15, 21))


def test_split_of_nothing(counted):
    first, last = counted.split(0.0)
    assert (len(first.inputs), len(last.inputs)) == (20, 0)


def test_windows_start_where_they_are_told(counted):
    inputs, targets = counted.windows(torch.tensor([0, 16, 5]), 4)
    assert inputs.tolist() == [[0, 1, 2, 3], [16, 17, 18, 19], [5, 6, 7, 8]]
    assert torch.equal(targets, inputs + 1)
    assert inputs.dtype == targets.dtype == torch.int64


def test_window_that_leaves_the_text(counted):
    with pytest.raises(IndexError):
        counted.windows(torch.tensor([17]), 4)


def test_random_windows_reach_every_start_equally(counted):
    inputs, targets = counted.random_windows(17_000, 4, generator())
    assert torch.equal(targets, inputs + 1)
    counts = torch.bincount(inputs[:, 0])
    assert len(counts) == 17  # 0 to 16; the last window ends with the text
    assert (counts - 1000).abs().max() < 150  # nearly five standard deviations


def test_random_windows_follow_the_generator(counted):
    one, same, other = (counted.random_windows(50, 4, generator(s))[0] for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    g = generator(1)
    again = [counted.random_windows(50, 4, g)[0] for _ in range(2)]
    assert not torch.equal(*again)


def test_even_windows(counted):
    inputs, targets = counted.even_windows(3, 4)
    assert inputs[:, 0].tolist() == [0, 6, 12]
    assert torch.equal(targets, inputs + 1)


def test_even_windows_fill_the_text(counted):
    inputs, _ = counted.even_windows(5, 4)
    assert inputs.flatten().tolist() == list(range(20))


def test_even_windows_would_overlap(counted):
    with pytest.raises(ValueError, match="6 windows of 4 characters need 24, got a text of 20"):
        counted.even_windows(6, 4)
