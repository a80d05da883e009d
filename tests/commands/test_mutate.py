"""`claimbench mutate`: what it prints, writes, and with which exit code."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import pytest

from claimbench.cli import main
from claimbench.leaderboard.mutation import read

STRICT = {"expect": {"value": {"between": [1, 2]}}}
METHOD = '''"""A method that scales a number."""


def scaled(x: float, scale: float) -> float:
    y = scale * x
    return y if y > -9 else -x
'''
DEAD = {
    "file": "method.py",
    "function": "scaled",
    "was": "return y if y > -9 else -x",
    "now": "return y if y > -9 else x",
    "reason": "No claim has a value so low.",
}


@pytest.fixture
def paper(make_paper, monkeypatch):
    """A paper in the project of the current folder, whose claim bounds the value on both sides."""
    paper = make_paper(claims=[STRICT])
    (paper.folder / "method.py").write_text(METHOD, encoding="utf-8")
    monkeypatch.chdir(paper.folder.parents[1])
    return paper


@pytest.fixture
def call(capsys):
    """Run the command and return its exit code, standard output and standard error."""

    def run(*words):
        capsys.readouterr()
        code = main(["mutate", *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def list_equivalents(paper, *entries):
    text = json.dumps({"equivalent": entries})  # which is YAML too
    (paper.folder / "mutants.yaml").write_text(text, encoding="utf-8")


def test_survivors_are_shown_with_their_diff_and_make_it_fail(call, paper):
    code, out, err = call("tiny")
    head, counts, *_ = out.splitlines()
    assert code == 1
    assert head == "tiny · tier smoke · profile cpu · seed 0"
    assert counts.startswith("7 of 11 mutants caught (63 %), 0 equivalent; 11 chosen of 11; ")
    assert "\n  arithmetic   1 of 1\n  comparison   1 of 2\n" in out
    survivor = out[out.index("\nsurvived: method.py:6 scaled, sign\n") :]
    assert "--- a/method.py\n+++ b/method.py\n" in survivor
    assert "-    return y if y > -9 else -x\n+    return y if y > -9 else x\n" in survivor
    assert out.count("\nsurvived: ") == 4
    assert "/11 method.py:5 scaled arithmetic: caught by holds\n" in err
    assert "/11 method.py:6 scaled sign: survived\n" in err


def test_json_has_every_mutant(call, paper, tmp_path):
    target = tmp_path / "mutants.json"
    _, out, _ = call("tiny", "--json", target)
    report = json.loads(target.read_text(encoding="utf-8"))
    assert (report["mutants"], report["caught"], report["survived"]) == (11, 7, 4)
    assert report["share"] == 7 / 11
    assert len(report["outcomes"]) == 11
    (caught,) = [o for o in report["outcomes"] if o["now"] == "y = scale / x"]
    assert (caught["file"], caught["line"], caught["kind"]) == ("method.py", 5, "arithmetic")
    assert (caught["outcome"], caught["claim"], caught["verdict"]) == (
        *("caught", "holds"),
        "diverged",
    )
    for outcome in report["outcomes"]:
        shown = outcome["diff"].rstrip("\n") in out
        assert shown == (outcome["outcome"] == "survived")


def test_score_is_published(call, paper, tmp_path):
    list_equivalents(paper, DEAD)
    for word in ("init -q", "add .", "-c user.name=A -c user.email=a@b commit -q -m tiny"):
        subprocess.run(["git", *word.split()], check=True)
    _, out, _ = call("tiny", "--publish", tmp_path / "mutation")
    assert out.endswith(f"wrote {tmp_path / 'mutation' / 'tiny.json'}\n")
    score = read(tmp_path / "mutation")["tiny"]
    assert (score.caught, score.mutants, score.equivalent) == (7, 10, 1)
    assert (score.profile, score.tier) == ("cpu", "smoke")
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert head.stdout.startswith(str(score.commit))
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(score.date)
    assert datetime.timedelta() <= age < datetime.timedelta(hours=1)


def test_equivalent_mutants_do_not_count(call, paper):
    list_equivalents(paper, DEAD)
    code, out, _ = call("tiny")
    assert code == 1
    assert "7 of 10 mutants caught (70 %), 1 equivalent" in out
    assert "+    return y if y > -9 else x\n" not in out


def test_nine_in_ten_are_enough(call, paper):
    _, _, _ = call("tiny", "--json", paper.folder / "all.json")
    report = json.loads((paper.folder / "all.json").read_text(encoding="utf-8"))
    (paper.folder / "all.json").unlink()
    keys = ("file", "function", "was", "now", "nth")
    entries = [
        {**{key: outcome[key] for key in keys}, "reason": "It is alike."}
        for outcome in report["outcomes"]
        if outcome["outcome"] == "survived"
    ]
    list_equivalents(paper, *entries)
    code, out, _ = call("tiny")
    assert code == 0
    assert "7 of 7 mutants caught (100 %), 4 equivalent" in out
    list_equivalents(paper, *entries[1:])
    assert call("tiny")[0] == 1


def test_entry_that_is_stale_or_caught_is_told(call, paper):
    caught = {**DEAD, "was": "y = scale * x", "now": "y = scale / x"}
    stale = {**DEAD, "now": "return y if y > -9 else x * 2"}
    list_equivalents(paper, DEAD, caught, stale)
    _, out, _ = call("tiny")
    assert "7 of 10 mutants caught" in out
    assert "mutants.yaml:1: listed as equivalent, but `holds` caught it; remove the entry" in out
    assert "mutants.yaml:1: matches no mutant any more; remove or rewrite the entry" in out


def test_number_and_seed_choose_the_mutants(call, paper, tmp_path):
    chosen = []
    for number, words in enumerate([(), ("--seed", 1), ("--seed", 1)]):
        target = tmp_path / f"{number}.json"
        call("tiny", "--mutants", 4, "--json", target, *words)
        report = json.loads(target.read_text(encoding="utf-8"))
        assert report["possible"] == 11
        chosen.append([(o["now"], o["line"]) for o in report["outcomes"]])
    assert [len(names) for names in chosen] == [4, 4, 4]
    assert chosen[0] != chosen[1] == chosen[2]


LATER = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": scaled(0.5 + random.random() / 2, 2 * scale)}


@experiment
def later(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": shifted(random.random(), scale)}
"""
SHIFTED = """
def scaled(x: float, scale: float) -> float:
    return (x * scale + 3) * 5 / 5 - 3


def shifted(x: float, by: float) -> float:
    return x + by
"""


def test_function_that_no_claim_reaches_is_named_and_counts_and_makes_it_fail(
    call, make_paper, tmp_path
):
    later = {**STRICT, "id": "later", "experiment": "later", "from": "standard"}
    paper = make_paper(code=LATER, claims=[STRICT, later])
    paper.replace("import scaled", "import scaled, shifted")
    (paper.folder / "method.py").write_text(SHIFTED, encoding="utf-8")
    code, out, _ = call(paper.folder, "--json", tmp_path / "a.json", "--publish", tmp_path / "b")
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    caught = report["caught"]
    assert (report["mutants"], report["survived"]) == (caught, 0)
    assert {outcome["function"] for outcome in report["outcomes"]} == {"scaled"}
    assert f"\n{caught} of {caught + 1} mutants caught " in out
    assert "\n  unreached    0 of 1\n" in out
    assert "\nno claim judged at smoke reaches `shifted`: add an exact check\n" in out
    assert report["share"] == caught / (caught + 1) > 0.9
    assert code == 1, "nine in ten are caught, but `shifted` is not reached"
    assert read(tmp_path / "b")["tiny"].mutants == caught + 1
    paper.replace("from: standard", "from: smoke", "claims.yaml")
    code, out, _ = call(paper.folder)
    assert (code, "unreached" in out, "no claim judged" in out) == (0, False, False)


BLEND = '''"""Two averages of a sequence, and how they differ."""

import numpy as np


def blend(x: np.ndarray, beta1: float, beta2: float) -> float:
    m1 = m2 = 0.0
    for value in x:
        m1 = beta1 * m1 + (1 - beta1) * value
        m2 = beta2 * m2 + (1 - beta2) * value
    return m1 + 2 * m2


def form(a: np.ndarray, x: np.ndarray) -> float:
    return float((a @ x)[0])
'''
SYMMETRIC = """
import numpy as np


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    draw = 1 + random.random()
    x, beta = np.array([draw, draw]), 0.5
    blended = blend(x, beta, beta) / draw / 2.25
    a = np.array([[3.0, 1.0], [1.0, 3.0]])
    return {"value": scale * (blended + form(a, x) / draw / 4) / 2 + draw / 1e9}
"""
SHARP = """
import numpy as np


@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    draw = 1 + random.random()
    m1 = m2 = 0.0
    for value in (draw, 2.0):
        m1, m2 = 0.5 * m1 + 0.5 * value, 0.75 * m2 + 0.25 * value
    blended = blend(np.array([draw, 2.0]), 0.5, 0.75) / (m1 + 2 * m2)
    a = np.array([[3.0, 1.0], [2.0, 5.0]])
    formed = form(a, np.array([draw, 2.0])) / (3 * draw + 2)
    return {"value": scale * (blended + formed) / 2 + draw / 1e9}
"""


def test_symmetric_input_lets_a_name_and_a_transpose_through_and_a_sharper_claim_does_not(
    call, make_paper, tmp_path
):
    near_one = {"expect": {"value": {"between": [0.999999, 1.000001]}}}
    survivors = []
    for slug, code in (("blunt", SYMMETRIC), ("sharp", SHARP)):
        paper = make_paper(slug, code=code, claims=[near_one])
        paper.replace("import scaled", "import blend, form")
        (paper.folder / "method.py").write_text(BLEND, encoding="utf-8")
        target = tmp_path / f"{slug}.json"
        call(paper.folder, "--mutants", 200, "--json", target)
        report = json.loads(target.read_text(encoding="utf-8"))
        assert report["by_kind"].keys() >= {"name", "transpose", "update"}
        survivors.append(
            {(o["kind"], o["now"]) for o in report["outcomes"] if o["outcome"] == "survived"}
        )
    blunt, sharp = survivors
    assert ("name", "m1 = beta2 * m1 + (1 - beta1) * value") in blunt
    assert ("transpose", "return float((a.mT @ x)[0])") in blunt
    assert not {kind for kind, _ in sharp} & {"name", "transpose", "update"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tin"], "`tin` is no paper in "),
        (["tiny", "--mutants", "0"], "at least one mutant is needed, not 0"),
        (["tiny", "--json", "no/where.json"], "--json no/where.json: there is no folder no"),
        (["tiny", "--profile", "cp"], "no profile `cp`; did you mean `cpu`?"),
        (["papers"], "`papers` holds several papers; name one of them"),
    ],
)
def test_request_that_cannot_be_carried_out(call, paper, make_paper, words, sentence):
    make_paper("another")
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"claimbench: {sentence}")


def test_problem_of_mutants_yaml_is_told_before_anything_runs(call, paper):
    list_equivalents(paper, {**DEAD, "reason": ""})
    code, out, err = call("tiny")
    assert (code, out) == (2, "")
    assert "papers/tiny/mutants.yaml:1:" in err
    assert paper.runs() == []


def test_missing_libcst_comes_with_the_command(call, paper, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = call("tiny")
    assert code == 2
    assert err == "claimbench: mutate needs libcst; pip install 'claimbench[mutation]'\n"


def test_other_commands_do_not_import_libcst():
    words = "import sys, claimbench.cli, claimbench.commands.mutate; print('libcst' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_terminal_shows_a_bar_and_the_survivors(paper, on_terminal):
    code, out, shown = on_terminal("mutate", paper.folder)
    assert code == 1
    assert "survived: method.py:6 scaled, sign" in out.decode()
    assert "scaled sign: survived" in shown.decode()
    assert "caught by" not in shown.decode()
    assert "━" in shown.decode()


MUTANTS_FILES = sorted((Path(__file__).parents[2] / "papers").glob("*/mutants.yaml"))


@pytest.mark.parametrize("path", MUTANTS_FILES, ids=lambda path: path.parent.name)
def test_mutants_files_of_this_repository_are_sound(path):
    from claimbench.mutation.equivalents import read_equivalents, stale
    from claimbench.mutation.rewriting import all_mutants

    assert stale(read_equivalents(path.parent), all_mutants(path.parent)) == []


def test_this_repository_has_mutants_files():
    assert MUTANTS_FILES
