"""Whatever a run gives comes back from the store and from JSON as it was."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimbench.errors import AuthorError
from claimbench.judging.record import Measured, Record
from claimbench.running.store import Store
from claimbench.running.workers.execute import checked_metrics
from claimbench.spec.load import load_spec
from claimbench.spec.models import Spec
from tests.records import make_record
from tests.running.test_store import identity, outcome

ROOT = Path(__file__).parents[1]

numbers = st.floats(allow_nan=False) | st.integers(-(10**9), 10**9).map(float)
metrics = st.dictionaries(st.text(min_size=1), numbers, min_size=1)
points = st.lists(st.tuples(numbers, numbers), min_size=1)
curves = st.dictionaries(st.text(), points.map(lambda pairs: tuple(zip(*pairs, strict=True))))
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)

quietly = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@quietly
@given(metrics=metrics, curves=curves)
def test_store_gives_a_run_back_bit_for_bit(tmp_path: Path, metrics, curves):
    store = Store(tmp_path)
    shaped = {name: (list(xs), list(ys)) for name, (xs, ys) in curves.items()}
    written = store.add_run(outcome(metrics=metrics, curves=shaped), identity(), "paper", {})
    key = identity().key
    assert store.run(key, 0) == written
    assert written.metrics == metrics
    assert store.curves(key, 0) == shaped
    store.close()


@quietly
@given(metrics)
def test_published_json_is_strict_and_tells_infinities(values):
    shown = {name: Measured.of([value]) for name, value in values.items()}
    record = replace(make_record(), metrics=shown)
    text = json.dumps(record.as_json(), allow_nan=False)
    back = Record.from_json(text)
    assert {name: measured.median for name, measured in back.metrics.items()} == values
    assert back == record


@quietly
@given(anything)
def test_whatever_an_experiment_returns_is_metrics_or_one_sentence(value):
    found, sentence = None, ""
    try:
        found = checked_metrics(value)
    except AuthorError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert bool(sentence) != bool(found)
    assert all(type(x) is float and not math.isnan(x) for x in (found or {}).values())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.array([2.5]), 2.5),
        (torch.tensor(0.25), 0.25),
        (torch.tensor([[4]]), 4.0),
        (math.inf, math.inf),
        (-np.inf, -math.inf),
    ],
    ids=repr,
)
def test_numbers_of_every_library_are_metrics(value, expected):
    assert checked_metrics({"x": value}) == {"x": expected}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1.0", "metric `x` is str '1.0'; return one number"),
        (None, "metric `x` is NoneType None; return one number"),
        (1j, "metric `x` is complex 1j; return one number"),
        ([1.0], "metric `x` is list [1.0]; return one number"),
        (10**400, "metric `x` is an integer too large for a float"),
        (np.zeros(2), "metric `x` is ndarray array([0., 0.]); return one number"),
        (torch.zeros(2), "metric `x` is Tensor tensor([0., 0.]); return one number"),
    ],
    ids=repr,
)
def test_what_is_no_number_is_one_sentence(value, message):
    with pytest.raises(AuthorError) as caught:
        checked_metrics({"x": value})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "folder",
    sorted(p.parent for p in (ROOT / "papers").glob("*/claims.yaml")),
    ids=lambda p: p.name,
)
def test_spec_comes_back_from_its_json(folder: Path):
    spec = load_spec(folder)
    text = spec.model_dump_json(by_alias=True, exclude_defaults=True)
    again = Spec.model_validate_json(text, context={"folder": folder})
    assert again == spec
    assert [again.claim_hash(c) for c in again.claims] == [spec.claim_hash(c) for c in spec.claims]
