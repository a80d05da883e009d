"""Verdicts of the rule `mean`, against t tests of scipy and what they must not depend on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from claimbench.judging import group_t
from claimbench.judging.rules import judge, judge_mean, next_look
from claimbench.spec import Region

INF = math.inf
ABOVE = Region(at_least=0)

derandomized = settings(derandomize=True, max_examples=200, deadline=None)
values_lists = st.lists(st.floats(-3, 5, width=16), max_size=30)
regions = st.sampled_from(
    [ABOVE, Region(below=1), Region(between=(-1, 1.5)), Region(equals=1, abs=0.1)]
)
LOOKS = st.sampled_from(group_t.LOOKS)


def expected(values, region, max_seeds):
    """Verdict and seeds by scipy's t tests."""
    lower, upper = region.lower, region.upper
    both = math.isfinite(lower) and math.isfinite(upper)
    for look in (5, 8, 12, 20):
        seen = values[:look]
        if look > min(len(values), max_seeds) or min(seen) == max(seen):
            continue

        def p(bound, side, seen=seen):
            return stats.ttest_1samp(seen, bound, alternative=side).pvalue

        inside = [p(lower, "greater")] if math.isfinite(lower) else []
        inside += [p(upper, "less")] if math.isfinite(upper) else []
        outside = [p(lower, "less")] if math.isfinite(lower) else []
        outside += [p(upper, "greater")] if math.isfinite(upper) else []
        if max(inside) <= 0.01771:
            return "reproduced", look
        if min(outside) <= (0.00822 if both else 0.01771):
            return "diverged", look
    return "undecided", min(len(values), max_seeds)


@derandomized
@given(values_lists, regions, LOOKS)
def test_verdict_agrees_with_t_tests_of_scipy(values, region, max_seeds):
    judgement = judge_mean(values, region, max_seeds=max_seeds)
    assert (judgement.verdict, judgement.seeds) == expected(values, region, max_seeds)
    decided = judgement.verdict != "undecided"
    assert judgement.final == (decided or judgement.seeds == max_seeds)
    assert judgement.held == sum(region.holds(value) for value in values[: judgement.seeds])
    assert judgement.share == (judgement.held / judgement.seeds if judgement.seeds else 0)
    assert judgement.power == group_t.SHIFTS[max_seeds]
    assert (judgement.rule, judgement.max_seeds) == ("mean", max_seeds)


@derandomized
@given(values_lists, values_lists, regions, LOOKS)
def test_nothing_after_a_final_judgement_is_read(values, more, region, max_seeds):
    judgement = judge_mean(values, region, max_seeds=max_seeds)
    longer = judge_mean(values + more, region, max_seeds=max_seeds)
    assert longer == judgement or not judgement.final
    assert judge_mean(values[: judgement.seeds], region, max_seeds=max_seeds) == judgement


@derandomized
@given(values_lists, regions, LOOKS)
def test_a_decision_stays_when_max_seeds_is_raised(values, region, max_seeds):
    before = judge_mean(values, region, max_seeds=max_seeds)
    after = judge_mean(values, region)
    if before.verdict != "undecided":
        assert (after.verdict, after.seeds) == (before.verdict, before.seeds)


@derandomized
@given(values_lists, LOOKS)
def test_sides_are_alike(values, max_seeds):
    judgement = judge_mean(values, Region(at_least=0.5), max_seeds=max_seeds)
    mirrored = judge_mean([-value for value in values], Region(at_most=-0.5), max_seeds=max_seeds)
    opposite = judge_mean(values, Region(below=0.5), max_seeds=max_seeds)
    names = {"reproduced": "diverged", "diverged": "reproduced", "undecided": "undecided"}
    assert (mirrored.verdict, mirrored.seeds) == (judgement.verdict, judgement.seeds)
    assert mirrored.interval == judgement.interval
    assert opposite.verdict == names[judgement.verdict]
    assert opposite.more_seeds == judgement.more_seeds


@derandomized
@given(st.lists(st.floats(0.01, 100), max_size=20), LOOKS)
def test_log_scale_is_the_rule_on_logarithms(values, max_seeds):
    judgement = judge_mean(values, Region(between=(0.5, 2)), scale="log", max_seeds=max_seeds)
    logs = judge_mean(
        [math.log(value) for value in values],
        Region(between=(math.log(0.5), math.log(2))),
        max_seeds=max_seeds,
    )
    assert (judgement.verdict, judgement.seeds) == (logs.verdict, logs.seeds)
    if logs.estimate is not None and max(map(abs, logs.estimate)) < 700:
        assert judgement.estimate == pytest.approx([math.exp(x) for x in logs.estimate])


def test_estimate_excludes_the_bound_when_decided():
    values = [0.4, 1.9, 1.1, 0.8, 1.6]
    judgement = judge_mean(values, ABOVE)
    assert judgement.verdict == "reproduced"
    half = stats.t.isf(0.01771, 4) * stats.sem(values)
    mean = np.mean(values)
    assert judgement.estimate == pytest.approx((mean, mean - half, mean + half))
    undecided = judge_mean(values, Region(at_least=float(mean - 0.9 * half)))
    assert undecided.verdict == "undecided"
    assert not undecided.final
    assert judge_mean(values, Region(at_least=float(mean - 1.1 * half))).verdict == "reproduced"


def test_no_values():
    judgement = judge_mean([], ABOVE)
    assert (judgement.verdict, judgement.final, judgement.seeds) == ("undecided", False, 0)
    assert (judgement.interval, judgement.estimate) == ((0.0, 1.0), None)
    assert judgement.more_seeds is None


@pytest.mark.parametrize("count", [1, 4])
def test_fewer_values_than_the_first_look(count):
    judgement = judge_mean([100.0 + i / 10 for i in range(count)], ABOVE)
    assert (judgement.verdict, judgement.final, judgement.seeds) == ("undecided", False, count)
    assert judgement.estimate is not None


def test_equal_values_show_nothing():
    judgement = judge_mean([7.0] * 20, ABOVE)
    assert (judgement.verdict, judgement.final, judgement.held) == ("undecided", True, 20)
    assert judgement.estimate == (7.0, -INF, INF)
    assert judgement.more_seeds is None
    assert judge_mean([7.0] * 7 + [7.5], ABOVE).verdict == "reproduced"


@pytest.mark.parametrize("infinite", [INF, -INF])
@pytest.mark.parametrize("scale", [None, "log"])
def test_infinite_value_diverges_at_the_first_look_with_it(infinite, scale):
    if scale == "log" and infinite < 0:
        with pytest.raises(ValueError, match="positive"):
            judge_mean([infinite], Region(at_least=1), scale=scale)
        return
    values = [0.2, 1.5, 0.4, 0.9, 1.4, infinite, 1.0, 1.0]
    early = judge_mean(values[:5], Region(at_least=1), scale=scale)
    assert early.verdict == "undecided"
    judgement = judge_mean(values, Region(at_least=1), scale=scale)
    assert (judgement.verdict, judgement.seeds) == ("diverged", 8)
    assert judgement.estimate is None
    decided = judge_mean([1.2, 1.5, 1.4, 1.3, 1.4, infinite], Region(at_least=1), scale=scale)
    assert (decided.verdict, decided.seeds) == ("reproduced", 5)


@pytest.mark.parametrize("max_seeds", [5, 8, 12, 20])
def test_next_look_walks_the_looks(max_seeds):
    walked, look = [], next_look("mean", 0, max_seeds)
    while look is not None:
        walked.append(look)
        look = next_look("mean", look, max_seeds)
    assert walked == [look for look in (5, 8, 12, 20) if look <= max_seeds]
    assert next_look("mean", 6, 20) == 8


@pytest.mark.parametrize(
    ("max_seeds", "text"),
    [
        (20, "20 seeds show a mean that lies 0.67 standard deviations or more from a bound in "),
        (5, "5 seeds show a mean that lies 1.86 standard deviations or more from a bound in "),
    ],
)
def test_power_text(max_seeds, text):
    assert judge_mean([], ABOVE, max_seeds=max_seeds).power_text == text + "80 % of cases"


@pytest.mark.parametrize("max_seeds", [4, 7, 21])
def test_max_seeds_is_a_look(max_seeds):
    message = rf"^rule `mean` takes a max_seeds of 5, 8, 12 or 20, got {max_seeds}$"
    with pytest.raises(ValueError, match=message):
        judge_mean([], ABOVE, max_seeds=max_seeds)
    with pytest.raises(ValueError, match=message):
        next_look("mean", 0, max_seeds)


@pytest.mark.parametrize(
    ("values", "bound", "message"),
    [
        ([1.0, 0.0], 1.0, "`scale: log` takes positive numbers, got a value of 0.0"),
        ([1.0], 0.0, "`scale: log` takes positive numbers, got a bound of 0.0"),
    ],
)
def test_log_scale_refuses(values, bound, message):
    with pytest.raises(ValueError, match=message):
        judge_mean(values, Region(at_least=bound), scale="log")


def test_other_refusals():
    class Everything:
        lower, upper = -INF, INF

        def holds(self, value: float) -> bool:
            return True

    with pytest.raises(ValueError, match="needs a region with a finite end"):
        judge_mean([1.0], Everything())
    with pytest.raises(ValueError, match=r"judges values, not outcomes: call judge_mean"):
        judge([True], "mean")
    with pytest.raises(ValueError, match="no NaN"):
        judge_mean([math.nan] * 5, ABOVE)


ERRORS = [
    ("normal", "mean", "normal"),
    ("log-normal", "mean", "log-normal, σ = 1"),
    ("log-normal", "mean, log", "the same with scale: log"),
    ("exponential", "mean", "exponential"),
    ("exponential", "mean, log", "the same with scale: log"),
    ("t, 3 degrees", "mean", "t, 3 degrees of freedom"),
    ("bounded", "mean", "Beta(5, 1)"),
    ("bimodal", "mean", "bimodal, 70 % and 30 %"),
    ("coarse", "mean", "coarse, four values, skewed"),
]


def test_docstring_says_what_the_calibration_page_says(request):
    page = (request.config.rootpath / "docs" / "calibration.md").read_text(encoding="utf-8")
    section = page.split("\n## ")[1]
    titles, _, *body = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in section.splitlines()
        if line.startswith("|")
    )
    cells = {row[0]: dict(zip(titles, row, strict=True)) for row in body}
    tabled = [
        f"{text:30}{first:>9}{second:>10}"
        for kind, rule, text in ERRORS
        for first, second in [cells[kind][rule].split(",")[0].split(" / ")]
    ]
    assert "\n".join(f"        {line}" for line in tabled) in (judge_mean.__doc__ or "")
