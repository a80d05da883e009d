"""MNIST-1D: digits as noisy curves."""

from __future__ import annotations

from . import DataSet, Examples, Source


def _read_mnist1d() -> Examples:
    import random

    import numpy as np
    from mnist1d.data import get_dataset_args, make_dataset

    before = np.random.get_state(), random.getstate()  # noqa: NPY002  the package seeds both
    try:
        made = make_dataset(get_dataset_args())
    finally:
        np.random.set_state(before[0])  # noqa: NPY002
        random.setstate(before[1])
    signals = np.concatenate([made["x"], made["x_test"]])
    labels = np.concatenate([made["y"], made["y_test"]])
    # coarser than rounding errors, which differ between machines
    return Examples(np.round(signals, 4).astype(np.float32), labels.astype(np.int64))


# 5,000 curves made by the authors' generator with its default arguments (seed 42); the first 4,000
# are the training set. Inputs (5000, 40), float32, four decimals: mean 0 and variance 1 over all.
# Targets (5000,): the digit, 0 to 9.
mnist1d = DataSet(
    name="mnist1d",
    version="0.0.2",
    licence="Apache-2.0",
    source="Greydanus and Kobak 2024, arXiv 2011.14439; made by the package mnist1d",
    sha256="674256c392e0912e96ee8dc486609d9268573c586832bf09a81781cd907ffffd",
    sources=(Source("mnist1d", "pip install 'claimbench[papers]'", _read_mnist1d),),
)
