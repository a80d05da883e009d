"""Artefacts: what several runs need and is costly, built once and kept under `artefacts/`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from claimbench.cache import Cache
from claimbench.errors import AuthorError, RecordError
from claimbench.identity.keys import Call, identify
from claimbench.profiles import cpu_model
from claimbench.running import rows
from claimbench.running.loading import loaded_source
from claimbench.running.seeds import derive, global_generators_kept
from claimbench.running.workers.execute import make_run

if TYPE_CHECKING:
    from claimbench.author import Choice, Host, Run
    from claimbench.running.workers.jobs import Job

_PARSED = Cache(None)
"""What this process has read of source files; a run may ask for many artefacts."""

_VALUE = "value.json"
_ARRAYS = "arrays.npz"
_TENSORS = "tensors.safetensors"
_CHOICES = "chosen.json"


class ArtefactStore:
    """Artefacts of the paper that a job belongs to.

    Args:
        job: tells folder, profile, precision and where to keep things.
        host: given to the run that builds an artefact, so that it may ask for others.
        building: called with a name and the seconds allowed before building starts, and with
            None for the seconds when it is over.

    Attributes:
        used: keys of the artefacts that were asked for.
    """

    def __init__(self, job: Job, host: Host, building: Callable[[str, float | None], None]) -> None:
        self._job = job
        self._host = host
        self._building = building
        self.used: list[str] = []

    def get(
        self, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> tuple[Any, dict[str, Choice]]:
        """Return the artefact and what was chosen while it was built.

        It is read if it is there, else built under a lock.

        Raises:
            AuthorError: the function gave something that can't be kept.
        """
        name, key = function.__name__, self._key(function, arguments)
        self.used.append(key)
        place = self._job.home / "artefacts" / key
        with contextlib.suppress(Absent):
            return read(place, self._job.fresh)
        self._building(name, float(function.timeout))  # type: ignore[attr-defined]
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            from filelock import FileLock  # few runs build any

            with FileLock(place.with_suffix(".lock")):
                with contextlib.suppress(Absent):
                    return read(place, self._job.fresh)
                value, run = self._build(function, arguments)
                if self._key(function, arguments) != key:
                    raise AuthorError(
                        f"changed while the artefact `{name}` was built; run it again"
                    )
                write(place, value, name, run.choices)
        finally:
            self._building(name, None)
        return read(place)

    def _key(self, function: Callable[..., Any], arguments: dict[str, Any]) -> str:
        """Return the key of an artefact of the code that this process has imported."""
        job, module = self._job, sys.modules[function.__module__]
        file = os.path.relpath(str(module.__file__), job.folder.resolve())
        return identify(
            Call(job.folder, function.__name__, arguments, job.precision, file),
            profile=job.profile,
            cache=_PARSED,
            machine=cpu_model(),
            methods={str(method): method.digest() for method in job.methods},
            declared=job.files,
            read=loaded_source,
        ).key

    def _build(self, function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[Any, Run]:
        job = self._job
        torch = "torch" in job.preload
        seed = derive(function.__name__, 0)
        with global_generators_kept():
            run = make_run(seed, job.precision, job.profile.device, torch, self._host)
            return function(run, **arguments), run


def write(
    place: Path, value: Any, name: str, choices: Mapping[str, Choice] = MappingProxyType({})
) -> None:
    """Keep a value, and what was chosen, in the folder `place`, made whole and moved there.

    Raises:
        AuthorError: the value is neither JSON data nor a dict of arrays or tensors.
    """
    folder = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
    try:
        if _is_arrays(value, "torch"):
            from safetensors.torch import save_file

            tensors = {  # copies, since tied weights may not share memory in the file
                key: x.detach().cpu().contiguous().clone() for key, x in value.items()
            }
            save_file(tensors, folder / _TENSORS)
        elif _is_arrays(value, "numpy", "jaxlib", "jax"):
            import numpy as np

            arrays: dict[str, Any] = {key: np.asarray(x) for key, x in value.items()}
            np.savez(folder / _ARRAYS, **arrays)
        else:
            try:
                text = json.dumps(value)
            except (TypeError, ValueError) as error:
                raise AuthorError(
                    f"artefact `{name}` gave {type(value).__name__}: {error}; return JSON data or "
                    "a dict of name to array or tensor"
                ) from None
            (folder / _VALUE).write_text(text, encoding="utf-8")
        (folder / _CHOICES).write_text(json.dumps(dict(choices)), encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):  # a damaged one, or one to be built afresh
            shutil.rmtree(place)
        folder.rename(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Absent(Exception):
    """There is no such artefact, or it cannot be read, or it is older than asked for."""


def read(place: Path, since: float = 0.0) -> tuple[Any, dict[str, Choice]]:
    """Return the value kept in the folder `place`, and what was chosen while it was made.

    Raises:
        Absent: there is none, it is damaged, or it was built before the time `since`.
    """
    if not place.is_dir() or place.stat().st_mtime < since:
        raise Absent
    try:
        choices = rows.choices((place / _CHOICES).read_text(encoding="utf-8"), "chosen")
    except (OSError, ValueError, RecordError):
        raise Absent from None
    return _value(place), choices


def _value(place: Path) -> Any:
    try:
        if (place / _VALUE).exists():
            return json.loads((place / _VALUE).read_text(encoding="utf-8"))
        if (place / _ARRAYS).exists():
            import numpy as np

            with np.load(place / _ARRAYS, allow_pickle=False) as arrays:
                return dict(arrays)
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except (OSError, ValueError, EOFError, BadZipFile):
        raise Absent from None
    try:
        return load_file(place / _TENSORS)
    except (OSError, SafetensorError):
        raise Absent from None


def _is_arrays(value: Any, *packages: str) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(key, str) for key in value)
        and all(hasattr(x, "shape") for x in value.values())
        and all(type(x).__module__.partition(".")[0] in packages for x in value.values())
    )
