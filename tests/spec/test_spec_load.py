"""Loading a folder: what a spec answers, its files, its hashes and its cache."""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import pytest

from claimbench.errors import UsageError
from claimbench.spec.load import load_spec, spec_of
from claimbench.spec.models import Spec
from claimbench.spec.outline import ClaimOutline, Outline, outline
from claimbench.spec.problems import SpecError
from claimbench.tiers import TIERS
from tests.spec.lion import CLAIMS, REPRODUCE, RICH, edited

Load = Callable[..., Spec]


class Memory(dict[str, str]):
    """A cache that counts what was put."""

    puts = 0

    def put(self, key: str, value: str) -> None:
        self.puts += 1
        self[key] = value


def test_whole_spec(spec: Load, tmp_path: Path):
    lion = spec()
    assert (lion.slug, lion.folder) == ("lion", Path("papers/lion"))
    assert (lion.paper.title, lion.paper.arxiv, lion.paper.year) == (
        "Symbolic Discovery of Optimization Algorithms",
        "2302.06675",
        2023,
    )
    assert lion.paper.authors == ("Xiangning Chen",)
    assert (lion.paper.code, lion.paper.url, lion.paper.theme) == (
        None,
        None,
        "stochastic-optimizers",
    )
    lower, half = lion.claims
    assert [lower.line, half.line] == [14, 25]
    assert lower.statement == "Lion reaches a lower loss than AdamW."
    assert (lower.source, lower.kind, lower.fidelity) == (
        "abstract; Fig. 1",
        "comparison",
        "reduced",
    )
    assert (lower.deviation, half.deviation) == ("digits instead of ImageNet", None)
    assert (lower.controls, half.controls) == (
        {"without": {"beta1": 0.99}},
        {"without": {"optimizer": "adamw"}},
    )
    assert (lower.headline, half.headline, lower.supersedes) == (False, True, ())
    assert (lower.reported, half.reported) == ({"loss_gap": 0.1}, {})
    assert (lower.from_, lower.known_at("smoke"), lower.amended) == ("smoke", None, ())
    assert {m: str(r) for m, r in half.expect_at("full").items()} == {
        "state_ratio": "= 0.5 ± 1e-12"
    }


def test_folder_named_by_the_working_directory(write, monkeypatch):
    monkeypatch.chdir(write())
    assert load_spec(Path()).slug == "lion"


def test_claim_by_id(spec: Load):
    lion = spec()
    assert lion.claim("half-the-state") is lion.claims[1]
    with pytest.raises(
        UsageError, match=r"^lion has no claim `x`; its claims are lower-loss, half-"
    ):
        lion.claim("x")


@pytest.mark.parametrize(
    ("edits", "rules", "seeds"),
    [
        ((), ["typical", "every"], [12, 1]),
        ([("    seeds: {max: 12}\n", "")], ["typical", "every"], [20, 1]),
        ([("seeds: {max: 12}", "rule: every")], ["every", "every"], [3, 1]),
        ([("seeds: {max: 12}", "rule: typical")], ["typical", "every"], [20, 1]),
        ([("seeds: {max: 12}", "seeds: {max: 5}\n    rule: every")], ["every", "every"], [5, 1]),
        ([("    deterministic: true\n", "    smoke: {}\n")], ["typical", "every"], [12, 3]),
        (
            [("    deterministic: true\n", "    smoke: {}\n"), ("kind: exact", "kind: rate")],
            ["typical", "every"],
            [12, 3],
        ),
        (
            [("    deterministic: true\n", "    smoke: {}\n"), ("kind: exact", "kind: speed")],
            ["typical", "typical"],
            [12, 20],
        ),
    ],
)
def test_rule_and_seeds(spec: Load, edits, rules, seeds):
    claims = spec(*edits).claims
    assert [claim.rule for claim in claims] == rules
    assert [claim.max_seeds for claim in claims] == seeds


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ("{}", [{}, {}, {}]),
        ("{smoke: {steps: 1}}", [{"steps": 1}] * 3),
        ("{standard: {steps: 2}}", [{}, {"steps": 2}, {"steps": 2}]),
        (
            "{smoke: {steps: 1}, full: {beta1: 0.5}}",
            [{"steps": 1}, {"steps": 1}, {"beta1": 0.5}],
        ),
    ],
)
def test_arguments_come_from_the_nearest_lower_tier(spec: Load, tiers, expected):
    old = "digits:\n    smoke: {steps: 60}\n    timeout: {smoke: 5}\n"
    digits = spec((old, f"digits: {tiers}\n")).experiments["digits"]
    assert [digits.arguments(tier) for tier in TIERS] == expected
    digits.arguments("full")["other"] = 1
    assert "other" not in digits.arguments("full")


@pytest.mark.parametrize(
    ("timeouts", "expected"),
    [("{}", [60, 60, 60]), ("{standard: 300}", [60, 300, 300]), ("{smoke: 0.5}", [0.5] * 3)],
)
def test_timeout_comes_from_the_nearest_lower_tier(spec: Load, timeouts, expected):
    digits = spec(("{smoke: 5}", timeouts)).experiments["digits"]
    assert [digits.timeout_at(tier) for tier in TIERS] == expected


def test_experiment_entry(spec: Load):
    entry = "timeout: {smoke: 5}\n    precision: float64\n    data: [kjv, digits]\n"
    experiments = spec(("timeout: {smoke: 5}\n", entry)).experiments
    assert (experiments["digits"].precision, experiments["digits"].data) == (
        "float64",
        ["kjv", "digits"],
    )
    assert (experiments["memory"].precision, experiments["memory"].data) == ("float32", [])
    assert [e.deterministic for e in experiments.values()] == [False, True]


def test_expectations_by_tier(spec: Load):
    keyed = "{full: {tokens: {above: 3}}, smoke: {loss_gap: {above: 1}, tokens: {above: 2}}}"
    claim = spec(("{loss_gap: {above: 0}}", keyed)).claims[0]
    assert [{m: str(r) for m, r in claim.expect_at(t).items()} for t in TIERS] == [
        {"loss_gap": "> 1", "tokens": "> 2"},
        {"loss_gap": "> 1", "tokens": "> 2"},
        {"tokens": "> 3"},
    ]


@pytest.mark.parametrize(
    ("tier", "judged"),
    [("smoke", [True] * 3), ("standard", [False, True, True]), ("full", [False, False, True])],
)
def test_judged_from(spec: Load, tier, judged):
    claim = spec(("seeds: {max: 12}", f"from: {tier}")).claims[0]
    assert (claim.from_, [claim.judged_at(t) for t in TIERS]) == (tier, judged)


def test_known_divergence(spec: Load):
    known = "known: {verdict: diverges, finding: x, passes_with: {steps: 9}}"
    claim = spec(("seeds: {max: 12}", known)).claims[0]
    found = [claim.known_at(tier) for tier in TIERS]
    assert [(k.verdict, k.finding, k.passes_with) for k in found if k] == [
        ("diverges", "x", {"steps": 9})
    ] * 3


def test_known_divergence_by_tier(spec: Load):
    claim = spec(
        ("seeds: {max: 12}", "known: {smoke: {verdict: diverges, finding: x, passes_with: none}}")
    ).claims[0]
    assert [k and k.passes_with for k in map(claim.known_at, TIERS)] == [{}, None, None]
    assert [k is None for k in map(claim.known_at, TIERS)] == [False, True, True]


def test_controls_and_amendments(spec: Load):
    amended = (
        "amended: [{date: 2026-12-01, fields: [expect], verdict_before: none, was: above 1, "
        "now: above 0, reason: a reason}]"
    )
    claim = spec(
        ("{without: {beta1: 0.99}}", "{one: {beta1: 0.99}, two: {steps: 1}}"),
        ("seeds: {max: 12}", amended),
    ).claims[0]
    assert claim.controls == {"one": {"beta1": 0.99}, "two": {"steps": 1}}
    (amendment,) = claim.amended
    assert (amendment.date.isoformat(), amendment.was, amendment.now, amendment.reason) == (
        "2026-12-01",
        "above 1",
        "above 0",
        "a reason",
    )


def test_spec_of_the_design(write):
    """The example that documents every key is valid."""
    claims = (Path(__file__).parent / "every_key.yaml").read_text(encoding="utf-8")
    source = (
        "from claimbench import experiment\n\n@experiment\n"
        "def beta3_schedule(run, *, steps=1):\n    ...\n\n\n@experiment\n"
        "def language_model(run, *, steps=1, beta3=0.999):\n    ...\n"
    )
    readme = "# AdEMAMix\n\n*The AdEMAMix Optimizer: Better, Faster, Older*, 2024.\n"
    folder = write(claims, source, readme)
    (folder / "table.csv").touch()
    claim, _, on_all = load_spec(folder).claims
    assert (on_all.rule, on_all.max_seeds) == ("every", 12)
    assert (claim.rule, claim.max_seeds) == ("typical", 20)
    assert [claim.judged_at(tier) for tier in TIERS] == [False, True, True]
    assert claim.known_at("full") is not None
    assert [removal.id for removal in load_spec(folder).removed] == ["half-the-steps"]


# hashes


def test_hash_ignores_layout_and_defaults(spec: Load):
    lion = spec()
    digest = lion.claim_hash(lion.claims[0])
    assert len(digest) == 64
    other = spec(
        ("paper:\n", "# a comment\npaper:\n"),
        ("    kind: comparison\n", ""),
        ("    seeds: {max: 12}\n", "    from: smoke\n    seeds: {max: 12}\n    kind: comparison\n"),
        ("{above: 0}", "{above: 0.0}"),
        ("timeout: {smoke: 5}", "timeout: {smoke: 5.0}\n    precision: float32"),
        ("{optimizer: adamw}", "{optimizer: other}"),
    )
    assert other.claims[0].line == 16
    assert other.claim_hash(other.claims[0]) == digest


@pytest.mark.parametrize(
    "edit",
    [
        ("a lower loss", "the lower loss"),
        ("{above: 0}", "{above: 0.1}"),
        ("{above: 0}", "{below: 0}"),
        ("{beta1: 0.99}", "{beta1: 0.98}"),
        ("smoke: {steps: 60}", "smoke: {steps: 61}"),
        ("timeout: {smoke: 5}", "precision: float64"),
        ("seeds: {max: 12}", "seeds: {max: 13}"),
    ],
)
def test_hash_depends_on_claim_and_experiment(spec: Load, edit):
    before, after = spec(), spec(edit)
    assert before.claim_hash(before.claims[0]) != after.claim_hash(after.claims[0])
    assert before.claim_hash(before.claims[1]) == after.claim_hash(after.claims[1])


# files


def test_missing_files(problems):
    found = problems(None, None)
    assert [(p.path.as_posix(), p.line, p.message) for p in found] == [
        (
            "papers/lion/claims.yaml",
            1,
            "no such file; CONTRIBUTING.md shows how to write one",
        ),
        (
            "papers/lion/reproduce.py",
            1,
            "no such file; CONTRIBUTING.md shows how to write one",
        ),
    ]


def test_missing_companions(write):
    folder = write()
    (folder / "README.md").unlink()
    (folder / "method.py").unlink()
    with pytest.raises(SpecError) as caught:
        load_spec(folder)
    assert str(caught.value) == (
        "papers/lion/method.py:1:1: no such file; the paper's method stands here, alone and "
        "importable\n"
        "papers/lion/README.md:1:1: no such file; say here what the paper claims and how it is "
        "checked\n"
        "2 problems. Fix them, then run: claimbench check lion"
    )


def test_folder_that_does_not_exist(write):
    write()
    with pytest.raises(SpecError) as caught:
        load_spec(Path("papers/tiger"))
    assert [p.path.name for p in caught.value.problems] == [
        "claims.yaml",
        "reproduce.py",
        "method.py",
        "README.md",
    ]


def test_file_that_cannot_be_read(write):
    folder = write(None)
    (folder / "claims.yaml").mkdir()
    with pytest.raises(SpecError) as caught:
        load_spec(folder)
    assert [p.message for p in caught.value.problems] == ["cannot be read: Is a directory"]


def test_problems_of_all_files_at_once(write):
    folder = write(edited(("kind: exact", "kind: exakt")), "def f(:\n")
    (folder / "README.md").unlink()
    with pytest.raises(SpecError) as caught:
        load_spec(folder)
    assert str(caught.value) == (
        "papers/lion/claims.yaml:28:11: claim `half-the-state`: `kind` must be exact, rate, "
        "number, comparison, speed or shape, found `exakt`; did you mean `exact`?\n"
        "   28 |     kind: exakt\n"
        "      |           ^^^^^\n"
        "papers/lion/reproduce.py:1:7: not valid Python: invalid syntax\n"
        "    1 | def f(:\n"
        "      |       ^\n"
        "papers/lion/README.md:1:1: no such file; say here what the paper claims and how it is "
        "checked\n"
        "3 problems. Fix them, then run: claimbench check lion"
    )


def test_rendering_of_the_style_page(write):
    text = edited(
        ("    expect: {state", "    expects: {state"), ("{optimizer: adamw}", "{optimiser: adamw}")
    )
    with pytest.raises(SpecError) as caught:
        load_spec(write(text))
    assert str(caught.value) == (
        "papers/lion/claims.yaml:31:5: claim `half-the-state`: unknown key `expects`; did you "
        "mean `expect`?\n"
        "   31 |     expects: {state_ratio: {equals: 0.5, abs: 1e-12}}\n"
        "      |     ^^^^^^^\n"
        "papers/lion/claims.yaml:32:26: claim `half-the-state`: control `without` sets "
        "`optimiser`, but `memory` takes optimizer (reproduce.py:16)\n"
        "   32 |     controls: {without: {optimiser: adamw}}\n"
        "      |                          ^^^^^^^^^\n"
        "2 problems. Fix them, then run: claimbench check lion"
    )


# cache


@pytest.mark.parametrize("claims", [CLAIMS, RICH])
def test_cached_spec_is_the_same(write, claims):
    cache = Memory()
    folder = write(claims)
    cold, hit = load_spec(folder, cache), load_spec(folder, cache)
    assert cache.puts == 1
    assert hit == cold == load_spec(folder)
    assert hit.folder == folder
    for a, b in zip(cold.claims, hit.claims, strict=True):
        assert (a.line, a.rule, a.max_seeds) == (b.line, b.rule, b.max_seeds)
        assert cold.claim_hash(a) == hit.claim_hash(b)


def test_json_does_not_hold_the_folder(write):
    cache = Memory()
    load_spec(write(), cache)
    (text,) = cache.values()
    assert sorted(json.loads(text)) == ["claims", "experiments", "lines", "paper", "slug"]


def test_cache_depends_on_both_files_and_the_slug(write):
    cache = Memory()
    folder = write()
    load_spec(folder, cache)
    load_spec(write(CLAIMS + "# more\n"), cache)
    load_spec(write(CLAIMS, REPRODUCE + "# more\n"), cache)
    folder.rename("papers/tiger")
    assert load_spec(Path("papers/tiger"), cache).slug == "tiger"
    assert len(cache) == 4


def test_cached_folder_that_lost_a_file(write):
    cache = Memory()
    folder = write()
    load_spec(folder, cache)
    (folder / "README.md").unlink()
    with pytest.raises(SpecError, match=r"README\.md:1:1: no such file"):
        load_spec(folder, cache)


def test_problems_are_not_cached(write):
    cache = Memory()
    with pytest.raises(SpecError):
        load_spec(write(CLAIMS + "x: 1\n"), cache)
    assert cache == {}


def test_outline_is_that_of_the_spec_from_the_cache_or_not(write):
    cache = Memory()
    folder = write(RICH)
    cold, warm, spec = outline(folder, cache), outline(folder, cache), load_spec(folder)
    assert cache.puts == 1
    (key,) = cache
    claims = tuple(
        ClaimOutline(
            claim.id,
            claim.line,
            claim.kind,
            claim.fidelity,
            claim.from_,
            {
                tier: (known.verdict, known.finding)
                for tier in TIERS
                if (known := claim.known_at(tier))
            },
        )
        for claim in spec.claims
    )
    paper = spec.paper
    text = cache[key]
    expected = Outline(folder, spec.slug, paper.title, paper.theme, claims, key, text)
    assert cold == warm == expected
    for other in ("[]", "{", '{"paper": 3, "claims": []}', '{"paper": {}, "claims": []}'):
        cache[key] = other
        assert outline(folder, cache) == cold
    (folder / "README.md").unlink()
    with pytest.raises(SpecError, match=r"README\.md:1:1: no such file"):
        outline(folder, cache)


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (("seeds: {max: 12}", "seeds: {max: 12}"), (None, None, None)),
        (
            ("seeds: {max: 12}", "known: {verdict: diverges, finding: no, passes_with: none}"),
            (("diverges", "no"), ("diverges", "no"), ("diverges", "no")),
        ),
        (
            (
                "seeds: {max: 12}",
                "known: {full: {verdict: diverges, finding: no, passes_with: none}}",
            ),
            (None, None, ("diverges", "no")),
        ),
        (
            (
                "seeds: {max: 12}",
                "from: standard\n    known: {verdict: diverges, finding: no, passes_with: none}",
            ),
            (None, ("diverges", "no"), ("diverges", "no")),
        ),
    ],
)
def test_outline_knows_divergences_where_a_claim_is_judged(write, edit, found):
    lower, _ = outline(write(edited(edit)), Memory()).claims
    assert tuple(map(lower.known_at, TIERS)) == found


def test_spec_of_an_outline_is_what_the_files_said(write):
    cache = Memory()
    folder = write(RICH)
    before, short = load_spec(folder, cache), outline(folder, cache)
    write(CLAIMS)
    spec = spec_of(short, cache)
    assert spec == before != load_spec(folder, cache)
    assert (spec.folder, [claim.line for claim in spec.claims]) == (
        folder,
        [claim.line for claim in before.claims],
    )


def test_spec_of_an_outline_of_something_else_is_checked_anew(write):
    cache = Memory()
    folder = write(RICH)
    spec, short = load_spec(folder, cache), outline(folder, cache)
    other = dataclasses.replace(short, text=short.text.replace('"kind":"', '"kind":"no '))
    assert spec_of(other, cache) == spec
    write(CLAIMS)
    with pytest.raises(UsageError, match=r"lion: claims\.yaml or .* has changed .*; run again"):
        spec_of(other, cache)


def test_cached_text_of_something_else_is_replaced(write):
    cache = Memory()
    folder = write()
    cold = load_spec(folder, cache)
    (key,) = cache
    cache[key] = '{"paper": 3'
    assert load_spec(folder, cache) == cold
    assert load_spec(folder, cache) == cold
    assert cache.puts == 2


def test_import_stays_light():
    code = (
        "import sys, claimbench.spec.checking, claimbench.spec.load; "
        "print({'torch', 'jax', 'numpy'} & set(sys.modules))"
    )
    assert run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"set()\n"


@pytest.mark.parametrize(
    "text",
    [
        "# symbolic discovery of OPTIMIZATION algorithms\n",
        "# Lion\n\nChen, *Symbolic discovery of\noptimization algorithms*, 2023.\n\n## More\n",
    ],
)
def test_readme_that_names_the_paper(write, text):
    folder = write()
    (folder / "README.md").write_text(text, encoding="utf-8")
    load_spec(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Lion\n",
        "# Symbolic Discovery of Optimization\n",
        "# Lion\n\n## Source\nSymbolic Discovery of Optimization Algorithms\n",
        "# Symbolic Discovery of Optimization Algorithmss\n",
    ],
)
def test_readme_of_another_paper(write, text):
    folder = write()
    (folder / "README.md").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(folder)
    assert str(caught.value) == (
        "papers/lion/README.md:1:1: names another paper than claims.yaml; write its title, "
        "`Symbolic Discovery of Optimization Algorithms`, above the first section\n"
        "1 problem. Fix it, then run: claimbench check lion"
    )
