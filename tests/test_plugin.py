"""A claims.yaml under pytest: outcomes, exit codes, options, and what is printed."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

import claimbench.session.judging  # noqa: F401  pytester forgets what is first imported in it
from claimbench.judging.record import Record

OTHERS = (
    "cacheprovider",
    "anyio",
    "jaxtyping",
    "hydra_pytest",
    "platformdirs",
    "hypothesispytest",
    "benchmark",
)
QUIET = tuple(word for name in OTHERS for word in ("-p", f"no:{name}"))  # they load a lot

CODE = '''
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """A number in [scale, 2 scale)."""
    note(f"measure {scale:g}")
    return {"value": scaled(1 + random.random(), scale)}


@experiment
def breaks(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note("breaks")
    print("said before the end")
    raise ValueError("it cannot be measured")
'''

FAR: dict[str, Any] = {"value": {"at_least": 3}}
KNOWN = {"verdict": "diverges", "finding": "the value is too small", "passes_with": "none"}
SIX: list[dict[str, Any]] = [
    {"id": "holds", "reported": {"value": 1.25}},
    {"id": "fails", "expect": FAR},
    {"id": "known", "expect": FAR, "known": KNOWN},
    {"id": "known-holds", "known": KNOWN},
    {"id": "later", "from": "standard"},
    {"id": "breaks", "experiment": "breaks"},
]
RED = {"expect": FAR}


class Shared(NamedTuple):
    """A paper with one claim for each outcome, and one session on it."""

    paper: Any
    home: Path
    code: int
    text: str
    records: list[dict[str, Any]]
    junit: Path


@pytest.fixture(scope="module")
def shared(paper_writer, tmp_path_factory):
    """One session, which many tests look at; its runs stay in the store."""
    root = tmp_path_factory.mktemp("shared")
    paper = paper_writer(root / "tiny", code=CODE, claims=SIX)
    home, records, junit = root / "store", root / "claims.json", root / "junit.xml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *QUIET, "-rx", "tiny"),
            *(f"--claims-json={records}", f"--junitxml={junit}"),
        ],
        cwd=root,
        env={**os.environ, "CLAIMBENCH_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return Shared(paper, home, done.returncode, done.stdout, json.loads(records.read_text()), junit)


@pytest.fixture
def paper(shared, monkeypatch):
    """The shared paper, with the store of the session on it."""
    monkeypatch.setenv("CLAIMBENCH_HOME", str(shared.home))
    return shared.paper


@pytest.fixture
def run(pytester):
    """Run pytest here, in this process, and return its result."""

    def here(*arguments):
        return pytester.runpytest_inprocess(*QUIET, *map(str, arguments))

    return here


@pytest.fixture
def run_apart(pytester):
    """Run pytest in a process of its own and return its result."""

    def apart(*arguments):
        return pytester.runpytest_subprocess(*QUIET, *map(str, arguments))

    return apart


def test_outcomes_exit_code_and_table(shared):
    assert shared.code == pytest.ExitCode.TESTS_FAILED
    # a known divergence that holds after all is a strict xpass, which pytest counts as failed
    counts = "2 failed, 1 passed, 1 skipped, 1 xfailed, 1 error in "
    assert counts in shared.text.splitlines()[-1]
    table = shared.text[shared.text.index("= claims =") :].splitlines()
    for row in (
        r"tiny · tier smoke · profile cpu",
        r"  claim +verdict +held +control +time",
        r"      metric +median \[interval\] +expected +the paper's",
        r"  ★ holds +✓ reproduced +3/3 +rejected 0/1 +\d\.\d s",
        r"      value +1\.\d+ \[1\.\d+, 1\.\d+\] +≥ 1 +1\.25, (within|direction only)",
        r"  ★ fails +✗ diverged +0/1 +not run +\d\.\d s",
        r"  ★ known +✗ diverged \(known\) +0/1 +not run +\d\.\d s",
        r"  ★ known-holds +✓ reproduced +3/3 +rejected 0/1 +\d\.\d s",
        r"  ★ later +– skipped +\d\.\d s",
        r"  ★ breaks +! error +0\.0 s",
        r"2 of 5 headlines reproduced; 2 reproduced, 2 diverged \(1 known\), 1 error, 1 skipped; "
        r"runs of \d\.\d CPU-seconds",
        r"XFAIL tiny/claims\.yaml::known - the value is too small",
    ):
        assert any(re.fullmatch(row, line) for line in table), row


def test_failure_is_one_line_then_the_command_that_repeats_it(shared):
    text = shared.text
    failures = text[text.index("= FAILURES =") : text.index("= claims =")].splitlines()
    start = next(i for i, line in enumerate(failures) if line.startswith("tiny::fails diverged"))
    assert re.fullmatch(
        r"tiny::fails diverged: value is 1\.\d+, expected ≥ 3; 0 of 1 seed held", failures[start]
    )
    assert failures[start + 1] == "repeat: pytest tiny/claims.yaml::fails"
    assert "Diverged" not in "\n".join(failures), "no traceback of ours"


def test_error_shows_line_repeat_traceback_and_log(shared):
    section = shared.text[shared.text.index("= ERRORS =") : shared.text.index("= FAILURES =")]
    order = [
        "tiny::breaks error: seed 0: ValueError: it cannot be measured\n",
        "repeat: pytest tiny/claims.yaml::breaks\n",
        "Traceback (most recent call last):\n",
        f'File "{shared.paper.folder / "reproduce.py"}", line ',
        "\nValueError: it cannot be measured\n",
        "log of the run:\n",
        "said before the end\n",
    ]
    places = [section.index(part) for part in order]
    assert places == sorted(places)
    assert "harness/" not in section


def test_claims_json_has_every_verdict_with_its_numbers(shared):
    records = shared.records
    assert [record["claim"] for record in records] == [claim["id"] for claim in SIX]
    fields = (
        "paper claim kind fidelity tier profile verdict reason held seeds metrics expect reported "
        "control run_key spec_hash commit started_at seconds cpu_seconds peak_mb packages"
    )
    assert all(set(fields.split()) <= record.keys() for record in records)
    holds = records[0]
    assert holds["reported"] == {"value": 1.25}
    assert holds["line"].startswith("tiny::holds reproduced: ")
    assert holds["repeat"] == "pytest tiny/claims.yaml::holds"
    assert len(holds["metrics"]["value"]["values"]) == 3
    assert [record["as_expected"] for record in records] == [True, False, True, False, True, False]
    for record in records:
        data = {k: v for k, v in record.items() if k not in ("as_expected", "line", "repeat")}
        assert Record.from_json(json.dumps(data)).as_json() == data


def test_junitxml_contains_line_and_repeat_command(shared):
    texts = {
        case.attrib["name"]: "".join(
            node.attrib.get("message", "") + (node.text or "") for node in case
        )
        for case in ElementTree.parse(shared.junit).iter("testcase")
    }
    assert "tiny::fails diverged: value is " in texts["fails"]
    assert "pytest tiny/claims.yaml::fails" in texts["fails"]
    assert "tiny::breaks error: seed 0: ValueError: it cannot be measured" in texts["breaks"]
    assert "said before the end" in texts["breaks"]
    assert "pytest tiny/claims.yaml::breaks" in texts["breaks"]
    assert texts["holds"] == ""


def test_repeat_command_repeats(run, make_paper):
    paper = make_paper(code=CODE, claims=[{}, {"id": "fails", **RED}])
    options = ("--tier", "standard", "--max-seeds", "2", "--no-control")
    text = run(paper.folder, "-k", "fails", *options).stdout.str()
    (command,) = {line.strip() for line in text.splitlines() if "repeat: pytest" in line}
    words = command.removeprefix("repeat: pytest ").split()
    assert words[1:] == list(options)
    run(*words).assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["holds"], pytest.ExitCode.OK),
        (["known"], pytest.ExitCode.OK),
        (["holds", "later"], pytest.ExitCode.OK),
        (["fails"], pytest.ExitCode.TESTS_FAILED),
        (["known-holds"], pytest.ExitCode.TESTS_FAILED),
        (["breaks"], pytest.ExitCode.TESTS_FAILED),
        (["absent"], pytest.ExitCode.USAGE_ERROR),
    ],
)
def test_exit_code_of_claims_by_node_id(run, paper, names, code):
    assert run(*(f"{paper.folder}/claims.yaml::{name}" for name in names)).ret == code


def test_claim_by_node_id_runs_alone(run, make_paper):
    paper = make_paper(code=CODE, claims=SIX)
    result = run(f"{paper.folder}/claims.yaml::known", "-rx")
    result.assert_outcomes(xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *claims.yaml::known - the value is too small"])
    assert set(paper.runs()) == {"measure 1"}


@pytest.mark.parametrize(
    ("words", "outcomes"),
    [
        ("holds and not known", {"passed": 1, "deselected": 5}),
        ("exact", {"passed": 1, "failed": 2, "xfailed": 1, "skipped": 1, "errors": 1}),
        ("tests and later", {"skipped": 1, "deselected": 5}),
    ],
)
def test_k_selects_by_id_kind_and_theme(run, paper, words, outcomes):
    run(paper.folder, "-k", words).assert_outcomes(**outcomes)


def test_x_stops_at_the_first_failure(run, paper):
    result = run(paper.folder, "-x")
    result.assert_outcomes(passed=1, failed=1)
    assert "breaks" not in result.stdout.str()


def test_only_skipped_claims_that_were_looked_at_are_green_what_measured_nothing_is_red(
    run, make_paper, tmp_path, monkeypatch
):
    later = make_paper("later", code=CODE, claims=[{"from": "standard"}])
    assert run(later.folder).ret == pytest.ExitCode.OK
    far = make_paper("far", code=CODE, experiments={"measure": {"data": ["elsewhere"]}})
    information = tmp_path / "provider" / "elsewhere-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[claimbench.data]\nelsewhere = elsewhere:provider\n"
    )
    (information.parent / "elsewhere.py").write_text(
        "class Provider:\n    def missing(self):\n        return 'not here; run: fetch it'\n\n"
        "    def about(self):\n        return {'version': '1'}\n\n\n"
        "provider = Provider()\n"
    )
    monkeypatch.syspath_prepend(information.parent)
    result = run(far.folder, "-rs")
    result.assert_outcomes(skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*not here; run: fetch it*"])
    result.stdout.fnmatch_lines(["no claim was measured, so this run shows nothing"])
    assert run(far.folder, later.folder).ret == pytest.ExitCode.OK


def test_profile_that_this_machine_cannot_serve_is_red(run, paper, tmp_path, monkeypatch):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "cray.toml").write_text(
        'description = "Another machine."\ndevice = "cpu"\nthreads = 1\nmemory_mb = 1\n'
        'requires = ["vector_registers"]\n[environment]\n'
    )
    monkeypatch.setattr("claimbench.profiles._FOLDER", folder)
    before = paper.runs()
    result = run(paper.folder, "--profile", "cray", "-rs")
    result.assert_outcomes(skipped=6)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["*profile `cray` needs vector_registers, which this machine lacks"]
    )
    assert paper.runs() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", "cp"], "*no profile `cp`; did you mean `cpu`?*"),
        (["--tier", "smok"], "*invalid choice: 'smok'*"),
        (["--max-seeds", "0"], "*at least one seed is needed, not 0*"),
    ],
)
@pytest.mark.parametrize("xdist", [[], ["-n", "2"]])
def test_option_that_no_run_could_satisfy_is_a_usage_error(
    run_apart, paper, options, message, xdist
):
    before = paper.runs()
    result = run_apart(paper.folder, *options, *xdist)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert any(
        re.fullmatch(re.escape(message).replace(r"\*", ".*"), line)
        for line in result.errlines + result.outlines
    )
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert paper.runs() == before


def test_spec_with_problems_is_a_collection_error_that_lists_them(run, make_paper):
    bad = make_paper("bad", code=CODE, claims=[{"kind": "fact", "expects": 1}])
    make_paper("good", code=CODE)
    result = run(bad.folder.parent)
    assert (result.ret, run(bad.folder).ret) == (2, 2)
    text = result.stdout.str()
    spec = bad.folder / "claims.yaml"
    lines = spec.read_text().splitlines()
    kind = next(i for i, line in enumerate(lines, 1) if "kind: fact" in line)
    assert re.search(rf"claims\.yaml:{kind}:\d+: claim `holds`: ", text)
    assert "unknown key `expects`; did you mean `expect`?" in text
    assert "2 problems. Fix them, then run: claimbench check bad" in text
    assert "Traceback" not in text


def test_tier_max_seeds_and_no_control(run, make_paper, tmp_path):
    claim = {"id": "later", "from": "standard", "kind": "number"}
    paper = make_paper(
        code=CODE,
        claims=[claim],
        experiments={"measure": {"smoke": {"scale": 1.0}, "standard": {"scale": 2.0}}},
    )
    target = tmp_path / "claims.json"
    run(paper.folder).assert_outcomes(skipped=1)
    assert set(paper.runs()) == {"measure 1"}, "one seed is looked at"
    assert len(paper.runs()) <= 2, "and once more, to compare its bits"
    run(paper.folder, "--tier", "standard").assert_outcomes(passed=1)
    assert paper.runs().count("measure 2") == 6
    assert "measure 0.25" in paper.runs()
    before = paper.runs()
    result = run(paper.folder, "--tier=standard", "--max-seeds=4", f"--claims-json={target}")
    result.assert_outcomes(failed=1)
    (record,) = json.loads(target.read_text())
    assert (record["verdict"], record["seeds"], record["tier"]) == ("inconclusive", 4, "standard")
    assert paper.runs() == before
    run(paper.folder, "--tier=standard", "--no-control", "--fresh").assert_outcomes(passed=1)
    assert len(paper.runs()) == len(before) + 6


def test_second_session_runs_nothing(run, make_paper):
    paper = make_paper(code=CODE)
    run(paper.folder).assert_outcomes(passed=1)
    before = paper.runs()
    result = run(paper.folder)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*✓ reproduced*3/3*rejected 0/1*"])
    assert paper.runs() == before


def test_xdist_keeps_a_paper_together_and_puts_all_into_one_table(run_apart, make_paper):
    claims = [{}, {"id": "two", "controls": {"without": {"scale": 0.125}}}, {"id": "fails", **RED}]
    papers = [make_paper(name, code=CODE, claims=claims) for name in ("one", "other")]
    papers[1].replace("1 + random", "1.0 + random")
    result = run_apart(papers[0].folder.parent, "-n", "2", "--tier", "standard")
    result.assert_outcomes(passed=4, failed=2)
    text = result.stdout.str()
    assert text.count("= claims =") == 1
    assert "4 reproduced, 2 diverged; runs of" in text
    for paper in papers:
        assert f"{paper.folder.name} · tier standard · profile cpu" in text
        assert paper.runs().count("measure 1") == 3


def test_folder_outside_the_rootdir(run_apart, make_paper, pytester):
    paper = make_paper("outside", code=CODE)
    inside = pytester.mkdir("project")
    (inside / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    result = run_apart(f"--rootdir={inside}", paper.folder)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_claims_and_plain_tests_in_one_session(run, make_paper, pytester):
    paper = make_paper(code=CODE)
    test = pytester.makepyfile("def test_plain(): pass")
    result = run(test, paper.folder)
    result.assert_outcomes(passed=2)
    assert run(test).stdout.str().count("= claims =") == 0


def test_header_says_what_will_be_run(shared):
    header = f"claimbench: 6 claims at tier smoke, profile cpu, store {shared.home}"
    assert header in shared.text.splitlines()


def test_collection_imports_no_framework_and_not_the_paper(pytester, make_paper):
    paper = make_paper(code="import numpy\nimport torch\nimport jax\n" + CODE)
    pytester.makeconftest(
        "import sys\n\n\n"
        "def pytest_unconfigure():\n"
        "    heavy = {'torch', 'jax', 'numpy', 'datasets', 'wandb'} & set(sys.modules)\n"
        "    papers = [name for name in sys.modules if name.startswith('paper_')]\n"
        "    sys.stdout.write(f'loaded: {sorted(heavy)} {papers}\\n')\n"
    )
    result = pytester.runpytest_subprocess(
        *QUIET, "--collect-only", "-q", "-p", "conftest", str(paper.folder)
    )
    result.stdout.fnmatch_lines(["*claims.yaml::holds", "loaded: [[][]] [[][]]"])


def test_pdb_opens_where_the_authors_code_raised(paper, store_home):
    """`--pdb` runs inline, so that the debugger has the author's frame, and goes on at `q`."""
    command = [sys.executable, "-m", "pytest", *QUIET, "--pdb", "-k", "breaks", str(paper.folder)]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=store_home.parent
    )
    os.close(slave)
    heard = ""
    try:
        heard += _hear(master, "(Pdb)")
        os.write(master, b"p 'scale =', scale\n")
        heard += _hear(master, "(Pdb)")
        os.write(master, b"c\n")
        heard += _hear(master, " in ")
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert "reproduce.py(" in heard
    assert "breaks()" in heard
    assert "('scale =', 1.0)" in heard
    assert "ValueError: it cannot be measured" in heard


def _hear(master, word, seconds=20.0):
    """Read from a terminal until a word comes."""
    heard, end = "", time.monotonic() + seconds
    while word not in heard:
        assert time.monotonic() < end, f"no {word!r} in {heard}"
        try:
            heard += os.read(master, 4096).decode(errors="replace")
        except OSError:  # the other side has closed
            break
    return heard


BENCHMARK = """
from .method import scaled


def test_step(benchmark):
    assert benchmark(scaled, 1.0, 2.0) == 2.0
"""


def test_benchmarks_of_papers_run_only_when_asked_for(pytester, make_paper, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # there, nothing is measured
    papers = [make_paper(slug) for slug in ("one", "two", "three")]
    for paper in papers[:2]:
        (paper.folder / "benchmark.py").write_text(BENCHMARK, encoding="utf-8")
    folder = papers[0].folder.parent
    result = pytester.runpytest_subprocess(folder)
    result.assert_outcomes(passed=3)
    result = pytester.runpytest_subprocess(folder, "--benchmark-only", "-v")
    result.assert_outcomes(passed=2)  # the claims stay away
    result.stdout.fnmatch_lines(["*one/benchmark.py::test_step PASSED*"])
