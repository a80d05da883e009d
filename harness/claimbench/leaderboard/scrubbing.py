"""Taking out of texts what would tell about the machine or person behind them."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping

_PATH = re.compile(r"(?<![\w.:/<])(?:[A-Za-z]:)?(?:[/\\][^\s/\\:'\"`,;()\[\]{}<>]+)+[/\\]?")
_SHORTEST = 6
"""Values of the environment below this length are words like `yes` and stay."""

_COMMON = ("", "root", "user", "runner", "ubuntu", "debian", "localhost")
"""Names of users and hosts that say nothing, and may be words of a sentence."""

_PUBLIC = ("LANG", "LC_", "TERM", "SHLVL", "TZ", "PYTHON", "OMP_", "MKL_", "OPENBLAS_")
"""Variables, by the beginning of their name, whose values are no secret and common words."""


class Scrubber:
    """Removes absolute paths (all but the last part), user and host name, environment values.

    Args:
        environment: the variables; default: of this process.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        words = {
            value: f"<{name}>"
            for name, value in variables.items()
            if len(value) >= _SHORTEST and not name.startswith(_PUBLIC)
        }
        people = {_user(): "<user>", socket.gethostname(): "<host>"}
        words |= {word: name for word, name in people.items() if word not in _COMMON}
        self._words = sorted(words.items(), key=lambda item: -len(item[0]))

    def text(self, text: str) -> str:
        """Return a text without them."""
        text = _PATH.sub(_last_part, text)
        for word, name in self._words:
            if word in text:
                text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", name.replace("\\", ""), text)
        return text


def _last_part(match: re.Match[str]) -> str:
    parts = re.split(r"[/\\]", match[0].rstrip("/\\"))
    if len([part for part in parts if part]) < 2:
        return match[0]  # `/2` is no path, nor is `/etc` telling
    return f"…/{parts[-1]}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
