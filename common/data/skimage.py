"""Photographs that scikit-image bundles."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from . import DataSet, Examples, Source

_PIP = "pip install 'claimbench[papers]'"
_GREY = ("camera", "brick", "grass", "gravel", "moon")


def _read(names: tuple[str, ...]) -> Examples:
    import numpy as np
    import skimage
    from PIL import Image

    folder = Path(skimage.__file__).parent / "data"
    pictures = [np.asarray(Image.open(folder / f"{name}.png")) for name in names]
    return Examples(np.stack([p.reshape(-1) for p in pictures]), np.arange(len(names)))


# Five grey pictures as shipped: camera man, brick, grass, gravel, moon. Inputs (5, 262144), uint8:
# 512 by 512 pixels row by row, 0 (black) to 255. Targets (5,): the picture's number, 0 to 4.
skimage_grey = DataSet(
    name="skimage_grey",
    version="scikit-image 0.25",
    licence="CC0-1.0",
    source=(
        "photographs in the public domain (CC0 Textures, NASA, camera by Lav Varshney); as bundled "
        "with scikit-image"
    ),
    sha256="6f88afe49bc00ab57de9d93cce4c0a16e829d95f28cf519d5d2a51d37cd3e9bb",
    sources=(Source("skimage", _PIP, partial(_read, _GREY)),),
)

# The astronaut Eileen Collins. Inputs (1, 786432), uint8: 512 by 512 pixels row by row, each red,
# green and blue, 0 to 255. Targets (1,): 0.
skimage_astronaut = DataSet(
    name="skimage_astronaut",
    version="scikit-image 0.25",
    licence="LicenseRef-public-domain",
    source="NASA, portrait of Eileen Collins; as bundled with scikit-image",
    sha256="bf0c5c01cdc6c76b12f9c5ccf62e0279ba46546ba0b3a023476f6f5cd870a2d4",
    sources=(Source("skimage", _PIP, partial(_read, ("astronaut",))),),
)
