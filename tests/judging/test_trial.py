"""Every verdict of the design, reached by running papers."""

import json
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

import claimbench
from claimbench.judging.multiplicity import expected_errors, p_value
from claimbench.judging.record import Record
from claimbench.judging.sample import Sample
from claimbench.judging.trial import Trial
from claimbench.judging.verdict import Verdict
from claimbench.settings import Settings
from claimbench.spec.load import load_spec
from tests.judging.test_sample import sample, stored

CODE = '''
@experiment
def measure(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    """A number in [scale, 2 scale)."""
    return {"value": scaled(1 + random.random(), scale)}


@experiment
def toss(run: Run, *, share: float = 1.0) -> dict[str, float]:
    """1 in that share of all seeds."""
    return {"hit": float(random.random() < share), "noise": random.random()}


@experiment
def constant(run: Run, *, value: float = 1.0) -> dict[str, float]:
    return {"value": value}


@experiment
def odd(run: Run, *, how: str = "well") -> dict[str, float]:
    if how == "raises":
        print("the log of the run")
        raise ArithmeticError("nothing adds up")
    if how == "sleeps":
        time.sleep(60)
    strange = {"nan": float("nan"), "text": "high", "infinite": float("inf")}
    value = strange.get(how, 1 + random.random())
    metrics = {"value": value, "noise": random.random()}
    if how == "forgets":
        del metrics["value"]
    return metrics
'''

KNOWN = {"verdict": "diverges", "finding": "the value is too small", "passes_with": "none"}
FAR: dict[str, Any] = {"expect": {"value": {"at_least": 3}}}
TOSS: dict[str, Any] = {
    "experiment": "toss",
    "kind": "number",
    "expect": {"hit": {"above": 0.5}},
    "controls": {"without": {"share": 0.05}},
}
ODD: dict[str, Any] = {"experiment": "odd", "controls": {"without": {"how": "infinite"}}}
SAME = (
    "seeds give value = 1.0: use the run's seed, or declare `deterministic: true` if nothing is "
    "random, or the metric under `constant` if it can well be the same for every seed"
)
NINE = "9 of 20 seeds held, which does not decide; so near one half that 200 seeds would not decide"


@dataclass(frozen=True)
class Case:
    """A paper of one claim, and what must be said of it."""

    claim: dict[str, Any]
    verdict: str
    as_expected: bool
    reason: str
    counts: str = "0/0"
    control: str = "not run 0/0"
    entry: dict[str, Any] = field(default_factory=dict)


def known(**more):
    """What differs in a claim whose divergence is known."""
    return {**FAR, "known": {**KNOWN, **more}}


CASES = {
    "holds": Case(
        {}, "reproduced", True, "3 of 3 seeds held; control rejected", "3/3", "diverged 0/1"
    ),
    "two_controls": Case(
        {"controls": {"quarter": {"scale": 0.25}, "eighth": {"scale": 0.125}}},
        *("reproduced", True, "3 of 3 seeds held; all 2 controls rejected", "3/3"),
        control="diverged 0/1",
    ),
    "typically": Case(
        TOSS,
        *("reproduced", True, "6 of 6 seeds held; control rejected", "6/6", "diverged 0/6"),
    ),
    "typical_open": Case(
        {**TOSS, "seeds": {"max": 12}},
        *(
            "inconclusive",
            False,
            "8 of 12 seeds held, which does not decide; about 87 more would probably decide",
            "8/12",
        ),
        entry={"smoke": {"share": 0.52}},
    ),
    "typical_vacuous": Case(
        {**TOSS, "controls": {"without": {"share": 0.95}}},
        *("vacuous", False, "the control without passes the same check"),
        *("6/6", "reproduced 6/6"),
    ),
    "deterministic": Case(
        {"experiment": "constant", "controls": {"without": {"value": 0.5}}},
        *("reproduced", True, "1 of 1 seed held; control rejected", "1/1", "diverged 0/1"),
        {"deterministic": True},
    ),
    "fails": Case(FAR, "diverged", False, "value is 1.7486, expected ≥ 3; 0 of 1 seed held", "0/1"),
    "known": Case(
        known(), "diverged", True, "value is 1.7486, expected ≥ 3; 0 of 1 seed held", "0/1"
    ),
    "known_passes": Case(
        known(passes_with={"scale": 5.0}),
        "diverged",
        True,
        "value is 1.7486, expected ≥ 3; 0 of 1 seed held",
        "0/1",
    ),
    "known_stuck": Case(
        known(passes_with={"scale": 1.1}),
        *("vacuous", False),
        "passes_with (scale=1.1) fails too: nothing shows that the check can hold",
        "0/1",
    ),
    "known_open": Case(
        {
            **TOSS,
            "controls": {"without": {"share": 0.01}},
            "known": {**KNOWN, "passes_with": {"share": 0.5}},
        },
        *("inconclusive", False, f"passes_with (share=0.5): {NINE}", "0/6"),
        entry={"smoke": {"share": 0.05}},
    ),
    "known_broken": Case(
        {**ODD, **known(passes_with={"how": "raises"})},
        "error",
        False,
        "passes_with (how='raises'): seed 0: ArithmeticError: nothing adds up",
        "0/1",
    ),
    "known_holds": Case(
        {"known": KNOWN},
        *("reproduced", False, "3 of 3 seeds held; control rejected", "3/3", "diverged 0/1"),
    ),
    "open": Case(TOSS, "inconclusive", False, NINE, "9/20", entry={"smoke": {"share": 0.5}}),
    "open_control": Case(
        {**TOSS, "controls": {"without": {"share": 0.5}}},
        *("inconclusive", False, f"the control without: {NINE}", "6/6", "undecided 9/20"),
    ),
    "vacuous": Case(
        {"controls": {"without": {"scale": 2.0}}},
        *("vacuous", False, "the control without passes the same check"),
        *("3/3", "reproduced 3/3"),
    ),
    "half_vacuous": Case(
        {"controls": {"quarter": {"scale": 0.25}, "twice": {"scale": 2.0}}},
        *("vacuous", False, "the control twice passes the same check"),
        *("3/3", "reproduced 3/3"),
    ),
    "all_vacuous": Case(
        {
            "controls": {"twice": {"scale": 2.0}, "half": {"scale": 0.5}, "thrice": {"scale": 3.0}},
            "known": {"verdict": "vacuous", "finding": "any scale above one will do"},
        },
        *("vacuous", True, "the controls twice, thrice pass the same check"),
        *("3/3", "reproduced 3/3"),
    ),
    "vacuous_holds": Case(
        {"known": {"verdict": "vacuous", "finding": "any scale above one will do"}},
        *("reproduced", False, "3 of 3 seeds held; control rejected", "3/3", "diverged 0/1"),
    ),
    "vacuous_fails": Case(
        {**FAR, "known": {"verdict": "vacuous", "finding": "any scale above one will do"}},
        *("diverged", False, "value is 1.7486, expected ≥ 3; 0 of 1 seed held", "0/1"),
    ),
    "later": Case({**FAR, "from": "standard"}, "skipped", True, "judged from standard", "0/1"),
    "later_known": Case(
        {**known(), "from": "standard"}, "skipped", True, "judged from standard", "0/1"
    ),
    "later_infinite": Case(
        {**ODD, "from": "standard", "controls": {"without": {"how": "well"}}},
        *("error", False, "seed 0: metric `value` is infinite", "0/1"),
        entry={"smoke": {"how": "infinite"}},
    ),
    "infinite": Case(
        {**ODD, "controls": {"without": {"how": "well"}}},
        *("diverged", False, "value is inf, expected ≥ 1; 0 of 1 seed held", "0/1"),
        entry={"smoke": {"how": "infinite"}},
    ),
    "raises": Case(
        ODD,
        *("error", False, "seed 0: ArithmeticError: nothing adds up"),
        entry={"smoke": {"how": "raises"}},
    ),
    "nan": Case(
        ODD,
        *("error", False, "seed 0: metric `value` is NaN"),
        entry={"smoke": {"how": "nan"}},
    ),
    "text": Case(
        ODD,
        *("error", False, "seed 0: AuthorError: metric `value` is str 'high'; return one number"),
        entry={"smoke": {"how": "text"}},
    ),
    "forgets": Case(
        ODD,
        *("error", False, "seed 0: no metric `value`; the experiment returned noise"),
        entry={"smoke": {"how": "forgets"}},
    ),
    "sleeps": Case(
        ODD,
        *("error", False, "seed 0: timed out after 0.3 s (experiment `timeout` in claims.yaml)"),
        entry={"smoke": {"how": "sleeps"}, "timeout": {"smoke": 0.3}},
    ),
    "constant": Case(
        {"experiment": "constant", "controls": {"without": {"value": 0.5}}},
        *("error", False, f"all 3 {SAME}", "3/3"),
    ),
    "control_raises": Case(
        {"experiment": "odd", "controls": {"without": {"how": "raises"}}},
        *("error", False, "control without: seed 0: ArithmeticError: nothing adds up"),
        *("3/3", "error 0/0"),
    ),
    "unknown_data": Case(
        {},
        *("error", False, "no data set `digts`; did you mean `digits`?"),
        entry={"data": ["digts"]},
    ),
    "missing_data": Case(
        {},
        *("skipped", True, "the far data set is not here; run: fetch far"),
        entry={"data": ["far"]},
    ),
}


@pytest.fixture(scope="module")
def results(paper_writer, tmp_path_factory):
    """The results of all cases, by name."""
    folder = tmp_path_factory.mktemp("cases")
    for name, case in CASES.items():
        experiment = case.claim.get("experiment", "measure")
        counts = {"constant": ["hit"]} if experiment == "toss" else {}
        entries = {experiment: {**counts, **case.entry}}
        paper_writer(folder / name, code=CODE, claims=[case.claim], experiments=entries)
    provider = tmp_path_factory.mktemp("provider")
    (provider / "far.py").write_text(
        "class Far:\n    def missing(self):\n"
        "        return 'the far data set is not here; run: fetch far'\n\n"
        "    def about(self):\n        return {'version': '1'}\n\n\nfar = Far()\n"
    )
    information = provider / "far-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: far\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[claimbench.data]\nfar = far:far\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAIMBENCH_HOME", str(tmp_path_factory.mktemp("store")))
        patch.setattr(sys, "path", [*sys.path, str(provider)])
        return {result.record.paper: result for result in claimbench.verify(folder)}


@pytest.mark.parametrize("name", CASES)
def test_verdict(results, name):
    case, result = CASES[name], results[name]
    record = result.record
    control = record.control
    counts = f"{record.held}/{record.seeds}"
    shown = f"{control.verdict} {control.held}/{control.seeds}"
    assert (result.verdict, result.as_expected) == (case.verdict, case.as_expected)
    assert (counts, shown, result.reason) == (case.counts, case.control, case.reason)


def test_cases_meet_every_verdict():
    assert {case.verdict for case in CASES.values()} == set(Verdict)


def test_failure_of_an_error_has_traceback_and_log(results):
    failure = results["raises"].failure
    assert failure.traceback.splitlines()[1].endswith(", in odd")
    assert failure.log == "the log of the run\n"
    assert results["control_raises"].failure.log == failure.log
    assert results["known_broken"].failure.log == failure.log
    assert results["forgets"].failure is None
    assert results["holds"].failure is None


def test_known_divergence_keeps_what_its_positive_control_showed(results):
    positive = results["known_passes"].record.passes_with
    assert positive.arguments == {"scale": 5.0}
    assert (positive.verdict, positive.held, positive.seeds) == ("reproduced", 3, 3)
    assert all(5 <= value < 10 for value in positive.metrics["value"].values)
    assert results["known"].record.passes_with is None
    record = results["known"].record
    assert (record.known, record.known_verdict) == (KNOWN["finding"], "diverged")


def test_a_result_is_one_line_that_names_paper_claim_verdict_and_reason(results):
    assert results["vacuous"].line == (
        "vacuous::holds vacuous: the control without passes the same check"
    )
    assert results["known_holds"].line == (
        "known_holds::holds reproduced, though the spec knows it as diverged: "
        "3 of 3 seeds held; control rejected"
    )


@pytest.mark.parametrize(
    ("settings", "verdict", "reason", "options"),
    [
        ({}, "reproduced", "6 of 6 seeds held; control rejected", ""),
        (
            {"control": False},
            *("reproduced", "6 of 6 seeds held; control not run", " --no-control"),
        ),
        (
            {"max_seeds": 4},
            "inconclusive",
            "4 of 4 seeds held, which does not decide; the rule `typical` may take 20",
            " --max-seeds 4",
        ),
        (
            {"max_seeds": 6, "tier": "standard"},
            *("reproduced", "6 of 6 seeds held; control rejected"),
            " --tier standard --max-seeds 6",
        ),
    ],
)
def test_settings_show_in_reason_and_repeat_command(
    paper_writer, tmp_path, monkeypatch, settings, verdict, reason, options
):
    folder = tmp_path / "with blank" / "tossing"
    counts = {"toss": {"constant": ["hit"]}}
    paper = paper_writer(folder, code=CODE, claims=[TOSS], experiments=counts)
    monkeypatch.chdir(tmp_path)
    (result,) = claimbench.verify(paper.folder, executor="inline", **settings)
    assert (result.verdict, result.reason) == (verdict, reason)
    assert result.repeat == f"pytest 'with blank/tossing/claims.yaml::holds'{options}"


def test_record_says_by_which_rule_it_was_judged(results):
    record = results["typically"].record
    assert (record.rule, record.max_seeds) == ("typical", 20)
    assert record.share is not None
    low, high = record.share
    assert 0.5 < low < high == 1
    assert record.power == "20 seeds show a share of 0.79 or more in 80 % of cases"
    assert [results[name].record.deterministic for name in ("holds", "deterministic")] == [
        *(False, True)
    ]
    assert p_value(record) == 2 / 64
    assert expected_errors([record, results["typical_open"].record]).claims == pytest.approx(0.1)
    assert not {"scale", "mean"} & set(record.as_json()), "what the rule `mean` had"


def test_record_says_what_was_run(results):
    record = results["holds"].record
    assert [results[name].record.deterministic for name in ("holds", "deterministic")] == [
        *(False, True)
    ]
    assert (record.rule, record.max_seeds, record.judged_at) == ("every", 3, None)
    assert record.expect == {"value": {"at_least": 1.0}}
    assert record.expect_text == {"value": "≥ 1"}
    assert record.controls[0].arguments == {"scale": 0.25}
    values = record.metrics["value"].values
    assert len(values) == 3
    assert all(1 <= value < 2 for value in values)
    assert record.metrics["value"].median == sorted(values)[1]
    assert record.seconds >= 0
    assert record.cpu_seconds >= 0
    assert record.peak_mb > 1
    assert record.packages["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert len(record.run_key) == 32
    assert len(record.spec_hash) == 64


class Samples:
    """A factory of samples without an engine, which notes what was asked for and what joined."""

    def __init__(self, spec, claim, **settings):
        self.asked: list[dict[str, Any]] = []
        self.joined: list[Sample] = []
        self.trial = Trial(
            spec=spec,
            claim=claim,
            settings=Settings(**settings),
            commit="abc",
            cpu="CPU A",
            make_sample=self.make,
            join=self.joined.append,
        )

    def make(self, override):
        self.asked.append(dict(override))
        return sample("every", regions=self.trial.claim.expect_at("smoke"))

    def take(self, *values):
        """Give the samples that are active one run a value, and see what follows."""
        for one in self.trial.active():
            one.take({i: stored(i, value=x, noise=i) for i, x in enumerate(values)}, {})
        self.trial.advance()


@pytest.fixture
def samples(make_paper):
    """Return a maker of trials of a claim with two controls."""

    def make(settings=None, **claim):
        controls = {"quarter": {"scale": 0.25}, "eighth": {"scale": 0.125}}
        paper = make_paper(code=CODE, claims=[{"controls": controls, **claim}])
        spec = load_spec(paper.folder)
        return Samples(spec, spec.claims[0], **(settings or {}))

    return make


def test_samples_are_made_and_join_when_the_verdict_calls_for_them(samples):
    made = samples()
    assert (made.asked, made.joined) == ([], [])
    made.trial.begin(None)
    assert made.asked == [{}]
    assert made.joined == [made.trial.main] == made.trial.active()
    made.take(1.0, 1.5, 2.0)
    assert made.asked == [{}, {"scale": 0.25}, {"scale": 0.125}]
    assert made.joined == [made.trial.main, *made.trial.controls]
    made.take(0.5)
    assert made.trial.result is not None
    assert made.trial.result.verdict == "reproduced"
    assert [one.held for one in made.trial.result.record.controls] == [0, 0]
    assert (made.trial.result.record.commit, made.trial.result.record.cpu) == ("abc", "CPU A")
    assert len(made.asked) == len(made.joined) == 3


@pytest.mark.parametrize(
    ("claim", "settings", "overrides"),
    [
        ({}, {}, [{"scale": 0.25}, {"scale": 0.125}]),
        ({}, {"control": False}, []),
        ({"known": {**KNOWN, "passes_with": {"scale": 5.0}}}, {}, [{"scale": 5.0}]),
        ({"known": KNOWN}, {}, []),
    ],
)
def test_expected_samples_is_a_question_that_nothing_joins_for(samples, claim, settings, overrides):
    made = samples(settings, **claim)
    assert made.trial.expected_samples() == []
    made.trial.begin(None)
    for _ in range(2):
        made.asked.clear()
        main, *others = made.trial.expected_samples()
        assert main is made.trial.main
        assert made.asked == overrides
        assert len(others) == len(overrides)
        assert made.joined == made.trial.active() == made.trial.samples() == [main]


def test_trial_that_meets_an_obstacle_asks_for_no_sample(samples):
    made = samples()
    made.trial.begin("there is no gpu")
    assert made.trial.result.verdict == "skipped"
    assert made.trial.result.reason == "there is no gpu"
    assert (made.asked, made.joined) == ([], [])
    assert made.trial.expected_samples() == made.trial.active() == []
    record = made.trial.result.record
    assert (record.run_key, record.seeds, record.metrics, record.controls) == (None, 0, {}, ())
    assert Record.from_json(json.dumps(record.as_json())) == record


def test_records_of_all_verdicts_read_back_as_they_were_written(results):
    for result in results.values():
        text = json.dumps(result.record.as_json(), allow_nan=False)
        assert Record.from_json(text) == result.record
