"""What a worker may not do: take more memory than the profile has, or use the network."""

import errno
import os
import platform
import resource
import socket
import sys
from pathlib import Path
from typing import Any

_ON_LINUX = platform.system() == "Linux"
_CLONE_NEWNET = 0x40000000
_NETWORK_EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}


_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}


class NoNetwork(PermissionError):
    """A call would have reached an Internet address."""


def limit_memory(megabytes: int) -> None:
    """Let this process take so much data memory more (`RLIMIT_DATA`); Linux only.

    An allocation beyond it fails inside the process: Python raises MemoryError, torch and jax
    an error of their own.
    """
    if _ON_LINUX:
        size = _data_memory() + megabytes * 1024**2
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def cut_network() -> None:
    """Take the network from this process and its children.

    With the right to do so (root on Linux) it gets a network namespace of its own, empty;
    otherwise Python's calls that would reach an Internet address raise PermissionError.
    """
    if not _own_namespace():
        sys.addaudithook(_refuse_network)


def network_limit() -> str:
    """Return how workers are kept from the network here, as a sentence for `doctor`."""
    if _ON_LINUX and os.geteuid() == 0:
        return "no network in workers (network namespace)"
    return "no network in workers (audit hook: holds for Python code only, since this is not root)"


def memory_limit() -> str:
    """Return how workers' memory is limited here, as a sentence for `doctor`."""
    if _ON_LINUX:
        return "memory of workers limited (RLIMIT_DATA, from the profile)"
    return f"memory of workers not limited: {sys.platform} has no RLIMIT_DATA that holds"


def ran_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception is about memory that could not be had."""
    words = ("can't allocate memory", "RESOURCE_EXHAUSTED", "bad_alloc", "Cannot allocate memory")
    return isinstance(error, MemoryError) or any(word in text_of(error) for word in words)


def lacked_network(error: BaseException) -> bool:
    """Say whether an exception, or one that it comes from, is about a network that is not there."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        if isinstance(one, socket.gaierror | NoNetwork):
            return True
        if isinstance(one, OSError) and one.errno in _UNREACHABLE:
            return True
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return False


def text_of(error: BaseException) -> str:
    """Return the message of an exception, whose class may be the author's."""
    try:
        return str(error)
    except Exception as trouble:  # noqa: BLE001  an author's __str__ may raise anything
        return f"(its text raises {type(trouble).__name__})"


def _data_memory() -> int:
    """Return the data memory of this process in bytes: the frameworks' own share of it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _own_namespace() -> bool:
    if not _ON_LINUX:
        return False
    import ctypes  # slow to import, and only workers need it

    failed: int = ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET)
    return failed == 0


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _NETWORK_EVENTS:
        return
    sock = arguments[0]
    if isinstance(sock, socket.socket) and sock.family == socket.AF_UNIX:
        return
    raise NoNetwork(f"a run has no network ({event}); put data into a data set instead")
