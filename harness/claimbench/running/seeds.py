"""Seeds: one number a (experiment, seed index), and the global generators set from it."""

import contextlib
import hashlib
import random
import sys
from collections.abc import Iterator


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


@contextlib.contextmanager
def global_generators_kept() -> Iterator[None]:
    """Give the global generators back in the state they were in, whatever was drawn within."""
    state = random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    numpy_state = numpy.random.get_state() if numpy else None
    torch_state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(numpy_state)
        if torch:
            torch.set_rng_state(torch_state)
