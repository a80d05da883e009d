"""Fashion-MNIST as Debian ships it."""

from __future__ import annotations

import gzip
from pathlib import Path

from . import DataSet, Examples, Source

_FOLDER = Path("/usr/share/datasets/fashion-mnist")
_SPLITS = ("train", "t10k")


def _read_fashion_mnist() -> Examples:
    import numpy as np

    def read(part: str, header: int) -> np.ndarray:
        parts = [gzip.decompress((_FOLDER / f"{s}-{part}.gz").read_bytes()) for s in _SPLITS]
        return np.concatenate([np.frombuffer(data, np.uint8, offset=header) for data in parts])

    images = read("images-idx3-ubyte", 16).reshape(-1, 784)
    return Examples(images, read("labels-idx1-ubyte", 8).astype(np.int64))


def _read_hub() -> Examples:
    import numpy as np
    from datasets import load_dataset

    images, labels = [], []
    for split in ("train", "test"):
        rows = load_dataset("zalando-research/fashion_mnist", split=split).with_format("numpy")
        images.append(np.stack(list(rows["image"])).reshape(-1, 784).astype(np.uint8))
        labels.append(np.asarray(rows["label"], dtype=np.int64))
    return Examples(np.concatenate(images), np.concatenate(labels))


# 70,000 pictures of clothes; the first 60,000 are the training set, the rest the test set. Inputs
# (70000, 784), uint8: a 28 by 28 image row by row, 0 (background) to 255. Targets (70000,): 0 to 9.
fashion_mnist = DataSet(
    name="fashion_mnist",
    version="2017-08-25",
    licence="MIT",
    source=(
        "Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747; as in Debian's dataset-fashion-mnist"
    ),
    sha256="75979490032625d6583ff7101de6f9243d07d0a8d33d3c9b3b7e79b4c59382af",
    sources=(
        Source(str(_FOLDER), "sudo apt install dataset-fashion-mnist", _read_fashion_mnist),
        Source(None, "claimbench data get fashion_mnist", _read_hub),
    ),
)
