"""Profiles are data, and say what a machine lacks."""

from dataclasses import replace
from pathlib import Path

import pytest

from claimbench.errors import UsageError
from claimbench.profiles import cpu_flags, cpu_model, load_profile, profile_files, user_folder


def test_every_profile_loads():
    assert {"cpu", "gpu"} <= set(profile_files())
    assert [load_profile(name).name for name in profile_files()] == list(profile_files())


def test_cpu_profile_pins_threads_and_instruction_set():
    environment = load_profile("cpu").environment
    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["ATEN_CPU_CAPABILITY"] == "avx2"
    assert "--xla_cpu_max_isa=AVX2" in environment["XLA_FLAGS"]
    assert environment["JAX_ENABLE_X64"] == "1"


def test_unknown_profile_gets_the_nearest_name():
    with pytest.raises(UsageError, match="no profile `cpy`; did you mean `cpu`"):
        load_profile("cpy")


def test_unmet_names_the_flag_that_the_machine_lacks():
    profile = replace(load_profile("cpu"), requires=("no_such_flag",))
    assert profile.unmet() == "profile `cpu` needs no_such_flag, which this machine lacks"
    assert replace(profile, requires=tuple(cpu_flags())[:3]).unmet() is None


def test_cpu_model_names_family_and_model():
    assert cpu_model()


USERS = """\
description = "Two threads."
device = "cpu"
threads = 2
memory_mb = 8192
requires = []

[environment]
OMP_NUM_THREADS = "2"
"""


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's profiles, with one in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    user_folder().mkdir(parents=True)
    (user_folder() / "two.toml").write_text(USERS, encoding="utf-8")
    return user_folder()


def test_profile_of_the_user_is_found(users: Path):
    profile = load_profile("two")
    assert (profile.threads, profile.environment) == (2, {"OMP_NUM_THREADS": "2"})
    assert profile.digest != load_profile("cpu").digest


def test_profile_of_the_user_cannot_take_the_place_of_the_suites(users: Path):
    (users / "cpu.toml").write_text(USERS, encoding="utf-8")
    with pytest.raises(UsageError, match="`cpu` is a profile of the suite; rename this file"):
        load_profile("two")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("threads = 2", "thread = 2", "`thread`; a profile has exactly description, device"),
        ("threads = 2", 'threads = "2"', "`threads` must be int, not '2'"),
        ("requires = []", "requires = [1]", "`requires` must be a list of CPU flags"),
        ('OMP_NUM_THREADS = "2"', "OMP_NUM_THREADS = 2", "`environment` must be a table of texts"),
        ("threads = 2", "threads = ", "Invalid value"),
    ],
    ids=["unknown key", "wrong type", "requires", "environment", "no TOML"],
)
def test_broken_profile_is_one_sentence_with_its_file(
    users: Path, old: str, new: str, message: str
):
    (users / "two.toml").write_text(USERS.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=r"two\.toml: ") as caught:
        load_profile("two")
    assert message in str(caught.value)
