"""Process trees: dying with the parent, adopting orphans, and ending whatever is left."""

import contextlib
import os
import platform
import signal
from collections.abc import Collection
from pathlib import Path

_ON_LINUX = platform.system() == "Linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_WALL = 0x40000000
"""Children of every kind, those made by clone() without SIGCHLD too."""


def die_with_parent(parent: int, how: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent ends (Linux; else a no-op)."""
    _prctl(_PR_SET_PDEATHSIG, how)
    if _ON_LINUX and os.getppid() != parent:  # it ended before the call
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends (Linux; else a no-op).

    Whatever a run starts, in a session of its own or not, stays below the process that calls
    this, where `kill_children` finds it.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_children(spared: Collection[int] = ()) -> None:
    """Kill every child but the spared ones, their children as they are adopted, and reap them."""
    while strays := [pid for pid in _children() if pid not in spared]:
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Return the children of every thread of this process, as Linux lists them."""
    if _ON_LINUX:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT | _WALL)
        except ChildProcessError:
            return []
    pids: list[int] = []
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # the thread has ended
            pids += [int(pid) for pid in path.read_text(encoding="ascii").split()]
    return pids


def _prctl(option: int, value: int) -> None:
    if _ON_LINUX:
        import ctypes  # slow to import, and only workers need it

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
