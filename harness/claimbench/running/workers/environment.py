"""What a run's numbers depend on besides its code: recorded with every run, never compared."""

import os
import platform
import sys
from functools import cache
from importlib.metadata import distributions
from typing import Any

from claimbench.profiles import cpu_flags, cpu_model

_LIBRARY = ("internal_api", "version", "architecture", "num_threads", "threading_layer")


@cache
def machine() -> dict[str, Any]:
    """Return CPU model and flags, system, Python, and every installed package's version."""
    return {
        "cpu": cpu_model(),
        "flags": " ".join(sorted(cpu_flags())),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {d.metadata["Name"]: d.version for d in sorted(distributions(), key=_name)},
    }


def computing(pinned: dict[str, str]) -> dict[str, Any]:
    """Return what this process computes with: BLAS and OpenMP as loaded, torch's kernels.

    Args:
        pinned: the profile's environment; what the variables hold here is returned.
    """
    from threadpoolctl import threadpool_info

    torch = sys.modules.get("torch")
    return {
        "libraries": [
            {key: library[key] for key in _LIBRARY if library.get(key) is not None}
            for library in threadpool_info()
        ],
        "torch": None if torch is None else torch.backends.cpu.get_cpu_capability(),
        "pinned": {name: os.environ.get(name) for name in pinned},
    }


def _name(distribution: Any) -> str:
    return str(distribution.metadata["Name"]).lower()
