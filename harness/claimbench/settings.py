"""How claims are run: one frozen value that plugin, command line and notebook share."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claimbench.errors import UsageError
from claimbench.tiers import TIERS, Tier

if TYPE_CHECKING:
    from claimbench.identity.methods import Replacement

EXECUTORS = ("processes", "inline", "ray")


@dataclass(frozen=True)
class Settings:
    """How claims are run.

    Attributes:
        tier: smoke, standard or full.
        profile: name of a hardware profile.
        executor: processes; inline (in this process, nothing stored; for a debugger); or ray (a
            cluster).
        workers: how many runs at a time; None for one a CPU.
        address: of the head of the executor's cluster; None or `auto` for the one running here.
        max_seeds: the user's own limit on seeds a claim.
        fresh: run again what the store has.
        control: run negative controls.
        repeat: carry out one seed of each experiment twice, in a fresh worker, and compare every
            bit; None for doing so at smoke only.
        home: folder of the store; None for the project's.
        methods: other people's implementations in the place of the paper's own.

    Raises:
        UsageError: a word that is not in its list, or a number below one.
    """

    tier: Tier = "smoke"
    profile: str = "cpu"
    executor: str = "processes"
    workers: int | None = None
    address: str | None = None
    max_seeds: int | None = None
    fresh: bool = False
    control: bool = True
    repeat: bool | None = None
    home: Path | None = None
    methods: tuple[Replacement, ...] = ()

    def __post_init__(self) -> None:
        for what, word, words in (
            ("tier", self.tier, TIERS),
            ("executor", self.executor, EXECUTORS),
        ):
            if word not in words:
                raise UsageError(f"no {what} `{word}`; there are: {', '.join(words)}")
        for what, count in (("seed", self.max_seeds), ("worker", self.workers)):
            if count is not None and count < 1:
                raise UsageError(f"at least one {what} is needed, not {count}")

    @property
    def complete(self) -> bool:
        """Say whether a verdict under these settings may be kept as the claim's verdict."""
        return (
            self.max_seeds is None
            and self.control
            and self.executor != "inline"
            and not self.methods
        )

    @property
    def repeats(self) -> bool:
        """Say whether one seed of each experiment is carried out twice."""
        if self.executor == "inline":  # it has no fresh worker
            return False
        return self.tier == "smoke" if self.repeat is None else self.repeat

    def options(self) -> str:
        """Return the pytest options that ask for the same, with a leading blank."""
        words = []
        if self.tier != "smoke":
            words += ["--tier", self.tier]
        if self.profile != "cpu":
            words += ["--profile", self.profile]
        if self.max_seeds is not None:
            words += ["--max-seeds", str(self.max_seeds)]
        if not self.control:
            words.append("--no-control")
        for method in self.methods:
            words += ["--method", shlex.quote(f"{method.name}={method.source}:{method.attribute}")]
        return "".join(f" {word}" for word in words)


def worker_count(jobs: int | None) -> int:
    """Return how many workers to use: the number asked for, or the CPUs of this process."""
    if jobs is not None:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
