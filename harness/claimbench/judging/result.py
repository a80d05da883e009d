"""What `claimbench.verify` returns for a claim: its record, and what a person needs besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claimbench.judging.verdict import Verdict

if TYPE_CHECKING:
    from claimbench.judging.record import Record
    from claimbench.running.workers.jobs import Failure


@dataclass(frozen=True)
class Result:
    """A verdict on one claim at one tier and profile.

    Attributes:
        record: everything that is published.
        repeat: the command that runs this claim again.
        failure: what a failed run left behind, where the verdict is `error`.
    """

    record: Record
    repeat: str
    failure: Failure | None = field(default=None, compare=False)

    @property
    def verdict(self) -> Verdict:
        """The verdict; it equals its word."""
        return self.record.verdict

    @property
    def claim(self) -> str:
        """The claim's id."""
        return self.record.claim

    @property
    def reason(self) -> str:
        """One line: what the verdict rests on."""
        return self.record.reason

    @property
    def as_expected(self) -> bool:
        """Reproduced or skipped; where the spec expects another verdict, that or skipped."""
        return self.record.as_expected

    @property
    def measured(self) -> bool:
        """Say whether any run stands behind the verdict."""
        return bool(self.record.metrics)

    @property
    def line(self) -> str:
        """The failure or success in one line: paper, claim, verdict, reason."""
        word = str(self.verdict)
        if self.verdict is Verdict.REPRODUCED and self.record.known_verdict is not None:
            word = f"reproduced, though the spec knows it as {self.record.known_verdict}"
        return f"{self.record.name} {word}: {self.reason}"
