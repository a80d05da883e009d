"""What columns of the store hold, looked at before it is believed."""

import json
from typing import Any

from claimbench.errors import RecordError

Curves = dict[str, tuple[list[float], list[float]]]


def plain(value: Any, name: str, *kinds: type) -> Any:
    """Return a value, which has to be of one of these types.

    Raises:
        RecordError: it is of another.
    """
    if type(value) not in kinds:
        raise _wrong(name, value)
    return value


def mapping(text: Any, name: str) -> dict[str, Any]:
    """Return the JSON object that a column holds.

    Raises:
        RecordError: it holds something else.
    """
    value: dict[str, Any] = plain(_decoded(text, name), name, dict)
    return value


def numbers(text: Any, name: str) -> dict[str, float]:
    """Return the numbers by name that a column holds as JSON; RecordError as above."""
    return {key: plain(value, name, float, int) for key, value in mapping(text, name).items()}


def texts(text: Any, name: str) -> list[str]:
    """Return the list of texts that a column holds as JSON; RecordError as above."""
    return [plain(value, name, str) for value in plain(_decoded(text, name), name, list)]


def curves(text: Any, name: str) -> Curves:
    """Return the curves that a column holds as JSON; RecordError as above."""
    found = {}
    for key, axes in mapping(text, name).items():
        try:
            xs, ys = (
                [plain(x, name, float, int) for x in plain(axis, name, list)] for axis in axes
            )
        except (TypeError, ValueError):  # not two lists
            raise _wrong(name, text) from None
        if len(xs) != len(ys):
            raise _wrong(name, text)
        found[key] = (xs, ys)
    return found


def _decoded(text: Any, name: str) -> Any:
    try:
        return json.loads(plain(text, name, str))
    except (ValueError, RecursionError):
        raise _wrong(name, text) from None


def _wrong(name: str, value: Any) -> RecordError:
    shown = repr(value)
    return RecordError(
        f"the column `{name}` holds {shown if len(shown) <= 40 else shown[:39] + '…'}, which "
        "claimbench does not write"
    )
