"""`claimbench doctor`: what this machine can run, and which limits hold while it does."""

import platform
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement

from claimbench.commands import AS_EXPECTED, add_examples
from claimbench.home import home
from claimbench.identity.datasets import data_sets, missing
from claimbench.profiles import cpu_model, load_profile, profile_files
from claimbench.running.workers.limits import memory_limit, network_limit
from claimbench.settings import worker_count
from claimbench.showing.output import line


def add(parser: ArgumentParser) -> None:
    """Declare the arguments, of which there are none."""
    add_examples(parser, "  claimbench doctor")


def run(options: Namespace) -> int:
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
    requirements = [Requirement(text) for text in requires("claimbench") or ()]
    for extra in metadata("claimbench").get_all("Provides-Extra", []):
        packages = [
            requirement.name
            for requirement in requirements
            if requirement.name != "claimbench"
            and requirement.marker is not None
            and requirement.marker.evaluate({"extra": extra})
        ]
        lacking = [package for package in packages if not _installed(package)]
        if lacking:
            yield f"✗ {extra}: {', '.join(lacking)} missing; pip install 'claimbench[{extra}]'"
        else:
            yield f"✓ {extra}: {', '.join(f'{p} {_installed(p)}' for p in packages)}"


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
