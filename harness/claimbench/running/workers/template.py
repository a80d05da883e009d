"""The template process: it imports frameworks, computes nothing, and forks workers on request.

A process that has run an operation of torch or jax can no longer be forked safely, so the
template never runs one. It is started with the profile's environment already set. For each
request on its control socket it imports what the paper preloads and forks a worker, which serves
jobs on a socket of its own. It tells the parent when a worker has ended, and ends itself with
the parent, with everything that its workers have started.
"""

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import tempfile

from claimbench.running.workers.processes import adopt_orphans, die_with_parent, kill_children
from claimbench.running.workers.wire import Reader, send
from claimbench.running.workers.worker import serve


def main() -> None:
    """Serve fork requests until the parent closes the control socket or ends."""
    sys.path.append(os.getcwd())  # behind everything else, whatever modules lie there
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    die_with_parent(int(sys.argv[2]), signal.SIGTERM)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="claimbench-", ignore_cleanup_errors=True) as place:
        try:
            _serve(socket.socket(fileno=int(sys.argv[1])), place)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            kill_children()


def _serve(control: socket.socket, place: str) -> None:
    wake_read, wake_write = socket.socketpair()
    wake_read.setblocking(False)
    wake_write.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write.fileno())
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    reader = Reader(control)
    names: dict[int, int] = {}
    while not reader.closed:
        ready = {key.fileobj for key, _ in selector.select()}
        if wake_read in ready:
            wake_read.recv(4096)
            _report_ended(control, names)
        if control in ready:
            requests, files = reader.receive_files(2)
            for request in requests:
                for framework in request["preload"]:
                    with contextlib.suppress(ImportError):  # the run that needs it will say so
                        importlib.import_module(framework)
                gc.freeze()  # imported objects stay shared with the workers
                pid = _fork(files, (control, wake_read, wake_write), place)
                names[pid] = request["name"]
                for file in files:
                    os.close(file)
    signal.set_wakeup_fd(-1)  # workers that end from now on have nobody to tell


def _fork(files: list[int], inherited: tuple[socket.socket, ...], place: str) -> int:
    """Fork a worker and return its process id."""
    template = os.getpid()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for sock in inherited:
                sock.close()
            os.setsid()
            die_with_parent(template, signal.SIGKILL)
            adopt_orphans()
            serve(socket.socket(fileno=files[0]), files[1], place)
            status = 0
        finally:
            os._exit(status)
    return pid


def _report_ended(control: socket.socket, names: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError, BrokenPipeError):  # the parent may be gone
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = names.pop(pid, None)
            kill_children(spared=names)  # what the worker had started is ours now
            if name is not None:
                send(control, {"ended": name, "status": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
