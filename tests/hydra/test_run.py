"""`claimbench run` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claimbench.cli import main
from claimbench.hydra import app
from claimbench.judging.record import Record

HALF = """
@experiment
def half(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": scale * (random.random() - 0.5)}
"""


def kept(home: Path) -> list[dict]:
    """Return what runs left behind, oldest first."""
    files = sorted((home / "runs").glob("**/verdicts.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def test_a_run_shows_and_keeps_configuration_and_verdicts(run_claimbench, make_paper, store_home):
    make_paper("tiny")
    make_paper("other")
    before = set(store_home.parent.iterdir())
    code, out, err = run_claimbench("selection.papers=tiny", "tier=standard")
    assert code == 0, err
    assert "holds" in out
    assert "✓ reproduced" in out
    (file,) = kept(store_home)
    assert file["config"]["tier"]["name"] == "standard"
    assert [(v["paper"], v["verdict"]) for v in file["verdicts"]] == [("tiny", "reproduced")]
    assert Record.from_json(json.dumps(file["verdicts"][0])).as_expected
    (folder,) = {path.parent for path in (store_home / "runs").glob("**/verdicts.md")}
    assert "| tiny::holds (standard) | ✓ reproduced | 3/3 |" in (folder / "verdicts.md").read_text()
    assert "name: standard" in (folder / "hydra" / "config.yaml").read_text()
    assert set(store_home.parent.iterdir()) - before <= {store_home}  # nothing where it stands


def test_a_claim_that_is_not_as_expected_gives_one(run_claimbench, make_paper):
    make_paper("tiny", claims=[{"expect": {"value": {"at_least": 5}}}])
    code, out, err = run_claimbench()
    assert code == 1
    assert "✗ diverged" in out
    assert "value is" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tier=nightly"], "Could not find 'tier/nightly'"),
        (
            ["selection.papres=tiny"],
            "claimbench: no option `selection.papres`; did you mean `selection.papers`?\n",
        ),
        (["~tier"], "claimbench: tier is missing; leave out what removes it\n"),
        (["tier.max_seeds=many"], "tier.max_seeds: Input should be a valid integer"),
        (["tier.max_seeds=0"], "at least one seed is needed, not 0"),
        (["selection.papers=tiney"], "did you mean `tiny`?"),
        (["tracker._target_=no.such.Tracker"], "tracker: "),
        (["tracker=wandb", "+tracker.projet=x"], "tracker: "),
    ],
)
def test_what_is_wrong_with_a_configuration_gives_two(run_claimbench, make_paper, words, message):
    make_paper("tiny")
    code, _, err = run_claimbench(*words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_a_selection_of_nothing_is_no_failure(run_claimbench, make_paper, store_home):
    make_paper("tiny")
    code, _, err = run_claimbench("selection.failed=true")
    assert code == 0
    assert "nothing is selected" in err
    assert kept(store_home)[0]["verdicts"] == []


def test_configuration_can_be_shown(run_claimbench):
    code, out, _ = run_claimbench("--cfg", "job", "tier=full")
    assert code == 0
    assert "name: full" in out
    code, out, _ = run_claimbench("--help")
    assert code == 0
    assert "selection.shard=3/8" in out
    assert "profile: baseline, cpu, gpu" in out


def test_a_sweep_runs_all_and_gives_its_worst_code(run_claimbench, make_paper, store_home):
    make_paper("tiny", code=HALF, claims=[{"experiment": "half"}])
    make_paper("good")
    code, _, err = run_claimbench("-m", "selection.papers=good,tiny")
    assert code == 1, err
    assert [file["verdicts"][0]["paper"] for file in kept(store_home)] == ["good", "tiny"]
    code, _, err = run_claimbench("-m", "selection.papers=missing,good")
    assert code == 2
    assert "`missing` is no paper" in err
    assert kept(store_home)[-1]["verdicts"][0]["paper"] == "good"  # the sweep went on


def test_own_options_from_the_users_folder(run_claimbench, make_paper, store_home, tmp_path):
    make_paper("tiny")
    folder = tmp_path / "config" / "claimbench" / "conf" / "tier"
    folder.mkdir(parents=True)
    (folder / "quick.yaml").write_text("name: smoke\nmax_seeds: 1\ncontrol: false\n")
    code, _, err = run_claimbench("tier=quick")
    assert code == 1  # one seed of three decides nothing
    assert "1 of 1 seed held, which does not decide" in err
    assert kept(store_home)[0]["config"]["tier"]["max_seeds"] == 1


def test_an_unexpected_error_is_reported_as_our_bug(make_paper, tmp_path, monkeypatch, capsys):
    make_paper("tiny")
    monkeypatch.chdir(tmp_path)

    def broken(*_: object) -> None:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(app, "keep", broken)
    assert main(["run", "selection.papers=tiny"]) == 3
    assert "this is a bug in claimbench" in capsys.readouterr().err


def test_live_view_on_a_terminal(on_terminal, make_paper, store_home):
    slow = HALF.replace("    return", "    time.sleep(0.2)\n    return")
    claims = [{"id": "undecided", "experiment": "half", "kind": "number"}]
    paper = make_paper("slow", code=slow, claims=[{**claims[0], "expect": {"value": {"above": 0}}}])
    code, _, shown = on_terminal("run", f"selection.papers={paper.folder}")
    text = shown.decode()
    assert code in (0, 1)
    assert "undecided" in text
    assert "seed" in text
    assert " of 6" in text
    assert "0 of 1 claims" in text
