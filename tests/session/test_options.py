"""claimbench's options beside those of other plugins and of conftest files."""

import os
import subprocess
import sys

import pytest

from claimbench.plugin import SPEC_FILE
from claimbench.session import options
from claimbench.spec import discovery

OTHER = '''"""A plugin that has options of the same names, as pytest-profiling has `--profile`."""


def pytest_addoption(parser):
    group = parser.getgroup("other")
    group.addoption("--profile", action="store_true", help="time each test")
    group.addoption("--tier", default="all", help="a value")


def pytest_terminal_summary(terminalreporter, config):
    values = config.getoption("profile"), config.getoption("tier")
    terminalreporter.write_line(f"other: {values}")
'''
FIRST, LAST = "sys.path.insert(0, folder)", "sys.path.append(folder)"
SAYS = "claimbench: --profile is another plugin's option here; ours is --claim-profile"


@pytest.fixture
def pytest_beside(tmp_path):
    """Run pytest in an environment that has another plugin, found before or after claimbench."""
    about = tmp_path / "other" / "other-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[pytest11]\nother = other_plugin\n")
    (about.parent / "other_plugin.py").write_text(OTHER)

    def run(order: str, *arguments: object) -> tuple[int, str]:
        code = f"import sys; folder = {str(about.parent)!r}; {order}\n"
        code += "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("order", [FIRST, LAST])
def test_option_of_another_plugin_keeps_its_spelling(pytest_beside, tmp_path, order):
    (tmp_path / "test_plain.py").write_text("def test_plain(): pass\n")
    code, text = pytest_beside(order, "--profile", "--tier", "one", "test_plain.py")
    assert code == 0, text
    assert "other: (True, 'one')" in text
    assert SAYS in text.splitlines()
    assert "1 passed" in text


@pytest.mark.parametrize("order", [FIRST, LAST])
def test_ours_is_then_spelt_with_claim(pytest_beside, make_paper, order):
    paper = make_paper(claims=[{}, {"id": "fails", "expect": {"value": {"at_least": 3}}}])
    code, text = pytest_beside(
        order, "--claim-tier", "standard", "--max-seeds", "4", "--profile", paper.folder
    )
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "other: (True, 'all')" in text
    assert "claimbench: 2 claims at tier standard, profile cpu" in text
    command = "pytest papers/tiny/claims.yaml::fails --claim-tier standard --max-seeds 4"
    assert f"repeat: {command}" in text


@pytest.mark.parametrize("order", [FIRST, LAST])
def test_help_lists_ours_under_the_spelling_that_works(pytest_beside, order):
    code, text = pytest_beside(order, "--help")
    assert code == 0
    assert "--claim-profile=NAME" in text
    assert "--claims-json=FILE" in text
    assert "--claim-claims" not in text


@pytest.fixture
def project(tmp_path):
    """A folder that pytest takes for its root, to write a conftest.py in."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_conftest_keeps_its_options(pytester, make_paper, project):
    paper = make_paper()
    (project / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--fresh', default='no', help='a value')\n"
        "    parser.addoption('--claims', action='store_true', help='a switch')\n\n\n"
        "def pytest_terminal_summary(terminalreporter, config):\n"
        "    terminalreporter.write_line(f\"theirs: {config.getoption('fresh')}\")\n"
    )
    result = pytester.runpytest_subprocess("--fresh=yes", "--claims", "--claim-fresh", paper.folder)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*is another plugin's option here; ours is --claim-fresh"])
    result.stdout.fnmatch_lines(["theirs: yes"])


def test_value_of_an_option_is_no_path_to_look_for_conftest_files_in(pytester):
    """The options of `tests/conftest.py` are there although `standard` comes first."""
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    tests = pytester.mkdir("tests")
    pytester.mkdir("standard")
    (tests / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--theirs', action='store_true')\n"
    )
    (tests / "test_plain.py").write_text("def test_plain(): pass\n")
    pytester.runpytest_subprocess("--tier", "standard", "--theirs").assert_outcomes(passed=1)


@pytest.mark.parametrize("name", options.OPTIONS)
def test_destinations_are_our_own(pytestconfig, name):
    value = options.read(pytestconfig, name)
    assert value == pytestconfig.getoption(f"claimbench_{name.replace('-', '_')}")


def test_spec_file_has_one_name():
    assert discovery.SPEC_FILE == SPEC_FILE


def test_session_without_claims_loads_little_of_claimbench(tmp_path):
    (tmp_path / "test_plain.py").write_text("def test_plain(): pass\n")
    (tmp_path / "loaded.py").write_text(
        "import sys\n\n\n"
        "def pytest_unconfigure():\n"
        "    ours = [name for name in sys.modules if name.partition('.')[0] == 'claimbench']\n"
        "    heavy = {'pydantic', 'yaml', 'rich', 'sqlite3'} & set(sys.modules)\n"
        "    sys.stdout.write(f'loaded: {sorted(ours)} {sorted(heavy)}\\n')\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "test_plain.py", "-p", "loaded"),
            *("-p", "no:hypothesispytest", "-p", "no:hydra_pytest", "-p", "no:anyio"),
            *("-p", "no:jaxtyping", "-p", "no:cacheprovider"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    allowed = ["author", "errors", "plugin", "session", "session.options", "tiers"]
    expected = ["claimbench", *(f"claimbench.{name}" for name in allowed)]
    assert f"loaded: {expected} []" in done.stdout.splitlines()


def test_plugin_that_comes_by_a_conftest_has_its_defaults(
    pytester, make_paper, project, monkeypatch
):
    """It is loaded too late for its options to be added."""
    paper = make_paper()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (project / "conftest.py").write_text("pytest_plugins = ['claimbench.plugin']\n")
    result = pytester.runpytest_subprocess(paper.folder)
    result.assert_outcomes(passed=1)
