"""What a worker prints, taken from a pipe; only the end of it is kept."""

import contextlib
import os

LOG_BYTES = 64 * 1024
"""What is kept of a failed run's output: its last 64 kB."""


class Log:
    """The reading end of a worker's output. A run that prints without end fills no disk.

    Attributes:
        writer: file descriptor to hand to the worker; close it here afterwards.
        reader: file descriptor that becomes readable when there is output.
        closed: whether every writer is gone.
    """

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.closed = False
        self._kept = bytearray()
        self._dropped = 0

    def fileno(self) -> int:
        """Return the reading end, for a selector."""
        return self.reader

    def drain(self) -> None:
        """Read what is there now, at most 1 MB of it, and keep the end."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(16):
                data = os.read(self.reader, LOG_BYTES)
                if not data:
                    self.closed = True
                    return
                self._kept += data
                surplus = len(self._kept) - LOG_BYTES
                if surplus > 0:
                    del self._kept[:surplus]
                    self._dropped += surplus

    def restart(self) -> None:
        """Forget what earlier runs printed."""
        self.drain()
        self._kept.clear()
        self._dropped = 0

    def text(self) -> str:
        """Return what the run has printed so far; if it was cut, the first line says so."""
        self.drain()
        text = self._kept.decode(errors="replace")
        if not self._dropped:
            return text
        return f"[cut: {self._dropped} bytes before the last {LOG_BYTES}]\n{text}"

    def close(self) -> None:
        """Close the reading end."""
        os.close(self.reader)
