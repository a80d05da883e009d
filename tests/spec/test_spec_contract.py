"""claims.yaml against reproduce.py, which is read and never imported."""

import pytest

from tests.spec.lion import REPRODUCE, edited, told

LOWER = "claim `lower-loss`: "
HALF = "claim `half-the-state`: "

CLAIM_SIDE = [
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {without: {beta: 0.99}}"),
        (
            23,
            "beta",
            LOWER
            + "control `without` sets `beta`, but `digits` takes beta1, steps (reproduce.py:11)",
        ),
    ),
    (
        (
            "controls: {without: {beta1: 0.99}}",
            "controls: {one: {beta1: 0.99}, two: {beta2: 1, steps: 3}}",
        ),
        (
            23,
            "beta2",
            LOWER + "control `two` sets `beta2`, but `digits` takes beta1, steps (reproduce.py:11)",
        ),
    ),
    (
        ("smoke: {steps: 60}", "full: {step: 60}"),
        (
            9,
            "step",
            "experiment `digits`: full sets `step`, but `digits` takes beta1, steps "
            "(reproduce.py:11)",
        ),
    ),
    (
        ("seeds: {max: 12}", "known: {verdict: diverges, finding: x, passes_with: {run: 1}}"),
        (
            24,
            "run",
            LOWER + "passes_with sets `run`, but `digits` takes beta1, steps (reproduce.py:11)",
        ),
    ),
    (
        ("controls: {without: {beta1: 0.99}}", "controls: {without: {beta1: 0.9}}"),
        (
            23,
            "without",
            LOWER
            + "the control `without` changes nothing at smoke: beta1 = 0.9 is what runs there",
        ),
    ),
    (
        (
            "controls: {without: {beta1: 0.99}}",
            "controls: {one: {beta1: 0.99}, two: {beta1: 0.9, steps: 60}}",
        ),
        (
            23,
            "two",
            LOWER
            + "the control `two` changes nothing at smoke: beta1 = 0.9, steps = 60 is what runs "
            "there",
        ),
    ),
    (
        ("seeds: {max: 12}", "known: {verdict: diverges, finding: x, passes_with: {steps: 60}}"),
        (
            24,
            "passes_with",
            LOWER + "`passes_with` changes nothing at smoke: steps = 60 is what runs there",
        ),
    ),
    (
        ("expect: {loss_gap: {above: 0}}", "expect: {loss_gap: {above: 0}, token: {above: 1}}"),
        (
            21,
            "token",
            LOWER + "expects `token`, but `digits` returns loss_gap, tokens (reproduce.py:11)",
        ),
    ),
    (
        (
            "expect: {loss_gap: {above: 0}}",
            "expect: {smoke: {loss_gap: {above: 0}}, full: {loss_gap: {above: 0}, g: {above: 1}}}",
        ),
        (21, "g", LOWER + "expects `g`, but `digits` returns loss_gap, tokens (reproduce.py:11)"),
    ),
]


@pytest.mark.parametrize(("edit", "expected"), CLAIM_SIDE)
def test_claims_that_reproduce_py_does_not_keep(problems, edit, expected):
    assert [told(problem) for problem in problems(edited(edit))] == [expected]


DIGITS = "@experiment\ndef digits(run: Run, *, beta1: float = 0.9, steps: int = 400)"

REPRODUCE_SIDE = [
    (
        (DIGITS, DIGITS.removeprefix("@experiment\n")),
        (10, "def digits", "experiment `digits`: mark it with `@experiment`"),
    ),
    (
        (DIGITS, DIGITS.replace("@experiment", "@artefact")),
        (11, "def digits", "experiment `digits`: mark it with `@experiment`"),
    ),
    (
        (DIGITS, DIGITS.replace("run: Run", "seed: int")),
        (11, "def digits", "experiment `digits`: the first parameter must be `run`"),
    ),
    (
        (DIGITS, DIGITS.replace("run: Run, ", "")),
        (11, "def digits", "experiment `digits`: the first parameter must be `run`"),
    ),
    (
        (DIGITS, DIGITS.replace("*, beta1", "beta0=1, *, beta1")),
        (
            11,
            "def digits",
            "experiment `digits`: write `*` after `run`, so that `beta0` is passed by keyword",
        ),
    ),
    (
        (DIGITS, DIGITS.replace("400)", "400, **rest)")),
        (
            11,
            "def digits",
            "experiment `digits`: `rest` takes anything; name the arguments, with defaults",
        ),
    ),
    (
        (DIGITS, DIGITS.replace(" = 400", "")),
        (11, "def digits", "experiment `digits`: give `steps` a default"),
    ),
    (
        ('return {"loss_gap": 0.1, "tokens": 3.0}', "return (3"),
        (12, "(", "not valid Python: '(' was never closed"),
    ),
]


@pytest.mark.parametrize(("edit", "expected"), REPRODUCE_SIDE)
def test_reproduce_py_that_breaks_the_contract(problems, edit, expected):
    found = problems(reproduce=edited(edit, text=REPRODUCE))
    assert [told(problem) for problem in found] == [expected]
    assert [problem.path.name for problem in found] == ["reproduce.py"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [("digit_run", "did you mean `digits`?"), ("x", "its experiments are digits, memory")],
)
def test_function_is_absent(problems, name, advice):
    text = edited(("  digits:\n", f"  {name}:\n"), ("experiment: digits", f"experiment: {name}"))
    text = text.replace("digit_run", "digitz") if name == "digit_run" else text
    shown = "digitz" if name == "digit_run" else name
    assert [told(problem) for problem in problems(text)] == [
        (8, shown, f"experiment `{shown}`: no such function in reproduce.py; {advice}")
    ]


def test_reproduce_py_without_functions(problems):
    assert {problem.message for problem in problems(reproduce="")} == {
        "experiment `digits`: no such function in reproduce.py; add it",
        "experiment `memory`: no such function in reproduce.py; add it",
    }


@pytest.mark.parametrize(
    "source", ["x = (\n", "\0", "(" * 400, "-" * 100_000 + "1", "# coding: klingon\n", "\\"]
)
def test_reproduce_py_that_does_not_parse(problems, source):
    (problem,) = problems(reproduce=source)
    assert problem.message.startswith("not valid Python: ")


@pytest.mark.parametrize(
    "edit",
    [
        (
            "from claimbench import Run, experiment",
            "from claimbench import Run\nfrom claimbench import experiment as exp",
        ),
        ("from claimbench import Run, experiment", "import claimbench"),
    ],
)
def test_other_names_of_the_decorator(problems, edit):
    mark = "@exp" if "exp" in edit[1].split() else "@claimbench.experiment"
    source = edited(edit, text=REPRODUCE).replace("@experiment", mark)
    assert problems(reproduce=source) == []


def test_control_changes_nothing_only_at_a_higher_tier(problems):
    steps = "smoke: {steps: 60, beta1: 0.5}\n    full: {beta1: 0.99}"
    found = problems(edited(("smoke: {steps: 60}", steps)))
    assert [problem.message for problem in found] == [
        LOWER + "the control `without` changes nothing at full: beta1 = 0.99 is what runs there"
    ]


def test_control_at_a_tier_that_is_not_judged(problems):
    steps = "smoke: {beta1: 0.99}\n    full: {beta1: 0.5}"
    text = edited(("smoke: {steps: 60}", steps), ("seeds: {max: 12}", "from: full"))
    assert problems(text) == []


@pytest.mark.parametrize(
    ("default", "value", "same"),
    [
        ("1", "1.0", True),
        ("1", "true", False),
        ("(1, [2])", "[1, [2.0]]", True),
        ("{'a': (1,)}", "{a: [1]}", True),
        ("{'a': 1}", "{b: 1}", False),
        ("-1e-3", "-0.001", True),
        ("None", "null", True),
        ("None", "0", False),
        ("math.pi", "3.141592653589793", False),
        ("'x'", "x", True),
    ],
)
def test_control_against_the_default(problems, default, value, same):
    source = edited(("beta1: float = 0.9,", f"beta1: object = {default},"), text=REPRODUCE)
    found = problems(
        edited(
            ("controls: {without: {beta1: 0.99}}", f"controls: {{without: {{beta1: {value}}}}}")
        ),
        source,
    )
    assert bool(found) == same


RETURNS = [
    ("return measure(run)", True),
    ("return {**measure(run)}", True),
    ("return {name: 1.0 for name in run}", True),
    ("raise RuntimeError", True),
    ('return {"loss_gap": 1}', True),
    ('return {"gap": 1}', False),
    ('def inner():\n        return {"loss_gap": 1}\n    return {"gap": 1}', False),
    ('def inner():\n        return {"gap": 1}\n    return {"loss_gap": 1}', True),
    ('if run:\n        return {"gap": 1}\n    else:\n        return {"loss_gap": 1}', True),
    (
        'try:\n        pass\n    except E:\n        return {"loss_gap": 1}\n    return {"gap": 1}',
        True,
    ),
    (
        'match run:\n        case 1:\n            return {"loss_gap": 1}\n    return {"gap": 1}',
        True,
    ),
    (
        'for i in run:\n        with i:\n            return {"loss_gap": 1}\n    return {"g": 1}',
        True,
    ),
]


@pytest.mark.parametrize(("body", "fine"), RETURNS)
def test_metrics_that_are_returned(problems, body, fine):
    source = edited(('return {"loss_gap": 0.1, "tokens": 3.0}', body), text=REPRODUCE)
    assert (problems(reproduce=source) == []) == fine


def test_claim_with_other_problems_is_still_compared(problems):
    text = edited(
        ("    expect: {loss", "    expects: {loss"),
        ("controls: {without: {beta1: 0.99}}", "controls: {without: {beta: 0.99}}"),
        ("timeout: {smoke: 5}", "timeout: 5"),
        ("reported: {loss_gap: 0.1}\n", "reported: {x: 0.1}\n"),
    )
    assert [problem.message for problem in problems(text)] == [
        "experiment `digits`: `timeout` must be a mapping of tier to seconds, such as "
        "{smoke: 30}, found the number 5",
        LOWER + "unknown key `expects`; did you mean `expect`?",
        LOWER + "control `without` sets `beta`, but `digits` takes beta1, steps (reproduce.py:11)",
    ]
