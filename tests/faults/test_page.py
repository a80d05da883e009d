"""The page of faults is what the tests say."""

from pathlib import Path

from tests.faults.__main__ import PAGE, page, rows

REMEDY = "run: python -m tests.faults > docs/faults.md"


def test_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page() + "\n", REMEDY


def test_every_test_here_says_fault_and_promise():
    for path in Path(__file__).parent.glob("test_*.py"):
        if path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            assert len(list(rows(path))) == text.count("\ndef test_"), path


def test_row_is_a_test_whose_docstring_is_one_line_with_an_arrow(tmp_path: Path):
    folder = tmp_path / "tests" / "faults"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text(
        '"""What a breaks.\n\nMore."""\n'
        'def test_b():\n    """b → c"""\ndef test_d():\n    """d"""\n'
        'def test_e():\n    """e → f\n\n    g"""\ndef helper():\n    """h → i"""\n',
        encoding="utf-8",
    )
    (tmp_path / "tests" / "test_none.py").write_text('"""Nothing."""\n', encoding="utf-8")
    assert page(tmp_path / "tests").splitlines()[-7:] == [
        "## What a breaks",
        "",
        "[tests/faults/test_a.py](../tests/faults/test_a.py)",
        "",
        "| fault | promise | test |",
        "| --- | --- | --- |",
        "| b | c | `b` |",
    ]
