"""The ends of long iterations."""

from collections import deque
from collections.abc import Iterable

from .method import Array


def last(count: int, iterates: Iterable[Array]) -> list[Array]:
    """Return the last `count` iterates."""
    return list(deque(iterates, maxlen=count))
