"""Arrows point one way: papers -> common, papers -> claimbench's author surface."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUTHOR_NAMES = {"Run", "artefact", "experiment"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str, set[str]]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", {alias.name for alias in node.names}


def tops(path: Path) -> set[str]:
    return {module.partition(".")[0] for level, module, _ in imports(path) if level == 0}


@pytest.mark.parametrize("path", modules("harness/claimbench"), ids=str)
def test_engine_knows_no_paper_and_no_common_part(path: Path):
    assert not tops(path) & {"common", "papers"}


@pytest.mark.parametrize("path", modules("common"), ids=str)
def test_common_knows_neither_engine_nor_papers(path: Path):
    assert not tops(path) & {"claimbench", "papers"}


@pytest.mark.parametrize("path", modules("papers"), ids=str)
def test_paper_uses_only_itself_common_and_the_author_surface(path: Path):
    for level, module, names in imports(path):
        top, _, rest = module.partition(".")
        assert level <= 1, f"{path}: an import from above the paper's folder"
        if level == 0 and top == "claimbench":
            assert not rest, f"{path}: import from `claimbench`, not from `{module}`"
            assert names <= AUTHOR_NAMES, f"{path}: {names - AUTHOR_NAMES} is not for papers"
        assert level or top != "papers", f"{path}: imports another paper; move it to common"


@pytest.mark.parametrize("path", sorted((ROOT / "papers").glob("*/method.py")), ids=str)
def test_method_needs_nothing_of_the_engine(path: Path):
    assert "claimbench" not in tops(path)


def test_papers_are_no_packages():
    assert not list((ROOT / "papers").rglob("__init__.py"))


def late_imports() -> Iterator[tuple[Path, int]]:
    """Yield the lines on which a function imports a module of our own."""
    for path in modules("harness") + modules("common"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        lines = {
            node.lineno
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.ImportFrom)
            and (node.level or (node.module or "").startswith(("claimbench", "common")))
        }
        yield from ((path, line) for line in sorted(lines))


def test_few_functions_import_modules_of_our_own_and_each_says_why():
    found = list(late_imports())
    assert len(found) <= 5, found
    for path, line in found:
        above = path.read_text(encoding="utf-8").splitlines()[line - 2].strip()
        assert above.startswith("# "), f"{path}:{line}: say why it waits"


def test_importing_the_engine_loads_no_framework():
    code = (
        "import sys, claimbench, claimbench.plugin, claimbench.cli\n"
        "import claimbench.running.engine, claimbench.showing.report\n"
        "heavy = {'torch', 'jax', 'numpy', 'scipy', 'datasets', 'wandb'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
