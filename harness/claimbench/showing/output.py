"""Writing to the terminal: results to standard output, everything else to standard error."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO

CLOSED = 141
"""Exit code where nobody reads the output any more: 128 and the number of SIGPIPE, as in shells."""


def settle() -> None:
    """Have what standard output can't encode escaped; a stream that is closed takes all in silence.

    Standard error escapes by itself.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # no pipe of a worker may get these
        os.set_inheritable(number, True)
    os.close(number)
    # the program's streams, which live as long as it does
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    escape_what_cannot_be_encoded(sys.stdout)


def escape_what_cannot_be_encoded(stream: TextIO | None) -> None:
    """Have a stream write `\\u2713` for what its encoding lacks, where it would raise."""
    if isinstance(stream, TextIOWrapper):  # a notebook's streams, which are UTF-8, are none
        stream.reconfigure(errors="backslashreplace")


def drop() -> None:
    """Let Python not try again, when it ends, to write what could not be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def line(text: str = "") -> None:
    """Write a line of the result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def error(text: str) -> None:
    """Write a line about what went wrong, or about what is under way."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def color() -> bool:
    """Say whether standard output shows colours."""
    return sys.stdout.isatty()
