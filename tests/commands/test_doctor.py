"""`claimbench doctor` tells what this machine can run."""

from importlib import metadata

from claimbench.cli import main
from claimbench.commands import doctor


def test_every_section_has_its_lines(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    sections = [line for line in text.splitlines() if not line.startswith(" ")]
    assert sections == ["machine", "profiles", "limits", "data sets", "extras"]
    assert "✗ gpu: profile `gpu` needs cuda" in text or "✓ gpu" in text
    assert "✓ cpu" in text
    assert "RLIMIT_DATA" in text
    assert "✓ digits" in text
    assert "✓ torch: safetensors 0." in text


def test_missing_package_comes_with_the_command(capsys, monkeypatch):
    text = 'no-such-package>=1; extra == "torch"'
    monkeypatch.setattr(doctor, "requires", lambda name: [*(metadata.requires(name) or []), text])
    main(["doctor"])
    line = "✗ torch: no-such-package missing; pip install 'claimbench[torch]'"
    assert line in capsys.readouterr().out
