"""`claimbench run`: a selection as configured by Hydra."""

import importlib.util
from argparse import ArgumentParser, Namespace

from claimbench.errors import UsageError
from claimbench.hydra.app import main as application


def add(parser: ArgumentParser) -> None:
    """Declare nothing: what follows is in Hydra's grammar, and so is `--help`."""


def run(options: Namespace) -> int:
    """Hand the words to Hydra.

    Raises:
        UsageError: Hydra is not installed.
    """
    if importlib.util.find_spec("hydra") is None:
        raise UsageError("`claimbench run` needs hydra; pip install 'claimbench[run]'")
    return application(options.words)
