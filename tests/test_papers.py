"""The contract that every paper folder keeps."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from claimbench.cache import Cache
from claimbench.identity.closure import closure
from claimbench.spec import load_spec

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "papers").glob("*/claims.yaml"))

pytestmark = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


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


def test_method_imports_alone(folder: Path):
    code = f"import importlib; importlib.import_module('papers.{folder.name}.method')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_readme_names_each_deviation(folder: Path):
    spec = load_spec(folder)
    text = (folder / "README.md").read_text(encoding="utf-8")
    reduced = [claim.id for claim in spec.claims if claim.deviation is not None]
    assert [claim for claim in reduced if claim not in text] == []


def test_static_closure_is_what_the_experiments_really_import(folder: Path):
    """Compare, file by file, with the modules that a fresh interpreter has after the import."""
    code = (
        "import sys, claimbench.running.loading as loading; from pathlib import Path\n"
        "before = set(sys.modules)\n"
        f"loading.load_module(Path({str(folder)!r}))\n"
        "for name in set(sys.modules) - before:\n"
        "    file = getattr(sys.modules[name], '__file__', None)\n"
        "    if file: print(file)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    own = {folder.resolve(), ROOT / "common"}
    loaded = {Path(line) for line in done.stdout.splitlines() if own & set(Path(line).parents)}
    loaded -= {path for path in loaded if ROOT / "common" / "data" in path.parents}
    spec, cache = load_spec(folder), Cache(None)
    static = {path for name in spec.experiments for path in closure(folder, name, cache).paths}
    assert loaded <= {path.resolve() for path in static}
