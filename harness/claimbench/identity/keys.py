"""What a run depends on, and the key made of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimbench.author import SURFACE
from claimbench.cache import Cache, digest
from claimbench.errors import UsageError
from claimbench.identity.closure import closure
from claimbench.identity.datasets import checksum
from claimbench.profiles import Profile, cpu_model

if TYPE_CHECKING:
    from claimbench.spec.models import Spec

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "skimage": "scikit-image", "yaml": "PyYAML"}


@dataclass(frozen=True)
class Identity:
    """All that a run depends on but its seed.

    Attributes:
        function: name of the experiment or artefact.
        files: digests of its closure, see `claimbench.identity.closure`.
        arguments: what the function is called with, `run` aside.
        precision: float32 or float64.
        profile: name of the hardware profile.
        profile_digest: digest of what it says.
        packages: version of Python and of each package that the closure imports.
        machine: the CPU model: seeds of two are not pooled.
        methods: digest of each implementation that stands in for a name of the method.
        data: checksum of each data set that the code loads by name.
        declared: digest of each file beside the paper that the experiment declares.
        eager: foreign modules that are imported with the closure; no part of the identity.
    """

    function: str
    files: dict[str, str]
    arguments: dict[str, Any]
    precision: str
    profile: str
    profile_digest: str
    packages: dict[str, str]
    machine: str = ""
    methods: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    eager: frozenset[str] = frozenset()

    def parts(self) -> dict[str, Any]:
        """Return the identity as flat data: one entry for each thing that can change."""
        return {
            "function": self.function,
            "arguments": self.arguments,
            "precision": self.precision,
            "author surface": SURFACE,
            f"profile {self.profile}": self.profile_digest,
            **{f"file {name}": value for name, value in self.files.items()},
            **{f"package {name}": value for name, value in self.packages.items()},
            "machine": self.machine,
            **{f"data {name}": value for name, value in self.data.items()},
            **{f"declared file {name}": value for name, value in self.declared.items()},
            **{f"method {text}": value for text, value in self.methods.items()},
        }

    @cached_property
    def key(self) -> str:
        """The run key, 32 hexadecimal digits; with a seed index it names one run."""
        return digest(json.dumps(self.parts(), sort_keys=True))[:32]


def run_identity(
    spec: Spec,
    experiment: str,
    arguments: dict[str, Any],
    *,
    profile: Profile,
    cache: Cache,
    methods: Mapping[str, str] | None = None,
    machine: str | None = None,
) -> Identity:
    """Return the identity of an experiment's run with these arguments.

    Args:
        spec: the paper.
        experiment: name of the function.
        arguments: what it is called with.
        profile: hardware profile.
        cache: of what was read of code.
        methods: digests of implementations that stand in for names of the method.
        machine: CPU model that carries it out; None for this machine's.

    Raises:
        SyntaxError: a file of the closure cannot be parsed.
    """
    return identify(
        Call(spec.folder, experiment, arguments, spec.experiments[experiment].precision),
        profile=profile,
        cache=cache,
        machine=machine or cpu_model(),
        methods=dict(methods or {}),
        data=spec.experiments[experiment].data,
        declared=spec.experiments[experiment].files,
    )


def is_timed(spec: Spec, experiment: str) -> bool:
    """Say whether a claim about speed rests on the experiment; it then runs alone."""
    return any(claim.kind == "speed" for claim in spec.claims if claim.experiment == experiment)


@dataclass(frozen=True)
class Call:
    """A call of a function of a paper.

    Attributes:
        folder: the paper folder.
        function: name of the experiment or artefact.
        arguments: what it is called with, `run` aside.
        precision: float32 or float64.
        file: where the function stands, below the folder.
    """

    folder: Path
    function: str
    arguments: dict[str, Any]
    precision: str
    file: str = "reproduce.py"


def identify(
    call: Call,
    *,
    profile: Profile,
    cache: Cache,
    machine: str,
    methods: dict[str, str] | None = None,
    data: Iterable[str] = (),
    declared: Iterable[str] = (),
    read: Callable[[Path], bytes] | None = None,
) -> Identity:
    """Return the identity of a call.

    Data sets are those that the code loads by name, and those that are named besides.

    Raises:
        SyntaxError: a file of the closure cannot be parsed.
        UsageError: a declared file is not there.
    """
    code = closure(call.folder, call.function, cache, file=call.file, read=read)
    python = ".".join(str(part) for part in sys.version_info[:2])
    packages = {name: version(name) for name in sorted(code.modules)}
    return Identity(
        function=call.function,
        files=code.files,
        arguments=call.arguments,
        precision=call.precision,
        profile=profile.name,
        profile_digest=profile.digest,
        packages={"python": python, **packages},
        machine=machine,
        methods=methods or {},
        data={n: value for n in sorted({*code.loads, *data}) if (value := checksum(n))},
        declared={name: _file_digest(call.folder, name) for name in sorted(declared)},
        eager=code.eager,
    )


def _file_digest(folder: Path, name: str) -> str:
    try:
        return digest((folder / name).read_bytes())
    except OSError as trouble:
        raise UsageError(
            f"{folder.name}: the declared file `{name}` can't be read: {trouble.strerror}"
        ) from None


@cache
def version(package: str) -> str:
    """Return the installed version of an import name, or "missing"."""
    from importlib import metadata  # slow to import, and few workers need it

    try:
        return metadata.version(_DISTRIBUTIONS.get(package, package))
    except metadata.PackageNotFoundError:
        pass  # the distribution has another name: look through all of them, which is slow
    for name in metadata.packages_distributions().get(package, []):
        return metadata.version(name)
    return "missing"
