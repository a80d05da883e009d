"""One setting over its seeds: what is wanted next, and what the runs that are there say."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbench.identity.keys import Identity
from claimbench.judging.sample import Fault, Sample
from claimbench.running.store import StoredRun
from claimbench.running.workers.jobs import Failure
from claimbench.spec.region import Region

IDENTITY = Identity("measure", {}, {}, "float32", "cpu", "0", {}, "CPU A")
ONE = {"value": Region(at_least=1)}


def sample(rule="typical", *, cap=None, max_seeds=None, deterministic=False, regions=ONE, **rest):
    """A sample without runs; its jobs are never asked for."""
    most = max_seeds or {"typical": 20, "every": 3, "probe": 3}[rule]
    return Sample(
        identity=IDENTITY,
        job=lambda index: pytest.fail(f"a sample starts no run, but asked for job {index}"),
        regions=regions,
        rule=rule,
        max_seeds=most,
        cap=min(most, cap or most),
        deterministic=deterministic,
        **rest,
    )


def stored(index, **metrics):
    """A run that has been finished."""
    return StoredRun(index, metrics, "2024-01-01T00:00:00+00:00", 1.0, 1.0, None, "abc")


def runs(signs, start=0):
    """One run a character: + in the region and - outside, each with its own value; = all alike."""
    values = {"+": 2.0, "-": -2.0, "=": 1.5}
    return {
        index: stored(index, value=values[sign] + (sign != "=") * index / 1000)
        for index, sign in enumerate(signs, start)
    }


def failures(*indices):
    """Failed runs."""
    return {index: Failure(f"ValueError: number {index}") for index in indices}


def fault_of(one):
    """The message of a sample's fault."""
    return one.fault and one.fault.message


def state(one):
    """Everything that a trial sees of a sample."""
    return (
        one.fault,
        one.final,
        one.wanted(),
        [run.index for run in one.judged],
        one.misses(),
        one.judgement,
    )


@pytest.mark.parametrize(
    ("rule", "signs", "wanted"),
    [
        ("typical", "", range(6)),
        ("typical", "++++", [4, 5]),
        ("typical", "++++++", []),
        ("typical", "+++++-", [6, 7, 8]),
        ("typical", "+++-+-+-+", [9, 10, 11]),
        ("typical", "+++-+-+-+-+-", range(12, 20)),
        ("typical", "+-" * 10, []),
        ("every", "", [0, 1, 2]),
        ("every", "+", [1, 2]),
        ("every", "+++", []),
        ("every", "-", []),
        ("every", "+-", []),
        ("probe", "", [0]),
        ("probe", "-", []),
    ],
)
def test_wanted_are_the_seeds_up_to_the_next_look(rule, signs, wanted):
    one = sample(rule)
    one.take(runs(signs), {})
    assert one.fault is None
    assert one.wanted() == list(wanted)
    assert one.final == (not wanted)


@pytest.mark.parametrize(
    ("rule", "signs", "verdict", "held", "seeds"),
    [
        ("typical", "++++++", "reproduced", 6, 6),
        ("typical", "++++++---", "reproduced", 6, 6),
        ("typical", "------", "diverged", 0, 6),
        ("typical", "+-" * 10, "undecided", 10, 20),
        ("every", "+++", "reproduced", 3, 3),
        ("every", "+-+", "diverged", 1, 2),
    ],
)
def test_judgement_counts_the_runs_up_to_the_deciding_one(rule, signs, verdict, held, seeds):
    one = sample(rule)
    one.take(runs(signs), {})
    judgement = one.judgement
    assert (judgement.verdict, judgement.held, judgement.seeds) == (verdict, held, seeds)
    assert [run.index for run in one.judged] == list(range(seeds))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    rule=st.sampled_from(["typical", "every"]),
    outcomes=st.lists(st.sampled_from("++====-x"), max_size=20),
    data=st.data(),
)
def test_order_of_arrival_changes_nothing(rule, outcomes, data):
    good = runs("".join(outcomes).replace("x", "-"))
    bad = [index for index, outcome in enumerate(outcomes) if outcome == "x"]
    events = [
        ({}, failures(index)) if index in bad else ({index: run}, {}) for index, run in good.items()
    ]
    at_once, in_turn, shuffled = sample(rule), sample(rule), sample(rule)
    at_once.take({i: run for i, run in good.items() if i not in bad}, failures(*bad))
    for event in events:
        in_turn.take(*event)
    for event in data.draw(st.permutations(events)):
        shuffled.take(*event)
    assert state(at_once) == state(in_turn) == state(shuffled)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(outcomes=st.lists(st.sampled_from("+-"), min_size=20, max_size=20), data=st.data())
def test_taking_only_what_is_wanted_gives_the_verdict_of_all_runs(outcomes, data):
    everything, one, whole = runs(outcomes), sample(), sample()
    while not one.final:
        index = data.draw(st.sampled_from(one.wanted()))
        one.take({index: everything[index]}, {})
    whole.take(everything, {})
    assert state(one) == state(whole)


@pytest.mark.parametrize(
    ("rule", "cap", "signs", "wanted"),
    [
        ("typical", 4, "", range(4)),
        ("typical", 4, "++++", []),
        ("typical", 8, "+++++-", [6, 7]),
        ("typical", 8, "+++++-++", []),
        ("every", 2, "", [0, 1]),
        ("every", 2, "++", []),
    ],
)
def test_cap_ends_a_sample_undecided(rule, cap, signs, wanted):
    one = sample(rule, cap=cap)
    one.take(runs(signs), {})
    assert one.wanted() == list(wanted)
    assert one.final == (not wanted)
    assert one.judgement.verdict == "undecided"
    assert one.fault is None


def test_runs_beyond_the_cap_are_not_read():
    one = sample("every", cap=2)
    one.take({**runs("++-"), 1: stored(1, value=5.0), 2: stored(2, other=1.0)}, {})
    assert one.final
    assert one.fault is None
    assert len(one.judged) == 2


@pytest.mark.parametrize("rule", ["typical", "every", "probe"])
def test_missing_metric_is_a_fault(rule):
    one = sample(rule, regions={**ONE, "loss": Region(below=1)})
    one.take({0: stored(0, value=2.0, extra=1.0)}, {})
    assert fault_of(one) == "seed 0: no metric `loss`; the experiment returned value, extra"
    assert one.wanted() == []


def test_failed_run_is_a_fault_only_if_the_sample_waits_for_it():
    one = sample("every")
    one.take({}, failures(1))
    assert fault_of(one) is None
    assert one.wanted() == [0, 2]
    one.take(runs("+"), {})
    assert fault_of(one) == "seed 1: ValueError: number 1"
    assert one.fault == Fault("seed 1: ValueError: number 1", one.failures[1])
    assert one.wanted() == []


def test_failed_run_beyond_the_deciding_one_does_no_harm():
    one = sample("every")
    one.take(runs("-"), failures(1, 2))
    assert one.fault is None
    assert one.final
    assert one.judgement.verdict == "diverged"


def test_seeds_that_all_give_the_same_are_a_fault_unless_nothing_is_random():
    same = {index: stored(index, value=2.0) for index in range(6)}
    random, fixed = sample(), sample("every", max_seeds=1, deterministic=True)
    random.take(same, {})
    fixed.take(same, {})
    assert fault_of(random) == (
        "all 6 seeds give value = 2.0: use the run's seed, or declare `deterministic: true` if "
        "nothing is random, or the metric under `constant` if it can well be the same for every "
        "seed"
    )
    assert fixed.fault is None
    assert fixed.judgement.verdict == "reproduced"


@pytest.mark.parametrize(("rule", "seeds"), [("every", 3), ("typical", 6)])
def test_seeds_are_called_the_same_only_when_the_last_one_is_there(rule, seeds):
    same = {index: stored(index, value=2.0) for index in range(seeds)}
    one, other = sample(rule), sample(rule)
    for index in range(seeds - 1):
        one.take({index: same[index]}, {})
        other.take({index: same[index]}, {})
    assert one.wanted() == [seeds - 1]
    one.take({seeds - 1: same[seeds - 1]}, {})
    other.take({seeds - 1: stored(seeds - 1, value=3.0)}, {})
    assert str(fault_of(one)).startswith(f"all {seeds} seeds give value = 2.0: ")
    assert fault_of(other) is None


def test_each_judged_metric_has_to_vary_whatever_another_does():
    one, declared = sample(), sample(constant=["value"])
    for each in (one, declared):
        each.take({index: stored(index, value=2.0, noise=index) for index in range(6)}, {})
    assert str(fault_of(one)).startswith("all 6 seeds give value = 2.0: ")
    assert declared.fault is None


def test_metric_that_is_not_judged_may_be_the_same_or_no_number():
    one = sample()
    runs = {i: stored(i, value=2.0 + i, same=1.0, unknown=math.nan) for i in range(6)}
    one.take(runs, {})
    assert one.fault is None
    assert one.judgement.verdict == "reproduced"


@pytest.mark.parametrize("error", [0.0, 3e-16, -5e-10])
def test_error_of_zero_may_be_the_same_for_every_seed(error):
    one = sample("every", regions={"error": Region(between=(-1, 1))})
    one.take({index: stored(index, error=error) for index in range(3)}, {})
    assert one.fault is None


def test_nan_in_a_judged_metric_is_a_fault():
    one = sample("every")
    one.take({0: stored(0, value=2.0), 1: stored(1, value=math.nan)}, {})
    assert fault_of(one) == "seed 1: metric `value` is NaN"


def test_last_judged_seed_is_the_one_that_is_repeated():
    one = sample(repeats=True)
    wants = [one.wants_repeat]
    one.take({index: stored(index, value=2.0 + index) for index in range(5)}, {})
    wants.append(one.wants_repeat)
    one.take({5: stored(5, value=9.0)}, {})
    wants.append(one.wants_repeat)
    final = [one.final]
    one.take_repeat(5, {"value": 9.0})
    wants.append(one.wants_repeat)
    assert wants == [None, None, 5, None], "the first look takes six"
    assert [*final, one.final] == [False, True]
    assert one.fault is None


def test_metric_that_is_nan_both_times_is_no_difference():
    one = sample(repeats=True)
    one.take({index: stored(index, value=2.0 + index, odd=math.nan) for index in range(6)}, {})
    one.take_repeat(5, {"value": 7.0, "odd": math.nan})
    assert one.fault is None
    one.take_repeat(5, {"value": 7.0, "odd": 1.0})
    assert fault_of(one) == "not deterministic: seed 5 gave odd = nan, and 1.0 in a fresh worker"


def test_every_metric_has_to_hold_in_the_same_seed():
    regions = {"value": Region(at_least=1), "loss": Region(below=1)}
    one = sample("every", regions=regions)
    one.take({0: stored(0, value=2.0, loss=0.5), 1: stored(1, value=2.0, loss=1.5)}, {})
    assert one.judgement.verdict == "diverged"
    assert one.judgement.held == 1
    assert one.misses() == "loss"


def test_misses_is_none_where_all_hold():
    one = sample("every")
    one.take(runs("+++"), {})
    assert one.misses() is None


def test_infinite_value_lies_outside_but_a_probe_must_be_finite():
    judged, probe = sample("every"), sample("probe")
    for one in (judged, probe):
        one.take({0: stored(0, value=math.inf)}, {})
    assert judged.fault is None
    assert judged.judgement.verdict == "diverged"
    assert fault_of(probe) == "seed 0: metric `value` is infinite"


def test_probe_looks_at_one_seed_and_judges_nothing():
    one = sample("probe")
    one.take(runs("-+"), {})
    assert one.final
    assert [run.index for run in one.judged] == [0]
    with pytest.raises(ValueError, match="rule `probe` judges nothing"):
        _ = one.judgement


def test_missing_metric_after_the_verdict_does_no_harm():
    one = sample()
    one.take({**runs("++++++"), 6: stored(6, other=1.0)}, {})
    assert one.fault is None
    assert one.judgement.verdict == "reproduced"


def test_last_look_comes_early_with_fewer_seeds_and_a_cap_ends_between_looks():
    capped, short = sample(cap=8), sample(max_seeds=6)
    for one in (capped, short):
        one.take(runs("+++++-"), {})
    assert capped.wanted() == [6, 7]
    assert short.final
    assert short.judgement.verdict == "undecided"
    capped.take(runs("+", start=6), {})
    assert not capped.final
    capped.take(runs("+", start=7), {})
    assert capped.final


def test_one_infinite_value_decides_every_and_is_one_seed_of_typical():
    every, typical = sample("every"), sample()
    infinite = {5: stored(5, value=math.inf)}
    every.take({0: stored(0, value=math.inf)}, {})
    typical.take({**runs("+++++"), **infinite}, {})
    assert every.fault is typical.fault is None
    assert every.judgement.verdict == "diverged"
    assert (typical.judgement.held, typical.judgement.verdict) == (5, "undecided")
    assert typical.wanted() == [6, 7, 8]


def test_each_run_is_looked_at_once_and_again_only_where_another_takes_its_place(monkeypatch):
    seen, holds = [], Region.holds

    def look(region, value):
        seen.append(value)
        return holds(region, value)

    monkeypatch.setattr(Region, "holds", look)
    one = sample(max_seeds=20)
    for index in (1, 0, *range(2, 20)):
        one.take(runs("+" if index % 2 else "-", index), {})
    assert len(seen) == 20
    assert one.judgement.held == 10
    one.take(runs("-", 1), {})
    assert one.judgement.held == 9
