"""The wheel outside a clone: what is in it, and that the doors open in any folder."""

import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from claimbench import suite
from claimbench.spec.discovery import paper_folders

ROOT = Path(__file__).parents[1]
PAPER, CLAIM = "negative_comonotonicity", "formulas-as-printed"
SLOW = "-p no:hydra_pytest -p no:anyio -p no:jaxtyping -p no:platformdirs -p no:hypothesispytest"
WITH_COMMON = ("deep_linear_dynamics", "orthogonal-beats-gaussian-at-depth")
"""A paper and a claim whose runs import `common` and read a data set."""

MINE = """
def right(n, gamma, rho):
    return 1 / ((n + 1) * gamma * (gamma - 2 * rho))


def wrong(n, gamma, rho):
    return 0 * n
"""

CONFTEST = """
import pytest

import common


def pytest_addoption(parser):
    parser.addoption("--tier", default="theirs")


@pytest.fixture
def owner(pytestconfig):
    return common.OWNER, pytestconfig.getoption("tier")
"""

OWN_TEST = """
import sys

import common
import harness
import papers


def test_own(owner):
    assert owner == ("mine, common", "theirs")
    assert (common.OWNER, harness.OWNER) == ("mine, common", "mine, harness")
    assert papers.OWNER == "mine, papers"
    assert sys.modules["common"] is common
    assert "common.data" not in sys.modules
"""

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """The wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


@pytest.fixture(scope="session")
def bin_folder(built, tmp_path_factory) -> Path:
    """The `bin` of an environment with the wheel, which sees what else is installed here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    more = ["--no-deps", "--no-index", "--disable-pip-version-check", str(built[0])]
    subprocess.run([*words, *more], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    seen = [place for place in sys.path if Path(place).name == "site-packages"]
    (packages / "seen.pth").write_text("\n".join(seen), encoding="utf-8")  # but not their .pth
    script = python.with_name("pytest")  # as pip writes it
    script.write_text(f"#!{python}\nimport sys\n\nimport pytest\n\nsys.exit(pytest.main())\n")
    script.chmod(0o755)
    return python.parent


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    """One store for all, so that what ran once does not run again."""
    return tmp_path_factory.mktemp("wheel-store")


@pytest.fixture
def call(bin_folder, store, tmp_path, monkeypatch) -> Command:
    """Run a script of the environment in the test's folder; return code, output and errors."""
    monkeypatch.setenv("CLAIMBENCH_HOME", str(store))
    monkeypatch.setenv("PYTEST_ADDOPTS", SLOW)
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def run(script: str, *words: str, folder: Path = tmp_path) -> tuple[int, str, str]:
        done = subprocess.run(
            [bin_folder / script, *words], cwd=folder, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_wheel_has_everything_and_nothing_beside_claimbench(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"claimbench"}
    wanted = {
        path.relative_to(ROOT / "harness").as_posix()
        for path in (ROOT / "harness" / "claimbench").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wanted |= {
        f"claimbench/suite/{path.relative_to(ROOT).as_posix()}"
        for part in ("papers", "common")
        for path in (ROOT / part).rglob("*.*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wanted - names == set()
    for name in (
        "spec/claims.schema.json",
        "hydra/conf/config.yaml",
        "profile_files/cpu.toml",
        "scaffold/claims.yaml.txt",
        "leaderboard/site/templates/base.html.j2",
        "leaderboard/site/assets/site.css",
        f"suite/papers/{PAPER}/claims.yaml",
        "suite/common/data/__init__.py",
    ):
        assert f"claimbench/{name}" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_source_distribution_makes_the_same_wheel(built, tmp_path):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    subprocess.run(["tar", "-xzf", built[1], "-C", tmp_path], check=True)
    (folder,) = tmp_path.glob("claimbench-*")
    assert (folder / "LICENSE").is_file()
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(again) as wheel:
        assert set(wheel.namelist()) == names


def test_what_is_imported_is_the_wheel(call, bin_folder):
    code, out, err = call("python", "-c", "import claimbench; print(claimbench.__file__)")
    assert (code, err) == (0, "")
    assert Path(out.strip()).is_relative_to(bin_folder.parent)


def test_list(call):
    code, out, err = call("claimbench", "list")
    assert (code, err) == (0, "")
    slugs = [folder.name for folder in paper_folders(suite.ROOT / "papers")]
    assert [line.split()[0] for line in out.splitlines()] == slugs


def test_verify_and_pytest_find_a_paper_by_its_slug(call):
    code, out, err = call("claimbench", "verify", PAPER)
    assert code == 0, err
    assert out.startswith(f"{PAPER} · tier smoke · profile cpu\n")
    code, out, err = call("pytest", "--claims", PAPER)
    assert (code, err) == (0, ""), out
    assert f"{PAPER} · tier smoke · profile cpu" in out
    assert " passed" in out
    assert " failed" not in out


@pytest.mark.parametrize("program", [["claimbench"], ["python", "-m", "claimbench"]])
def test_method_in_a_module_of_the_current_folder(call, tmp_path, program):
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    words = ["verify", PAPER, "--claim", CLAIM, "--method"]
    code, out, err = call(*program, *words, "pp_last_bound=mine:right")
    assert code == 0, out + err
    assert f"{PAPER} · tier smoke · profile cpu · pp_last_bound=mine:right" in out
    code, _, err = call(*program, *words, "pp_last_bound=mine:wrong")
    assert code == 1
    assert f"{PAPER}::{CLAIM} diverged: pp_bound_error is 1, expected ≤ 1e-12" in err
    what = f"--claims {PAPER}::{CLAIM} --method pp_last_bound=mine:wrong"
    assert f"repeat: pytest {what}" in err
    code, out, _ = call("pytest", *what.split())
    assert code == 1
    assert f"repeat: pytest {what}" in out


@pytest.fixture
def others_project(tmp_path) -> Path:
    """A project that calls folders of its own `harness`, `common` and `papers`."""
    for name in ("harness", "common", "papers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"OWNER = 'mine, {name}'\n")
    (tmp_path / "common" / "data.py").write_text("raise RuntimeError('never asked for')\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_own.py").write_text(OWN_TEST)
    return tmp_path


@pytest.mark.parametrize("program", [["claimbench"], ["python", "-m", "claimbench"]])
@pytest.mark.parametrize("executor", ["processes", "inline"])
@pytest.mark.usefixtures("others_project")
def test_verify_beside_folders_of_the_same_names(call, program, executor):
    words = ("--claim", WITH_COMMON[1], "--executor", executor)
    code, out, err = call(*program, "verify", WITH_COMMON[0], *words)
    assert code == 0, out + err
    assert f" {WITH_COMMON[1]}  – skipped" in out


@pytest.mark.parametrize("program", [["pytest"], ["python", "-m", "pytest"]])
@pytest.mark.parametrize(
    ("words", "passed"),
    [
        ([], 1),
        (["tests", "--claims", f"{PAPER}::{CLAIM}"], 2),
        (["--claims", f"{PAPER}::{CLAIM}", "tests"], 2),
    ],
)
@pytest.mark.usefixtures("others_project")
def test_pytest_beside_folders_of_the_same_names(call, program, words, passed):
    code, out, err = call(*program, *words)
    assert (code, err) == (0, ""), out
    assert f"{passed} passed in " in out


@pytest.mark.parametrize("program", [["pytest"], ["python", "-m", "pytest"]])
@pytest.mark.parametrize("inline", [[], ["--pdb"]])
@pytest.mark.usefixtures("others_project")
def test_claim_that_needs_common_beside_another_common(call, program, inline):
    paper, claim = WITH_COMMON
    code, out, err = call(*program, "--claims", f"{paper}::{claim}", "tests", *inline)
    assert (code, err) == (0, ""), out
    assert "1 passed, 1 skipped in " in out  # a claim of a higher tier: one seed is looked at
    assert "is not finite" not in out
