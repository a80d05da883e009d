"""JSON messages, one a line, over a Unix socket."""

import contextlib
import json
import socket
from typing import Any


def send(sock: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Send a message, and file descriptors with it.

    Raises:
        OSError: the other side is gone.
    """
    data = json.dumps(message).encode() + b"\n"
    if files:
        sent = socket.send_fds(sock, [data], list(files))
        data = data[sent:]
    sock.sendall(data)


class Reader:
    """Takes messages from a socket, complete lines only."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = b""
        self.closed = False

    def receive(self) -> list[dict[str, Any]]:
        """Read once and return the messages that are complete now; `closed` tells the end."""
        return self._read(0)

    def receive_all(self) -> list[dict[str, Any]]:
        """Read all that is there and return the messages; never wait for more."""
        messages: list[dict[str, Any]] = []
        with contextlib.suppress(BlockingIOError):
            while not self.closed:
                messages += self._read(socket.MSG_DONTWAIT)
        return messages

    def _read(self, flags: int) -> list[dict[str, Any]]:
        try:
            data = self._sock.recv(1 << 16, flags)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def receive_files(self, most: int) -> tuple[list[dict[str, Any]], list[int]]:
        """Like `receive`, with the file descriptors that came along."""
        try:
            data, files, _, _ = socket.recv_fds(self._sock, 1 << 16, most)
        except ConnectionResetError:
            data, files = b"", []
        if not data:
            self.closed = True
            return [], list(files)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines], list(files)
