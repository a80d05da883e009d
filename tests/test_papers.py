"""The contract that every paper folder keeps."""

import ast
import importlib
import multiprocessing
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.closure import closure
from claimbench.leaderboard.published import Published, read
from claimbench.leaderboard.readmes import block, results
from claimbench.running.loading import load_module
from claimbench.spec.load import load_spec

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "papers").glob("*/claims.yaml"))

pytestmark = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@pytest.fixture(scope="session")
def interpreter() -> Iterator[ProcessPoolExecutor]:
    """Fresh interpreters, one a call, that have torch and jax already: papers take seconds to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "jax", "claimbench.running.loading"])
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        yield pool


def test_spec_has_no_problem_and_at_least_three_claims(folder: Path):
    assert len(load_spec(folder).claims) >= 3


def test_every_public_function_of_the_method_is_documented(folder: Path):
    tree = ast.parse((folder / "method.py").read_text(encoding="utf-8"))
    definitions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    public = [node for node in definitions if not node.name.startswith("_")]
    assert public
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def test_method_names_its_paper(folder: Path):
    tree = ast.parse((folder / "method.py").read_text(encoding="utf-8"))
    spec = load_spec(folder)
    assert str(spec.paper.arxiv) in (ast.get_docstring(tree) or "")


def test_method_imports_alone(folder: Path, interpreter: ProcessPoolExecutor):
    name = f"papers.{folder.name}.method"
    assert f"papers.{folder.name}.reproduce" not in interpreter.submit(imported, name).result()


def imported(name: str) -> set[str]:
    """Import a module and return what is loaded then."""
    importlib.import_module(name)
    return set(sys.modules)


def test_readme_names_the_paper(folder: Path):
    head, _, _ = (folder / "README.md").read_text(encoding="utf-8").partition("\n## ")
    words = [
        " ".join(re.findall(r"\w+", text.casefold()))
        for text in (load_spec(folder).paper.title, head)
    ]
    assert words[0] in words[1]


@pytest.fixture(scope="session")
def published() -> list[Published]:
    """All published results."""
    return read(ROOT / "leaderboards" / "results")


def test_readme_has_the_published_results(folder: Path, published: list[Published]):
    """Where this fails: `claimbench leaderboard publish`, or `merge`, writes the table."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert block(text) == results(published, load_spec(folder))


def test_readme_names_each_deviation(folder: Path):
    spec = load_spec(folder)
    text = (folder / "README.md").read_text(encoding="utf-8")
    reduced = [claim.id for claim in spec.claims if claim.deviation is not None]
    assert [claim for claim in reduced if claim not in text] == []


def test_static_closure_is_what_the_experiments_really_import(
    folder: Path, interpreter: ProcessPoolExecutor
):
    """Compare, file by file, with the modules that a fresh interpreter has after the import."""
    own = {folder.resolve(), ROOT / "common"}
    files = interpreter.submit(files_loaded_with, folder).result()
    loaded = {path for path in files if own & set(path.parents)}
    assert folder / "reproduce.py" in loaded
    loaded -= {path for path in loaded if ROOT / "common" / "data" in path.parents}
    spec, cache = load_spec(folder), Cache(None)
    static = {path for name in spec.experiments for path in closure(folder, name, cache).paths}
    assert loaded <= {path.resolve() for path in static}


def files_loaded_with(folder: Path) -> set[Path]:
    """Load a paper's experiments and return the files of the modules that came with them."""
    before = set(sys.modules)
    load_module(folder)
    files = [getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - before]
    return {Path(file) for file in files if file}
