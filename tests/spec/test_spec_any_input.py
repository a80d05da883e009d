"""Whatever claims.yaml holds, loading gives a spec or a SpecError, and no other exception."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec
from claimbench.spec.problems import SpecError
from tests.spec.lion import CLAIMS, README, REPRODUCE, RICH

FOLDER_FILES = {"reproduce.py": REPRODUCE, "method.py": "", "README.md": README}


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers") / "lion"
    folder.mkdir()
    for name, content in FOLDER_FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def outcome(folder: Path, raw: bytes) -> Spec | SpecError:
    (folder / "claims.yaml").write_bytes(raw)
    result: Spec | SpecError
    try:
        result = load_spec(folder)
    except SpecError as error:
        result = error
    if isinstance(result, SpecError):
        lines = raw.count(b"\n") + raw.count(b"\r") + 1
        marked = [p for p in result.problems if p.path.name == "claims.yaml"]
        assert result.problems
        assert str(result).endswith("claimbench check lion")
        assert all(p.line <= lines and p.width >= 1 and p.column >= 1 for p in marked)
    return result


fragments = st.one_of(
    st.text(max_size=8),
    st.binary(max_size=4).map(lambda b: b.decode("latin-1")),
    st.sampled_from(
        [": ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!x ", "\n", "\t", "'", '"', "|"]
    ),
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(raw=st.binary(max_size=200))
def test_any_bytes(shared_folder, raw):
    assert isinstance(outcome(shared_folder, raw), SpecError)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data())
def test_any_change_of_a_valid_file(shared_folder, data):
    text = CLAIMS
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + data.draw(fragments) + text[end:]
    outcome(shared_folder, text.encode("utf-8", errors="surrogatepass"))


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["", "smoke", "full", "every", "at_least", "digits", "2026-12-01", "x y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["smoke", "full", "above", "loss_gap", "max", "verdict", "date", "", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    if isinstance(value, list):
        items = enumerate(value)
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data())
def test_any_value_anywhere(shared_folder, data):
    content = yaml.safe_load(RICH)
    content["claims"][0]["known"]["full"]["passes_with"] = {"beta1": 0.5}
    content["claims"][0]["amended"][0]["date"] = "2026-12-01"
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(content)))
        content = replaced(content, path, data.draw(json_values))
    raw = json.dumps(content).replace("NaN", ".nan").replace("Infinity", ".inf").encode()
    result = outcome(shared_folder, raw)
    if isinstance(result, Spec):
        text = result.model_dump_json(by_alias=True, exclude_defaults=True)
        assert Spec.model_validate_json(text, context={"folder": result.folder}) == result
