"""Data sets by name: `images, labels = load("digits")`.

Each data set is an object of a module of this package, and an entry of the group
`claimbench.data`, in which other packages can register theirs.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import datasets
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
class Source:
    """A place that a data set can be read from.

    Attributes:
        needs: top-level module that must be installed, or absolute path that must exist; None for
            a hub, which is asked by `claimbench data get` alone.
        install: command that gets it.
        read: returns the examples, unchecked.
    """

    needs: str | None
    install: str
    read: Callable[[], Examples]

    def is_here(self) -> bool:
        """Say whether it can be read without a network."""
        if self.needs is None:
            return False
        if self.needs.startswith("/"):
            return Path(self.needs).exists()
        return find_spec(self.needs) is not None


@dataclass(frozen=True)
class DataSet:
    """A data set that a spec may name, and where it is read from.

    Attributes:
        name: what `load` and a spec's `data` call it.
        version: of its content, as its publisher or its packager counts.
        licence: SPDX identifier.
        source: who published it, and the copy that is read.
        sha256: checksum of the inputs' bytes followed by the targets' (little-endian, row by row);
            every source gives these bytes or is refused.
        sources: tried in this order, after the local cache.
    """

    name: str
    version: str
    licence: str
    source: str
    sha256: str
    sources: tuple[Source, ...]

    def missing(self) -> str | None:
        """Return None where the data set can be read, else one sentence with the command to run."""
        if self.cached.is_file() or self._here() is not None:
            return None
        first, hub = self.sources[0], self._hub()
        ways = [source.install for source in (first, hub) if source is not None]
        commands = " or: ".join(dict.fromkeys(ways))
        return f"data set `{self.name}` needs {first.needs or 'a download'}; run: {commands}"

    def load(self) -> Examples:
        """Return the examples from the cache, or else from the first source that is here.

        Raises:
            FileNotFoundError: it is neither in the cache nor at a source that needs no network.
            ValueError: the copy that was read is not the one that the checksum describes.
        """
        import numpy as np

        if self.cached.is_file():
            with np.load(self.cached) as kept:
                return self._checked(Examples(kept["inputs"], kept["targets"]), str(self.cached))
        source = self._here()
        if source is None:
            raise FileNotFoundError(self.missing())
        return self._checked(source.read(), source.install)

    def get(self) -> str:
        """Make sure that the data set is here, and return where it is read from.

        A copy from a hub is checked, and kept in the local cache.

        Raises:
            FileNotFoundError: no source has it, and none can be asked.
            ValueError: the copy is not the one that the checksum describes.
        """
        import numpy as np

        if not self.cached.is_file():
            source, hub = self._here(), self._hub()
            if source is not None:
                self._checked(source.read(), source.install)
                return str(source.needs)
            if hub is None:
                raise FileNotFoundError(self.missing())
            examples = self._checked(hub.read(), hub.install)
            self.cached.parent.mkdir(parents=True, exist_ok=True)
            partial = self.cached.with_name(f"{self.cached.stem}.{os.getpid()}.npz")
            np.savez_compressed(partial, inputs=examples.inputs, targets=examples.targets)
            partial.replace(self.cached)
        self.load()
        return str(self.cached)

    def about(self) -> dict[str, str]:
        """Return what is recorded with each verdict that rests on it."""
        return {"version": self.version, "licence": self.licence, "sha256": self.sha256}

    @property
    def cached(self) -> Path:
        """The file of the local cache, there or not."""
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = Path(os.environ.get("CLAIMBENCH_DATA") or base / "claimbench" / "data")
        return folder / f"{self.name}-{self.sha256[:16]}.npz"

    def _here(self) -> Source | None:
        return next((source for source in self.sources if source.is_here()), None)

    def _hub(self) -> Source | None:
        return next((source for source in self.sources if source.needs is None), None)

    def _checked(self, examples: Examples, remedy: str) -> Examples:
        found = checksum(examples)
        if found != self.sha256:
            raise ValueError(
                f"data set `{self.name}`: this copy has sha256 {found}, expected {self.sha256}; "
                f"get version {self.version}: {remedy}"
            )
        return examples


def load(name: str) -> Examples:
    """Return the examples of the data set of that name, checked.

    Raises:
        FileNotFoundError: it is not on this machine.
        ValueError: there is no such data set, or its copy on this machine is another one.
    """
    return find(name).load()


def load_dataset(name: str) -> datasets.Dataset:
    """Return a data set as a Hugging Face `Dataset` with columns `inputs` and `targets`.

    `.with_format("torch")`, `"jax"` or `"numpy"` gives tensors; rows of a vector are of fixed
    length.

    Raises:
        FileNotFoundError: it is not on this machine.
        ValueError: there is no such data set, or its copy on this machine is another one.
    """
    import pyarrow as pa
    from datasets import Dataset, DatasetInfo

    found = find(name)
    columns = {}
    for column, array in found.load()._asdict().items():
        values = pa.array(array.reshape(-1))
        if array.ndim > 1:
            values = pa.FixedSizeListArray.from_arrays(values, array.shape[1])
        columns[column] = values
    info = DatasetInfo(description=found.source, license=found.licence, dataset_name=name)
    return Dataset(pa.table(columns), info=info)


def find(name: str) -> DataSet:
    """Return the data set of that name.

    An audit event `claimbench.data` tells who watches which data sets are used.

    Raises:
        ValueError: there is none.
    """
    sys.audit("claimbench.data", name)
    found = entry_points(group="claimbench.data", name=name)
    if not found:
        names = sorted(entry_points(group="claimbench.data").names)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
        raise ValueError(f"unknown data set `{name}`; {hint}")
    data_set: DataSet = next(iter(found)).load()
    return data_set


def checksum(examples: Examples) -> str:
    """Return the sha256, in hexadecimal, of the inputs' and then the targets' bytes."""
    digest = hashlib.sha256()
    for array in examples:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
