"""`claimbench.verify` and the engine below it: which claims, in which order, with which seeds."""

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import claimbench
from claimbench.errors import UsageError
from claimbench.judging.result import Result
from claimbench.judging.sample import Sample
from claimbench.profiles import cpu_model
from claimbench.running.engine import Engine, verify_papers
from claimbench.running.scheduler import Scheduler
from claimbench.running.seeds import derive
from claimbench.running.store import Store
from claimbench.settings import Settings
from claimbench.spec.load import load_spec
from claimbench.spec.problems import SpecError

SEVERAL = [
    {"id": "zebra"},
    {"id": "ant", "controls": {"without": {"scale": 0.125}}},
    {"id": "mole", "expect": {"value": {"at_least": 3}}},
]

HANG = """
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    note(f"{os.getpid()} {os.getppid()}")
    time.sleep(60)
    return {"value": 1.0}
"""

ARTEFACT = """
@artefact
def prior(run: Run, *, size: int = 3) -> list[float]:
    note("built", "built.txt")
    return [run.rng.random() for _ in range(size)]


@experiment
def one(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": scaled(1 + run.artefact(prior)[0] + random.random(), scale)}


@experiment
def two(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    return {"value": scaled(1 + run.artefact(prior)[0] + random.random(), scale)}
"""


def told(results):
    """Claim and verdict of each result."""
    return [(result.record.paper, result.claim, result.verdict) for result in results]


def test_results_come_in_the_order_of_the_spec(make_paper):
    results = claimbench.verify(make_paper(claims=SEVERAL).folder)
    assert told(results) == [
        ("tiny", "zebra", "reproduced"),
        ("tiny", "ant", "reproduced"),
        ("tiny", "mole", "diverged"),
    ]


def test_named_claims_alone_are_run(make_paper):
    paper = make_paper(claims=SEVERAL)
    results = claimbench.verify(paper.folder, claims=["mole", "ant"], control=False)
    assert told(results) == [("tiny", "ant", "reproduced"), ("tiny", "mole", "diverged")]
    assert claimbench.verify(paper.folder, claims=[]) == []


def test_papers_by_slug_folder_and_all_of_the_project(make_paper, monkeypatch):
    make_paper("second")
    project = make_paper("first").folder.parent.parent
    monkeypatch.chdir(project)
    both = [("first", "holds", "reproduced"), ("second", "holds", "reproduced")]
    assert told(claimbench.verify()) == both
    assert told(claimbench.verify("papers")) == both
    assert told(claimbench.verify("second")) == both[1:]
    assert told(claimbench.verify("papers/first/claims.yaml")) == both[:1]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("tiny", {"claims": ["holds", "hold"]}, "no claim `hold`; there are: holds"),
        ("tiny", {"tier": "smok"}, "no tier `smok`; there are: smoke, standard, full"),
        ("tiny", {"executor": "slurm"}, "no executor `slurm`; there are: processes, inline, ray"),
        ("tiny", {"max_seeds": 0}, "at least one seed is needed, not 0"),
        ("tiny", {"profile": "cp"}, "no profile `cp`; did you mean `cpu`?"),
        ("tin", {}, "`tin` is no paper in {root}; did you mean `tiny`?"),
    ],
)
def test_request_that_cannot_be_carried_out(make_paper, monkeypatch, path, options, message):
    root = make_paper().folder.parent
    monkeypatch.chdir(root.parent)
    with pytest.raises(UsageError) as refused:
        claimbench.verify(path, **options)
    assert str(refused.value) == message.format(root=root)


def test_spec_with_problems_runs_nothing(make_paper):
    good, bad = make_paper("good"), make_paper("wrong", claims=[{"kind": "fact"}])
    with pytest.raises(SpecError, match=r"wrong/claims\.yaml:"):
        claimbench.verify(good.folder.parent)
    assert good.runs() == bad.runs() == []


def test_seeds_are_those_of_experiment_and_index(make_paper):
    paper = make_paper(claims=[{"controls": {"without": {"scale": 0.25}}, "seeds": {"max": 4}}])
    other = make_paper("other", claims=[{"seeds": {"max": 4}}])
    other.replace("1 + random", "1.0 + random")  # other code: the same would share the runs
    claimbench.verify(paper.folder.parent, tier="standard")
    seeds = [str(derive("measure", index)) for index in range(4)]
    assert len(set(seeds)) == 4
    method = [line.split()[2] for line in paper.runs() if line.startswith("measure 1 ")]
    control = [line.split()[2] for line in paper.runs() if line.startswith("measure 0.25 ")]
    assert sorted(method) == sorted(seeds)
    assert seeds[0] in control
    assert set(control) <= set(seeds)
    assert sorted(other.runs())[-4:] == [f"measure 1 {seed}" for seed in sorted(seeds)]
    assert derive("measure", 0) != derive("measured", 0)


def test_artefact_is_built_once_for_all_seeds_controls_and_experiments(make_paper):
    claims = [{"id": "a", "experiment": "one"}, {"id": "b", "experiment": "two"}]
    paper = make_paper(code=ARTEFACT, claims=claims)
    assert [verdict for *_, verdict in told(claimbench.verify(paper.folder))] == ["reproduced"] * 2
    assert paper.runs("built.txt") == ["built"]


def test_tier_chooses_arguments_and_expectation(make_paper):
    expect = {"smoke": {"value": {"at_least": 1}}, "full": {"value": {"at_least": 8}}}
    paper = make_paper(
        claims=[{"expect": expect}],
        experiments={"measure": {"standard": {"scale": 2.0}, "full": {"scale": 4.0}}},
    )
    smoke, standard, full = (
        claimbench.verify(paper.folder, tier=tier)[0].record
        for tier in ("smoke", "standard", "full")
    )
    assert [record.tier for record in (smoke, standard, full)] == ["smoke", "standard", "full"]
    assert [record.verdict for record in (smoke, standard, full)] == [
        *("reproduced", "reproduced", "diverged")
    ]
    assert 1 <= smoke.metrics["value"].low < 2 <= standard.metrics["value"].low < 4
    assert full.expect == {"value": {"at_least": 8.0}}


def test_broken_code_is_an_error_of_its_claims_alone(make_paper):
    make_paper("good")
    bad = make_paper("bad")
    bad.replace("return scale * x", "return scale *", "method.py")
    results = claimbench.verify(bad.folder.parent)
    assert told(results) == [("bad", "holds", "error"), ("good", "holds", "reproduced")]
    assert results[0].reason == f"{bad.folder / 'method.py'}:5: invalid syntax"


def test_commit_is_recorded_with_a_mark_where_files_differ(make_paper):
    paper = make_paper()
    root = paper.folder.parent

    def git(*words):
        command = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@b", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (outside,) = claimbench.verify(paper.folder, executor="inline")
    assert outside.record.commit is None
    git("init", "-q")
    (root / ".gitignore").write_text("runs.txt\n__pycache__/\n")
    git("add", ".")
    git("commit", "-q", "-m", "A paper")
    head = git("rev-parse", "HEAD")
    (clean,) = claimbench.verify(paper.folder, executor="inline")
    assert clean.record.commit == head[:12]
    paper.replace("A tiny paper", "A tiny, tiny paper")
    (dirty,) = claimbench.verify(paper.folder, executor="inline")
    assert dirty.record.commit == f"{head[:12]}+"
    assert dirty.record.cpu == cpu_model()


def test_verdict_is_kept_only_where_nothing_was_left_out(make_paper, store_home):
    paper = make_paper()

    def kept():
        with contextlib.closing(Store(store_home)) as store:
            return [(record.verdict, record.seeds) for record in store.verdicts()]

    for left_out in ({"max_seeds": 2}, {"control": False}, {"executor": "inline"}):
        claimbench.verify(paper.folder, **left_out)
        assert kept() == []
    claimbench.verify(paper.folder)
    claimbench.verify(paper.folder, max_seeds=2)
    assert kept() == [("reproduced", 3)]


def test_error_while_waiting_ends_the_workers(make_paper, alive, wait_until):
    paper = make_paper(code=HANG)

    def interrupt(status):
        if paper.runs():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_papers([paper.folder], None, Settings(), watch=interrupt)
    pids = [int(pid) for line in paper.runs() for pid in line.split()]
    wait_until(lambda: not any(map(alive, pids)), "workers and template are killed")


def test_claims_are_reported_as_their_verdicts_come(make_paper):
    paper, heard = make_paper(claims=SEVERAL), list[Result]()
    results = verify_papers([paper.folder], None, Settings(), report=heard.append)
    assert heard == results


def test_engine_starts_nothing_before_it_is_asked(make_paper, store_home):
    paper = make_paper()
    with Engine(Settings(home=store_home)) as engine:
        trials = engine.add(load_spec(paper.folder))
        assert [trial.result for trial in trials] == [None]
        assert paper.runs() == []
        assert engine.finish(trials[0]).verdict == "reproduced"
        assert engine.finish(trials[0]) is trials[0].result


def test_plan_is_a_question_that_changes_nothing(make_paper, store_home, monkeypatch):
    paper = make_paper(claims=SEVERAL)
    joined: list[Sample] = []
    join = Scheduler.join

    def noted(self: Scheduler, sample: Sample) -> None:
        joined.append(sample)
        join(self, sample)

    monkeypatch.setattr(Scheduler, "join", noted)
    with Engine(Settings(home=store_home)) as engine:
        trials = engine.add(load_spec(paper.folder))
        taken_up = list(joined)
        plan = engine.plan(trials)
        assert engine.plan(trials) == plan
        assert sum(len(planned.seconds) for planned in plan) > 0
        assert joined == taken_up == [trial.main for trial in trials]
        assert paper.runs() == []
        results = [engine.finish(trial) for trial in trials]
        assert [planned.seconds for planned in engine.plan(trials)] == [()] * len(trials)
    assert told(results) == told(claimbench.verify(paper.folder))


def test_script_needs_no_guard_and_its_verification_loads_no_framework(make_paper):
    paper = make_paper()
    script = (
        "import sys\nimport claimbench\n"
        "print([result.verdict for result in claimbench.verify(sys.argv[1])])\n"
        "print({'torch', 'jax', 'numpy'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", script, str(paper.folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "['reproduced']\nset()\n"
    assert done.stderr == ""


def test_claim_that_is_not_judged_here_says_what_it_was_where_it_is(make_paper):
    paper = make_paper(claims=[{"from": "standard"}])
    (before,) = claimbench.verify(paper.folder)
    assert (before.verdict, before.reason) == ("skipped", "judged from standard")
    claimbench.verify(paper.folder, tier="standard")
    (after,) = claimbench.verify(paper.folder)
    assert after.reason == "judged from standard (there: reproduced)"


LATE = """
@experiment
def late(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    import numpy
    import torch

    drawn = {"numpy": numpy.random.random(), "torch": torch.rand((), dtype=torch.double).item()}
    return {name: scaled(value, scale) for name, value in drawn.items()}
"""
METRICS = """
import json, sys, claimbench
(result,) = claimbench.verify(sys.argv[1], executor=sys.argv[2])
print(json.dumps({name: of.values for name, of in result.record.metrics.items()}))
"""


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_framework_that_only_a_function_imports_is_seeded(make_paper, executor):
    paper = make_paper(
        code=LATE,
        claims=[{"experiment": "late", "expect": {"numpy": {"below": 1}, "torch": {"below": 1}}}],
    )
    done = subprocess.run(  # a process of its own, for this one has loaded both
        [sys.executable, "-c", METRICS, paper.folder, executor],
        check=True,
        capture_output=True,
        text=True,
    )
    seeds = [derive("late", index) for index in range(3)]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    assert json.loads(done.stdout) == {
        "numpy": [np.random.RandomState(seed).random() for seed in seeds],
        "torch": [torch.rand((), dtype=torch.double, generator=one).item() for one in generators],
    }
