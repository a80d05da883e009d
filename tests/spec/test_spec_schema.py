"""The JSON Schema beside the models."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from claimbench.spec import schema
from claimbench.spec.reading import Document
from tests.spec.lion import CLAIMS

SCHEMA: dict[str, Any] = json.loads(schema.PATH.read_text(encoding="utf-8"))
EVERY_KEY = (Path(__file__).parent / "every_key.yaml").read_text(encoding="utf-8")


def load(text: str) -> Any:
    return Document(Path("claims.yaml"), text.encode()).data


def test_file_is_up_to_date():
    """If this fails: python -m claimbench.spec.schema."""
    assert schema.PATH.read_text(encoding="utf-8") == schema.schema()


def test_schema_is_valid():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [CLAIMS, EVERY_KEY], ids=["lion", "every key"])
def test_valid_specs(text):
    jsonschema.Draft202012Validator(SCHEMA).validate(load(text))


def test_every_key_is_in_the_example():
    missing = [key for key in properties() if f"{key}:" not in EVERY_KEY]
    assert missing == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    expect: {loss", "    expects: {loss"),
        ('"2302.06675"', "2302.06675"),
        ("kind: exact", "kind: exakt"),
        ("{above: 0}", "{over: 0}"),
        ("{above: 0}", "{}"),
        ("controls: {without: {beta1: 0.99}}", "controls: {without: {}}"),
        ("controls: {without: {beta1: 0.99}}", "controls: 3"),
        ("{loss_gap: {above: 0}}", "{smoke: {above: 0}}"),
        ("from", "form"),
    ],
)
def test_wrong_specs(old, new):
    text = CLAIMS.replace("seeds: {max: 12}", "from: standard")
    assert old in text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(load(text.replace(old, new, 1)))


def properties() -> dict[str, Any]:
    objects = [SCHEMA, *SCHEMA["$defs"].values()]
    return {key: entry for one in objects for key, entry in one.get("properties", {}).items()}


def test_every_key_teaches():
    untaught = [
        key for key, entry in properties().items() if len(entry.get("description", "")) < 10
    ]
    assert untaught == []
