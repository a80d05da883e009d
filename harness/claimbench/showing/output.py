"""Writing to the terminal: results to standard output, everything else to standard error."""

import sys


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
