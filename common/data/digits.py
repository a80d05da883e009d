"""Handwritten digits of 8 by 8 pixels."""

from __future__ import annotations

from typing import Any

from . import DataSet, Examples, Source


def _read_digits() -> Examples:
    import numpy as np
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Examples(bunch.data.astype(np.float64), bunch.target.astype(np.int64))


# 1,797 handwritten digits. Inputs (1797, 64): an 8 by 8 image row by row, each pixel the count of
# inked dots in a 4 by 4 block, 0 to 16, as shipped. Targets (1797,): the digit, 0 to 9.
digits = DataSet(
    name="digits",
    version="1998-07-01",
    licence="CC-BY-4.0",
    source=(
        "Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository, doi:10.24432/C50P49; the test part, as bundled with scikit-learn"
    ),
    sha256="f6d9e39f37dc45d327f6db33428ee58970ccceabb2535a5c179de35886b70443",
    sources=(Source("sklearn", "pip install 'claimbench[papers]'", _read_digits),),
)
