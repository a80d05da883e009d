"""`claimbench gc`: remove what the present code cannot reach any more."""

import json
import shutil
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from claimbench.cache import Cache
from claimbench.commands import AS_EXPECTED, add_examples
from claimbench.home import home
from claimbench.identity.keys import run_identity
from claimbench.profiles import load_profile, profile_files
from claimbench.running.store import Store
from claimbench.showing.output import line
from claimbench.spec.discovery import find_papers
from claimbench.spec.load import load_spec
from claimbench.spec.models import Claim, Spec
from claimbench.tiers import TIERS, Tier

LONGEST = 36_500


def add(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--older-than",
        type=_days,
        default=30.0,
        metavar="DAYS",
        help="age from which failures and unused artefacts go (default: 30)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    add_examples(parser, "  claimbench gc --dry-run\n  claimbench gc --older-than 7")


def _days(text: str) -> float:
    """Return a number of days; one that no calendar has is an error of the command line."""
    days = float(text)
    if not 0 <= days <= LONGEST:
        raise ArgumentTypeError(f"{text} is no number of days from 0 to {LONGEST}")
    return days


def run(options: Namespace) -> int:
    """Remove them, or say what would be removed."""
    return collect(days=options.older_than, dry=options.dry_run)


def collect(*, days: float, dry: bool) -> int:
    """Remove runs of this project's papers under keys that no claim has any more.

    Verdicts stay, and so do runs of papers that are not in this project. Failures and artefacts
    that no run uses go once they are older than `days`.

    Args:
        days: age below which failures and artefacts are kept.
        dry: only say what would go.
    """
    store, cache = Store(home()), Cache(home())
    specs = [load_spec(folder, cache) for folder in find_papers([])]
    machines = store.machines()
    reachable = {key for spec in specs for key in run_keys(spec, cache, machines)}
    slugs = {spec.slug for spec in specs}
    keys = store.run_keys()
    gone = {key for key, (paper, _) in keys.items() if paper in slugs and key not in reachable}
    used = set().union(*(artefacts for key, (_, artefacts) in keys.items() if key not in gone))
    artefacts = list(_unused(store.home / "artefacts", used, days))
    before = store.counts()
    if not dry:
        limit = datetime.now(UTC) - timedelta(days=days)
        store.forget(gone, limit.isoformat(timespec="seconds"))
        for folder in artefacts:
            shutil.rmtree(folder)
    after = store.counts()
    verb = "would remove" if dry else "removed"
    line(f"{verb} the runs of {len(gone)} of {len(keys)} keys and {len(artefacts)} artefacts")
    for table, count in after.items():
        line(f"  {table}: {before[table]} → {count}")
    store.close()
    cache.close()
    return AS_EXPECTED


def run_keys(spec: Spec, cache: Cache, machines: Collection[str]) -> Iterator[str]:
    """Yield every run key of a claim of the paper at any tier, under any profile, by any CPU."""
    for name, machine in product(profile_files(), machines):
        profile = load_profile(name)
        for claim in spec.claims:
            experiment = spec.experiments[claim.experiment]
            calls: dict[str, dict[str, object]] = {}  # 1, 1.0 and true are different arguments
            for tier in TIERS:
                for override in _overrides(claim, tier):
                    arguments = {**experiment.arguments(tier), **override}
                    calls[json.dumps(arguments)] = arguments
            for arguments in calls.values():
                yield run_identity(
                    *(spec, claim.experiment, arguments),
                    profile=profile,
                    cache=cache,
                    machine=machine,
                ).key


def _overrides(claim: Claim, tier: Tier) -> Iterator[dict[str, object]]:
    yield {}
    yield from claim.controls.values()
    known = claim.known_at(tier)
    if known is not None and known.passes_with:
        yield known.passes_with


def _unused(folder: Path, used: set[str], days: float) -> Iterator[Path]:
    """Yield the artefacts that no run uses and that are older than so many days."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        old = time.time() - path.stat().st_mtime > days * 86_400
        if path.is_dir() and path.name not in used and old:
            yield path
