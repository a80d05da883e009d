"""What was registered cannot be changed, weakened or dropped without an entry that names it."""

from pathlib import Path

import pytest

from claimbench.errors import GitError, UsageError
from tests.spec.repository import CLAIMS, REPRODUCE, Repository, entry

WEAKER = ("at_most: 2}", "at_most: 3}")
SECOND = CLAIMS[CLAIMS.index("  - id: second") :]


@pytest.fixture
def paper(tmp_path: Path) -> Repository:
    """A paper with two claims, committed once."""
    return Repository(tmp_path)


EDITS = {
    "statement": ("It holds.", "It nearly holds."),
    "source": ("Sec. 1", "Sec. 9"),
    "headline": ("headline: true", "headline: false"),
    "kind": ("kind: number", "kind: shape"),
    "fidelity": ("fidelity: exact", "fidelity: mechanism"),
    "expect": ("y: {above: 0}", "y: {at_least: 0}"),
    "reported": ("{x: 1.5}", "{x: 1.6}"),
    "seeds": ("max: 12", "max: 20"),
    "rule": ("seeds: {max: 12}", "seeds: {max: 12}\n    rule: every"),
    "controls": (", half: {n: 2}", ""),
    "from": ("seeds: {max: 12}", "seeds: {max: 12}\n    from: standard"),
    "known": ("seeds: {max: 12}", "seeds: {max: 12}\n    known: {verdict: diverges, finding: f}"),
    "arguments": ("smoke: {steps: 7}", "smoke: {steps: 6}"),
    "defaults": ("n: int = 4", "n: int = 5"),
    "precision": ("smoke: {steps: 7}", "smoke: {steps: 7}\n    precision: float64"),
    "constant": ("smoke: {steps: 7}", "smoke: {steps: 7}\n    constant: [y]"),
    "data": ("smoke: {steps: 7}", "smoke: {steps: 7}\n    data: [digits]"),
    "files": ("smoke: {steps: 7}", "smoke: {steps: 7}\n    files: [table.csv]"),
    "timeout": ("smoke: {steps: 7}", "smoke: {steps: 7}\n    timeout: {smoke: 90}"),
}


@pytest.mark.parametrize(("field", "edit"), EDITS.items(), ids=EDITS)
def test_each_field_that_changed_must_be_named_by_itself(
    paper: Repository, field: str, edit: tuple[str, str]
):
    """A field is changed; an entry that names every other one does not cover it."""
    paper.edit(edit)
    assert {f for claim, f in paper.unmarked() if claim == "first"} == {field}
    paper.amend(entry(", ".join(other for other in EDITS if other != field)))
    assert ("first", field) in paper.unmarked()
    paper.commit()
    paper.amend(entry(field, "s"))
    assert ("first", field) not in paper.unmarked()


def test_claim_pointed_at_an_easier_experiment_is_one_difference(paper: Repository):
    """The claim points at a function with the same parameters and other arguments."""
    easier = REPRODUCE[REPRODUCE.index("@experiment") :].replace("def f", "def easier")
    paper.edit(
        ("experiment: f", "experiment: easier"),
        ("experiments:", "experiments:\n  easier: {}"),
        ("@experiment", f"{easier}\n\n@experiment"),
    )
    assert paper.unmarked() == [("first", "experiment")]
    paper.amend(entry("experiment"))
    paper.commit()
    paper.edit(("def easier(run: Run, *, n: int = 4", "def easier(run: Run, *, n: int = 1"))
    assert paper.unmarked() == [("first", "defaults")]


def test_experiment_that_changes_while_the_claim_points_elsewhere_is_compared(paper: Repository):
    """The claim points at another function, and back once the first one is weaker."""
    easier = REPRODUCE[REPRODUCE.index("@experiment") :].replace("def f", "def easier")
    paper.edit(
        ("experiment: f", "experiment: easier"),
        ("experiments:", "experiments:\n  easier: {}"),
        ("@experiment", f"{easier.replace('n: int = 4', 'n: int = 8')}\n\n@experiment"),
    )
    paper.commit()
    paper.edit(("experiment: easier", "experiment: f"))
    assert paper.unmarked() == []
    paper.edit(("n: int = 4", "n: int = 1"))
    assert paper.unmarked() == [("first", "defaults"), ("second", "defaults")]


def test_deterministic_takes_rule_and_seeds_with_it(paper: Repository):
    """One seed decides where every run is said to give the same."""
    paper.edit(("smoke: {steps: 7}", "smoke: {steps: 7}\n    deterministic: true"))
    fields = [field for claim, field in paper.unmarked() if claim == "first"]
    assert sorted(map(str, fields)) == ["deterministic", "rule", "seeds"]


def test_parameter_that_is_new_with_its_default_is_no_difference_until_it_changes(
    paper: Repository,
):
    """A parameter is added in one commit and weakened in the next."""
    paper.edit(("steps: int = 30)", "steps: int = 30, late: float = 0.5)"))
    paper.commit()
    assert paper.unmarked() == []
    paper.edit(("late: float = 0.5", "late: float = 0.25"))
    assert paper.unmarked() == [("first", "defaults"), ("second", "defaults")]
    paper.edit(("late: float = 0.25", "late: float = 0.5"), ("steps: 70}", "steps: 70, late: 0.1}"))
    assert paper.unmarked() == [("first", "arguments"), ("second", "arguments")]


def test_default_that_a_constant_gives_is_followed(paper: Repository):
    """The constant behind a default is changed, not the signature."""
    paper.edit(("n: int = 4", "n: int = SIZE"), ("@experiment", "SIZE = 4\n\n\n@experiment"))
    paper.amend(entry("defaults"))
    paper.commit()
    paper.edit(("SIZE = 4", "SIZE = 3"))
    assert ("first", "defaults") in paper.unmarked()


def test_argument_moved_from_tier_to_default_is_no_difference(paper: Repository):
    """The mapping of a tier goes, and the default becomes what it said."""
    paper.edit(("    smoke: {steps: 7}\n    standard: {steps: 70}", "    standard: {steps: 70}"))
    assert ("first", "arguments") in paper.unmarked()
    paper.edit(("n: int = 4, steps: int = 30", "n: int = 4, steps: int = 7"))
    assert paper.unmarked() == []


def test_forms_that_say_the_same_are_no_difference(paper: Repository):
    """Layout, names of controls, written out defaults and the words of a finding are free."""
    paper.edit(
        ("It holds.", ">-\n      It\n      holds."),
        ("without: {n: 0}, half: {n: 2}", "halved: {n: 2.0}, none-of-it: {n: 0}"),
        ("seeds: {max: 12}", "seeds: {max: 12}\n    from: smoke\n    rule: typical"),
        ("smoke: {steps: 7}", "smoke: {steps: 7}\n    timeout: {smoke: 60}\n    data: []"),
    )
    assert paper.unmarked() == []


def test_one_irrelevant_entry_does_not_cover_everything(paper: Repository):
    """The old rule asked for any new entry, whatever it was about."""
    paper.edit(("{above: 0}", "{above: -9}"), (", half: {n: 2}", ""))
    paper.amend(entry("statement"))
    assert paper.unmarked() == [("first", "expect"), ("first", "controls")]


def test_entry_that_is_older_than_the_change_covers_nothing(paper: Repository):
    """An entry is committed in advance, the change later."""
    paper.amend(entry("expect"))
    paper.commit()
    paper.edit(("{above: 0}", "{above: -9}"))
    paper.commit()
    assert paper.unmarked() == [("first", "expect")]
    paper.amend(entry("expect", "later"))
    assert paper.unmarked() == []


def test_second_change_of_a_field_needs_a_second_entry(paper: Repository):
    """The entry of the first change stands there already."""
    paper.edit(("{above: 0}", "{above: -1}"))
    paper.amend(entry("expect"))
    paper.commit()
    paper.edit(("{above: -1}", "{above: -9}"))
    assert paper.unmarked() == [("first", "expect")]


def test_change_and_change_back_needs_no_entry(paper: Repository):
    """A field has its registered value again."""
    paper.edit(WEAKER)
    paper.commit()
    paper.edit(WEAKER[::-1])
    paper.commit()
    assert paper.unmarked() == []


def test_old_entry_can_be_completed_but_not_reworded(paper: Repository):
    """An entry of the form without fields gets them; then its reason is touched up."""
    paper.edit(("{above: 0}", "{above: -1}"))
    paper.amend("{date: 2026-11-24, was: a, now: b, reason: r}")
    paper.commit()
    assert paper.unmarked() == [("first", "expect")]
    paper.edit(("{date: 2026-11-24,", "{date: 2026-11-24, fields: [expect],"))
    assert paper.unmarked() == []
    paper.commit()
    paper.edit(("fields: [expect]", "fields: [expect, controls]"))
    assert "had another `fields`" in paper.findings()[0].message
    paper.edit(("[expect, controls]", "[expect]"), ("reason: r", "reason: better"))
    assert any("was edited or is gone" in finding.message for finding in paper.findings())


def test_entry_that_is_dropped_is_found_even_with_the_change_undone(paper: Repository):
    """The change was restored and its history deleted."""
    paper.edit(("{above: 0}", "{above: -1}"))
    paper.amend(entry("expect"))
    paper.commit()
    paper.git("checkout", "--quiet", "HEAD~", "--", "papers")
    (finding,) = paper.findings()
    assert "`amended` entry of 2026-12-01" in finding.message


def test_claim_that_is_dropped_must_be_listed_and_stay_listed(paper: Repository):
    """A claim goes without a word; its `removed` entry is reworded, put back, and then goes."""
    paper.edit((SECOND, ""))
    (finding,) = paper.findings()
    assert (finding.claim, "`removed`" in finding.message) == ("second", True)
    listed = "removed: [{id: second, date: 2026-12-01, reason: ill-posed}]\n"
    paper.edit(("    amended: []\n", f"    amended: []\n{listed}"))
    assert paper.unmarked() == []
    paper.commit()
    for edit in (("ill-posed", "dull"), (listed.replace("ill-posed", "dull"), "")):
        paper.edit(edit)
        paper.commit()
        (finding,) = paper.findings()
        assert "its `removed` entry of 2026-12-01 was edited or is gone" in finding.message
    paper.edit(("    amended: []\n", f"    amended: []\n{listed}"))
    assert paper.unmarked() == []


def test_removed_id_that_comes_back_is_compared_with_its_registration(paper: Repository):
    """A claim is removed, and added again with a wider region."""
    paper.edit((SECOND, "removed: [{id: second, date: 2026-12-01, reason: r}]\n"))
    paper.commit()
    weaker = SECOND.replace(*WEAKER)
    paper.edit(("removed: [{id: second, date: 2026-12-01, reason: r}]\n", weaker))
    assert paper.unmarked() == [("second", "expect")]
    paper.edit(WEAKER[::-1])
    assert paper.unmarked() == []


def test_claim_that_is_renamed_must_say_whom_it_supersedes_and_what_differs(paper: Repository):
    """A claim gets another id and a weaker region at once."""
    paper.edit(("id: second", "id: newer"), WEAKER)
    assert paper.unmarked() == [("second", None)]
    paper.edit(("id: newer", "id: newer\n    supersedes: [second]"))
    (finding,) = paper.findings()
    assert (finding.claim, finding.field) == ("newer", "expect")
    assert "supersedes `second`" in finding.message
    head, _, tail = paper.claims.read_text(encoding="utf-8").rpartition("amended: []")
    paper.claims.write_text(f"{head}amended: [{entry('expect')}]{tail}", encoding="utf-8")
    assert paper.unmarked() == []


def test_claim_that_was_there_cannot_swallow_another_in_silence(paper: Repository):
    """A claim is dropped, and another one says that it supersedes it."""
    paper.edit((SECOND, ""), ("id: first", "id: first\n    supersedes: [second]"))
    assert {claim for claim, _ in paper.unmarked()} == {"first"}
    assert {"statement", "expect", "kind"} <= {field for _, field in paper.unmarked()}


def test_what_a_superseded_claim_left_unmarked_is_its_heirs_to_mark(paper: Repository):
    """A claim is weakened, and renamed a commit later."""
    paper.edit(WEAKER)
    paper.commit()
    paper.edit(("id: second", "id: newer\n    supersedes: [second]"))
    (finding,) = paper.findings()
    assert (finding.claim, finding.field) == ("newer", "expect")


def test_folder_that_is_renamed_keeps_its_history(paper: Repository):
    """The folder gets another name and a weaker region, under a new version of the paper."""
    paper.git("mv", "papers/paper", "papers/another")
    paper.folder = paper.papers / "another"
    paper.claims, paper.reproduce = paper.folder / "claims.yaml", paper.folder / "reproduce.py"
    paper.edit(WEAKER, ("title: On f", "title: On g"), ("2401.00001", "2401.00001v3"))
    assert paper.unmarked() == [("second", "expect")]
    paper.commit()
    assert paper.unmarked() == [("second", "expect")]
    assert paper.lineage().slugs == ("another", "paper")


def test_symbolic_link_is_refused(paper: Repository):
    """claims.yaml, and then the folder, lie where git does not look."""
    outside = paper.root / "elsewhere.yaml"
    paper.claims.rename(outside)
    paper.claims.symlink_to(outside)
    with pytest.raises(UsageError, match=r"paper/claims.yaml is a symbolic link.*put the file"):
        paper.findings()
    paper.folder.rename(paper.root / "moved")
    paper.folder.symlink_to(paper.root / "moved")
    with pytest.raises(UsageError, match=r"papers/paper is a symbolic link.*put the folder"):
        paper.findings()


def test_registration_by_claims_alone_takes_the_first_defaults(tmp_path: Path):
    """The first commit has claims.yaml only, the second reproduce.py, the third other defaults."""
    paper = Repository(tmp_path)
    reproduce = paper.reproduce.read_text(encoding="utf-8")
    paper.reproduce.unlink()
    paper.git("add", "--all")
    paper.git("commit", "--quiet", "--amend", "-m", "m")
    paper.reproduce.write_text(reproduce, encoding="utf-8")
    paper.commit()
    assert paper.unmarked() == []
    paper.edit(("n: int = 4", "n: int = 3"))
    assert paper.unmarked() == [("first", "defaults"), ("second", "defaults")]


def test_controls_of_the_old_form_are_the_same_mappings(tmp_path: Path):
    """The first commit writes `control:`, as one mapping and as a list, and knows no headline."""
    paper = Repository(tmp_path)
    new = paper.claims.read_text(encoding="utf-8")
    paper.edit(
        ("controls: {without: {n: 0}, half: {n: 2}}", "control: [{n: 2}, {n: 0}]"),
        ("controls: {without: {n: 0}}", "control: {n: 0}"),
        ("    headline: true\n", ""),
    )
    paper.git("commit", "--quiet", "--all", "--amend", "-m", "m")
    paper.claims.write_text(new, encoding="utf-8")
    paper.commit()
    assert paper.unmarked() == []
    paper.edit(("headline: true", "headline: false"), (", half: {n: 2}", ""))
    assert paper.unmarked() == [("first", "headline"), ("first", "controls")]


def test_two_branches_that_each_amend_and_merge_raise_no_alarm(paper: Repository):
    """Each branch changes a claim of its own with an entry; the merge has both."""
    paper.git("checkout", "--quiet", "-b", "side")
    paper.edit(WEAKER)
    head, _, tail = paper.claims.read_text(encoding="utf-8").rpartition("amended: []")
    paper.claims.write_text(f"{head}amended: [{entry('expect')}]{tail}", encoding="utf-8")
    paper.commit()
    paper.git("checkout", "--quiet", "main")
    paper.edit(("max: 12", "max: 15"))
    paper.amend(entry("seeds"))
    paper.commit()
    paper.git("merge", "--quiet", "--no-edit", "side")
    assert paper.unmarked() == []


def test_weaker_claim_that_another_branch_registered_is_still_compared(paper: Repository):
    """A branch from before the registration has the same id, weaker, and wins the merge."""
    paper.git("checkout", "--quiet", "--orphan", "side")
    paper.edit(WEAKER)
    paper.commit()
    paper.git("checkout", "--quiet", "main")
    paper.git(
        "merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "-X", "theirs", "side"
    )
    assert "at_most: 3" in paper.claims.read_text(encoding="utf-8")
    assert paper.unmarked() == [("second", "expect")]


def test_settings_of_git_change_nothing(paper: Repository):
    """What a user may have in his configuration, each of which changes what `git log` prints."""
    paper.edit(WEAKER)
    paper.commit()
    for setting in (
        *("log.showRoot=false", "log.showSignature=true", "log.diffMerges=off", "log.follow=true"),
        *("diff.renames=copies", "color.ui=always", "format.pretty=oneline", "log.decorate=full"),
    ):
        paper.git("config", *setting.split("="))
    assert paper.unmarked() == [("second", "expect")]


def test_version_that_cannot_be_read_is_passed_over(paper: Repository):
    """A commit breaks the YAML; the next has it right again, and weaker."""
    good = paper.claims.read_text(encoding="utf-8")
    paper.claims.write_text("claims: [", encoding="utf-8")
    paper.commit()
    paper.claims.write_text(good.replace(*WEAKER), encoding="utf-8")
    assert paper.unmarked() == [("second", "expect")]


def test_shallow_clone_says_how_to_get_the_rest(paper: Repository, tmp_path: Path):
    """A clone with one commit does not know what was registered."""
    paper.edit(WEAKER)
    paper.commit()
    clone = tmp_path / "clone"
    paper.git("clone", "--quiet", "--depth=1", f"file://{paper.root}", str(clone))
    paper.papers, paper.folder = clone / "papers", clone / "papers" / "paper"
    with pytest.raises(GitError, match="git fetch --unshallow"):
        paper.findings()


def test_paper_that_is_not_committed_is_not_registered(paper: Repository):
    """A folder is new in the working tree."""
    paper.git("rm", "-r", "--quiet", "--cached", "papers")
    paper.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "m")
    assert not paper.lineage().registered
