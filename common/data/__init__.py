"""Data sets by name: `images, labels = load("digits")`.

Each data set is a module of this package, and an entry of the group `claimbench.data`, in which
other packages can register theirs.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy.typing as npt


class Examples(NamedTuple):
    """A data set in memory.

    Attributes:
        inputs: one example a row; the data set's description gives shape, units and range.
        targets: what belongs to each row.
    """

    inputs: npt.NDArray[Any]
    targets: npt.NDArray[Any]


@dataclass(frozen=True)
class DataSet:
    """A data set that a spec may name, and how it is read on this machine.

    Attributes:
        name: what `load` and a spec's `data` call it.
        licence: SPDX identifier.
        source: who published it, and the copy that is read.
        needs: top-level module that must be installed, or absolute path that must exist.
        install: command that gets it.
        sha256: checksum of the inputs' bytes followed by the targets' (little-endian, row by row).
        read: returns the examples, unchecked.
    """

    name: str
    licence: str
    source: str
    needs: str
    install: str
    sha256: str
    read: Callable[[], Examples]

    def missing(self) -> str | None:
        """Return None where the data set can be read, else one sentence with the command to run."""
        is_file = self.needs.startswith("/")
        if Path(self.needs).exists() if is_file else find_spec(self.needs) is not None:
            return None
        return f"data set `{self.name}` needs {self.needs}; run: {self.install}"

    def load(self) -> Examples:
        """Read the data set and compare its checksum.

        Raises:
            ValueError: the copy that was read is not the one that the checksum describes.
        """
        examples = self.read()
        found = checksum(examples)
        if found != self.sha256:
            raise ValueError(
                f"data set `{self.name}`: this copy has sha256 {found}, expected {self.sha256}; "
                f"run: {self.install}"
            )
        return examples


def load(name: str) -> Examples:
    """Return the examples of the data set of that name, checked.

    Raises:
        ValueError: there is no such data set, or its copy on this machine is another one.
    """
    found = entry_points(group="claimbench.data", name=name)
    if not found:
        names = sorted(entry_points(group="claimbench.data").names)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
        raise ValueError(f"unknown data set `{name}`; {hint}")
    data_set: DataSet = next(iter(found)).load()
    return data_set.load()


def checksum(examples: Examples) -> str:
    """Return the sha256, in hexadecimal, of the inputs' and then the targets' bytes."""
    digest = hashlib.sha256()
    for array in examples:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
