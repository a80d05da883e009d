"""What is said of a paper's mutants: the share that was caught, by kind, and the survivors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimbench.mutation.equivalents import FILE, Equivalent
from claimbench.mutation.rewriting import Description
from claimbench.mutation.running import Outcome

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
        outcomes: of the chosen ones.
        equivalents: entries of mutants.yaml, by what they describe.
        stale: those that describe no mutant.
        beyond: functions left alone, since no claim that can catch a mutant at this tier reaches
            them while others do.
        left_out: why claims were not tried.
        cpu_seconds: that this report took.
    """

    paper: str
    tier: str
    profile: str
    seed: int
    possible: int
    outcomes: Sequence[Outcome]
    equivalents: Mapping[Description, Equivalent]
    stale: Sequence[Equivalent]
    beyond: Sequence[str]
    left_out: Mapping[str, str]
    cpu_seconds: float

    @property
    def caught(self) -> list[Outcome]:
        """The mutants that a claim caught."""
        return [outcome for outcome in self.outcomes if outcome.claim is not None]

    @property
    def equivalent(self) -> list[Outcome]:
        """Those that no claim caught, and that mutants.yaml explains."""
        return [o for o in self.outcomes if o.claim is None and self._listed(o)]

    @property
    def survivors(self) -> list[Outcome]:
        """Those that no claim caught, and that nothing explains."""
        return [o for o in self.outcomes if o.claim is None and not self._listed(o)]

    @property
    def share(self) -> float:
        """The share caught of those that are not equivalent; 1 where there are none."""
        total = len(self.outcomes) - len(self.equivalent)
        return len(self.caught) / total if total else 1.0

    @property
    def enough(self) -> bool:
        """Say whether at least nine in ten were caught, of at least one."""
        return bool(self.caught) and self.share >= GOAL

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
            "mutants": len(self.outcomes),
            "caught": len(self.caught),
            "equivalent": len(self.equivalent),
            "survived": len(self.survivors),
            "share": self.share,
            "cpu_seconds": round(self.cpu_seconds, 1),
            "by_kind": {kind: list(counts) for kind, counts in self._by_kind().items()},
            "outcomes": [self._outcome(outcome) for outcome in self.outcomes],
            "stale": [
                dict(zip(("file", "function", "was", "now", "nth"), entry.description, strict=True))
                for entry in self.stale
            ],
            "functions_beyond_tier": list(self.beyond),
            "claims_left_out": dict(self.left_out),
        }

    def _listed(self, outcome: Outcome) -> bool:
        return outcome.mutant.description in self.equivalents

    def _outcome(self, outcome: Outcome) -> dict[str, Any]:
        mutant = outcome.mutant
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
            "outcome": survived if outcome.claim is None else "caught",
            "claim": outcome.claim,
            "verdict": outcome.verdict,
            "reason": outcome.reason,
            "by_control": outcome.control,
            "equivalent": None if listed is None else listed.reason,
            "diff": mutant.diff(),
        }

    def _by_kind(self) -> dict[str, tuple[int, int]]:
        """Return for each kind how many were caught, of how many that are not equivalent."""
        counts: dict[str, tuple[int, int]] = {}
        for outcome in (*self.caught, *self.survivors):
            caught, total = counts.get(outcome.mutant.kind, (0, 0))
            counts[outcome.mutant.kind] = (caught + (outcome.claim is not None), total + 1)
        return dict(sorted(counts.items()))

    def _lines(self) -> Iterator[str]:
        equivalent = len(self.equivalent)
        total = len(self.outcomes) - equivalent
        yield f"{self.paper} · tier {self.tier} · profile {self.profile} · seed {self.seed}"
        percent = int(100 * self.share)  # rounded down: 90 means 90
        yield (
            f"{len(self.caught)} of {total} mutants caught ({percent} %), {equivalent} equivalent; "
            f"{len(self.outcomes)} chosen of {self.possible}; {self.cpu_seconds:.0f} CPU-seconds"
        )
        how = Counter(outcome.verdict for outcome in self.caught)
        if how:
            yield "caught since the claim was: " + ", ".join(
                f"{verdict} ({count})" for verdict, count in how.most_common()
            )
        for kind, (caught, count) in self._by_kind().items():
            yield f"  {kind:10} {caught:3d} of {count}"
        yield from self._remarks()
        for outcome in self.survivors:
            mutant = outcome.mutant
            yield f"\nsurvived: {mutant.file}:{mutant.line} {mutant.function}, {mutant.kind}"
            yield mutant.diff().rstrip("\n")

    def _remarks(self) -> Iterator[str]:
        if self.beyond:
            yield (
                f"left alone, since no claim tried at {self.tier} reaches them: "
                f"{', '.join(self.beyond)}"
            )
        for outcome in self.caught:
            if self._listed(outcome):
                entry = self.equivalents[outcome.mutant.description]
                yield (
                    f"{FILE}:{entry.line}: listed as equivalent, but `{outcome.claim}` caught it; "
                    "remove the entry"
                )
        for entry in self.stale:
            yield f"{FILE}:{entry.line}: matches no mutant any more; remove or rewrite the entry"
