"""Our sentence for each error that the models find, at its place."""

import pytest

from claimbench.spec import explain
from claimbench.spec.base import Model
from claimbench.spec.models import (
    Amendment,
    Claim,
    ClaimsFile,
    Experiment,
    Known,
    Paper,
    Removal,
    Seeds,
)
from tests.spec.lion import edited, told

MODELS: list[type[Model]] = [Amendment, Claim, ClaimsFile, Experiment, Known, Paper, Removal, Seeds]

LOWER = "claim `lower-loss`: "
HALF = "claim `half-the-state`: "

ONE = [
    # unknown and missing keys
    (
        ("    expect: {loss", "    expects: {loss"),
        (21, "expects", LOWER + "unknown key `expects`; did you mean `expect`?"),
    ),
    (
        ("  theme:", "  colour: red\n  theme:"),
        (
            6,
            "colour",
            "paper: unknown key `colour`; allowed are title, arxiv, url, year, authors, code, "
            "theme",
        ),
    ),
    (
        ("{above: 0}", "{above: 0, at_lest: 1}"),
        (
            21,
            "at_lest",
            LOWER + "`expect.loss_gap`: unknown key `at_lest`; did you mean `at_least`?",
        ),
    ),
    (
        ("seeds: {max: 12}", "rule: typically"),
        (
            24,
            "typically",
            LOWER + "`rule` must be every or typical, found `typically`; did you mean `typical`?",
        ),
    ),
    (
        ("seeds: {max: 12}", "rule: mean"),
        (24, "mean", LOWER + "`rule` must be every or typical, found `mean`"),
    ),
    (
        ("seeds: {max: 12}", "scale: log"),
        (
            24,
            "scale",
            LOWER
            + "unknown key `scale`; allowed are id, statement, source, headline, kind, fidelity, "
            "deviation, experiment, expect, controls, from, rule, seeds, reported, known, amended, "
            "supersedes",
        ),
    ),
    (
        ("paper:\n", "papers: {}\npaper:\n"),
        (1, "papers", "unknown key `papers`; did you mean `paper`?"),
    ),
    (
        ('    source: "abstract; Fig. 1"\n', ""),
        (
            14,
            "id",
            LOWER + "no `source`: add the section, figure or theorem the claim is taken from, "
            "or `derived (…)`",
        ),
    ),
    (
        ("  - id: lower-loss\n    statement", "  - statement"),
        (14, "statement", "claim 1: no `id`: add a name in kebab-case, such as `half-the-state`"),
    ),
    (("  year: 2023\n", ""), (1, "paper", "paper: no `year`: add the year of the first version")),
    # types
    (
        ('"2302.06675"', "2302.06670"),
        (
            3,
            "2302.06670",
            "paper: `arxiv` must be text, found the number 2302.06670; write it in quotes: "
            '"2302.06670"',
        ),
    ),
    (
        ("title: Symbolic Discovery of Optimization Algorithms", "title: 1984"),
        (
            2,
            "1984",
            'paper: `title` must be text, found the number 1984; write it in quotes: "1984"',
        ),
    ),
    (
        ("title: Symbolic Discovery of Optimization Algorithms", "title: [a]"),
        (2, "[a]", "paper: `title` must be text, found a list"),
    ),
    (
        ("year: 2023", 'year: "2023"'),
        (
            4,
            '"2023"',
            "paper: `year` must be a whole number, found `2023`; write it without quotes",
        ),
    ),
    (
        ("year: 2023", "year: 2023.5"),
        (4, "2023.5", "paper: `year` must be a whole number, found the number 2023.5"),
    ),
    (
        ("year: 2023", "year: 23"),
        (4, "23", "paper: `year` must be at least 1900, found the number 23"),
    ),
    (
        ("year: 2023", "year: 20233"),
        (4, "20233", "paper: `year` must be at most 2100, found the number 20233"),
    ),
    (
        ("[Xiangning Chen]", "Xiangning Chen"),
        (5, "Xiangning Chen", "paper: `authors` must be a list, found `Xiangning Chen`"),
    ),
    (
        ("[Xiangning Chen]", "[Xiangning Chen, 3]"),
        (
            5,
            "3",
            'paper: entry 2 of `authors` must be text, found the number 3; write it in quotes: "3"',
        ),
    ),
    (("[Xiangning Chen]", "[]"), (5, "[]", "paper: `authors` must not be empty")),
    (
        ("deterministic: true", "deterministic: yes"),
        (
            12,
            "yes",
            "experiment `memory`: `deterministic` must be true or false, found `yes`",
        ),
    ),
    (
        ("deterministic: true", 'deterministic: "true"'),
        (
            12,
            '"true"',
            "experiment `memory`: `deterministic` must be true or false, found `true`; "
            "write it without quotes",
        ),
    ),
    (
        ("timeout: {smoke: 5}", "timeout: 5"),
        (
            10,
            "5",
            "experiment `digits`: `timeout` must be a mapping of tier to seconds, such as "
            "{smoke: 30}, found the number 5",
        ),
    ),
    (
        ("timeout: {smoke: 5}", "timeout: {fast: 5}"),
        (
            10,
            "fast",
            "experiment `digits`: unknown tier `fast` in `timeout`; the tiers are smoke, "
            "standard, full",
        ),
    ),
    (
        ("timeout: {smoke: 5}", "timeout: {smoke: 0}"),
        (10, "0", "experiment `digits`: `timeout.smoke` must be above 0, found the number 0"),
    ),
    (
        ("smoke: {steps: 60}", "smoke: 60"),
        (9, "60", "experiment `digits`: `smoke` must be a mapping, found the number 60"),
    ),
    (
        ("smoke: {steps: 60}", "smoke: {steps: [.inf]}"),
        (
            9,
            "smoke",
            "experiment `digits`: `smoke`: arguments are JSON values, and inf is not one; write "
            "null for none",
        ),
    ),
    (
        ("timeout: {smoke: 5}", "precision: float16"),
        (
            10,
            "float16",
            "experiment `digits`: `precision` must be float32 or float64, found `float16`; did "
            "you mean `float64`?",
        ),
    ),
    (
        ("\n    deterministic: true", ""),
        (
            11,
            "memory",
            "experiment `memory`: it must be a mapping, found nothing; write `{}` for its defaults",
        ),
    ),
    (
        ("kind: comparison", "kind: comparision"),
        (
            17,
            "comparision",
            LOWER + "`kind` must be exact, rate, number, comparison, speed or shape, found "
            "`comparision`; did you mean `comparison`?",
        ),
    ),
    (
        ("seeds: {max: 12}", "from: never"),
        (24, "never", LOWER + "`from` must be smoke, standard or full, found `never`"),
    ),
    (
        ("seeds: {max: 12}", "seeds: 12"),
        (24, "12", LOWER + "`seeds` must be a mapping, such as {max: 12}, found the number 12"),
    ),
    (
        ("id: lower-loss", "id: Lower_loss"),
        (
            14,
            "Lower_loss",
            "claim `Lower_loss`: `id` must be kebab-case, such as `half-the-state`, found "
            "`Lower_loss`",
        ),
    ),
    (
        ("theme: stochastic-optimizers", "theme: Optimizers"),
        (
            6,
            "Optimizers",
            "paper: `theme` must be kebab-case, such as `stochastic-optimizers`, found "
            "`Optimizers`",
        ),
    ),
    (
        ('"2302.06675"', '"arXiv:2302.06675"'),
        (
            3,
            '"arXiv:2302.06675"',
            'paper: `arxiv` must be an arXiv identifier, such as "2409.03137", found '
            "`arXiv:2302.06675`",
        ),
    ),
    (
        ("  theme:", "  code: github.com/x\n  theme:"),
        (
            6,
            "github.com/x",
            "paper: `code` must be an address that begins with https://, found `github.com/x`",
        ),
    ),
    (
        ("statement: Lion reaches a lower loss than AdamW.", 'statement: " "'),
        (15, '" "', LOWER + "`statement` must not be empty"),
    ),
    # expect
    (
        ("expect: {loss_gap: {above: 0}}", "expect: above 0"),
        (
            21,
            "above 0",
            LOWER + "`expect` must be a mapping of metric to region, such as "
            "{loss_gap: {above: 0}}, found `above 0`",
        ),
    ),
    (
        ("{loss_gap: {above: 0}}", "{loss_gap: 0}"),
        (
            21,
            "0",
            LOWER + "`expect.loss_gap` must be a region, such as {above: 0}, found the number 0",
        ),
    ),
    (("{loss_gap: {above: 0}}", "{}"), (21, "{}", LOWER + "`expect` must not be empty")),
    (
        ("{above: 0}", '{above: "0"}'),
        (
            21,
            '"0"',
            LOWER + "`expect.loss_gap.above` must be a number, found `0`; write it without quotes",
        ),
    ),
    (
        ("{above: 0}", "{above: .nan}"),
        (
            21,
            ".nan",
            LOWER + "`expect.loss_gap.above` must be a finite number, found the number .nan",
        ),
    ),
    (
        ("{above: 0}", "{above: true}"),
        (21, "true", LOWER + "`expect.loss_gap.above` must be a number, found true"),
    ),
    (
        ("{above: 0}", "{between: [1]}"),
        (
            21,
            "[1]",
            LOWER + "`expect.loss_gap.between` must be a list of two numbers, such as "
            "[0.9, 1.1], found 1",
        ),
    ),
    (
        ("{above: 0}", "{between: [1, x]}"),
        (21, "x", LOWER + "entry 2 of `expect.loss_gap.between` must be a number, found `x`"),
    ),
    (
        ("{above: 0}", "{above: 2, below: 1}"),
        (21, "below", LOWER + "`expect.loss_gap`: `above: 2` and `below: 1` leave no number"),
    ),
    (
        ("{above: 0}", "{}"),
        (
            21,
            "loss_gap",
            LOWER + "`expect.loss_gap`: no bound: write at_least, above, at_most, below, between "
            "or equals",
        ),
    ),
    (
        ("{equals: 0.5, abs: 1e-12}", "{equals: 0.5, abs: 0}"),
        (31, "0", HALF + "`expect.state_ratio.abs` must be above 0, found the number 0"),
    ),
    (
        ("{loss_gap: {above: 0}}", "{smoke: {loss_gap: {above: 0}}, loss_gap: {above: 1}}"),
        (
            21,
            "expect",
            LOWER + "`expect` is keyed by metric or by tier, not by both; a metric may not be "
            "called smoke, standard or full",
        ),
    ),
    (
        ("{loss_gap: {above: 0}}", "{smoke: {above: 0}}"),
        (
            21,
            "0",
            LOWER + "`expect.smoke` holds the metrics of a tier, and `above` is none; a metric "
            "may not be called like a tier",
        ),
    ),
    (
        ("{loss_gap: {above: 0}}", "{smoke: {loss_gap: {above: x}}}"),
        (21, "x", LOWER + "`expect.smoke.loss_gap.above` must be a number, found `x`"),
    ),
    # controls, known, amended, reported
    (
        ("controls: {without: {beta1: 0.99}}", "controls: 3"),
        (
            23,
            "3",
            LOWER
            + "`controls` must be a mapping of name to arguments, such as {no-momentum: {beta: "
            "0}}, found the number 3",
        ),
    ),
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {without: {}}"),
        (23, "{}", LOWER + "`controls.without` must not be empty"),
    ),
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {}"),
        (23, "{}", LOWER + "`controls` must not be empty"),
    ),
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {No Beta: {beta1: 0.99}}"),
        (
            23,
            "No Beta",
            LOWER + "the name `No Beta` of a control must be kebab-case, such as `no-momentum`",
        ),
    ),
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {one: {beta1: 0.99}, two: 4}"),
        (23, "4", LOWER + "`controls.two` must be a mapping, found the number 4"),
    ),
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {without: {beta1: .nan}}"),
        (
            23,
            "without",
            LOWER + "`controls.without`: arguments are JSON values, and nan is not one; write null "
            "for none",
        ),
    ),
    (
        ("seeds: {max: 12}", "known: {verdict: diverged, finding: x}"),
        (
            24,
            "diverged",
            LOWER + "`known.verdict` must be diverges or vacuous, found `diverged`; did you mean "
            "`diverges`?",
        ),
    ),
    (
        ("seeds: {max: 12}", "known: {smoke: {verdict: diverges}}"),
        (
            24,
            "smoke",
            LOWER + "no `finding`: add what was tried and what explains the verdict",
        ),
    ),
    (
        ("seeds: {max: 12}", "known: {smoke: {}, finding: x}"),
        (24, "known", LOWER + "`known` is one mapping or keyed by tier, not both"),
    ),
    (
        ("seeds: {max: 12}", "known: {verdict: diverges, finding: x, passes_with: {}}"),
        (
            24,
            "passes_with",
            LOWER
            + "`known.passes_with`: changes no argument; write `none` where no setting can pass",
        ),
    ),
    (
        (
            "seeds: {max: 12}",
            "amended: [{date: 2026, fields: [expect], was: a, now: b, reason: c}]",
        ),
        (
            24,
            "2026",
            LOWER + "`date` of entry 1 of `amended` must be a date such as 2026-12-01, found the "
            "number 2026",
        ),
    ),
    (
        (
            "seeds: {max: 12}",
            "amended: [{date: 2026-13-01, fields: [expect], was: a, now: b, reason: c}]",
        ),
        (
            24,
            "date",
            LOWER + "`date` of entry 1 of `amended`: `2026-13-01` is no date: month must be in "
            "1..12",
        ),
    ),
    (
        ("{loss_gap: 0.1}", "{loss_gap: a tenth}"),
        (22, "a tenth", LOWER + "`reported.loss_gap` must be a number, found `a tenth`"),
    ),
    (
        ("experiment: digits", "experiment:"),
        (20, "experiment", LOWER + "`experiment` must be text, found nothing"),
    ),
]


@pytest.mark.parametrize(("edit", "expected"), ONE)
def test_message(problems, edit, expected):
    found = [told(problem) for problem in problems(edited(edit))]
    unused = "experiment `digits`: no claim uses it; add a claim or remove it"
    assert [entry for entry in found if entry[2] != unused] == [expected]


@pytest.mark.parametrize(
    ("text", "found"), [("[a]\n", "a list"), ("3\n", "the number 3"), ("a\n", "`a`")]
)
def test_top_level_is_no_mapping(problems, text, found):
    (problem,) = problems(text)
    assert problem.message == f"the file must be a mapping, found {found}"


def test_top_level_keys_are_missing_or_empty(problems):
    assert [problem.message for problem in problems("claims: []\nexperiments: {}\n")] == [
        "no `paper`: add the title, year, authors and theme of the paper",
        "`claims` must not be empty",
        "`experiments` must not be empty",
    ]


def test_claim_that_is_no_mapping(problems):
    text = edited(("claims:\n", "claims:\n  - 3\n"))
    assert [problem.message for problem in problems(text)] == [
        "claim 1: it must be a mapping, found the number 3"
    ]


def test_every_required_key_says_what_to_add():
    required = {
        key for model in MODELS for key, field in model.model_fields.items() if field.is_required()
    }
    assert required == set(explain.MISSING)
