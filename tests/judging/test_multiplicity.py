"""What many verdicts say together, on records as `claimbench results --json` prints them."""

import math

import numpy as np
import pytest
from scipy import stats

from claimbench.judging.multiplicity import discoveries, expected_errors, p_value
from claimbench.judging.rules import judge
from claimbench.judging.sequential import at_least
from tests.records import make_record


def setting(held, seeds, verdict="diverged"):
    """What a record says of a setting of which so many seeds held."""
    return {"verdict": verdict, "held": held, "seeds": seeds, "arguments": {}, "metrics": {}}


def record(verdict, rule="typical", held=6, seeds=6, controls=((0, 6),), **more):
    """A record whose controls held in so many of so many seeds, read from JSON."""
    fields = {
        "rule": rule,
        "max_seeds": seeds if rule == "every" else 20,
        "held": held,
        "seeds": seeds,
        "metrics": {},
        "controls": [{"name": f"c{i}", **setting(*one)} for i, one in enumerate(controls)],
    }
    return make_record(verdict=verdict, **{**fields, **more})


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (record("reproduced"), 2 / 64),
        (record("reproduced", controls=()), 2 / 64),
        (record("reproduced", controls=((0, 6), (1, 9))), 2 * (1 / 64 + 6 / 512)),
        (record("reproduced", controls=((0, 6), (0, 0))), 2 / 64),
        (record("diverged", held=0), 2 / 64),
        (record("diverged", held=1, seeds=9, controls=()), 2 * (1 / 64 + 6 / 512)),
        (record("inconclusive", held=10, seeds=20), 1),
        (record("vacuous"), 1),
    ],
)
def test_p_value_by_hand(one, expected):
    assert p_value(one) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    "one",
    [
        record("skipped"),
        record("error"),
        record("reproduced", "every", 3, 3),
        record("diverged", "every", 2, 3, ()),
        record("reproduced", deterministic=True),
    ],
)
def test_what_rests_on_no_sample_of_seeds_has_no_p_value_and_no_part(one):
    with pytest.raises(ValueError, match=f"{one.verdict}, rests on no sample of seeds"):
        p_value(one)
    assert discoveries([one]) == []
    assert expected_errors([one]) == expected_errors([])
    family = [record("reproduced")] * 4 + [record("inconclusive")]
    assert discoveries([*family, *[one] * 50]) == discoveries(family)


def test_p_value_of_reproduced_is_that_of_its_weakest_part():
    strong, weak = (0, 6), (1, 9)
    alone = p_value(record("diverged", held=1, seeds=9, controls=()))
    assert alone > p_value(record("reproduced"))
    assert p_value(record("reproduced", controls=(strong, weak, strong))) == alone
    assert p_value(record("reproduced", held=8, seeds=9, controls=(strong,))) == alone


def tried(rng, share, control_share):
    """A claim with one control, tried under the rule `typical`, as a record."""
    main = judge((rng.random(20) < share).tolist())
    verdict = {"undecided": "inconclusive"}.get(main.verdict, main.verdict)
    controls = []
    if verdict == "reproduced":
        control = judge((rng.random(20) < control_share).tolist())
        controls = [(control.held, control.seeds, control.verdict)]
        verdict = {"diverged": "reproduced", "reproduced": "vacuous"}.get(
            control.verdict, "inconclusive"
        )
    return record(verdict, held=main.held, seeds=main.seeds, controls=controls)


@pytest.mark.parametrize(
    ("share", "control_share", "wrong"),
    [
        (0.5, 0.0, ("reproduced", "diverged")),
        (1.0, 0.5, ("reproduced",)),
        (0.6, 0.5, ("reproduced", "diverged")),
    ],
)
def test_p_values_are_valid_where_the_verdict_is_wrong(share, control_share, wrong):
    rng = np.random.default_rng(9)
    records = [tried(rng, share, control_share) for _ in range(4000)]
    p = np.array([p_value(r) if r.verdict in wrong else 1.0 for r in records])
    for x in (0.01, 0.032, 0.05, 0.0932, 0.2):
        assert np.mean(p <= x) <= x + 4 * math.sqrt(x / len(p))
    assert np.mean(p < 1) > 0.01


def test_expected_errors_bound_the_wrong_verdicts():
    rng = np.random.default_rng(10)
    truths = [(0.5, 0.0), (0.45, 0.0), (0.9, 0.1), (0.8, 0.5), (0.95, 0.05)] * 100
    records = [tried(rng, *truth) for truth in truths]
    errors = expected_errors(records)
    wrong = sum(
        r.verdict == "diverged"
        if share > 0.5 >= control
        else r.verdict in ("reproduced", "vacuous")
        for r, (share, control) in zip(records, truths, strict=True)
        if share != 0.8
    ) + sum(
        r.verdict in ("reproduced", "diverged")
        for r, (share, _) in zip(records, truths, strict=True)
        if share == 0.8
    )
    assert 0 < wrong <= errors.total
    assert errors.judged == 500
    assert errors.claims == pytest.approx(25)
    assert errors.decided == sum(r.verdict != "inconclusive" for r in records)


def test_expected_errors_by_hand():
    errors = expected_errors(
        [
            record("reproduced"),
            record("inconclusive", controls=()),
            record("vacuous", controls=((6, 6), (0, 6))),
            record("diverged", controls=(), passes_with=setting(6, 6, "reproduced")),
            record("reproduced"),
            record("reproduced", "every", 4, 4),
            record("diverged", "every", 0, 1, (), max_seeds=3),
            record("error"),
            record("skipped"),
        ]
    )
    assert (errors.judged, errors.decided) == (5, 4)
    assert errors.claims == pytest.approx(5 * 0.05)
    assert errors.controls == pytest.approx((1 + 1 + 2 + 2 + 1) * 0.05)
    assert errors.total == errors.claims + errors.controls


def test_nothing_tried():
    assert expected_errors([]).total == 0
    assert discoveries([]) == []


def test_discoveries_agree_with_scipy():
    rng = np.random.default_rng(11)
    shares = rng.choice([0.0, 0.5, 1.0, 1.0, 1.0, 1.0], 60)
    records = [tried(rng, share, 0.0) for share in shares]
    records += [record("reproduced", held=8, seeds=9)] * 3
    found = discoveries(records, 0.05)
    assert [one.record for one in found] == records
    p = [one.p_value for one in found]
    assert p == [p_value(one) for one in records]
    adjusted = stats.false_discovery_control(p, method="bh")
    assert [one.survives for one in found] == [bool(x <= 0.05) for x in adjusted]
    assert 0 < sum(one.survives for one in found) < len(found)


@pytest.mark.parametrize(("undecided", "survives"), [(1, True), (3, False)])
def test_undecided_claims_belong_to_the_family(undecided, survives):
    """One verdict of 6 of 6 (p = 1/32) among m claims survives at 5 % only while m is 1."""
    family = [record("reproduced")] + [record("inconclusive")] * (undecided - 1)
    assert discoveries(family)[0].survives == survives


def test_share_of_wrong_verdicts_among_survivors_is_below_the_rate():
    rng = np.random.default_rng(12)
    shares = []
    for _ in range(150):
        truths = [0.5] * 20 + [1.0] * 20
        found = discoveries([tried(rng, share, 0.0) for share in truths], 0.1)
        survivors = [t for one, t in zip(found, truths, strict=True) if one.survives]
        shares.append(sum(t == 0.5 for t in survivors) / max(1, len(survivors)))
    assert np.mean(shares) <= 0.1 * 0.5 + 3 * np.std(shares) / math.sqrt(150)


@pytest.mark.parametrize("rate", [0, 1, -0.1])
def test_rate_that_is_none(rate):
    with pytest.raises(ValueError, match=r"rate must lie in \(0, 1\)"):
        discoveries([], rate)


def test_p_value_is_that_of_the_sequential_test():
    """Later looks count what earlier ones would have ended."""
    assert p_value(record("reproduced", held=15, seeds=20)) == 2 * at_least(20, 15, 0.5)
    assert p_value(record("reproduced", held=15, seeds=20)) > 2 * stats.binom.sf(14, 20, 0.5)
