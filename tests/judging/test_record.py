"""A record is read as it was written, and nothing else is taken for one."""

import copy
import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimbench.errors import RecordError
from claimbench.judging.chosen import Chosen
from claimbench.judging.record import (
    NOT_RUN,
    Control,
    Measured,
    Record,
    Setting,
    Tally,
    cpu_seconds,
    jsonable,
    schema,
    weakest,
)
from claimbench.judging.standing import Standing
from claimbench.judging.verdict import EXPLAINABLE, SettingVerdict, Verdict
from claimbench.spec.models import Fidelity, Kind, Rule
from claimbench.tiers import TIERS
from tests.records import RECORD, make_record

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(schema())

counts = st.integers(0, 200)
finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False)
texts = st.text(max_size=8)
moments = st.none() | texts
words = st.dictionaries(texts, texts, max_size=2)
measured = st.builds(Measured, numbers, numbers, numbers, st.lists(numbers, max_size=4).map(tuple))
metrics = st.dictionaries(texts, measured, max_size=3)
arguments = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)
outcomes = st.sampled_from(SettingVerdict)
passing = st.builds(Setting, outcomes, counts, counts, arguments, metrics)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | texts
chosen = st.builds(
    Chosen,
    st.dictionaries(texts, scalars, max_size=2),
    st.dictionaries(texts, st.lists(scalars, max_size=3).map(tuple), max_size=2),
    st.lists(texts, max_size=2).map(tuple),
    counts,
)
controls = st.builds(Control, outcomes, counts, counts, arguments, metrics, texts)
regions = st.sampled_from(
    [{"at_least": 1.0}, {"between": (0.0, 1.0)}, {"equals": 1e-12, "abs": 1e-13}, {"below": 2.0}]
)
records = st.builds(
    Record,
    **dict.fromkeys(("paper", "claim", "profile", "reason", "spec_hash", "cpu"), texts),
    **dict.fromkeys(("method", "power", "known", "run_key", "commit"), st.none() | texts),
    **dict.fromkeys(("started_at", "judged_at"), moments),
    **dict.fromkeys(("held", "seeds", "max_seeds", "amended"), counts),
    **dict.fromkeys(("seconds", "cpu_seconds"), finite),
    kind=st.sampled_from(get_args(Kind)),
    fidelity=st.sampled_from(get_args(Fidelity)),
    rule=st.sampled_from(get_args(Rule)),
    tier=st.sampled_from(TIERS),
    verdict=st.sampled_from(Verdict),
    deterministic=st.booleans(),
    headline=st.booleans(),
    known_verdict=st.none() | st.sampled_from(EXPLAINABLE),
    metrics=metrics,
    share=st.none() | st.tuples(finite, finite),
    expect=st.dictionaries(texts, regions, max_size=3),
    expect_text=words,
    reported=st.dictionaries(texts, numbers, max_size=2),
    control=st.builds(Tally, outcomes, counts, counts),
    controls=st.lists(controls, max_size=2).map(tuple),
    passes_with=st.none() | passing,
    peak_mb=st.none() | finite,
    data=st.dictionaries(texts, words, max_size=2),
    packages=words,
    standing=st.dictionaries(texts, st.sampled_from(Standing), max_size=2),
    chosen=st.dictionaries(texts, st.lists(chosen, max_size=2).map(tuple), max_size=2),
)

often = settings(derandomize=True, max_examples=60, deadline=None)


@often
@given(records)
def test_record_comes_back_as_it_was_written(record):
    text = json.dumps(record.as_json(), allow_nan=False)
    back = Record.from_json(text)
    assert back == record
    assert Record.from_json(text.encode()) == record
    assert json.dumps(back.as_json()) == text


@often
@given(records)
def test_schema_accepts_what_is_written(record):
    jsonschema.validate(json.loads(json.dumps(record.as_json())), SCHEMA)


def test_json_has_every_field_in_the_order_of_the_class():
    data = make_record().as_json()
    assert list(data) == [field.name for field in dataclasses.fields(Record)]
    assert json.loads(json.dumps(data)) == RECORD


def test_field_types_are_those_of_the_package():
    record = make_record()
    assert record.verdict is Verdict.REPRODUCED
    assert record.control == Tally(SettingVerdict.DIVERGED, 0, 1)
    assert record.metrics["value"] == Measured(1.5, 1.25, 1.75, (1.25, 1.5, 1.75))
    assert record.controls[0].metrics["value"].values == (0.3,)
    assert record.share == (0.37, 1.0)


def test_numbers_that_json_does_not_have_are_text():
    given = {"median": "inf", "low": "-inf", "high": "inf", "values": ["nan", 1, "-inf"]}
    record = make_record(metrics={"value": given}, reported={"value": "inf"})
    value = record.metrics["value"]
    assert (value.median, value.low, record.reported["value"]) == (math.inf, -math.inf, math.inf)
    assert math.isnan(value.values[0])
    assert value.values[1:] == (1.0, -math.inf)
    data = record.as_json()
    assert data["metrics"]["value"] == {**given, "values": ["nan", 1.0, "-inf"]}
    assert data["reported"] == {"value": "inf"}
    assert [jsonable(x) for x in (1.5, math.inf, -math.inf, math.nan)] == [
        1.5,
        "inf",
        "-inf",
        "nan",
    ]


def test_record_does_not_change():
    record = make_record()
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.verdict = Verdict.DIVERGED  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.metrics["value"].median = 0.0  # type: ignore[misc]


def at(path: str, value: Any) -> dict[str, Any]:
    """Return the data of a record with a value put at a path; None for the value takes it out."""
    data: Any = copy.deepcopy(RECORD)
    inner = data
    *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return data


def refused(data: Any) -> str:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)
    with pytest.raises(RecordError) as error:
        Record.from_json(json.dumps(data))
    return str(error.value)


@pytest.mark.parametrize(
    "path",
    [
        *RECORD,
        *(f"metrics/value/{name}" for name in RECORD["metrics"]["value"]),
        *(f"control/{name}" for name in RECORD["control"]),
        *(f"controls/0/{name}" for name in RECORD["controls"][0]),
    ],
)
def test_missing_field_is_an_error_that_names_it(path: str):
    assert refused(at(path, None)) == f"no field `{path.replace('/', '.')}`"


@pytest.mark.parametrize("place", ["", "metrics/value/", "control/", "controls/0/"])
def test_unknown_field_is_an_error_that_names_it(place: str):
    path = f"{place}mean"
    assert refused(at(path, 1.0)) == f"unknown field `{path.replace('/', '.')}`"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("held", "3", "`held`: Input should be a valid integer"),
        ("held", 2.5, "`held`: Input should be a valid integer"),
        ("seconds", "1.5", "`seconds`: Input should be a valid number"),
        ("paper", 7, "`paper`: Input should be a valid string"),
        ("deterministic", "yes", "`deterministic`: Input should be a valid boolean"),
        ("tier", "tiny", "`tier`: Input should be 'smoke', 'standard' or 'full'"),
        ("kind", "guess", "`kind`: Input should be 'exact', 'rate', 'number', "),
        ("rule", "mean", "`rule`: Input should be 'every' or 'typical'"),
        ("verdict", "undecided", "`verdict`: Input should be 'reproduced', 'diverged', "),
        ("control/verdict", "vacuous", "`control.verdict`: Input should be 'error', "),
        ("metrics/value/median", "1.5", "`metrics.value.median`: Input should be a valid number"),
        ("metrics/value/values/0", "Infinity", "`metrics.value.values.0`: Input should be a valid"),
        ("share", [0.5], "no field `share.1`"),
        ("expect/value", {"at_least": "1"}, "`expect.value.at_least.float`: Input should be a"),
    ],
)
def test_value_of_another_type_is_an_error_that_names_the_field(path, value, message):
    assert message in (found := refused(at(path, value)))
    assert "\n" not in found


def test_all_that_is_wrong_is_told_at_once():
    data = {**at("claim", None), "held": "3", "scale": None}
    assert refused(data) == (
        "no field `claim`; `held`: Input should be a valid integer; unknown field `scale`"
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_what_is_no_record_at_all(text: str):
    with pytest.raises(RecordError, match=r"Invalid JSON|Input should be an object"):
        Record.from_json(text)


def test_published_schema_is_the_schema():
    assert (ROOT / "leaderboards" / "verdict.schema.json").read_text("utf-8") == schema()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["required"]) == set(RECORD)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "not run"),
        (["diverged"], "diverged"),
        (["diverged", "undecided"], "undecided"),
        (["undecided", "reproduced", "diverged"], "reproduced"),
        (["reproduced", "error"], "error"),
    ],
)
def test_weakest_control_speaks_most_against_the_claim(verdicts, expected):
    controls = [
        Control(SettingVerdict(word), number, 9, {}, {}, word)
        for number, word in enumerate(verdicts)
    ]
    found = weakest(controls)
    assert type(found) is Tally
    assert found.verdict == expected
    if verdicts:
        assert (found.held, found.seeds) == (verdicts.index(expected), 9)
    else:
        assert found == NOT_RUN


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("known", [None, *EXPLAINABLE])
def test_what_the_spec_expects(verdict, known):
    record = dataclasses.replace(make_record(), verdict=verdict, known_verdict=known)
    assert record.as_expected == (verdict in ("skipped", known or "reproduced"))
    assert record.explained == (known is not None and verdict == known)


def test_name_of_a_record_is_what_one_types():
    assert make_record(paper="lion", claim="fewer-bytes").name == "lion::fewer-bytes"


def test_seconds_of_shared_runs_count_once():
    one, other = (
        make_record(claim=name, run_key="k", cpu_seconds=x) for name, x in (("a", 2.0), ("b", 3.0))
    )
    third = make_record(claim="c", run_key=None, cpu_seconds=4.0)
    assert cpu_seconds([one, other, third]) == cpu_seconds([other, third, one]) == 7.0
    assert cpu_seconds([]) == 0


def test_measured_of_values_has_median_and_interval():
    assert Measured.of([3.0, 1.0, 2.0]) == Measured(2.0, 1.0, 3.0, (3.0, 1.0, 2.0))


def test_importing_the_record_loads_neither_numpy_nor_the_engine():
    code = (
        "import sys, claimbench.judging.record\n"
        "print(sorted({'numpy', 'torch', 'jax', 'claimbench.running.engine'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
