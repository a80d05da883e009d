"""The pytest plugin: a claims.yaml is a test file, and each of its claims a test.

    pytest papers/ademamix                                  every claim of a paper
    pytest papers --tier standard -k rosenbrock             some claims of all papers
    pytest papers/ademamix/claims.yaml::reduces-to-adamw    one claim
    pytest --claims ademamix                                a paper that lies anywhere
    pytest papers/ademamix --benchmark-only                 what a step of its method costs

Every pytest of an environment loads this module, so that what knows of claims waits until there is
one: see `claimbench.session`.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from claimbench.session import options

if TYPE_CHECKING:
    from claimbench.session.claims import ClaimSession

SPEC_FILE = "claims.yaml"
"""As in `claimbench.spec.discovery`, which is slow to import."""

_SESSION = "claimbench-session"
_ALONE = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None]:
    """Add claimbench's options, once other plugins and conftest files have added theirs."""
    options.forget_values(early_config, parser, args)
    yield
    options.add(early_config, parser)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Keep xdist from handing out claims that are only planned; its own hook is inside this."""
    spread = config.getoption("numprocesses", None) or config.getoption("distload", False)
    if options.read(config, "plan") and (spread or config.getoption("dist", "no") != "no"):
        config.option.numprocesses = 0
        config.option.dist, config.option.distload = "no", False
        config.stash[_ALONE] = True
    return (yield)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which options are spelt otherwise, since others have the spelling, or have no meaning."""
    lines = [
        f"claimbench: {theirs} is another plugin's option here; ours is {ours}"
        for theirs, ours in options.respelled(config).items()
    ]
    if config.stash.get(_ALONE, False):
        lines.append("claimbench: --plan runs nothing, so that -n and --dist have no meaning")
    return lines


def pytest_configure(config: pytest.Config) -> None:
    """Open the session at once where an option asks for it, or xdist collects elsewhere."""
    asked = any(options.read(config, name) for name in ("claims", "claims-json", "plan"))
    if asked or config.getoption("dist", "no") != "no":
        claim_session(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect every claims.yaml, wherever it lies; with --benchmark-only the paper's benchmarks."""
    if file_path.name != SPEC_FILE:
        return None
    return claim_session(parent.config).collector(file_path, parent)


def claim_session(config: pytest.Config) -> ClaimSession:
    """Return the session's claims."""
    session: ClaimSession | None = config.pluginmanager.get_plugin(_SESSION)
    if session is None:
        # the cache and the profiles are no small part of a short session; most have no claim
        from claimbench.session.claims import ClaimSession

        session = ClaimSession(config)
        config.pluginmanager.register(session, _SESSION)
    return session
