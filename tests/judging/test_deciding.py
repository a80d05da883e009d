"""A verdict from values alone: the same that a trial gives, whatever was written down."""

from dataclasses import replace

import pytest

from claimbench.judging.deciding import judged_again
from claimbench.judging.record import Measured, Record
from claimbench.judging.verdict import Verdict
from tests.records import make_record

HOLD = (1.25, 1.5, 1.75)
MISS = (0.5, 0.625, 0.75)


def setting(*values: float, name: str | None = "quarter", verdict: str = "diverged"):
    measured = Measured.of(values)
    metrics = {"value": {**vars(measured), "values": list(measured.values)}}
    named = {} if name is None else {"name": name}
    return {
        "verdict": verdict,
        "held": 0,
        "seeds": len(values),
        "arguments": {"scale": 0.25},
        "metrics": metrics,
        **named,
    }


def record(*values: float, controls=(), **changes) -> Record:
    return make_record(metrics=setting(*values)["metrics"], controls=list(controls), **changes)


@pytest.mark.parametrize(
    ("given", "verdict", "reason"),
    [
        (record(*HOLD), "reproduced", "3 of 3 seeds held; control not run"),
        (
            record(*HOLD, controls=[setting(0.3)]),
            *("reproduced", "3 of 3 seeds held; control rejected"),
        ),
        (
            record(*HOLD, controls=[setting(0.3), setting(1.5, 0.3, name="half")]),
            *("reproduced", "3 of 3 seeds held; all 2 controls rejected"),
        ),
        (
            record(*HOLD, controls=[setting(*HOLD), setting(0.3, name="half")]),
            *("vacuous", "the control quarter passes the same check"),
        ),
        (
            record(*HOLD, controls=[setting(*HOLD), setting(*HOLD, name="half")]),
            *("vacuous", "the controls quarter, half pass the same check"),
        ),
        (
            record(1.25, 0.5),
            *("diverged", "value is 0.875 [0.5, 1.25], expected ≥ 1; 1 of 2 seeds held"),
        ),
        (
            record(0.5, passes_with=setting(*HOLD, name=None)),
            *("diverged", "value is 0.5, expected ≥ 1; 0 of 1 seed held"),
        ),
        (
            record(0.5, passes_with=setting(0.75, name=None)),
            "vacuous",
            "passes_with (scale=0.25) fails too: nothing shows that the check can hold",
        ),
        (
            record(*HOLD, *MISS, rule="typical", max_seeds=6),
            "inconclusive",
            "3 of 6 seeds held, which does not decide; so near one half that 200 seeds would not "
            "decide",
        ),
        (
            record(
                *HOLD,
                *HOLD,
                rule="typical",
                max_seeds=6,
                controls=[setting(*HOLD, *MISS, name="half")],
            ),
            "inconclusive",
            "the control half: 3 of 6 seeds held, which does not decide; so near one half that "
            "200 seeds would not decide",
        ),
    ],
)
def test_verdict_and_reason_follow_from_the_values(given: Record, verdict: str, reason: str):
    again = judged_again(given)
    assert (again["verdict"], again["reason"]) == (verdict, reason)


def test_every_other_field_that_follows_is_found_again():
    given = record(*HOLD, controls=[setting(0.3)], reported={"value": 1.55}, held=99, seeds=-3)
    wrong = replace(
        given,
        verdict=Verdict.DIVERGED,
        metrics={"value": replace(given.metrics["value"], median=7.0, high=9.0)},
    )
    again = judged_again(wrong)
    assert (again["held"], again["seeds"]) == (3, 3)
    assert again["metrics"] == given.metrics
    assert again["share"] == (pytest.approx(0.05 ** (1 / 3)), 1.0)
    assert again["power"] == given.power
    assert again["controls"] == given.controls
    assert again["control"] == given.control
    assert again["standing"] == {"value": "within"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (record(1.25, 1.5), "no verdict follows without more runs"),
        (record(*HOLD, controls=[setting(1.25)]), "no verdict follows without more runs"),
        (make_record(metrics={}), "there are no values of `value`"),
        (record(1.25, float("nan"), 1.5), "NaN is neither inside nor outside a region"),
        (record(*HOLD, rule="typical", max_seeds=3), "takes a max_seeds of 6 to 200, got 3"),
    ],
)
def test_values_that_give_no_verdict(given: Record, message: str):
    with pytest.raises(ValueError, match=message):
        judged_again(given)


@pytest.mark.parametrize("order", [("value", "beside"), ("beside", "value")])
def test_reason_names_the_metric_that_fewest_seeds_hold_for_in_any_order(order: tuple[str, str]):
    values = {"beside": (2.0, 2.5, 0.5, 1.0, 3.0, 3.5), "value": (0.5, 0.25, 0.5, 0.75, 1.5, 0.5)}
    regions = {"beside": {"at_most": 1}, "value": {"at_least": 1}}
    given = make_record(
        metrics={
            name: {**vars(Measured.of(values[name])), "values": [*values[name]]} for name in order
        },
        expect={name: regions[name] for name in order},
        expect_text=dict.fromkeys(order, ""),
        rule="typical",
        max_seeds=20,
        controls=[],
    )
    reason = judged_again(given)["reason"]
    assert reason == "value is 0.5 [0.25, 1.5], expected ≥ 1; 0 of 6 seeds held"
