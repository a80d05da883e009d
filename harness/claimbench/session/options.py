"""The plugin's options: where another plugin or a conftest has a spelling, ours gives way.

They are added last of all, once whatever else adds options has done so, and every destination is
our own, so that no other plugin can be hurt by them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from claimbench.tiers import TIERS

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "claims": {
        "action": "append",
        "default": [],
        "metavar": "PAPER[::CLAIM]",
        "help": "run the claims of a paper wherever it lies, by slug or folder; may be repeated",
    },
    "tier": {
        "default": "smoke",
        "choices": TIERS,
        "help": "smoke: seconds a paper (default); standard: minutes; full: as published",
    },
    "profile": {
        "default": "cpu",
        "metavar": "NAME",
        "help": "hardware profile that the runs are pinned to (default: cpu)",
    },
    "max-seeds": {
        "type": int,
        "metavar": "N",
        "help": "run at most N seeds a claim; what they don't decide is inconclusive",
    },
    "fresh": {"action": "store_true", "help": "run again what the store already has"},
    "no-control": {"action": "store_true", "help": "don't run the negative controls"},
    "method": {
        "action": "append",
        "default": [],
        "metavar": "NAME=MODULE:ATTR",
        "help": "run another implementation in the place of method.NAME; also NAME=file.py:ATTR",
    },
    "repeat": {
        "action": argparse.BooleanOptionalAction,
        "help": "run one seed of each experiment twice and compare every bit (default: at smoke)",
    },
    "plan": {
        "action": "store_true",
        "help": "say what would run, and how long, without running it",
    },
    "claims-json": {
        "type": Path,
        "metavar": "FILE",
        "help": "write the verdicts with all their numbers to FILE",
    },
}

_RESPELLED = pytest.StashKey[dict[str, str]]()


def add(config: pytest.Config, parser: pytest.Parser) -> None:
    """Add the options; one whose spelling is taken is spelt `--claim-…`."""
    group = parser.getgroup("claimbench", "claimbench: the claims of papers")
    respelled: dict[str, str] = {}
    for name, about in OPTIONS.items():
        spelling = f"--{name}"
        if _is_taken(parser, spelling):
            respelled[spelling] = f"--claim-{name}"
        group.addoption(respelled.get(spelling, spelling), dest=_destination(name), **about)
    config.stash[_RESPELLED] = respelled


def read(config: pytest.Config, name: str) -> Any:
    """Return the value of an option, such as `max-seeds`."""
    return config.getoption(_destination(name), OPTIONS[name].get("default"))


def respelled(config: pytest.Config) -> Mapping[str, str]:
    """Return the spellings that belong to others in this session, each with ours."""
    return config.stash.get(_RESPELLED, {})


def forget_values(config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> None:
    """Have pytest not take the values of options that are still to be added for test paths.

    It looks for the first conftest files in those, and else in `testpaths`.
    """
    known = config.known_args_namespace
    _, unknown = parser.parse_known_and_unknown_args(list(args))
    ours = {f"--{name}" for name in OPTIONS} & set(unknown)
    values = {value for word, value in pairwise(args) if word in ours}
    known.file_or_dir = [path for path in known.file_or_dir if path not in values]


def _destination(name: str) -> str:
    return f"claimbench_{name.replace('-', '_')}"


def _is_taken(parser: pytest.Parser, spelling: str) -> bool:
    try:
        _, unknown = parser.parse_known_and_unknown_args([spelling])
    except pytest.UsageError:  # it wants a value
        return True
    return spelling not in unknown
