"""Checks that take several keys of a claim together."""

import pytest

from claimbench.spec.semantics import no_difference
from tests.spec.lion import CLAIMS, edited, told

LOWER = "claim `lower-loss`: "
HALF = "claim `half-the-state`: "
EXPECT = "{loss_gap: {above: 0}}"

ONE = [
    (
        ("    deviation: digits instead of ImageNet\n", ""),
        (
            18,
            "fidelity",
            LOWER + "fidelity is reduced, so say what differs from the paper's setting: add "
            "`deviation`",
        ),
    ),
    (
        ("fidelity: reduced\n    deviation: digits instead of ImageNet\n", "fidelity: mechanism\n"),
        (
            18,
            "fidelity",
            LOWER + "fidelity is mechanism, so say what differs from the paper's setting: add "
            "`deviation`",
        ),
    ),
    (
        ("fidelity: exact", "fidelity: exact\n    deviation: none"),
        (
            30,
            "deviation",
            HALF + "fidelity is exact, so nothing deviates; remove `deviation`, or write "
            "`fidelity: reduced`",
        ),
    ),
    (
        (EXPECT, "{standard: {loss_gap: {above: 0}}}"),
        (
            21,
            "expect",
            LOWER + "judged from smoke, but `expect` begins at standard; add `smoke`, or write "
            "`from: standard`",
        ),
    ),
    (
        ("reported: {loss_gap: 0.1}", "reported: {los_gap: 0.1}"),
        (
            22,
            "los_gap",
            LOWER + "reports `los_gap`, which `expect` does not have; did you mean `loss_gap`?",
        ),
    ),
    (
        (
            "seeds: {max: 12}",
            "from: full\n    known: {standard: {verdict: diverges, finding: x, passes_with: none}}",
        ),
        (
            25,
            "standard",
            LOWER + "judged from full, so nothing can be known at standard; remove it",
        ),
    ),
    # seeds and rule
    (
        ("seeds: {max: 12}", "seeds: {max: 5}"),
        (24, "5", LOWER + "the rule typical takes 6 to 20 seeds, found 5"),
    ),
    (
        ("seeds: {max: 12}", "seeds: {max: 21}"),
        (24, "21", LOWER + "the rule typical takes 6 to 20 seeds, found 21"),
    ),
    (
        ("seeds: {max: 12}", "seeds: {max: 101}\n    rule: every"),
        (24, "101", LOWER + "the rule every takes 1 to 100 seeds, found 101"),
    ),
    (
        (
            "controls: {without: {optimizer: adamw}}",
            "controls: {without: {optimizer: adamw}}\n    rule: typical",
        ),
        (33, "rule", HALF + "`memory` is deterministic, so one run decides; remove `rule`"),
    ),
    (
        (
            "controls: {without: {optimizer: adamw}}",
            "controls: {without: {optimizer: adamw}}\n    seeds: {max: 3}",
        ),
        (33, "seeds", HALF + "`memory` is deterministic, so one run decides; remove `seeds`"),
    ),
    # comparison
    (
        (EXPECT, "{loss_gap: {at_least: 0}}"),
        (
            21,
            "at_least",
            LOWER + "`at_least: 0` lets `no difference` pass; write `above: 0` or a margin",
        ),
    ),
    (
        (EXPECT, "{loss_gap: {at_most: 0.0}}"),
        (
            21,
            "at_most",
            LOWER + "`at_most: 0` lets `no difference` pass; write `below: 0` or a margin",
        ),
    ),
    (
        (EXPECT, "{loss_gap: {between: [0, 1]}}"),
        (
            21,
            "between",
            LOWER + "`between: [0, 1]` lets `no difference` pass; write `above: 0` with "
            "`at_most: 1`, or a margin",
        ),
    ),
    (
        (EXPECT, "{loss_gap: {between: [-1, 0]}}"),
        (
            21,
            "between",
            LOWER + "`between: [-1, 0]` lets `no difference` pass; write `at_least: -1` with "
            "`below: 0`, or a margin",
        ),
    ),
    (
        (EXPECT, "{loss_gap: {equals: 0.3, abs: 0.3}}"),
        (
            21,
            "abs",
            LOWER + "`equals: 0.3` with this `abs` reaches 0 and lets `no difference` pass; write "
            "a smaller `abs`",
        ),
    ),
    (
        (EXPECT, "{loss_gap: {at_least: -0.1}}"),
        (
            21,
            "expect",
            LOWER + "no difference (loss_gap = 0) passes all of `expect`; move a bound so that it "
            "fails",
        ),
    ),
    (
        (EXPECT, "{smoke: {loss_gap: {above: 0}}, full: {loss_gap: {above: -1}}}"),
        (
            21,
            "full",
            LOWER + "no difference (loss_gap = 0) passes all of `expect.full`; move a bound so "
            "that it fails",
        ),
    ),
    # names
    (
        ("id: half-the-state", "id: lower-loss"),
        (
            25,
            "lower-loss",
            LOWER + "the claim in line 14 has this id; ids are unique",
        ),
    ),
]


@pytest.mark.parametrize(("edit", "expected"), ONE)
def test_message(problems, edit, expected):
    assert [told(problem) for problem in problems(edited(edit))] == [expected]


def test_experiment_without_a_claim(problems):
    text = edited(("experiment: memory", "experiment: digits"), ("optimizer: adamw", "beta1: 0.8"))
    assert next(told(problem) for problem in problems(text)) == (
        11,
        "memory",
        "experiment `memory`: no claim uses it; add a claim or remove it",
    )


def test_removed_claim_that_is_still_there(problems):
    removed = "removed: [{id: lower-loss, date: 2026-12-01, reason: x}]\n"
    assert [told(problem) for problem in problems(CLAIMS + removed)] == [
        (
            34,
            "lower-loss",
            "`removed` names `lower-loss`, which stands in line 14; remove one of them",
        )
    ]


def test_unknown_experiment_is_guessed(problems):
    found = [
        told(problem) for problem in problems(edited(("experiment: digits", "experiment: digit")))
    ]
    assert found == [
        (8, "digits", "experiment `digits`: no claim uses it; add a claim or remove it"),
        (20, "digit", LOWER + "no experiment `digit`; did you mean `digits`?"),
    ]


RATIO = "kind: comparison\n    fidelity: exact\n    experiment: memory\n    expect: "


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (
            "{state_ratio: {at_most: 1}}",
            "`at_most: 1` lets `no difference` pass; write `below: 1` or a margin",
        ),
        (
            "{state_ratio: {equals: 0.5, rel: 1}}",
            "`equals: 0.5` with this `rel` reaches 1 and lets `no difference` pass; write a "
            "smaller `rel`",
        ),
        (
            "{state_ratio: {below: 2}, gap: {below: 1}}",
            "no difference (state_ratio = 1 and gap = 0) passes all of `expect`; move a bound so "
            "that it fails",
        ),
    ],
)
def test_no_difference_of_a_ratio_is_one(problems, region, message):
    old = "kind: exact\n    fidelity: exact\n    experiment: memory\n    expect: "
    text = edited((old, RATIO), ("{state_ratio: {equals: 0.5, abs: 1e-12}}", region))
    assert [problem.message for problem in problems(text)] == [HALF + message]


@pytest.mark.parametrize(
    "region",
    [
        "{state_ratio: {at_most: 0.9}}",
        "{state_ratio: {below: 1}, gap: {below: 1}}",  # one line refuses `no difference`
        "{state_ratio: {at_least: 1.1}, other: {at_most: 3}}",
        "{loss_gap: {between: [0.1, 2]}}",
        "{loss_gap: {equals: 0.3, abs: 0.2}}",
    ],
)
def test_comparison_with_a_margin_is_fine(problems, region):
    old = "kind: exact\n    fidelity: exact\n    experiment: memory\n    expect: "
    text = edited((old, RATIO), ("{state_ratio: {equals: 0.5, abs: 1e-12}}", region))
    assert problems(text) == []


def test_other_kinds_may_touch_no_difference(problems):
    assert (
        problems(edited(("kind: comparison", "kind: shape"), ("{above: 0}", "{at_least: 0}"))) == []
    )


@pytest.mark.parametrize(
    ("metric", "point"),
    [
        ("token_ratio", 1),
        ("Ratio", 1),
        ("ratio2", 1),
        ("duration", 0),
        ("ratios_gap", 0),
        ("gap", 0),
    ],
)
def test_no_difference_reads_words(metric, point):
    assert no_difference(metric) == point
