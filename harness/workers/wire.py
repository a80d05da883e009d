"""JSON messages, one a line, over a Unix socket."""

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
        try:
            data = self._sock.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def receive_files(self, most: int) -> tuple[list[dict[str, Any]], list[int]]:
        """Like `receive`, with the file descriptors that came along."""
        data, files, _, _ = socket.recv_fds(self._sock, 1 << 16, most)
        if not data:
            self.closed = True
            return [], list(files)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines], list(files)
