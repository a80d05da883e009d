"""Verdicts against counting every sequence, and against what they must not depend on."""

import itertools
import math
import statistics
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from claimbench.judging.rules import LOOKS, judge, median_coverage, median_interval, next_look

INF = math.inf
GRID = [i / 50 for i in range(1, 50)]

derandomized = settings(derandomize=True, max_examples=200, deadline=None)
outcome_lists = st.lists(st.booleans(), max_size=30)
designs = st.one_of(
    st.tuples(st.just("typical"), st.integers(6, 40)),
    st.tuples(st.just("every"), st.integers(1, 10)),
)
numbers = st.floats(allow_nan=False)


def seeds(text):
    """One outcome a character: + holds, - does not."""
    return [character == "+" for character in text]


@pytest.mark.parametrize(
    ("outcomes", "verdict", "used", "held"),
    [
        ("++++++", "reproduced", 6, 6),
        ("------", "diverged", 6, 0),
        ("+++++-+++", "reproduced", 9, 8),
        ("-----+---", "diverged", 9, 1),
        ("+++++--+++++", "reproduced", 12, 10),
        ("-----++-----", "diverged", 12, 2),
        ("+++++---+++++++++-+-", "reproduced", 20, 15),
        ("-----+++---------+-+", "diverged", 20, 5),
        ("+++++---+++++++++---", "undecided", 20, 14),
        ("+++++", "undecided", 5, 5),
        ("+++++-++", "undecided", 8, 7),
        ("+++++---+++++++++-+", "undecided", 19, 15),
    ],
)
def test_typical_decides_at_the_boundaries(outcomes, verdict, used, held):
    judgement = judge(seeds(outcomes))
    assert (judgement.verdict, judgement.seeds, judgement.held) == (verdict, used, held)
    assert judgement.share == held / used
    assert judgement.final == (verdict != "undecided" or used == 20)


@pytest.mark.parametrize(
    ("outcomes", "max_seeds", "verdict", "final"),
    [
        ("+++++-+", 7, "undecided", True),
        ("+++++-+-++", 10, "undecided", True),
        ("+++++-+-+++", 11, "reproduced", True),
        ("+++++-+-+++", 20, "undecided", False),
        ("-----+-+---", 11, "diverged", True),
        ("+++++---+++++++++---++++", 24, "reproduced", True),
        ("+++++---+++++++++---+++-", 24, "undecided", True),
    ],
)
def test_typical_last_look_at_max_seeds(outcomes, max_seeds, verdict, final):
    judgement = judge(seeds(outcomes), max_seeds=max_seeds)
    assert (judgement.verdict, judgement.final) == (verdict, final)


def test_typical_first_deciding_look_counts():
    assert judge(seeds("++++++" + "-" * 14)).verdict == "reproduced"
    assert judge(seeds("+++++-" + "-" * 14)).verdict == "diverged"


@pytest.mark.parametrize(
    ("outcomes", "verdict", "final", "used", "held"),
    [
        ("", "undecided", False, 0, 0),
        ("++", "undecided", False, 2, 2),
        ("+++", "reproduced", True, 3, 3),
        ("-", "diverged", True, 1, 0),
        ("+-", "diverged", True, 2, 1),
        ("+-+", "diverged", True, 2, 1),
        ("+++-", "reproduced", True, 3, 3),
    ],
)
def test_every_decides_at_the_first_failure(outcomes, verdict, final, used, held):
    judgement = judge(seeds(outcomes), "every")
    assert (judgement.verdict, judgement.final) == (verdict, final)
    assert (judgement.seeds, judgement.held) == (used, held)


@pytest.mark.parametrize("rule", ["every", "typical"])
def test_no_outcomes_are_undecided(rule):
    judgement = judge([], rule)
    assert (judgement.verdict, judgement.final) == ("undecided", False)
    assert (judgement.held, judgement.seeds, judgement.share) == (0, 0, 0.0)
    assert judgement.interval == (0.0, 1.0)
    assert judgement.more_seeds is None


@derandomized
@given(outcome_lists, outcome_lists, designs)
def test_nothing_after_a_final_judgement_is_read(outcomes, more, design):
    rule, max_seeds = design
    judgement = judge(outcomes, rule, max_seeds=max_seeds)
    longer = judge(outcomes + more, rule, max_seeds=max_seeds)
    assert longer == judgement or not judgement.final
    used = judge(outcomes[: judgement.seeds], rule, max_seeds=max_seeds)
    assert used == judgement


@derandomized
@given(st.lists(st.booleans(), min_size=40, max_size=40), designs)
def test_running_from_look_to_look_agrees_with_judging_all(stored, design):
    rule, max_seeds = design
    ran = 0
    judgement = judge([], rule, max_seeds=max_seeds)
    while not judgement.final:
        total = next_look(rule, ran, max_seeds)
        assert total is not None
        assert ran < total <= max_seeds
        ran = total
        judgement = judge(stored[:ran], rule, max_seeds=max_seeds)
    assert judgement == judge(stored, rule, max_seeds=max_seeds)
    assert judgement.seeds == ran


@derandomized
@given(outcome_lists, st.integers(6, 40))
def test_typical_treats_both_sides_alike(outcomes, max_seeds):
    judgement = judge(outcomes, max_seeds=max_seeds)
    swapped = judge([not held for held in outcomes], max_seeds=max_seeds)
    names = {"reproduced": "diverged", "diverged": "reproduced", "undecided": "undecided"}
    low, high = judgement.interval
    assert swapped.interval == pytest.approx((1 - high, 1 - low), abs=1e-12)
    assert swapped.held == judgement.seeds - judgement.held
    assert swapped.verdict == names[judgement.verdict]
    assert (swapped.final, swapped.seeds) == (judgement.final, judgement.seeds)
    assert (swapped.power, swapped.more_seeds) == (judgement.power, judgement.more_seeds)


@derandomized
@given(outcome_lists, st.randoms(use_true_random=False))
def test_typical_order_between_two_looks_does_not_matter(outcomes, random):
    shuffled = []
    for start, stop in itertools.pairwise([0, *LOOKS]):
        stage = outcomes[start:stop]
        random.shuffle(stage)
        shuffled += stage
    assert judge(shuffled) == judge(outcomes[:20])


@derandomized
@given(outcome_lists, st.data())
def test_one_more_seed_that_holds_never_lowers_the_verdict(outcomes, data):
    index = data.draw(st.integers(0, max(0, len(outcomes) - 1)))
    better = [*outcomes[:index], True, *outcomes[index + 1 :]][: len(outcomes)]
    for rule in ("typical", "every"):
        order = ["diverged", "undecided", "reproduced"]
        before, after = judge(outcomes, rule), judge(better, rule)
        assert order.index(before.verdict) <= order.index(after.verdict)


def test_a_seed_that_holds_may_be_any_true_value():
    assert judge([1, 1, 1, 1, 1, 1]) == judge([True] * 6)  # type: ignore[list-item]


@pytest.mark.parametrize("max_seeds", [6, 8, 9, 11, 12])
def test_typical_error_by_judging_every_sequence(max_seeds):
    verdicts = [
        judge(outcomes, max_seeds=max_seeds).verdict
        for outcomes in itertools.product((False, True), repeat=max_seeds)
    ]
    assert 0 < verdicts.count("reproduced") / 2**max_seeds <= 0.05
    assert verdicts.count("reproduced") == verdicts.count("diverged")


@pytest.fixture(scope="module")
def twenty():
    """Each way in which the counts of the four stages of twenty seeds can come out.

    Returns triples: how many sequences, seeds that hold in all, the judgement.
    """
    stages = [b - a for a, b in itertools.pairwise([0, *LOOKS])]
    return [
        (
            math.prod(math.comb(n, k) for n, k in zip(stages, counts, strict=True)),
            sum(counts),
            judge([i < k for n, k in zip(stages, counts, strict=True) for i in range(n)]),
        )
        for counts in itertools.product(*(range(n + 1) for n in stages))
    ]


def probability(twenty, p, accept):
    return math.fsum(
        count * p**held * (1 - p) ** (20 - held)
        for count, held, judgement in twenty
        if accept(judgement)
    )


def test_typical_error_of_twenty_seeds(twenty):
    assert sum(count for count, _, _ in twenty) == 2**20
    for verdict in ("reproduced", "diverged"):
        wrong = sum(count for count, _, judgement in twenty if judgement.verdict == verdict)
        assert wrong / 2**20 == pytest.approx(0.0466, abs=5e-5)


def test_typical_interval_excludes_one_half_exactly_when_decided(twenty):
    for _, _, judgement in twenty:
        low, high = judgement.interval
        assert (low > 0.5) == (judgement.verdict == "reproduced")
        assert (high < 0.5) == (judgement.verdict == "diverged")


def test_typical_interval_covers_at_90_percent(twenty):
    for p in GRID:
        low = probability(twenty, p, lambda judgement, p=p: judgement.interval[0] > p)
        high = probability(twenty, p, lambda judgement, p=p: judgement.interval[1] < p)
        assert max(low, high) <= 0.05 + 1e-12


def test_typical_power_is_the_share_shown_in_80_percent(twenty):
    power = judge([]).power
    shown = probability(twenty, power, lambda judgement: judgement.verdict == "reproduced")
    assert shown == pytest.approx(0.8, abs=1e-9)


@pytest.mark.parametrize("held", range(7))
def test_typical_single_look_agrees_with_scipy(held):
    judgement = judge([i < held for i in range(6)], max_seeds=6)
    above = stats.binomtest(held, 6, alternative="greater").pvalue <= 0.05
    below = stats.binomtest(held, 6, alternative="less").pvalue <= 0.05
    assert (judgement.verdict == "reproduced") == above
    assert (judgement.verdict == "diverged") == below
    exact = stats.binomtest(held, 6).proportion_ci(0.9, "exact")
    assert judgement.interval == pytest.approx((exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize("max_seeds", [1, 2, 3, 5, 10])
def test_every_interval_covers_at_90_percent(max_seeds):
    ends = [[True] * j + [False] for j in range(max_seeds)] + [[True] * max_seeds]
    for p in GRID:
        low = high = 0.0
        for outcomes in ends:
            chance = p ** sum(outcomes) * (1 - p) ** outcomes.count(False)
            bounds = judge(outcomes, "every", max_seeds=max_seeds).interval
            low += chance * (bounds[0] > p)
            high += chance * (bounds[1] < p)
        assert max(low, high) <= 0.05 + 1e-12


def test_every_interval_worked_by_hand():
    assert judge(seeds("-"), "every").interval == pytest.approx((0, 0.95))
    assert judge(seeds("++-"), "every").interval == pytest.approx((0.05**0.5, 0.95 ** (1 / 3)))
    assert judge(seeds("+++"), "every").interval == pytest.approx((0.05 ** (1 / 3), 1))
    held = stats.binomtest(3, 3).proportion_ci(0.9, "exact")
    assert judge(seeds("+++"), "every").interval == pytest.approx((held.low, held.high))


@pytest.mark.parametrize("max_seeds", [1, 3, 10])
def test_every_power_is_the_failing_share_exposed_in_80_percent(max_seeds):
    power = judge([], "every", max_seeds=max_seeds).power
    assert 1 - (1 - power) ** max_seeds == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("rule", "max_seeds", "text"),
    [
        ("typical", 20, "20 seeds show a share of 0.79 or more in 80 % of cases"),
        ("typical", 6, "6 seeds show a share of 0.97 or more in 80 % of cases"),
        ("every", 3, "3 seeds expose a share of failing seeds of 0.42 or more in 80 % of cases"),
        ("every", 1, "1 seed exposes a share of failing seeds of 0.80 or more in 80 % of cases"),
    ],
)
def test_power_text(rule, max_seeds, text):
    assert judge([], rule, max_seeds=max_seeds).power_text == text


@pytest.mark.parametrize(
    ("outcomes", "rule", "max_seeds", "more"),
    [
        ("+++", "typical", 20, 3),
        ("+-" * 10, "typical", 20, None),
        ("+++++---+++++++++---", "typical", 20, 46),
        ("-----+++---------+++", "typical", 20, 46),
        ("++++++", "typical", 20, None),
        ("+++++-+-+++", "typical", 11, None),
        ("+++++-+", "typical", 8, 1),
        ("+", "every", 3, 2),
        ("++", "every", 3, 1),
        ("+++", "every", 3, None),
        ("+-", "every", 3, None),
    ],
)
def test_more_seeds(outcomes, rule, max_seeds, more):
    assert judge(seeds(outcomes), rule, max_seeds=max_seeds).more_seeds == more


@pytest.mark.parametrize(
    ("rule", "max_seeds", "expected"),
    [
        ("typical", 20, [6, 9, 12, 20]),
        ("typical", 10, [6, 9, 10]),
        ("typical", 6, [6]),
        ("typical", 30, [6, 9, 12, 20, 30]),
        ("every", 3, [1, 2, 3]),
        ("every", 1, [1]),
    ],
)
def test_next_look_walks_the_design(rule, max_seeds, expected):
    walked = []
    look = next_look(rule, 0, max_seeds)
    while look is not None:
        walked.append(look)
        look = next_look(rule, look, max_seeds)
    assert walked == expected


@pytest.mark.parametrize(("so_far", "expected"), [(5, 6), (7, 9), (13, 20), (19, 20), (25, None)])
def test_next_look_from_between_two_looks(so_far, expected):
    assert next_look("typical", so_far, 20) == expected


UNKNOWN = "unknown rule `mostly`; the rules are every and typical"


@pytest.mark.parametrize(
    ("rule", "max_seeds", "message"),
    [
        ("mostly", 20, UNKNOWN),
        ("typical", 5, "rule `typical` takes a max_seeds of 6 to 200, got 5"),
        ("typical", 201, "rule `typical` takes a max_seeds of 6 to 200, got 201"),
        ("every", 0, "rule `every` takes a max_seeds of 1 to 200, got 0"),
    ],
)
def test_design_that_does_not_exist(rule, max_seeds, message):
    with pytest.raises(ValueError, match=r"rule") as error:
        judge([True], rule, max_seeds=max_seeds)
    assert str(error.value) == message
    with pytest.raises(ValueError, match=r"rule") as error:
        next_look(rule, 0, max_seeds)
    assert str(error.value) == message


def test_unknown_rule_without_max_seeds():
    with pytest.raises(ValueError, match=UNKNOWN):
        judge([True], "mostly")


@pytest.mark.parametrize("count", range(1, 14))
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
def test_median_coverage_by_counting_signs(count, confidence):
    covered = 0
    for signs in itertools.product((-1, 1), repeat=count):
        _, low, high = median_interval([sign * (i + 1) for i, sign in enumerate(signs)], confidence)
        covered += low <= 0 <= high
    assert covered / 2**count == median_coverage(count, confidence)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("count", [1, 4, 5, 8, 20, 101, 2000])
def test_median_interval_is_the_shortest_that_reaches_the_confidence(count, confidence):
    _, low, high = median_interval(range(count), confidence)
    rank = int(low) + 1
    assert high == count - rank
    below = stats.binom(count, 0.5).cdf
    assert 1 - 2 * below(rank - 1) >= confidence or rank == 1
    assert 1 - 2 * below(rank) < confidence


def test_median_interval_of_too_few_values_is_the_range():
    assert median_interval([3.0, 1.0, 2.0, 7.0]) == (2.5, 1.0, 7.0)
    assert median_coverage(4) == 0.875
    assert median_coverage(5) == 0.9375
    assert median_interval([4.0]) == (4.0, 4.0, 4.0)
    assert median_coverage(1) == 0.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([INF] * 6, (INF, INF, INF)),
        ([-INF, 0.0, INF], (0.0, -INF, INF)),
        ([-INF, INF], (-INF, -INF, INF)),
        ([1.0, INF], (INF, 1.0, INF)),
        ([-INF, 1.0], (-INF, -INF, 1.0)),
        ([INF, *range(7)], (3.5, 1.0, 6.0)),
        ([1.5 * 2.0**1023, 2.0**1023], (1.25 * 2.0**1023, 2.0**1023, 1.5 * 2.0**1023)),
    ],
)
def test_median_interval_of_infinite_and_huge_values(values, expected):
    assert median_interval(values) == expected


@derandomized
@given(st.lists(numbers, min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_median_interval_holds_the_median(values, confidence):
    median, low, high = median_interval(values, confidence)
    assert low <= median <= high
    assert {low, high} <= set(values)
    assert median_interval(values[::-1], confidence) == (median, low, high)


@derandomized
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=40))
def test_median_agrees_with_the_standard_library(values):
    assert median_interval(values)[0] == statistics.median(values)


@pytest.mark.parametrize(
    ("values", "confidence", "message"),
    [
        ([], 0.9, "median_interval: give at least one value"),
        ([1.0, math.nan], 0.9, "median_interval: NaN has no place in an order"),
        ([1.0], 1.0, "median_interval: confidence must lie in (0, 1), got 1.0"),
        ([1.0], 0.0, "median_interval: confidence must lie in (0, 1), got 0.0"),
    ],
)
def test_median_interval_refuses(values, confidence, message):
    with pytest.raises(ValueError, match=r"median_interval") as error:
        median_interval(values, confidence)
    assert str(error.value) == message


def test_importing_the_judge_loads_neither_numpy_nor_scipy():
    code = "import sys, claimbench.judging.rules; print({'numpy', 'scipy'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
