"""Hardware profiles: on what, and how pinned, a run computes. They are TOML files."""

import difflib
import json
import platform
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from harness.cache import digest
from harness.errors import UsageError

_FOLDER = Path(__file__).with_name("profile_files")


@dataclass(frozen=True)
class Profile:
    """One profile.

    Attributes:
        name: the file's name without its ending.
        description: one line for a reader.
        device: what `run.device` says.
        threads: threads of a run.
        memory_mb: memory that a run may take, in MB.
        requires: CPU flags that the machine must have.
        environment: variables set before torch or jax is imported.
    """

    name: str
    description: str
    device: str
    threads: int
    memory_mb: int
    requires: tuple[str, ...]
    environment: dict[str, str]

    @property
    def digest(self) -> str:
        """Digest of all that can change a result: everything but the description."""
        parts = {k: v for k, v in asdict(self).items() if k not in {"description", "memory_mb"}}
        return digest(json.dumps(parts, sort_keys=True))

    def unmet(self) -> str | None:
        """Return why this machine cannot serve the profile, or None if it can."""
        missing = [flag for flag in self.requires if flag not in cpu_flags()]
        if missing:
            return f"profile `{self.name}` needs a CPU with {', '.join(missing)}"
        return None


def profile_names() -> list[str]:
    """Return the names of all profiles."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_profile(name: str) -> Profile:
    """Read a profile.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in profile_names():
        near = difflib.get_close_matches(name, profile_names(), n=1)
        guess = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(profile_names())}"
        raise UsageError(f"no profile `{name}`; {guess}")
    data = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Profile(name=name, **{**data, "requires": tuple(data["requires"])})


@cache
def cpu_flags() -> frozenset[str]:
    """Return the instruction-set flags of this machine's CPU, as Linux lists them."""
    for line in _cpuinfo():
        if line.startswith(("flags", "Features")):
            return frozenset(line.split(":", 1)[1].split())
    return frozenset()


@cache
def cpu_model() -> str:
    """Return the name of this machine's CPU with family and model number."""
    wanted = {"model name": "", "cpu family": "", "model": ""}
    for line in _cpuinfo():
        name, _, value = line.partition(":")
        if name.strip() in wanted and not wanted[name.strip()]:
            wanted[name.strip()] = value.strip()
    if not wanted["model name"]:
        return platform.processor() or platform.machine()
    return f"{wanted['model name']} (family {wanted['cpu family']}, model {wanted['model']})"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
