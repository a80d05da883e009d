"""Data sets that the spec declares, asked of whoever provides them.

Providers register objects under the entry-point group `claimbench.data`. An object has a method
`missing()` that returns None where the data is on this machine, and otherwise one sentence that
ends with the command that gets it; a method `get()` that fetches it and returns where it is read
from; a method `about()` that returns version, licence and checksum; and attributes `sha256`, the
checksum of the data, and `source`, who published it.
"""

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from claimbench.errors import UsageError
from claimbench.guessing import guess


def data_sets() -> list[str]:
    """Return the names of all data sets that installed packages provide."""
    return sorted(entry_points(group="claimbench.data").names)


def provider(name: str) -> Any:
    """Return the object that provides a data set.

    Raises:
        UsageError: no installed package provides a data set of that name.
    """
    found = _provider(name)
    if found is None:
        raise UsageError(f"no data set `{name}`; {guess(name, data_sets(), 'there are:')}")
    return found


@cache
def missing(name: str) -> str | None:
    """Return why a data set can't be read here, or None if it can.

    Raises:
        UsageError: no installed package provides a data set of that name.
    """
    reason: str | None = provider(name).missing()
    return reason


def about(name: str) -> dict[str, str]:
    """Return version, licence and checksum of a data set; nothing of one that is not provided."""
    found = _provider(name)
    return {} if found is None else dict(found.about())


@cache
def checksum(name: str) -> str | None:
    """Return the sha256 that a data set must have, or None if nobody provides one of that name."""
    found = _provider(name)
    return None if found is None else str(found.sha256)


@cache
def _provider(name: str) -> Any:
    found = entry_points(group="claimbench.data", name=name)
    return next(iter(found)).load() if found else None
