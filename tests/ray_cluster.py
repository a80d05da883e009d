"""A Ray cluster of this machine: a head without room for runs, and nodes, each a process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class RayCluster:
    """A head without room for runs, and nodes with room for one each."""

    port: int
    processes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *words: str) -> None:
        ray = Path(sys.executable).with_name("ray")
        self.processes.append(
            subprocess.Popen(
                [ray, "start", "--block", "--disable-usage-stats", *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "RAY_health_check_period_ms": "500"},
            )
        )

    def add_node(self) -> None:
        self.start("--address", self.address, "--num-cpus", "1", "--memory", str(8 * 2**30))
        self.wait_for(len(self.processes) - 1)

    def kill_node(self, number: int) -> None:
        """Kill a node's raylet without warning; the head is number 0."""
        children = Path(f"/proc/{self.processes[number].pid}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text().split()]
        (raylet,) = (
            pid for pid in pids if "raylet/raylet" in Path(f"/proc/{pid}/cmdline").read_text()
        )
        os.kill(raylet, signal.SIGKILL)

    def nodes(self) -> int:
        """Return how many nodes with room the head knows to be alive; -1 while it is not there."""
        done = subprocess.run(
            [Path(sys.executable).with_name("ray"), "status", "--address", self.address],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return -1
        match = re.search(r"/(\d+)\.0 CPU", done.stdout)
        return int(match[1]) if match else 0

    def wait_for(self, nodes: int) -> None:
        deadline = time.monotonic() + 120
        while self.nodes() != nodes:
            assert time.monotonic() < deadline, f"{self.nodes()} nodes, not {nodes}"
            time.sleep(0.5)

    def stop(self) -> None:
        for process in reversed(self.processes):
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def ray_cluster(nodes: int) -> Iterator[RayCluster]:
    """Start a head and so many nodes; end them all."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = RayCluster(port)
    head = ("--head", "--port", str(port), "--num-cpus", "0", "--include-dashboard", "false")
    cluster.start(*head)
    try:
        cluster.wait_for(0)
        for _ in range(nodes):
            cluster.add_node()
        yield cluster
    finally:
        cluster.stop()
