"""A claims.yaml as pytest sees it: a file, with an item for each claim."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from claimbench.errors import UsageError
from claimbench.judging.verdict import Verdict
from claimbench.running.loading import load_module, suite_first
from claimbench.session import options
from claimbench.spec.outline import ClaimOutline, Outline, outline
from claimbench.spec.problems import SpecError

if TYPE_CHECKING:
    from claimbench.judging.result import Result
    from claimbench.judging.trial import Trial
    from claimbench.session.claims import ClaimSession


class NotAsExpected(Exception):
    """A verdict that fails the test; its text is one line on the claim."""


class Diverged(NotAsExpected):
    """The claim was shown not to hold; a `known` divergence expects this and nothing else."""


class Vacuous(NotAsExpected):
    """A control passes the same check; `known: {verdict: vacuous}` expects this alone."""


class RunError(NotAsExpected):
    """A run gave no metrics."""


class BenchmarkFile(pytest.Module):
    """The benchmark.py of a paper: tests with pytest-benchmark's fixture, of the method's step."""

    def _getobj(self) -> ModuleType:
        with suite_first(self.path.parent):
            return load_module(self.path.parent, self.path.stem)


class SpecFile(pytest.File):
    """A claims.yaml.

    Args:
        claims: the session's claims.
        only: ids of the claims that are wanted; None for all.
    """

    def __init__(
        self, *, claims: ClaimSession, only: Collection[str] | None = None, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._claims = claims
        self._only = only

    def collect(self) -> Iterator[ClaimItem]:
        """Yield its claims; a spec with problems is a collection error that lists them all."""
        try:
            self._claims.tell_apart(self.path.parent)
            paper = outline(self.path.parent, self._claims.cache)
        except (SpecError, UsageError) as error:
            raise self.CollectError(str(error)) from None
        for claim in paper.claims:
            if self._only is None or claim.id in self._only:
                yield ClaimItem.from_parent(
                    self, name=claim.id, paper=paper, claim=claim, claims=self._claims
                )


class ClaimItem(pytest.Item):
    """One claim: `setup` runs what it needs, so that a crash is an error; `runtest` judges."""

    def __init__(
        self, *, paper: Outline, claim: ClaimOutline, claims: ClaimSession, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.paper = paper
        self.claim = claim
        self.trial: Trial | None = None
        self.result: Result | None = None
        self._claims = claims
        self.extra_keyword_matches.update({claim.kind, claim.fidelity, paper.theme})
        known = claim.known_at(options.read(self.config, "tier"))
        if known is not None:
            verdict, finding = known
            expected = Vacuous if verdict == "vacuous" else Diverged
            self.add_marker(pytest.mark.xfail(strict=True, raises=expected, reason=finding))

    def setup(self) -> None:
        """Run what the claim needs; an error in a run is an error here.

        With `--setup-plan` and `--setup-only`, which show fixtures, nothing is run.
        """
        if self.config.option.setuponly:
            return
        self.result = result = self._claims.finish(self)
        if result.verdict is Verdict.ERROR:
            if result.failure is not None and result.failure.exception is not None:
                raise result.failure.exception  # where a debugger should open
            raise RunError(result.line)
        if result.verdict is Verdict.SKIPPED:
            pytest.skip(result.reason)

    def runtest(self) -> None:
        """Fail unless the verdict is the expected one."""
        assert self.result is not None  # set in setup
        if self.result.verdict is Verdict.DIVERGED:
            raise Diverged(self.result.line)
        if self.result.verdict is Verdict.VACUOUS:
            raise Vacuous(self.result.line)
        if not self.result.as_expected:
            raise NotAsExpected(self.result.line)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show a verdict in our words, and anything else as pytest does."""
        if isinstance(excinfo.value, NotAsExpected) and self.result is not None:
            return self._claims.judging.failure_text(self.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point at the claim's line in the spec."""
        return self.path, self.claim.line - 1, f"{self.paper.slug}::{self.claim.id}"
