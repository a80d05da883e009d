"""Hardware profiles: on what, and how pinned, a run computes.

A profile is a TOML file, of the suite or of the user (`profiles/` in claimbench's folder of the
user's configuration, `~/.config/claimbench` on Linux).
"""

import json
import os
import platform
import shutil
import tomllib
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from pathlib import Path

from claimbench.cache import digest
from claimbench.errors import UsageError
from claimbench.guessing import guess
from claimbench.home import users_home

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
        requires: CPU flags that the machine must have, or `cuda` for an NVIDIA GPU.
        environment: variables set before torch or jax is imported.
    """

    name: str
    description: str
    device: str
    threads: int
    memory_mb: int
    requires: tuple[str, ...]
    environment: dict[str, str]

    @cached_property
    def digest(self) -> str:
        """Digest of all that can change a result: everything but the description."""
        parts = {k: v for k, v in asdict(self).items() if k not in {"description", "memory_mb"}}
        return digest(json.dumps(parts, sort_keys=True))

    def unmet(self) -> str | None:
        """Return why this machine cannot serve the profile, or None if it can."""
        missing = [need for need in self.requires if not _has(need)]
        if missing:
            return f"profile `{self.name}` needs {', '.join(missing)}, which this machine lacks"
        return None


def _has(need: str) -> bool:
    if need == "cuda":
        return shutil.which("nvidia-smi") is not None
    return need in cpu_flags()


def user_folder() -> Path:
    """Return the folder of the user's own profiles."""
    base = os.environ.get("XDG_CONFIG_HOME") or users_home() / ".config"
    return Path(base) / "claimbench" / "profiles"


def profile_files() -> dict[str, Path]:
    """Return the file of each profile by name.

    Raises:
        UsageError: the user has a profile of a name that the suite uses, so that results of two
            profiles could be taken for those of one.
    """
    own = {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}
    try:
        users = {path.stem: path for path in sorted(user_folder().glob("*.toml"))}
    except PermissionError:  # a home folder of somebody else's
        users = {}
    for name in own.keys() & users.keys():
        raise UsageError(f"{users[name]}: `{name}` is a profile of the suite; rename this file")
    return own | users


def load_profile(name: str) -> Profile:
    """Read a profile.

    Raises:
        UsageError: there is none of that name, or its file is not a profile.
    """
    files = profile_files()
    if name not in files:
        raise UsageError(f"no profile `{name}`; {guess(name, files, 'there are:')}")
    return _read(files[name])


def _read(path: Path) -> Profile:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path}: {error}") from None
    kinds = {field.name: field.type for field in fields(Profile) if field.name != "name"}
    wrong = sorted(data.keys() ^ kinds.keys())
    if wrong:
        raise UsageError(f"{path}: `{wrong[0]}`; a profile has exactly {', '.join(kinds)}")
    for key, kind in (("description", str), ("device", str), ("threads", int), ("memory_mb", int)):
        if type(data[key]) is not kind:
            raise UsageError(f"{path}: `{key}` must be {kind.__name__}, not {data[key]!r}")
    requires, environment = data["requires"], data["environment"]
    if not isinstance(requires, list) or not all(isinstance(need, str) for need in requires):
        raise UsageError(f"{path}: `requires` must be a list of CPU flags, or cuda")
    if not isinstance(environment, dict) or not all(
        isinstance(value, str) for value in environment.values()
    ):
        raise UsageError(f"{path}: `environment` must be a table of texts")
    return Profile(name=path.stem, **{**data, "requires": tuple(requires)})


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
