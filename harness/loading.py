"""Importing a paper folder, wherever it lies, as a package of a unique name."""

import hashlib
import importlib
import sys
from pathlib import Path
from types import ModuleType


def package_name(folder: Path) -> str:
    """Return the package name of a folder: its own name and a digest of its path."""
    slug = "".join(letter if letter.isalnum() else "_" for letter in folder.name)
    return f"paper_{slug}_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"


def load_module(folder: Path, module: str = "reproduce") -> ModuleType:
    """Import `folder/<module>.py`; `from .method import …` works in it.

    Raises:
        ModuleNotFoundError: there is no such file.
    """
    name = package_name(folder)
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder.resolve())]
        sys.modules[name] = package
    return importlib.import_module(f"{name}.{module}")
