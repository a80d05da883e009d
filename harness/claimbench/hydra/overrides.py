"""What is typed behind `claimbench run`, looked at before Hydra sees it.

Hydra answers a misspelt key or an unquoted character with its grammar's own terms.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from claimbench.errors import UsageError
from claimbench.guessing import guess
from claimbench.hydra.config import options

_OVERRIDE = re.compile(r"(?P<sign>\+\+|\+|~|)(?P<key>[^=]*)(?P<equals>=?)(?P<value>.*)", re.DOTALL)
_REVISION = "selection.changed"
_WITH_VALUE = {
    *("--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd", "--package", "-p"),
    *("--cfg", "-c", "--info", "-i", "--experimental-rerun"),
}
"""Hydra's own options that take the next word."""


def checked(words: Sequence[str]) -> list[str]:
    """Return the words as Hydra takes them; a revision, such as `HEAD~1`, is quoted.

    Raises:
        UsageError: a key is unknown, a value is missing, or has to be quoted.
    """
    found = []
    for before, word in zip(["", *words], words, strict=False):
        free = word.startswith("-") or before in _WITH_VALUE
        found.append(word if free else _checked(word))
    return found


def _checked(word: str) -> str:
    match = _OVERRIDE.fullmatch(word)
    assert match is not None  # it takes any text
    sign, key, equals, value = match.group("sign", "key", "equals", "value")
    _check_key(key)
    if not equals and sign != "~":
        raise UsageError(f"`{word}` has no value; write {key}=VALUE")
    if key == _REVISION and value[:1] not in ("", "'", '"'):
        return f"{sign}{key}={_quoted(value)}"
    if not _is_grammatical(word):
        remedy = shlex.quote(f"{sign}{key}={_quoted(value)}")
        raise UsageError(f"`{word}` has characters that need quotes; write {remedy}")
    return word


def _check_key(key: str) -> None:
    """Refuse a key that the configuration does not have; Hydra's own and a tracker's are free."""
    if re.match(r"hydra[./]|tracker\.", key) or "@" in key:
        return
    known = options()
    if key not in known:
        raise UsageError(f"no option `{key}`; {guess(key, known, 'there are')}")


def _quoted(value: str) -> str:
    escaped = value.replace("'", "\\'")
    return f"'{escaped}'"


def _is_grammatical(word: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(word)
    except HydraException:
        return False
    return True
