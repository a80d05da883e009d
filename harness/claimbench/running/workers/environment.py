"""What a run's numbers depend on besides its code: recorded with every run, never compared."""

import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

from claimbench.home import users_home
from claimbench.profiles import cpu_flags, cpu_model

_OF_THE_MACHINE = (
    *("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "SYSTEMROOT"),
    *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "HOME", "TMPDIR", "XDG_CACHE_HOME"),
    *("CUDA_HOME", "CUDA_VISIBLE_DEVICES", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
"""Without these, Python, its packages or the kernels that suit this processor are not found."""

_FIXED = {"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}

_LIBRARY = ("internal_api", "version", "architecture", "num_threads", "threading_layer")


def surroundings(pinned: dict[str, str]) -> dict[str, str]:
    """Return the environment variables of workers: the profile's, and what the machine needs.

    Nothing else that is set here reaches a run.
    """
    kept = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
    return {**kept, **_FIXED, "CLAIMBENCH_DATA": str(data_cache()), **pinned}


def data_cache() -> Path:
    """Return the folder of data sets that came from a hub, see `common.data`."""
    chosen = os.environ.get("CLAIMBENCH_DATA")
    if chosen:
        return Path(chosen)
    base = Path(os.environ.get("XDG_CACHE_HOME") or users_home() / ".cache")
    return base / "claimbench" / "data"


@cache
def machine() -> dict[str, Any]:
    """Return CPU model and flags, system, Python, and every installed package's version."""
    from importlib.metadata import distributions  # slow to import, and no worker needs it

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
