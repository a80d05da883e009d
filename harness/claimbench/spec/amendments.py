"""Which expectations were loosened since an earlier revision without saying so.

Every expectation is written down before the first result. One that is loosened later, or a
claim that is removed, must say so in the spec (`amended`, `removed`), where readers see it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from claimbench.errors import UsageError
from claimbench.git import git
from claimbench.spec.discovery import SPEC_FILE
from claimbench.spec.load import load_spec
from claimbench.spec.models import Claim, Spec
from claimbench.spec.problems import SpecError
from claimbench.spec.region import Region
from claimbench.tiers import TIERS

_FILES = (SPEC_FILE, "reproduce.py", "method.py", "README.md")


def unamended(old: Spec, new: Spec) -> list[str]:
    """Return one line for each change that needs an `amended` or `removed` entry and has none."""
    ids = {claim.id for claim in new.claims}
    removed = {removal.id for removal in new.removed}
    lines = [
        f"claim `{claim.id}` is gone; add it to `removed` with date and reason"
        for claim in old.claims
        if claim.id not in ids | removed
    ]
    for claim in new.claims:
        before = next((other for other in old.claims if other.id == claim.id), None)
        if before is None or set(claim.amended) - set(before.amended):
            continue
        lines += [
            f"{new.folder / SPEC_FILE}:{claim.line}: claim `{claim.id}`: {change}; add `amended` "
            "with date, was, now and reason"
            for change in changes(before, claim)
        ]
    return lines


def changes(old: Claim, new: Claim) -> Iterator[str]:
    """Yield what was loosened, or changed in how a claim is judged."""
    for tier in TIERS:
        if not old.judged_at(tier):
            continue
        if not new.judged_at(tier):
            yield f"it is no longer judged at {tier}"
            continue
        regions = new.expect_at(tier)
        for metric, region in old.expect_at(tier).items():
            if metric not in regions:
                yield f"{metric} is no longer expected at {tier}"
            elif not within(regions[metric], region):
                yield f"{metric} at {tier} was {region} and is {regions[metric]}"
    for what, before, now in (
        ("the rule", old.rule, new.rule),
        ("the largest number of seeds", old.max_seeds, new.max_seeds),
        ("the controls", old.controls, new.controls),
    ):
        if before != now:
            yield f"{what} was {before} and is {now}"


def within(inner: Region, outer: Region) -> bool:
    """Say whether every number of one region lies in the other."""
    return (
        inner.lower > outer.lower
        or (inner.lower == outer.lower and (inner.lower_open or not outer.lower_open))
    ) and (
        inner.upper < outer.upper
        or (inner.upper == outer.upper and (inner.upper_open or not outer.upper_open))
    )


def spec_at(revision: str, folder: Path) -> Spec | None:
    """Return a paper's spec as it was at a revision; None if the paper was not there.

    Raises:
        UsageError: git does not know the revision, or the spec then is none today.
    """
    git(folder.parent, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    names = git(folder.parent, "ls-tree", "--name-only", revision, f"{folder.name}/").split()
    if f"{folder.name}/{SPEC_FILE}" not in names:
        return None
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / folder.name
        copy.mkdir()
        for file in _FILES:
            if f"{folder.name}/{file}" in names:
                text = git(folder.parent, "show", f"{revision}:./{folder.name}/{file}")
                (copy / file).write_bytes(text.encode("utf-8", errors="surrogateescape"))
        try:
            return load_spec(copy, readme=False)
        except SpecError as error:
            raise UsageError(f"{folder.name} at {revision} can't be compared: {error}") from None


def papers_at(revision: str, root: Path) -> set[str]:
    """Return the slugs of the papers below a folder at a revision.

    Raises:
        UsageError: git does not know the revision.
    """
    names = git(root, "ls-tree", "-r", "--name-only", revision, "./").split("\n")
    return {Path(name).parts[0] for name in names if Path(name).parts[1:] == (SPEC_FILE,)}
