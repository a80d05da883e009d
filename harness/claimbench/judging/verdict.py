"""The words for what came out: of a claim, and of one setting of it (its own, a control's)."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What is said of a claim, in the order of tables; files hold the word.

    Attributes:
        symbol: one character for it.
        color: ANSI code of the terminal's colour for it.
        badness: how unwelcome it is; a verdict of more is worse.
        decided: whether the claim was shown to hold, not to hold, or to be checked in vain.
        judged: whether the claim was tried: decided, or undecided at its last look.
    """

    symbol: str
    color: int
    badness: int

    REPRODUCED = "reproduced", "✓", 32, 0
    DIVERGED = "diverged", "✗", 31, 3
    VACUOUS = "vacuous", "∅", 35, 3
    INCONCLUSIVE = "inconclusive", "?", 33, 2
    ERROR = "error", "!", 31, 4
    SKIPPED = "skipped", "–", 36, 1

    def __new__(cls, word: str, symbol: str = "", color: int = 0, badness: int = 0) -> Verdict:
        """Make a member whose value is the word; with the word alone, a type checker's look-up."""
        self = str.__new__(cls, word)
        self._value_ = word
        self.symbol, self.color, self.badness = symbol, color, badness
        return self

    def __repr__(self) -> str:
        """Return the word as Python writes it."""
        return repr(self.value)

    @property
    def decided(self) -> bool:
        """Say whether the seeds, of the claim and what it is compared with, decided."""
        return self in (Verdict.REPRODUCED, Verdict.DIVERGED, Verdict.VACUOUS)

    @property
    def judged(self) -> bool:
        """Say whether the claim was tried."""
        return self.decided or self is Verdict.INCONCLUSIVE

    @property
    def marked(self) -> str:
        """The word behind its symbol."""
        return f"{self.symbol} {self}"


EXPLAINABLE = (Verdict.DIVERGED, Verdict.VACUOUS)
"""Verdicts that a spec may expect, with a finding."""


class SettingVerdict(StrEnum):
    """What the seeds of one setting show, the least welcome of a control first.

    Attributes:
        of_control: the word for it where the setting is a negative control.
    """

    of_control: str

    ERROR = "error", "error"
    REPRODUCED = "reproduced", "passes"
    UNDECIDED = "undecided", "undecided"
    DIVERGED = "diverged", "rejected"
    NOT_RUN = "not run", "not run"

    def __new__(cls, word: str, of_control: str = "") -> SettingVerdict:
        """Make a member whose value is the word; with the word alone, a type checker's look-up."""
        self = str.__new__(cls, word)
        self._value_ = word
        self.of_control = of_control
        return self

    def __repr__(self) -> str:
        """Return the word as Python writes it."""
        return repr(self.value)
