"""A run is kept only under a key that knows everything it used."""

import json
import os
import re
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claimbench import profiles, verify
from claimbench.running.store import Store
from claimbench.running.workers.environment import machine
from claimbench.running.workers.jobs import Outcome
from claimbench.running.workers.pool import Processes

VALUE = '''
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """A number that no two seeds share."""
    {body}
    return {{"value": scaled(1 + run.rng.random(), scale)}}
'''


def measuring(body: str, top: str = "") -> str:
    return top + VALUE.format(body=body)


def failure(paper, **options) -> str:
    (result,) = verify(paper.folder, **options)
    assert result.verdict == "error", result.line
    return result.reason.removeprefix("seed 0: AuthorError: ")


@pytest.fixture
def kept(store_home):
    """How many runs the store has."""

    def count() -> int:
        store = Store(store_home)
        try:
            return store.counts()["runs"]
        finally:
            store.close()

    return count


WAIT = """
    (HERE / "begun").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)"""


@pytest.mark.parametrize("file", ["method.py", "reproduce.py"])
def test_code_that_is_edited_before_a_run_imports_it_is_not_kept_under_the_old_key(
    make_paper, kept, file
):
    """code edited while its runs are in progress → nothing is kept under the old key"""
    # the first experiment waits in one worker while the second's file changes
    paper = make_paper(code=measuring(WAIT.strip()))
    old, new = {
        "method.py": ("return scale * x", "return 3 * scale * x"),
        "reproduce.py": ("1 + run.rng.random(), scale", "3 + run.rng.random(), scale"),
    }[file]
    original = verify_keys(paper)

    def edit() -> None:
        wait_for(paper.folder / "begun")
        paper.replace(old, new, file)
        (paper.folder / "go").touch()

    editor = threading.Thread(target=edit)
    editor.start()
    (result,) = verify(paper.folder, tier="standard", max_seeds=1)
    editor.join()
    assert result.verdict == "inconclusive", "it imported the old code, and is kept as the old"
    assert kept() == 1
    assert verify_keys(paper) != original


def verify_keys(paper) -> str:
    from claimbench.cache import Cache
    from claimbench.identity.closure import closure

    return json.dumps(closure(paper.folder, "measure", Cache(None)).files)


def wait_for(path: Path) -> None:
    for _ in range(2000):
        if path.exists():
            return
        threading.Event().wait(0.01)
    raise TimeoutError(str(path))


def test_code_that_changed_between_key_and_import_ends_the_run_and_keeps_nothing(
    make_paper, kept, monkeypatch
):
    """code edited between key and import → the run ends and nothing is kept"""
    paper = make_paper()
    edit_after_the_key(paper, monkeypatch)
    assert failure(paper) == "changed while it ran: method.py; run it again"
    assert kept() == 0
    (again,) = verify(paper.folder)
    assert again.verdict == "diverged"
    assert kept() > 0


def edit_after_the_key(paper, monkeypatch) -> None:
    """Edit the method once the runs have their key, before any worker imports it."""
    from claimbench.running.workers.pool import Processes

    started = Processes.start

    def start(self, job):
        monkeypatch.setattr(Processes, "start", started)
        paper.replace("return scale * x", "return 0.1 * scale * x", "method.py")
        started(self, job)

    monkeypatch.setattr(Processes, "start", start)


ARTEFACT = """
@artefact
def offset(run: Run) -> float:
    note("built", "built.txt")
    return scaled(0.5, 1.0)


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    {body}
    return {{"value": scaled(1 + random.random(), scale) + run.artefact(offset)}}
"""


def test_artefact_is_kept_under_the_key_of_the_code_that_built_it(make_paper):
    """code edited while an artefact is built → the artefact is not kept for the new code"""
    paper = make_paper(code=ARTEFACT.format(body=WAIT.strip()))

    def edit() -> None:
        wait_for(paper.folder / "begun")
        paper.replace("return scale * x", "return 3 * scale * x", "method.py")
        (paper.folder / "go").touch()

    editor = threading.Thread(target=edit)
    editor.start()
    once: dict[str, Any] = {"tier": "standard", "max_seeds": 1, "control": False}
    verify(paper.folder, **once)
    editor.join()
    assert paper.runs("built.txt") == ["built"]
    (result,) = verify(paper.folder, **once)
    assert paper.runs("built.txt") == ["built"] * 2, "new code builds its own"
    assert result.record.metrics["value"].median >= 3 + 3 * 0.5


def test_fresh_builds_artefacts_anew_once(make_paper):
    paper = make_paper(code=ARTEFACT.format(body="pass"))
    for _ in range(2):
        verify(paper.folder, control=False)
    assert paper.runs("built.txt") == ["built"]
    verify(paper.folder, control=False, fresh=True)
    assert paper.runs("built.txt") == ["built"] * 2


@pytest.mark.parametrize("name", ["value.json", "chosen.json"])
@pytest.mark.parametrize("damage", ["emptied", "cut", "gone"])
def test_damaged_artefact_is_built_again(make_paper, store_home, damage, name):
    """an artefact emptied, truncated or removed → built again"""
    paper = make_paper(code=ARTEFACT.format(body="pass"))
    (before,) = verify(paper.folder, control=False)
    (file,) = (store_home / "artefacts").glob(f"*/{name}")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"" if damage == "emptied" else b"0.")
    if damage == "cut":
        file.write_text('{"a": ', encoding="utf-8")
    for path in store_home.glob("store.sqlite*"):
        path.unlink()
    (after,) = verify(paper.folder, control=False)
    assert paper.runs("built.txt") == ["built"] * 2
    assert after.record.metrics == before.record.metrics


READS = {
    "open": 'open(HERE / "table.csv").read()',
    "path": '(HERE / "table.csv").read_bytes()',
    "os": 'os.close(os.open(HERE / "table.csv", os.O_RDONLY))',
    "caught": "print(*attempt())",
}
ATTEMPT = """
def attempt():
    try:
        yield open(HERE / "table.csv").read()
    except Exception:
        yield "no such luck"
"""


@pytest.mark.parametrize("how", READS)
def test_file_beside_the_paper_is_declared_or_an_error_that_names_file_and_line(
    make_paper, kept, how
):
    """a file read and not declared → an error that names file and line"""
    paper = make_paper(code=measuring(READS[how], ATTEMPT))
    (paper.folder / "table.csv").write_text("1,2\n", encoding="utf-8")
    said = failure(paper)
    source = (paper.folder / "reproduce.py").read_text(encoding="utf-8").splitlines()
    place, _, rest = said.partition(" ")
    assert "table.csv" in source[int(place.removeprefix("reproduce.py:")) - 1]
    assert rest == (
        "reads table.csv, which `measure` does not declare; add it to the experiment's `files` in "
        "claims.yaml"
    )
    assert kept() == 0


def test_declared_file_is_part_of_what_a_run_depends_on(make_paper, kept):
    paper = make_paper(
        code=measuring('offset = float((HERE / "table.csv").read_text())').replace(
            "1 + run", "offset + run"
        ),
        experiments={"measure": {"files": ["table.csv"]}},
    )
    table = paper.folder / "table.csv"
    table.write_text("1", encoding="utf-8")
    (first,) = verify(paper.folder)
    table.write_text("7", encoding="utf-8")
    (second,) = verify(paper.folder, control=False)
    assert first.record.metrics["value"].high < 2
    assert second.record.metrics["value"].low >= 7
    assert first.record.run_key != second.record.run_key
    table.unlink()
    (gone,) = verify(paper.folder)
    assert gone.verdict == "error"
    assert gone.reason.startswith("tiny: the declared file `table.csv` can't be read: No such file")


def test_file_of_the_user_is_an_error(make_paper, tmp_path, monkeypatch):
    """a file of the user's read by a run → an error"""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.txt").write_text("5", encoding="utf-8")
    paper = make_paper(code=measuring(f"open({str(tmp_path / 'own.txt')!r}).read()"))
    assert "own.txt, which is no part of the paper: put it beside the paper" in failure(paper)


IMPORTS = {
    "module beside the paper": (
        'importlib.import_module(".extra", __package__)',
        "imports `{package}.extra` by name; write an import statement",
    ),
    "installed package": (
        'importlib.import_module("mpmath.libmp")',
        "imports `mpmath` by name; write an import statement",
    ),
    "source run as text": (
        'exec((HERE / "extra.py").read_text())',
        "reads extra.py, which `measure` does not declare; add it to the experiment's `files` in "
        "claims.yaml",
    ),
}


@pytest.mark.parametrize("how", IMPORTS)
def test_module_imported_by_name_is_an_error_that_names_file_and_line(make_paper, kept, how):
    """a module imported by name at run time → an error that names file and line"""
    body, expected = IMPORTS[how]
    paper = make_paper(code=measuring(body, "import importlib\n"))
    (paper.folder / "extra.py").write_text("value = 1\n", encoding="utf-8")
    place, _, said = failure(paper).partition(" ")
    line = int(place.removeprefix("reproduce.py:"))
    source = (paper.folder / "reproduce.py").read_text(encoding="utf-8").splitlines()
    assert body in source[line - 1]
    package = re.match(r"imports `(\w+)\.extra`", said)
    assert said == expected.format(package=package and package[1])
    assert kept() == 0


def test_import_statement_in_a_function_is_no_error(make_paper):
    paper = make_paper(code=measuring("from packaging import version; from .extra import value"))
    (paper.folder / "extra.py").write_text("value = 1\n", encoding="utf-8")
    (result,) = verify(paper.folder)
    assert result.verdict == "reproduced"


@pytest.mark.parametrize("declared", [True, False])
def test_data_set_is_declared_or_an_error(make_paper, declared):
    """a data set loaded and not declared → an error"""
    top = "from common.data import load\n\nNAME = 'dig' + 'its'\n"
    experiment = {"data": ["digits"]} if declared else {}
    paper = make_paper(code=measuring("load(NAME)", top), experiments={"measure": experiment})
    (result,) = verify(paper.folder)
    if declared:
        assert result.verdict == "reproduced", result.line
    else:
        said = result.reason.partition(" loads ")[2]
        assert said == (
            "the data set `digits`, which `measure` does not declare; add it to the experiment's "
            "`data` in claims.yaml"
        )


def test_surroundings_of_a_run_are_fixed(make_paper, tmp_path, monkeypatch):
    """variables, locale and home of the user's → a run sees none of them"""
    body = """seen = [
        float(len(os.listdir("."))),
        float(len(os.listdir(Path.home()))),
        float("MY_SETTING" in os.environ),
        float(os.environ["LANG"] == "C.UTF-8"),
        float(Path.cwd() == Path.home()),
    ]
    Path("left").touch()"""
    monkeypatch.setenv("MY_SETTING", "1")
    monkeypatch.setenv("LANG", "de_AT.UTF-8")
    code = measuring(body).replace(
        '{"value": scaled(1 + run.rng.random(), scale)}',
        '{"value": scaled(1 + run.rng.random(), scale), "files": seen[0], "home": seen[1], '
        '"setting": seen[2], "lang": seen[3], "same": seen[4]}',
    )
    paper = make_paper(code=code)
    (result,) = verify(paper.folder, control=False)
    assert result.verdict == "reproduced", result.line
    metrics = result.record.metrics
    seen = {
        name: list(metrics[name].values) for name in ("files", "home", "setting", "lang", "same")
    }
    assert seen == {
        "files": [0.0] * 3,
        "home": [0.0] * 3,
        "setting": [0.0] * 3,
        "lang": [1.0] * 3,
        "same": [1.0] * 3,
    }
    assert os.environ["MY_SETTING"] == "1"


@pytest.fixture
def become(monkeypatch):
    """Have this machine call its CPU by another name."""
    flags = " ".join(sorted(profiles.cpu_flags()))

    def call(model: str) -> None:
        lines = [f"model name : {model}", "cpu family : 6", "model : 1", f"flags : {flags}"]
        monkeypatch.setattr(profiles, "_cpuinfo", lambda: lines)
        for cached in (profiles.cpu_model, profiles.cpu_flags, machine):
            cached.cache_clear()

    yield call
    monkeypatch.undo()
    for cached in (profiles.cpu_model, profiles.cpu_flags, machine):
        cached.cache_clear()


def test_seeds_of_two_cpus_are_not_pooled(make_paper, become):
    """a store used on two CPU models → their seeds are not pooled"""
    paper = make_paper()
    become("Alpha")
    (first,) = verify(paper.folder, max_seeds=2, control=False)
    become("Beta")
    (second,) = verify(paper.folder, control=False)
    become("Alpha")
    (again,) = verify(paper.folder, control=False)
    cpus = [result.record.cpu for result in (first, second, again)]
    assert cpus == [f"{name} (family 6, model 1)" for name in ("Alpha", "Beta", "Alpha")]
    runs = [line for line in paper.runs() if line.startswith("measure 1 ")]
    assert len(runs) == 2 + 3 + 1 + 2, "two, three, one more; and a repeat on each CPU"
    assert second.record.run_key != first.record.run_key == again.record.run_key


def test_verdict_names_the_commit_of_its_runs_however_often_it_is_judged(
    make_paper, tmp_path, store_home
):
    paper = make_paper()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]

    def commit(name: str) -> str:
        (tmp_path / name).touch()
        subprocess.run([*git, "add", "papers", name], check=True)
        subprocess.run([*git, "commit", "-qm", name], check=True)
        done = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    subprocess.run([*git, "init", "-q"], check=True)
    before = commit("a")
    (first,) = verify(paper.folder)
    after = commit("b")
    (second,) = verify(paper.folder)
    assert first.record.commit == second.record.commit == before
    (third,) = verify(paper.folder, fresh=True)
    assert third.record.commit is not None
    assert third.record.commit.rstrip("+") == after


def test_run_of_another_cpu_than_was_asked_for_is_no_seed_of_the_claim(
    make_paper, kept, monkeypatch
):
    """As on a cluster whose nodes differ."""
    wait = Processes.wait

    def elsewhere(self, seconds):
        return [
            replace(event, environment={"cpu": "Delta"}) if isinstance(event, Outcome) else event
            for event in wait(self, seconds)
        ]

    monkeypatch.setattr(Processes, "wait", elsewhere)
    (result,) = verify(make_paper().folder)
    assert result.verdict == "error"
    assert result.reason == (
        f"seed 0: it ran on Delta, other seeds on {profiles.cpu_model()}: they can't be pooled; "
        "use nodes of one kind"
    )
    assert kept() == 0
