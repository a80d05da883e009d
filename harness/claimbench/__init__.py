"""claimbench's engine: it runs a paper's claims and says which of them hold.

A paper's `reproduce.py` imports `Run`, `artefact` and `experiment` from here; everybody else
`verify`. Importing this package loads neither torch nor jax.
"""

from typing import TYPE_CHECKING, Any

from claimbench.author import Run, artefact, experiment

if TYPE_CHECKING:
    from claimbench.running.engine import verify

__all__ = ["Run", "artefact", "experiment", "verify"]


def __getattr__(name: str) -> Any:
    if name == "verify":
        # the author surface is imported in every worker and by every pytest
        from claimbench.running.engine import verify

        return verify
    raise AttributeError(f"module `claimbench` has no attribute `{name}`")
