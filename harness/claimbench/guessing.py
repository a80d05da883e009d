"""What somebody may have meant who wrote a word that is not known."""

import difflib
from collections.abc import Collection

_LONGEST = 100


def meant(word: str, known: Collection[str]) -> str | None:
    """Return the known word that is nearest to a word, if any is near."""
    return next(iter(difflib.get_close_matches(word[:_LONGEST], known, n=1)), None)


def guess(word: str, known: Collection[str], otherwise: str = "allowed are") -> str:
    """Return the end of a sentence on an unknown word: the nearest known one, or all.

    Args:
        word: the unknown one.
        known: what it could be.
        otherwise: what introduces all of them where none is near.
    """
    near = meant(word, known)
    return f"did you mean `{near}`?" if near else f"{otherwise} {', '.join(known)}"
