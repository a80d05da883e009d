"""`claimbench new`: what it writes passes `check`, runs, and notices a wrong method."""

import pytest

from claimbench.cli import main
from claimbench.running.engine import verify
from claimbench.spec.load import load_spec


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "papers").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_scaffold_passes_check_and_runs(project, capsys):
    words = ["new", "my_paper", "--arxiv", "2409.03137", "--title", 'A "quoted" title: yes']
    assert main([*words, "--theme", "stochastic-optimizers"]) == 0
    assert "pytest" in capsys.readouterr().out
    assert main(["check", "my_paper"]) == 0
    spec = load_spec(project / "papers" / "my_paper")
    assert spec.paper.title == 'A "quoted" title: yes'
    assert (spec.paper.arxiv, spec.paper.year) == ("2409.03137", 2024)
    results = verify("my_paper")
    assert [result.verdict for result in results] == ["reproduced"] * 3


def test_scaffold_without_an_id_passes_check(project):
    assert main(["new", "other"]) == 0
    assert main(["check", "other"]) == 0


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("beta * velocity - eta * gradient", "beta * velocity - 0.9 * eta * gradient"),
        ("beta * velocity - eta", "0.5 * beta * velocity - eta"),
    ],
)
def test_its_claims_notice_a_wrong_method(project, was, now):
    main(["new", "my_paper"])
    method = project / "papers" / "my_paper" / "method.py"
    text = method.read_text(encoding="utf-8")
    assert was in text
    method.write_text(text.replace(was, now), encoding="utf-8")
    assert "diverged" in [result.verdict for result in verify("my_paper")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["My-Paper"], "`My-Paper`: a slug has lower-case letters"),
        (["mine", "--arxiv", "2409.03137v2"], "--arxiv 2409.03137v2: an id looks like"),
        (["mine", "--theme", "Two Words"], "--theme Two Words: words in lower case"),
    ],
)
def test_words_that_are_refused(project, capsys, words, message):
    assert main(["new", *words]) == 2
    assert message in capsys.readouterr().err
    assert list((project / "papers").iterdir()) == []


def test_nothing_is_overwritten(project, capsys):
    main(["new", "mine"])
    assert main(["new", "mine"]) == 2
    assert "is there already" in capsys.readouterr().err
