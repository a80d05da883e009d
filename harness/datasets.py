"""Data sets that the spec declares, asked of whoever provides them.

Providers register objects under the entry-point group `claimbench.data`. An object has a method
`missing()` that returns None where the data is on this machine, and otherwise one sentence that
ends with the command that gets it; and an attribute `sha256`, the checksum of the data.
"""

import difflib
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from harness.errors import UsageError


def data_sets() -> list[str]:
    """Return the names of all data sets that installed packages provide."""
    return sorted(entry_points(group="claimbench.data").names)


@cache
def missing(name: str) -> str | None:
    """Return why a data set can't be read here, or None if it can.

    Raises:
        UsageError: no installed package provides a data set of that name.
    """
    provider = _provider(name)
    if provider is None:
        names = data_sets()
        near = difflib.get_close_matches(name, names, n=1)
        guess = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"
        raise UsageError(f"no data set `{name}`; {guess}")
    reason: str | None = provider.missing()
    return reason


@cache
def checksum(name: str) -> str | None:
    """Return the sha256 that a data set must have, or None if nobody provides one of that name."""
    provider = _provider(name)
    return None if provider is None else str(provider.sha256)


@cache
def _provider(name: str) -> Any:
    found = entry_points(group="claimbench.data", name=name)
    return next(iter(found)).load() if found else None
