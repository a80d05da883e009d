"""What columns of the store hold, looked at before it is believed."""

from __future__ import annotations

import json
from types import NoneType
from typing import TYPE_CHECKING, Any

from claimbench.errors import RecordError

if TYPE_CHECKING:
    from claimbench.author import Choice

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


def choices(text: Any, name: str) -> dict[str, Choice]:
    """Return the choices by name that a column holds as JSON; RecordError as above."""
    found: dict[str, Choice] = {}
    for key, choice in mapping(text, name).items():
        parts = plain(choice, name, dict)
        if parts.keys() != {"setting", "grid", "at_end"}:
            raise _wrong(name, text)
        grid = plain(parts["grid"], name, dict)
        found[key] = {
            "setting": {
                k: _scalar(v, name) for k, v in plain(parts["setting"], name, dict).items()
            },
            "grid": {
                k: [_scalar(v, name) for v in plain(vs, name, list)] for k, vs in grid.items()
            },
            "at_end": [plain(end, name, str) for end in plain(parts["at_end"], name, list)],
        }
    return found


def _scalar(value: Any, name: str) -> Any:
    return plain(value, name, float, int, bool, str, NoneType)


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
