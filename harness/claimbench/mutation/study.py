"""A paper's mutants, from the method as it is to the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from claimbench.mutation.equivalents import read_equivalents, stale
from claimbench.mutation.report import Report
from claimbench.mutation.rewriting import all_mutants, choose
from claimbench.mutation.running import Fate, Hunt, cpu_seconds, try_original, within_reach
from claimbench.running.scheduler import Status
from claimbench.settings import Settings
from claimbench.spec.load import load_spec


def study(
    folder: Path,
    settings: Settings,
    *,
    most: int,
    seed: int,
    watch: Callable[[Status], None],
    begin: Callable[[int], None],
    tell: Callable[[Fate], None],
) -> Report:
    """Return what became of a paper's mutants.

    Args:
        folder: the paper.
        settings: tier, profile and workers.
        most: how many mutants at most.
        seed: chooses which.
        watch: told of progress.
        begin: told how many mutants follow, once the original has been run.
        tell: told of each mutant.

    Raises:
        SpecError: claims.yaml or mutants.yaml has problems.
        UsageError: no claim can catch a mutant at this tier.
    """
    before = cpu_seconds()
    spec = load_spec(folder)
    equivalents = read_equivalents(folder)
    every = all_mutants(folder)
    original = try_original(spec, settings, watch)
    near, beyond = within_reach(spec, every, original)
    mutants = choose(near, most, seed)
    begin(len(mutants))
    fates = Hunt(spec, original, settings, watch).run(mutants, tell)
    return Report(
        paper=spec.slug,
        tier=settings.tier,
        profile=settings.profile,
        seed=seed,
        possible=len(near),
        fates=fates,
        equivalents={entry.description: entry for entry in equivalents},
        stale=stale(equivalents, every),
        beyond=beyond,
        left_out=original.left_out,
        cpu_seconds=cpu_seconds() - before,
    )
