"""What makes two runs the same run."""

from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pytest

from claimbench.cache import Cache
from claimbench.identity.keys import Call, Identity, identify, version
from claimbench.profiles import load_profile
from common.data.digits import digits

PROFILE = load_profile("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = (
        "import numpy\nfrom claimbench import experiment\n\n\n@experiment\ndef f(run, *, n=1):\n"
    )
    (tmp_path / "reproduce.py").write_text(f"{source}    return {{'x': n}}\n", encoding="utf-8")
    return tmp_path


def make(
    folder: Path,
    arguments: dict[str, Any] | None = None,
    precision: str = "float32",
    **changes: Any,
) -> Identity:
    words = {"profile": PROFILE, "cache": Cache(None), "machine": "Xeon", **changes}
    return identify(Call(folder, "f", arguments or {}, precision), **words)


def test_key_is_a_digest_of_32_digits_and_stable(folder: Path):
    assert make(folder).key == make(folder).key
    assert len(make(folder).key) == 32


def test_order_of_arguments_does_not_matter(folder: Path):
    assert make(folder, {"a": 1, "b": 2}).key == make(folder, {"b": 2, "a": 1}).key


@pytest.mark.parametrize(
    "changes",
    [
        {"arguments": {"n": 2}},
        {"precision": "float64"},
        {"profile": replace(PROFILE, threads=2)},
        {"profile": replace(PROFILE, name="other")},
        {"profile": replace(PROFILE, environment={})},
        {"machine": "EPYC"},
    ],
    ids=["arguments", "precision", "threads", "profile", "environment", "machine"],
)
def test_each_part_changes_the_key(folder: Path, changes: dict[str, Any]):
    assert make(folder, **changes).key != make(folder).key


def test_description_and_memory_of_a_profile_do_not_matter(folder: Path):
    other = replace(PROFILE, description="another", memory_mb=1)
    assert make(folder, profile=other).key == make(folder).key


def test_packages_have_their_installed_versions(folder: Path):
    assert make(folder).packages["numpy"] == installed("numpy")
    assert set(make(folder).packages) == {"python", "numpy"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sklearn", installed("scikit-learn")),
        ("_yaml", installed("PyYAML")),
        ("no_such_package", "missing"),
    ],
)
def test_version_of_an_import_name(name: str, expected: str):
    assert version(name) == expected


def test_data_sets_count_by_their_checksum(folder: Path):
    path = folder / "reproduce.py"
    before = make(folder)
    path.write_text(path.read_text(encoding="utf-8").replace("n}", "load('digits')}"))
    after = make(folder)
    assert after.data == {"digits": digits.sha256}
    assert after.parts()["data digits"] == digits.sha256
    assert before.data == {}
