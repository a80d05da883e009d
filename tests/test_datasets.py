"""Data sets are asked of their providers."""

import pytest

from harness.datasets import missing
from harness.errors import UsageError


def test_data_set_that_is_there_lacks_nothing():
    assert missing("digits") is None


def test_unknown_name_gets_the_nearest_one():
    with pytest.raises(UsageError, match="no data set `digit`; did you mean `digits`"):
        missing("digit")
