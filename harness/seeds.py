"""Seeds: one number a (experiment, seed index), and the global generators set from it."""

import hashlib
import random
import sys


def derive(experiment: str, index: int) -> int:
    """Return the seed of the index-th run of an experiment, in [0, 2**32).

    It depends on nothing else: method, baseline and control see the same draws, and a claim
    does not change its seeds when its folder is renamed.
    """
    digest = hashlib.sha256(f"{experiment}/{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def seed_everything(seed: int) -> None:
    """Seed `random`, and NumPy and torch where this process has loaded them.

    JAX has no global generator: `Run.jax_key` carries the seed.
    """
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
