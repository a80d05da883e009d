"""The calibration: that its rules are the harness's, and that these err as little as they say."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from claimbench.judging.rules import judge
from claimbench.judging.sequential import ALPHA, boundary, looks
from claimbench.spec.region import Region
from tests.calibrate import rules
from tests.calibrate.__main__ import main
from tests.calibrate.page import COMMAND, FAST, edge, markdown, measure, plot
from tests.calibrate.samples import KINDS, kind
from tests.calibrate.tables import CASES, INSIDE, MEAN, MEDIAN, OUTSIDE, SEEDS, bound

WORDS = {1: "reproduced", -1: "diverged", 0: "undecided"}
NAMES = [kind.name for kind in KINDS]


@pytest.fixture(scope="module")
def results():
    return measure(FAST)


def noise(share, count=FAST):
    """Four standard deviations of a simulated share."""
    return 4 * math.sqrt(share * (1 - share) / count)


def at_bound(results, name, rule):
    """The row in which a rule stands at its own bound."""
    row = edge(results.rows, name, rule)
    assert row is not None
    return row


def draws(name, count=60):
    return kind(name).draw(np.random.default_rng(5), (count, SEEDS))


def words(judged):
    verdicts, seeds = judged
    return [(WORDS[int(v)], int(n)) for v, n in zip(verdicts, seeds, strict=True)]


def regions(name):
    """One region of one end for each case, and two of two ends."""
    one = kind(name)
    ends = [Region(at_least=bound(one, case)) for case in CASES]
    wide = Region(between=(one.mean - one.sd, one.mean + one.sd))
    narrow = Region(between=(one.mean - one.sd / 4, one.mean + one.sd / 4))
    return [*ends, wide, narrow]


@pytest.mark.parametrize("name", NAMES)
def test_rules_are_those_of_the_harness(name):
    values = draws(name)
    for region in regions(name):
        outcomes = [[region.holds(x) for x in row] for row in values.tolist()]
        ends = region.lower, region.upper
        for rule, most, judged in (
            ("typical", 20, rules.typical(values, *ends)),
            ("every", 3, rules.every(values, *ends)),
            ("every", 1, rules.one_seed(values, *ends)),
        ):
            ours = [judge(row, rule, max_seeds=most) for row in outcomes]
            assert words(judged) == [(j.verdict, j.seeds) for j in ours]


@pytest.mark.parametrize("name", ["normal", "coarse", "exponential"])
@pytest.mark.parametrize("seeds", [(5,), (10,), (5, 8, 12, 20)])
def test_t_interval_by_scipy(name, seeds):
    values, region = draws(name), regions(name)[-2]
    for row, said in zip(
        values,
        words(rules.t_interval(values, region.lower, region.upper, seeds=seeds)),
        strict=True,
    ):
        expected = ("undecided", seeds[-1])
        for n in seeds:
            if row[:n].min() == row[:n].max():
                continue
            low, high = stats.t.interval(0.9, n - 1, row[:n].mean(), stats.sem(row[:n]))
            if region.lower <= low and high <= region.upper:
                expected = ("reproduced", n)
            elif high <= region.lower or low >= region.upper:
                expected = ("diverged", n)
            if expected[0] != "undecided":
                break
        assert said == expected


@pytest.mark.parametrize("runs", [5, 10])
def test_reference_convergence_by_scipy(runs):
    values = np.random.default_rng(6).normal(-0.6, 1, (200, runs))
    reference = np.random.default_rng(7).normal(0, 1, (200, 20))
    verdicts, seeds = rules.reference_convergence(values, reference, runs=runs)
    assert set(verdicts) == {1, -1}
    assert set(seeds) == {3 * runs}
    for row, against, verdict in zip(values, reference, verdicts, strict=True):
        few, many = sorted(row)[1:-1], sorted(against[: 2 * runs])[1:-1]
        sd = np.std(many)
        # with the same sd on both sides a pooled test has that sd
        two_sided = stats.ttest_ind_from_stats(
            np.mean(few), sd, len(few), np.mean(many), sd, len(many)
        )
        p = two_sided.pvalue / 2 if two_sided.statistic < 0 else 1 - two_sided.pvalue / 2
        assert verdict == (1 if p > 0.05 else -1)


def test_reference_convergence_without_variance():
    verdicts, _ = rules.reference_convergence(
        np.array([[1.0] * 5, [2.0] * 5, [3.0] * 5]), np.full((3, 10), 2.0), runs=5
    )
    assert verdicts.tolist() == [-1, 1, 1]


def test_with_control():
    claim = np.array([1, 1, 1, 0, -1]), np.array([6, 6, 9, 20, 6])
    control = np.array([-1, 0, 1, 1, 1]), np.array([6, 20, 9, 6, 6])
    verdicts, seeds = rules.with_control(claim, control)
    assert verdicts.tolist() == [
        *("reproduced", "inconclusive", "vacuous", "inconclusive", "diverged")
    ]
    assert seeds.tolist() == [12, 26, 18, 20, 6]


@pytest.mark.parametrize("name", NAMES[:-1])
def test_truth_of_a_kind(name):
    one = kind(name)
    values = one.draw(np.random.default_rng(8), (100_000, 1))[:, 0]
    assert values.mean() == pytest.approx(one.mean, abs=4 * one.sd / math.sqrt(len(values)))
    assert values.std() == pytest.approx(one.sd, rel=0.1)
    for case in CASES:
        share = one.share(bound(one, case))
        assert np.mean(values >= bound(one, case)) == pytest.approx(
            share, abs=noise(share, len(values)) + 1e-12
        )
    assert one.share(one.median) == pytest.approx(0.5)


def counted_error(max_seeds, p):
    """P(reproduced) and P(diverged) of `typical`, look by look over the counts."""
    running, start, ends = {0: 1.0}, 0, [0.0, 0.0]
    for look in looks(max_seeds):
        after: dict[int, float] = {}
        for held, chance in running.items():
            for more in range(look - start + 1):
                step = math.comb(look - start, more) * p**more * (1 - p) ** (look - start - more)
                after[held + more] = after.get(held + more, 0.0) + chance * step
        least = boundary(look)
        ends[0] += sum(c for held, c in after.items() if held >= least)
        ends[1] += sum(c for held, c in after.items() if look - held >= least)
        running = {h: c for h, c in after.items() if h < least and look - h < least}
        start = look
    return ends


@pytest.mark.parametrize("max_seeds", range(6, 21))
def test_typical_errs_at_most_5_percent_by_enumeration(max_seeds):
    for p in (0.0, 0.2, 0.4, 0.45, 0.49, 0.5):
        assert counted_error(max_seeds, p)[0] <= ALPHA
        assert counted_error(max_seeds, 1 - p)[1] <= ALPHA
    assert counted_error(max_seeds, 0.6)[0] > counted_error(max_seeds, 0.5)[0]


def test_typical_errs_at_most_5_percent_by_simulation(results):
    rows = [row for row in results.rows if row.rule == "typical"]
    assert len(rows) == len(KINDS) * len(CASES)
    for row in rows:
        exact = tuple(counted_error(20, row.share))
        assert row.exact == pytest.approx(exact, abs=1e-12)
        assert row.reproduced == pytest.approx(exact[0], abs=noise(exact[0]) + 1e-9)
        assert row.diverged == pytest.approx(exact[1], abs=noise(exact[1]) + 1e-9)
        if row.wrong_reproduced:
            assert exact[0] <= ALPHA
        if row.wrong_diverged:
            assert exact[1] <= ALPHA


@pytest.mark.parametrize("name", NAMES[:-1])
def test_at_its_bound_both_words_are_wrong_and_away_one(results, name):
    for rule, case in (("typical", MEDIAN), ("t, 10 seeds", MEAN)):
        row = at_bound(results, name, rule)
        assert row.case == case
        assert row.wrong_reproduced
        assert row.wrong_diverged
    for row in results.rows:
        if row.kind == name and row.case in (INSIDE, OUTSIDE):
            assert row.wrong_reproduced == (row.case == OUTSIDE)
            assert row.wrong_diverged == (row.case == INSIDE and row.rule != "every")


@pytest.mark.parametrize(
    ("name", "rule", "reproduced", "diverged"),
    [
        ("normal", "t, 5 seeds", 0.05, 0.05),
        ("normal", "t, 10 seeds", 0.05, 0.05),
        ("log-normal", "t, 10 seeds", 0.005, 0.204),
        ("exponential", "t, 10 seeds", 0.014, 0.132),
        ("bounded", "t, 10 seeds", 0.103, 0.022),
        ("log-normal", "t, until clear", 0.016, 0.399),
        ("normal", "t, until clear", 0.124, 0.124),
        ("normal", "MLPerf, 5 runs", 0.905, 0.095),
    ],
)
def test_errors_at_the_bound(results, name, rule, reproduced, diverged):
    row = at_bound(results, name, rule)
    assert row.reproduced == pytest.approx(reproduced, abs=noise(reproduced) + 0.001)
    assert row.diverged == pytest.approx(diverged, abs=noise(diverged) + 0.001)


def test_control_at_its_bound_is_rejected_in_at_most_5_percent(results):
    rows = [row for row in results.controls if (row.rule, row.control) == ("typical", "edge")]
    assert len(rows) == len(KINDS)
    for row in rows:
        assert row.shares["reproduced"] <= ALPHA + noise(ALPHA)
        assert sum(row.shares.values()) == pytest.approx(1)


def test_committed_page_is_the_present_text(results, request):
    """The words of docs/calibration.md; if this fails, run the command that it names."""

    def wording(text):
        kept = [line for line in text.splitlines() if not line.startswith("|")]
        return re.sub(r"[\d.,]*\d", "#", "\n".join(kept)).split()

    committed = (request.config.rootpath / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert wording(committed) == wording(markdown(results))
    assert COMMAND in committed


def test_plot_is_the_same_twice(results, tmp_path):
    for name in ("one.svg", "two.svg"):
        plot(results, tmp_path / name)
    first = (tmp_path / "one.svg").read_bytes()
    assert first == (tmp_path / "two.svg").read_bytes()
    assert first.startswith(b"<?xml")
    assert b"dc:date" not in first


def test_command(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.calibrate.__main__.FAST", 200)
    assert main(["--fast"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# How often is a verdict wrong?")
    assert main(["--fast", "--out", str(tmp_path / "docs")]) == 0
    assert capsys.readouterr().out == ""
    assert f"{(tmp_path / 'docs' / 'calibration.md').read_text(encoding='utf-8')}\n" == printed
    assert (tmp_path / "docs" / "calibration.svg").exists()
