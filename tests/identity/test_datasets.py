"""Data sets are asked of their providers."""

import pytest

from claimbench.errors import UsageError
from claimbench.identity.datasets import about, missing


def test_data_set_that_is_there_lacks_nothing():
    assert missing("digits") is None


def test_unknown_name_gets_the_nearest_one():
    with pytest.raises(UsageError, match="no data set `digit`; did you mean `digits`"):
        missing("digit")


def test_a_record_says_version_licence_and_checksum():
    assert about("digits") == {
        "version": "1998-07-01",
        "licence": "CC-BY-4.0",
        "sha256": "f6d9e39f37dc45d327f6db33428ee58970ccceabb2535a5c179de35886b70443",
    }
    assert about("nothing") == {}
