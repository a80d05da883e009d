"""Trying claims on mutants: order, stopping, controls, time limits, and what is not run twice."""

import pytest

from claimbench.errors import UsageError
from claimbench.mutation.rewriting import all_mutants
from claimbench.mutation.running import (
    LEAST_SECONDS,
    Check,
    Fate,
    Hunt,
    Original,
    try_original,
    within_reach,
)
from claimbench.running.store import Store
from claimbench.settings import Settings
from claimbench.spec.load import load_spec

METHOD = '''"""A method that scales a number."""


def scaled(x: float, scale: float) -> float:
    y = scale * x
    return y


def unused(x: float) -> float:
    return x + 1
'''
MEASURES = """
NOTES = Path("@NOTES@")


def told(name, scale):
    with open(NOTES / "told.txt", "a", encoding="utf-8") as notes:
        notes.write(f"{HERE} {name} {scale:g}\\n")


@experiment
def quick(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    told("quick", scale)
    return {"value": scaled(2 + random.random(), scale)}


@experiment
def slow(run: Run, *, scale: float = 1.0) -> dict[str, float]:
    told("slow", scale)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    return {"value": scaled(2 + random.random(), scale)}
"""
SLOW = {"id": "slow", "experiment": "slow", "expect": {"value": {"between": [2, 3]}}}
QUICK = {"id": "quick", "experiment": "quick", "expect": {"value": {"at_least": 1.9}}}
LATER = {"id": "later", "experiment": "quick", "from": "standard"}
WRONG = {"id": "wrong", "experiment": "quick", "expect": {"value": {"at_least": 4}}}

QUIETLY = Settings(repeat=False, workers=2)


def nothing(_):
    """Watch nothing."""


@pytest.fixture
def paper(make_paper, tmp_path):
    """A paper with a slow and strict claim before a quick and loose one."""
    paper = make_paper(code=MEASURES.replace("@NOTES@", str(tmp_path)), claims=[SLOW, QUICK])
    (paper.folder / "method.py").write_text(METHOD, encoding="utf-8")
    return paper


@pytest.fixture
def told(tmp_path):
    """Return the experiments that ran in scratch copies since it was asked last."""

    def lines(folder):
        path = tmp_path / "told.txt"
        found = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.split()[1:] for line in found if line.split()[0] != str(folder)]

    return lines


def hunt(folder, settings=QUIETLY):
    spec = load_spec(folder)
    return Hunt(spec, try_original(spec, settings, nothing), settings)


def mutant(folder, now):
    (found,) = [m for m in all_mutants(folder) if m.now == now and m.function != "unused"]
    return found


def test_claims_are_tried_the_cheapest_first(paper):
    original = try_original(load_spec(paper.folder), QUIETLY, nothing)
    assert [check.claim for check in original.checks] == ["quick", "slow"]
    assert original.checks[1].cpu_seconds > 3 * 0.09
    assert {check.timeout for check in original.checks} == {LEAST_SECONDS}
    assert original.left_out == {}


def test_claims_that_cannot_catch_are_left_out_with_the_reason(make_paper, tmp_path):
    speed = {"id": "fast", "kind": "speed", "experiment": "slow"}
    code = MEASURES.replace("@NOTES@", str(tmp_path))
    paper = make_paper(code=code, claims=[QUICK, LATER, WRONG, speed])
    original = try_original(load_spec(paper.folder), QUIETLY, nothing)
    assert [check.claim for check in original.checks] == ["quick"]
    assert original.left_out["later"] == "judged from standard"
    assert original.left_out["wrong"].startswith("diverged: value is ")
    assert original.left_out["fast"] == "a ratio of times catches by chance"


def test_no_claim_that_could_catch(make_paper):
    paper = make_paper(claims=[{"from": "standard"}])
    with pytest.raises(UsageError, match="no claim at smoke can catch a mutant\n  holds: judged"):
        try_original(load_spec(paper.folder), QUIETLY, nothing)


def test_known_divergence_catches_a_mutant_for_which_the_claim_holds(make_paper):
    known = {"verdict": "diverges", "finding": "It does not.", "passes_with": {"scale": 4.0}}
    paper = make_paper(claims=[{"expect": {"value": {"at_least": 3}}, "known": known}])
    (paper.folder / "method.py").write_text(METHOD, encoding="utf-8")
    paper.replace("scale * x", "2 * scale * x * 0.5", "method.py")
    (fate,) = hunt(paper.folder).run(
        [mutant(paper.folder, "y = 4 * scale * x * 0.5")], nothing, controls=False
    )
    assert fate.claim is None  # at most 4, not always above 3
    (fate,) = hunt(paper.folder).run([mutant(paper.folder, "y = 2 * scale * x / 0.5")], nothing)
    assert (fate.claim, fate.verdict) == ("holds", "reproduced")


def test_claim_that_is_known_to_be_vacuous_catches_only_what_changes_it(make_paper):
    known = {"verdict": "vacuous", "finding": "The scale does not matter."}
    paper = make_paper(claims=[{"expect": {"value": {"at_least": 0.2}}, "known": known}])
    method = METHOD.replace("scale * x", "scale * x * (1 + 0 * x)")
    (paper.folder / "method.py").write_text(method, encoding="utf-8")
    same = mutant(paper.folder, "y = scale * x * (1 - 0 * x)")
    negative = mutant(paper.folder, "y = -(scale * x * (1 + 0 * x))")
    fates = hunt(paper.folder).run([same, negative], nothing)
    assert [(fate.claim, fate.verdict) for fate in fates] == [(None, ""), ("holds", "diverged")]
    paper.replace("scale * x *", "(1 if scale < 1 else scale) * x *", "method.py")
    (fate,) = hunt(paper.folder).run(
        [mutant(paper.folder, "y = (0 if scale < 1 else scale) * x * (1 + 0 * x)")], nothing
    )
    assert (fate.claim, fate.verdict, fate.control) == ("holds", "reproduced", True)


def test_first_catch_ends_it_and_a_survivor_meets_every_claim_and_control(paper, told):
    paper.replace("scale * x", "scale * x * (1 - 0 * x)", "method.py")
    trying = hunt(paper.folder)
    told(paper.folder)
    mutants = [
        mutant(paper.folder, "y = -(scale * x * (1 - 0 * x))"),  # quick sees it
        mutant(paper.folder, "y = scale * x * (1 - 1 * x)"),
        mutant(paper.folder, "y = scale * x * (1 + 0 * x)"),  # the same
    ]
    reported: list[Fate] = []
    fates = trying.run(mutants, reported.append)
    assert [(fate.claim, fate.verdict) for fate in fates] == [
        ("quick", "diverged"),
        ("quick", "diverged"),
        (None, ""),
    ]
    assert [fate.mutant for fate in fates] == mutants
    assert reported == fates
    ran = told(paper.folder)
    assert ran.count(["slow", "1"]) == 3, "the survivor alone needs the slow claim: three seeds"
    assert ["quick", "0.25"] in ran
    assert ["slow", "0.25"] in ran


def test_claim_that_is_dearer_catches_what_the_cheap_one_misses(paper):
    paper.replace("scale * x", "scale * x * 1.0", "method.py")
    (fate,) = hunt(paper.folder).run([mutant(paper.folder, "y = scale * x * 2.0")], nothing)
    assert (fate.claim, fate.verdict, fate.control) == ("slow", "diverged", False)
    assert fate.reason.startswith("value is ")


def test_mutant_that_lets_the_control_pass_is_caught_by_it(paper):
    paper.replace("y = scale * x", "y = scale**2 * x", "method.py")
    mutated = mutant(paper.folder, "y = scale**4 * x")
    assert hunt(paper.folder).run([mutated], nothing)[0].claim is None
    paper.replace("y = scale**2 * x", "y = x if scale > 1 else scale * x", "method.py")
    mutated = mutant(paper.folder, "y = x if scale < 1 else scale * x")
    trying = hunt(paper.folder)
    assert trying.run([mutated], nothing, controls=False)[0].claim is None
    (fate,) = trying.run([mutated], nothing)
    assert (fate.claim, fate.verdict, fate.control) == ("quick", "vacuous", True)


def test_mutant_that_raises_is_caught(paper):
    paper.replace("scale * x", "scale * x[0] if scale is None else scale * x", "method.py")
    mutated = mutant(paper.folder, "y = scale * x[0] if scale is not None else scale * x")
    (fate,) = hunt(paper.folder).run([mutated], nothing)
    assert (fate.claim, fate.verdict) == ("quick", "error")
    assert "TypeError" in fate.reason


def test_mutant_that_hangs_is_caught_in_a_short_time(paper, monkeypatch):
    monkeypatch.setattr("claimbench.mutation.running.LEAST_SECONDS", 0.5)
    monkeypatch.setattr("claimbench.mutation.running.PATIENCE", 0.0)
    loop = "y = x\n    while y < x + 3:\n        y += 1\n    y = scale * x"
    paper.replace("y = scale * x", loop, "method.py")
    hangs = [m for m in all_mutants(paper.folder) if m.now == "y += 0"]
    (fate,) = hunt(paper.folder).run(hangs, nothing)
    assert (fate.claim, fate.verdict) == ("quick", "error")
    assert "timed out after 0.5 s" in fate.reason


def test_nothing_is_run_twice_until_the_code_changes(paper, told):
    mutants = all_mutants(paper.folder)
    first = hunt(paper.folder)
    fates = first.run(mutants, nothing)
    assert first.ran > len(mutants)
    told(paper.folder)
    again = hunt(paper.folder)
    assert again.run(mutants, nothing) == fates
    assert (again.ran, told(paper.folder)) == (0, [])
    paper.replace("2 + random", "2.0 + random")
    edited = hunt(paper.folder)
    edited.run(all_mutants(paper.folder), nothing)
    assert edited.ran == first.ran


def test_store_of_the_paper_has_the_original_alone_and_the_folder_is_untouched(paper, store_home):
    files = {path: path.read_bytes() for path in paper.folder.rglob("*") if path.is_file()}
    trying = hunt(paper.folder)
    before = Store(store_home).counts()
    trying.run(all_mutants(paper.folder), nothing)
    assert Store(store_home).counts() == before
    assert {p: p.read_bytes() for p in paper.folder.rglob("*") if p.is_file()} == files


def test_mutants_out_of_reach_are_those_that_no_claim_of_the_tier_meets(paper):
    paper.replace("import scaled", "import scaled, unused")
    paper.replace(
        "@experiment\ndef quick",
        "@experiment\ndef third(run: Run, *, scale: float = 1.0) -> dict[str, float]:\n"
        "    return {'value': unused(scale)}\n\n\n@experiment\ndef quick",
    )
    reached = {m for m in all_mutants(paper.folder) if m.function == "scaled"}
    text = (paper.folder / "claims.yaml").read_text(encoding="utf-8")
    more = text.replace("experiments:\n", "experiments:\n  third: {deterministic: true}\n")
    more += (
        "- {id: third, statement: S., source: Sec. 1, kind: exact, fidelity: exact, "
        "experiment: third, expect: {value: {at_least: 1}}, controls: {without: {scale: -1.0}}, "
        "from: standard}\n"
    )
    for claims in (text, more, more.replace("from: standard", "from: smoke")):
        (paper.folder / "claims.yaml").write_text(claims, encoding="utf-8")
        spec = load_spec(paper.folder)
        mutants = all_mutants(paper.folder)
        original = try_original(spec, QUIETLY, nothing)
        near, beyond = within_reach(spec, mutants, original)
        if claims.endswith("from: smoke}\n"):
            assert (near, beyond) == (mutants, [])
        else:
            assert (set(near), beyond) == (reached, ["unused"])


def test_a_function_is_reached_through_a_module_that_only_the_experiments_import(paper):
    paper.replace("import scaled", "import scaled\nfrom .between import through")
    paper.replace("scaled(2 +", "through(2 +")
    between = (
        "from .method import unused\n\n\ndef through(x, scale):\n    return unused(x) * scale\n"
    )
    (paper.folder / "between.py").write_text(between, encoding="utf-8")
    spec = load_spec(paper.folder)
    original = Original((Check("quick", 0.1, 10.0),), {})
    mutants = all_mutants(paper.folder)
    near, beyond = within_reach(spec, mutants, original)
    assert {mutant.function for mutant in near} == {"unused"}
    assert beyond == ["scaled"]
