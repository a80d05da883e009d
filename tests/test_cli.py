"""The commands: what they print, where, and with which exit code."""

import argparse
import importlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from claimbench import cli, suite
from claimbench.cli import main
from claimbench.judging.record import schema
from claimbench.spec.discovery import paper_folders
from claimbench.spec.load import load_spec

COMMANDS = (
    "verify",
    "list",
    "check",
    "data",
    "new",
    "results",
    "why",
    "doctor",
    "gc",
    "ledger",
    "mutate",
    "leaderboard",
)

FAR: dict[str, Any] = {"id": "fails", "expect": {"value": {"at_least": 3}}}
LATER: dict[str, Any] = {"id": "later", "from": "standard"}

PAUSE = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"{os.getpid()} {os.getppid()}")
    time.sleep(0.15)
    return {"value": scaled(1 + random.random(), scale)}
"""

FIELDS = {
    *("paper", "claim", "kind", "fidelity", "tier", "profile", "verdict", "reason", "held"),
    *("seeds", "metrics", "expect", "reported", "control", "run_key", "spec_hash", "commit"),
    *("started_at", "seconds", "cpu_seconds", "peak_mb", "packages"),
}


@pytest.fixture
def call(capsys):
    """Run a command and return its exit code, standard output and standard error."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def project(make_paper, monkeypatch):
    """A project folder with two papers, the current folder."""
    make_paper("alpha", claims=[{}, FAR])
    beta = make_paper("beta", claims=[{"reported": {"value": 1.5}}])
    beta.replace("1 + random", "1.0 + random")
    monkeypatch.chdir(beta.folder.parent.parent)
    return beta.folder.parent.parent


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(golden, capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    golden(f"help-{command or 'claimbench'}.txt", capsys.readouterr().out)


def test_top_level_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.findall(r"^    ([a-z]+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    assert sorted(listed) == sorted([*COMMANDS, "run"])  # whose help is Hydra's


def test_each_command_is_a_module_and_the_one_asked_for_is_all_that_is_imported(make_paper):
    make_paper()
    code = (
        "import sys\n"
        "from claimbench.cli import COMMANDS, main\n"
        f"main(['list', {str(make_paper('beta').folder)!r}])\n"
        "heavy = {'torch', 'jax', 'numpy', 'ray', 'hydra', 'rich', 'jinja2', 'pytest'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "print([name for name in COMMANDS if f'claimbench.commands.{name}' in sys.modules])\n"
        "more = ('claimbench.leaderboard', 'claimbench.running')\n"
        "print([name for name in sys.modules if name.startswith(more)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]", "['list']", "[]"]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_command_has_arguments_and_a_function_of_its_own(name):
    module = importlib.import_module(f"claimbench.commands.{name}")
    module.add(argparse.ArgumentParser())
    assert callable(module.run)


def test_version_is_the_projects(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    project = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text())
    assert capsys.readouterr().out.strip() == project["project"]["version"]


@pytest.mark.parametrize("words", [[], ["verfy"], ["verify", "--tier", "smok"], ["why"]])
def test_words_that_mean_nothing_exit_2(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: claimbench" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["verify", "beta"], 0),
        (["verify", "alpha", "--claim", "holds"], 0),
        (["verify", "alpha"], 1),
        (["verify", "alpha", "--claim", "fails"], 1),
        (["verify"], 1),
        (["verify", "alph"], 2),
        (["verify", "alpha", "--claim", "hold"], 2),
        (["verify", "alpha", "--profile", "cp"], 2),
        (["verify", "alpha", "--max-seeds", "0"], 2),
        (["list"], 0),
        (["list", "gamma"], 2),
        (["check"], 0),
        (["check", "alpha", "beta"], 0),
        (["check", "alphi"], 2),
        (["why", "beta"], 0),
        (["why", "bet"], 2),
        (["results"], 2),
    ],
)
def test_exit_code(call, project, words, code):
    assert call(*words)[0] == code


@pytest.mark.parametrize("command", ["verify", "list", "check", "why"])
def test_unknown_slug_gets_the_nearest_name(call, project, command):
    code, out, err = call(command, "alphe")
    assert (code, out) == (2, "")
    assert (
        err == f"claimbench: `alphe` is no paper in {project / 'papers'}; did you mean `alpha`?\n"
    )


def test_folder_without_papers_lists_those_that_claimbench_brings(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call("list")
    assert code == 0
    slugs = [folder.name for folder in paper_folders(suite.ROOT / "papers")]
    assert [line.split()[0] for line in out.splitlines()] == slugs
    assert "negative_comonotonicity" in slugs


def test_verify_prints_the_table_and_tells_failures_on_standard_error(call, project):
    code, out, err = call("verify", "alpha")
    assert code == 1
    assert out.startswith("alpha · tier smoke · profile cpu\n")
    assert re.search(r"^  ★ holds +✓ reproduced +3/3 +rejected 0/1", out, re.MULTILINE)
    assert "1 reproduced, 1 diverged; runs of" in out
    verdicts, _, failures = err.partition("\n\n")
    assert verdicts.splitlines() == [
        "alpha::holds reproduced: 3 of 3 seeds held; control rejected",
        failures.splitlines()[0],
    ]
    assert failures.splitlines()[0].startswith("alpha::fails diverged: value is ")
    assert failures.splitlines()[1] == "repeat: pytest papers/alpha/claims.yaml::fails"


def test_verify_that_measured_nothing_is_not_as_expected(call, make_paper):
    paper = make_paper("gamma", experiments={"measure": {"data": ["nowhere-at-all"]}})
    code, _, err = call("verify", paper.folder)
    assert code == 1
    assert "no claim was measured, so this run shows nothing" in err


def test_verify_claim_that_is_only_looked_at(call, make_paper):
    paper = make_paper(claims=[LATER])
    code, out, _ = call("verify", paper.folder)
    assert code == 0
    assert re.search(r"^  ★ later +– skipped", out, re.MULTILINE)


def test_verify_writes_json(call, project, tmp_path):
    target = tmp_path / "verdicts.json"
    call("verify", "alpha", "--json", target, "--no-control", "--max-seeds", "2")
    records = json.loads(target.read_text())
    assert [(record["claim"], record["verdict"], record["seeds"]) for record in records] == [
        ("holds", "inconclusive", 2),
        ("fails", "diverged", 1),
    ]
    assert all(record.keys() >= FIELDS for record in records)
    for record in records:
        jsonschema.validate(record, json.loads(schema()))
        assert record["judged_at"] is None  # it is not kept


def test_verify_inline_keeps_nothing(call, project):
    code, out, _ = call("verify", "beta", "--executor", "inline")
    assert code == 0
    assert "✓ reproduced" in out
    assert call("results")[0] == 2


def test_results_json_has_all_fields(call, project):
    call("verify", "beta", "--workers", "1")
    code, out, err = call("results", "--json")
    assert (code, err) == (0, "")
    (record,) = json.loads(out)
    assert record.keys() >= FIELDS
    assert record["paper"] == "beta"
    assert (record["held"], record["seeds"]) == (3, 3)
    value = record["metrics"]["value"]
    assert value.keys() == {"median", "low", "high", "values"}
    assert value["low"] <= value["median"] <= value["high"]
    assert record["expect"] == {"value": {"at_least": 1.0}}
    assert record["reported"] == {"value": 1.5}
    assert record["control"].keys() >= {"verdict", "held", "seeds"}
    assert record["control"]["verdict"] == "diverged"
    assert datetime.fromisoformat(record["judged_at"]).tzinfo is not None
    jsonschema.validate(record, json.loads(schema()))


def test_results_show_the_last_verdict_of_each_claim(call, project):
    call("verify")
    code, table, _ = call("results")
    assert code == 0
    assert "2 reproduced, 1 diverged; runs of" in table
    assert [r["claim"] for r in json.loads(call("results", "alpha", "--json")[1])] == [
        *("holds", "fails")
    ]
    code, _, err = call("results", "alpha", "gamma")
    assert code == 2
    assert "no verdict on `gamma` in " in err
    assert err.endswith("run: claimbench verify gamma\n")
    assert call("results", "--tier", "full")[0] == 2
    assert call("results", "--tier", "smoke", "--profile", "cpu")[0] == 0


def test_results_of_an_empty_store(call, project, store_home):
    code, out, err = call("results")
    assert (code, out) == (2, "")
    assert err.strip() == (
        f"no verdict on any paper in {store_home / 'store.sqlite'}; run: claimbench verify"
    )


def test_list_has_a_line_a_paper(call, project):
    code, out, err = call("list")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["alpha", "tests", "2", "claims", "Tiny"],
        ["beta", "tests", "1", "claims", "Tiny"],
    ]
    assert call("list", "beta")[1] == out.splitlines()[1].replace("beta ", "beta", 1) + "\n"


def test_list_of_papers_in_the_cache_loads_no_model_and_no_metadata(project):
    code = (
        "import sys\n"
        "from claimbench.cli import main\n"
        "main(['list'])\n"
        "print(sorted({'pydantic', 'yaml', 'importlib.metadata'} & set(sys.modules)))\n"
    )
    first, again = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert "pydantic" in first.stdout.splitlines()[-1]
    assert again.stdout.splitlines() == [*first.stdout.splitlines()[:-1], "[]"]


def test_list_json_has_everything(call, project):
    alpha, beta = json.loads(call("list", "--json")[1])
    assert alpha["paper"] == "alpha"
    assert Path(alpha["folder"]) == project / "papers" / "alpha"
    assert alpha.keys() >= {"title", "arxiv", "url", "year", "authors", "code", "theme"}
    paper = load_spec(project / "papers" / "alpha").paper.model_dump(mode="json")
    assert {key: alpha[key] for key in paper} == paper
    assert [claim["id"] for claim in alpha["claims"]] == ["holds", "fails"]
    (claim,) = beta["claims"]
    fields = {"id", "statement", "source", "kind", "fidelity", "from", "experiment"}
    assert claim.keys() >= fields
    assert claim["from"] == "smoke"


def test_list_goes_on_after_a_spec_with_problems(call, project, make_paper):
    make_paper("aaa", claims=[{"kind": "fact"}])
    code, out, err = call("list")
    assert code == 2
    assert [line.split()[0] for line in out.splitlines()] == ["alpha", "beta"]
    assert "papers/aaa/claims.yaml:" in err


def test_check_tells_all_problems_of_all_papers(call, project, make_paper):
    make_paper("aaa", claims=[{"kind": "fact", "expects": 1}])
    make_paper("zzz", claims=[{"experiment": "measured"}])
    code, out, err = call("check")
    assert code == 2
    assert out.splitlines() == ["alpha: 2 claims, no problem", "beta: 1 claims, no problem"]
    assert re.search(r"^papers/aaa/claims\.yaml:\d+:\d+: claim `holds`: `kind` must be ", err)
    assert "claim `holds`: unknown key `expects`; did you mean `expect`?" in err
    assert "then run: claimbench check aaa" in err
    assert re.search(
        r"^papers/zzz/claims\.yaml:\d+:\d+: experiment `measured`: ", err, re.MULTILINE
    )
    assert "then run: claimbench check zzz" in err


def test_why_says_what_changed(call, make_paper):
    paper = make_paper()
    folder = paper.folder
    code, out, _ = call("why", folder)
    assert code == 0
    assert re.search(r"^tiny measure: run key [0-9a-f]{32}$", out, re.MULTILINE)
    assert "  not in the store: it never ran" in out
    for part in (
        "function: measure",
        "arguments: {}",
        "precision: float32",
        "package python: 3.",
        "author surface: 2",
    ):
        assert part in out
    assert re.search(r"^  profile cpu: [0-9a-f]{16}$", out, re.MULTILINE)
    for file in ("reproduce.py", "method.py"):
        assert re.search(rf"^  file {file}: [0-9a-f]{{16}}$", out, re.MULTILINE)

    call("verify", folder)
    assert "  in the store: seeds 0, 1, 2; they are reused" in call("why", folder)[1]

    paper.replace("A number in", "One number in")
    assert "they are reused" in call("why", folder)[1], "a docstring changes nothing"

    paper.replace("return scale * x", "return x * scale", "method.py")
    changes = _changes(call("why", folder)[1])
    assert changes == ["file method.py: changed"]

    paper.replace("measure: {}", "measure: {smoke: {scale: 1.5}}", "claims.yaml")
    changes = _changes(call("why", folder)[1])
    assert changes[0].endswith(" → {'scale': 1.5}")
    assert changes[1:] == ["file method.py: changed"]

    paper.replace("from .method import scaled\n", "import json\nimport yaml\n")
    paper.replace("scaled(1 + random.random(), scale)", "1.0")
    assert set(_changes(call("why", folder)[1])) >= {
        "file method.py: removed",
        "file reproduce.py: changed",
        "package yaml: added",
    }


def _changes(text):
    head = "  not in the store; against the most similar run that is:\n"
    return [line.strip() for line in text.partition(head)[2].splitlines()]


def test_why_at_another_tier_is_about_other_arguments(call, make_paper):
    paper = make_paper(experiments={"measure": {"full": {"scale": 2.0}}})
    assert "arguments: {}" in call("why", paper.folder)[1]
    assert "arguments: {'scale': 2.0}" in call("why", paper.folder, "--tier", "full")[1]


def test_our_own_bug_leaves_a_log(call, store_home, monkeypatch):
    monkeypatch.setattr("claimbench.commands.list.find_papers", None)
    code, out, err = call("list")
    log = store_home / "crash.log"
    assert (code, out) == (3, "")
    assert err == f"claimbench: this is a bug in claimbench; please report it with {log}\n"
    text = log.read_text()
    assert "arguments: ['list']" in text
    assert "'NoneType' object is not callable" in text


def test_folder_for_the_json_that_is_not_there_is_said_before_anything_runs(call, make_paper):
    paper = make_paper()
    code, _, err = call("verify", paper.folder, "--json", paper.folder / "no" / "x.json")
    assert code == 2
    assert "x.json: there is no folder" in err
    assert paper.runs() == []


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_no_bug(make_paper, unbuffered):
    paper = make_paper()
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "claimbench", "list", str(paper.folder), "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "claimbench: [Errno 28] No space left on device\n"


@pytest.fixture
def heeds_ctrl_c():
    """Undo what a shell does to jobs in the background: they and their children ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_everything_and_keeps_what_was_finished(
    make_paper, store_home, alive, wait_until
):
    paper = make_paper(code=PAUSE, claims=[{"seeds": {"max": 20}}])
    process = subprocess.Popen(
        [sys.executable, "-m", "claimbench", "verify", str(paper.folder), "--tier", "standard"],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(paper.runs()) >= 6, "some runs have begun")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err == "claimbench: interrupted; finished runs are kept\n"
    pids = {int(pid) for line in paper.runs() for pid in line.split()}
    assert len(pids) >= 2
    wait_until(lambda: not any(map(alive, pids)), "workers and template are gone")
    with sqlite3.connect(store_home / "store.sqlite") as store:
        (kept,) = store.execute("SELECT COUNT(*) FROM runs").fetchone()
    begun = len(paper.runs())
    assert 2 <= kept < 20
    assert main(["verify", str(paper.folder), "--tier", "standard", "--no-control"]) == 0
    assert len(paper.runs()) == begun + 20 - kept


def test_verify_on_a_terminal_shows_progress_and_verdicts(make_paper, on_terminal):
    paper = make_paper(code=PAUSE)
    code, out, shown = on_terminal("verify", paper.folder, timeout=20)
    assert code == 0
    assert "✓ reproduced" in out.decode()
    assert b"\x1b" not in out, "standard output is no terminal"
    assert re.search(rb"\d runs done; tiny measure \(seed \d", shown)
    assert b"tiny::holds reproduced: 3 of 3 seeds held; control rejected" in shown
