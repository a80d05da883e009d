"""`claimbench doctor` tells what this machine can run."""

from harness.commands import doctor


def test_every_section_has_its_lines(capsys):
    assert doctor.run() == 0
    text = capsys.readouterr().out
    sections = [line for line in text.splitlines() if not line.startswith(" ")]
    assert sections == ["machine", "profiles", "limits", "data sets", "extras"]
    assert "✗ gpu: profile `gpu` needs cuda" in text or "✓ gpu" in text
    assert "✓ cpu" in text
    assert "RLIMIT_DATA" in text
    assert "✓ digits" in text
    assert "✓ torch: torch 2." in text


def test_missing_package_comes_with_the_command(capsys, monkeypatch):
    monkeypatch.setitem(doctor._EXTRAS, "moon", ("no_such_package",))
    doctor.run()
    line = "✗ moon: no_such_package missing; pip install 'claimbench[moon]'"
    assert line in capsys.readouterr().out
