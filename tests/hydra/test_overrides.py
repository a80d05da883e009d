"""What is typed behind `claimbench run` is looked at in our words, before Hydra sees it."""

import pytest

from claimbench.errors import UsageError
from claimbench.hydra.config import RunConfig, options
from claimbench.hydra.overrides import checked

THERE_ARE = f"there are {', '.join(options())}"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "selection.change=HEAD~1",
            "no option `selection.change`; did you mean `selection.changed`?",
        ),
        ("+selection.change=x", "no option `selection.change`; did you mean `selection.changed`?"),
        ("executr=ray", "no option `executr`; did you mean `executor`?"),
        ("tier.max_sees=3", "no option `tier.max_sees`; did you mean `tier.max_seeds`?"),
        ("zzz=1", f"no option `zzz`; {THERE_ARE}"),
        ("tiny", f"no option `tiny`; {THERE_ARE}"),
        ("=3", f"no option ``; {THERE_ARE}"),
        ("tier", "`tier` has no value; write tier=VALUE"),
        (
            "selection.papers=papers/é",
            "`selection.papers=papers/é` has characters that need quotes; write "
            "'selection.papers='\"'\"'papers/é'\"'\"''",
        ),
        (
            "selection.papers=a~b",
            "`selection.papers=a~b` has characters that need quotes; write "
            "'selection.papers='\"'\"'a~b'\"'\"''",
        ),
    ],
)
def test_what_hydra_would_not_take_is_a_sentence(word, message):
    with pytest.raises(UsageError) as refusal:
        checked(["tier=full", word])
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "value", ["[one", "one=two", "'one", "(a)", "a'b", "ünï", "{", "x;y", "a\nb", "☃"]
)
def test_values_that_need_quotes_get_them_or_a_sentence(value):
    with pytest.raises(UsageError, match="has characters that need quotes; write"):
        checked([f"selection.papers={value}"])


@pytest.mark.parametrize(
    ("word", "hydras"),
    [
        ("selection.changed=HEAD~1", "selection.changed='HEAD~1'"),
        ("selection.changed=HEAD@{1}", "selection.changed='HEAD@{1}'"),
        ("selection.changed=a'b", "selection.changed='a\\'b'"),
        ("selection.changed=ünï", "selection.changed='ünï'"),
        ("selection.changed='HEAD~1'", "selection.changed='HEAD~1'"),
    ],
)
def test_revision_is_quoted(word, hydras):
    assert checked([word]) == [hydras]


@pytest.mark.parametrize(
    "words",
    [
        ["selection.papers='papers/é'"],
        ["selection.papers=[one,two]", "tier=full"],
        ["-m", "selection.papers=one,two"],
        ["--multirun", "tier=smoke,full"],
        ["--cfg", "job", "tier=full"],
        ["--config-dir", "päth~1"],
        ["hydra.run.dir=x", "hydra/launcher=basic"],
        ["tracker._target_=a.b", "+tracker.project=x", "++tracker.y=1", "tracker=wandb"],
        ["~tier"],
        ["selection.changed=", "selection.failed=true"],
    ],
)
def test_everything_else_is_left_alone(words):
    assert checked(words) == words


def test_every_option_is_one_of_the_configuration():
    assert {"tier", "selection.changed", "executor.workers", "tracker"} <= set(options())
    assert {key.partition(".")[0] for key in options()} == set(RunConfig.model_fields)


def test_unknown_key_of_a_users_own_file_gets_the_nearest(run_claimbench, make_paper, tmp_path):
    make_paper("tiny")
    folder = tmp_path / "config" / "claimbench" / "conf" / "tier"
    folder.mkdir(parents=True)
    (folder / "quick.yaml").write_text("name: smoke\nmax_sees: 1\n")
    code, _, err = run_claimbench("tier=quick")
    assert code == 2
    assert err == "claimbench: no option `tier.max_sees`; did you mean `tier.max_seeds`?\n"
