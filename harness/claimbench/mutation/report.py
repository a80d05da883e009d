"""What is said of a paper's mutants: the share that was caught, by kind, and the survivors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimbench.mutation.equivalents import FILE, Equivalent
from claimbench.mutation.rewriting import Description
from claimbench.mutation.running import Fate

GOAL = 0.9


@dataclass(frozen=True)
class Report:
    """The mutants of a paper and what became of them.

    Attributes:
        paper: its slug.
        tier: at which claims were tried.
        profile: under which.
        seed: by which mutants were chosen.
        possible: how many mutants there are to choose from.
        fates: of the chosen ones.
        equivalents: entries of mutants.yaml, by what they describe.
        stale: those that describe no mutant.
        beyond: functions and classes whose mutants are left alone, since no claim that can catch
            one at this tier reaches them.
        left_out: why claims were not tried.
        cpu_seconds: that this report took.
    """

    paper: str
    tier: str
    profile: str
    seed: int
    possible: int
    fates: Sequence[Fate]
    equivalents: Mapping[Description, Equivalent]
    stale: Sequence[Equivalent]
    beyond: Sequence[str]
    left_out: Mapping[str, str]
    cpu_seconds: float

    @property
    def caught(self) -> list[Fate]:
        """The mutants that a claim caught."""
        return [fate for fate in self.fates if fate.claim is not None]

    @property
    def equivalent(self) -> list[Fate]:
        """Those that no claim caught, and that mutants.yaml explains."""
        return [fate for fate in self.fates if fate.claim is None and self._listed(fate)]

    @property
    def survivors(self) -> list[Fate]:
        """Those that no claim caught, and that nothing explains."""
        return [fate for fate in self.fates if fate.claim is None and not self._listed(fate)]

    @property
    def share(self) -> float:
        """The share caught of those that count; 1 where there are none."""
        return len(self.caught) / self.counted if self.counted else 1.0

    @property
    def counted(self) -> int:
        """How many count: the mutants that are not equivalent, and one a function beyond reach."""
        return len(self.fates) - len(self.equivalent) + len(self.beyond)

    @property
    def enough(self) -> bool:
        """Say whether claims reach everything, and at least nine in ten were caught, of some."""
        return bool(self.caught) and self.share >= GOAL and not self.beyond

    def text(self) -> str:
        """Return the report for a reader."""
        return "\n".join(self._lines())

    def record(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "paper": self.paper,
            "tier": self.tier,
            "profile": self.profile,
            "seed": self.seed,
            "possible": self.possible,
            "mutants": len(self.fates),
            "caught": len(self.caught),
            "equivalent": len(self.equivalent),
            "survived": len(self.survivors),
            "counted": self.counted,
            "share": self.share,
            "cpu_seconds": round(self.cpu_seconds, 1),
            "by_kind": {kind: list(counts) for kind, counts in self._by_kind().items()},
            "outcomes": [self._fate(fate) for fate in self.fates],
            "stale": [
                dict(zip(("file", "function", "was", "now", "nth"), entry.description, strict=True))
                for entry in self.stale
            ],
            "functions_beyond_tier": list(self.beyond),
            "claims_left_out": dict(self.left_out),
        }

    def _listed(self, fate: Fate) -> bool:
        return fate.mutant.description in self.equivalents

    def _fate(self, fate: Fate) -> dict[str, Any]:
        mutant = fate.mutant
        listed = self.equivalents.get(mutant.description)
        survived = "survived" if listed is None else "equivalent"
        return {
            "file": mutant.file,
            "line": mutant.line,
            "function": mutant.function,
            "kind": mutant.kind,
            "was": mutant.was,
            "now": mutant.now,
            "nth": mutant.nth,
            "outcome": survived if fate.claim is None else "caught",
            "claim": fate.claim,
            "verdict": fate.verdict,
            "reason": fate.reason,
            "by_control": fate.control,
            "equivalent": None if listed is None else listed.reason,
            "diff": mutant.diff(),
        }

    def _by_kind(self) -> dict[str, tuple[int, int]]:
        """Return for each kind how many were caught, of how many that are not equivalent."""
        counts: dict[str, tuple[int, int]] = {}
        for fate in (*self.caught, *self.survivors):
            caught, total = counts.get(fate.mutant.kind, (0, 0))
            counts[fate.mutant.kind] = (caught + (fate.claim is not None), total + 1)
        return dict(sorted(counts.items()))

    def _lines(self) -> Iterator[str]:
        yield f"{self.paper} · tier {self.tier} · profile {self.profile} · seed {self.seed}"
        percent = int(100 * self.share)  # rounded down: 90 means 90
        yield (
            f"{len(self.caught)} of {self.counted} mutants caught ({percent} %), "
            f"{len(self.equivalent)} equivalent; {len(self.fates)} chosen of {self.possible}; "
            f"{self.cpu_seconds:.0f} CPU-seconds"
        )
        how = Counter(fate.verdict for fate in self.caught)
        if how:
            yield "caught since the claim was: " + ", ".join(
                f"{verdict} ({count})" for verdict, count in how.most_common()
            )
        for kind, (caught, count) in self._by_kind().items():
            yield f"  {kind:10} {caught:3d} of {count}"
        if self.beyond:
            yield f"  {'unreached':10}   0 of {len(self.beyond)}"
        yield from self._remarks()
        for fate in self.survivors:
            mutant = fate.mutant
            yield f"\nsurvived: {mutant.file}:{mutant.line} {mutant.function}, {mutant.kind}"
            yield mutant.diff().rstrip("\n")

    def _remarks(self) -> Iterator[str]:
        for function in self.beyond:
            yield f"no claim judged at {self.tier} reaches `{function}`: add an exact check"
        for fate in self.caught:
            if self._listed(fate):
                entry = self.equivalents[fate.mutant.description]
                yield (
                    f"{FILE}:{entry.line}: listed as equivalent, but `{fate.claim}` caught it; "
                    "remove the entry"
                )
        for entry in self.stale:
            yield f"{FILE}:{entry.line}: matches no mutant any more; remove or rewrite the entry"
